"""Models of a user's own for tests: the one of the documentation, and files with a mistake in them."""

from __future__ import annotations

import re
from pathlib import Path

from laddertop.journal.spec import Spec, load_recipe, override

PAGE = Path(__file__).parents[1] / "docs" / "own-model.md"


def documented() -> str:
    """The whole model that docs/own-model.md shows."""
    found = re.search(r"```python\n(import torch\n.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, "the page shows no model"
    return found[1]


def own_spec(file: Path, text: str, *settings: str, name: str = "MyVae") -> Spec:
    """What is to be looked at where a user names a class in a file with that text."""
    file.write_text(text, encoding="utf-8")
    return override(load_recipe(f"{file}:{name}"), settings)
