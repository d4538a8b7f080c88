"""What is done to a training without anybody asking for it then: keys of the spec, each off unless it is given."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from laddertop.journal.sections import Section

SAFE = "safe"
"""The word for every kind of finding whose remedy is safe."""


class PolicySpec(Section):
    """What is done by itself at evaluations, to a cost that diverges, to findings; nothing unless it is asked for."""

    on_divergence: Literal["nothing", "stop", "pause", "rollback"] = "nothing"
    """What is done where the cost diverges; rollback: back to the newest checkpoint from before, with half the rate."""
    rollbacks: int = Field(default=3, ge=1, le=100)
    """How often it goes back at most, before it stops."""
    early_stop: str = Field(default="", pattern=r"^([\w.]+:[1-9]\d{0,5})?$")
    """KEY:PATIENCE; stops once that many evaluations in a row had no better value KEY. Empty: never."""
    keep_best: str = ""
    """Value of evaluations whose best is saved at once and kept. Empty: the headline decides among what is saved."""
    babysit: str = Field(default="", pattern=r"^([a-z-]+(,[a-z-]+)*)?$")
    """Kinds of findings whose remedies a babysitter sends, with commas between; safe: all safe ones. Empty: none."""
    remedies: int = Field(default=3, ge=1, le=100)
    """How many remedies a babysitter sends for findings of one kind at most."""

    @property
    def patience(self) -> tuple[str, int]:
        """KEY and PATIENCE of the early stop; 0: never."""
        key, _, patience = self.early_stop.rpartition(":")
        return key, int(patience or 0)

    @property
    def babysat(self) -> frozenset[str]:
        """The kinds, and maybe the word for all safe ones, that a babysitter sees to; empty: there is none."""
        return frozenset(filter(None, self.babysit.split(",")))
