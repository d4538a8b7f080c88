"""The model section of a run that a loop of somebody's own trains: laddertop records and steers it, and knows no more.

It is none of the models that a recipe can name: nothing but the loop's own program can train it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from laddertop.journal.model_section import ModelSection


class LoopSection(ModelSection):
    """A loop of the user's own."""

    kind: Literal["loop"] = "loop"
    """A loop of somebody's own."""

    group: ClassVar[str] = "loops of your own"
    warmable: ClassVar[tuple[str, ...]] = ("noise", "denoising", "kl")
    ours: ClassVar[bool] = False
