"""What the form for a new run amounts to: a spec, or what is wrong with it, and the same as a shell command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from journal.spec import Spec, load_recipe, override

FIELDS = {
    "data.name": "data set",
    "data.root": "data root",
    "data.labels": "labels",
    "epochs": "epochs",
    "steps": "steps",
    "seed": "seed",
    "optimizer.lr": "learning rate",
    "noise.std": "noise σ",
    "noise.level": "noise level",
    "warmup.steps": "warm-up steps",
    "device": "device",
}
"""Keys of a spec that have a field of their own, with their labels."""


@dataclass(frozen=True)
class Draft:
    """A form as filled in."""

    recipe: str
    settings: tuple[str, ...]
    """What differs from the recipe, as key=value."""
    spec: Spec | None
    problem: str = ""

    def shell(self, options: Mapping[str, str] | None = None) -> str:
        """The command that starts the same run without the form; of `options`, those that are not empty."""
        words = ["laddertop", "train", self.recipe]
        for setting in self.settings:
            words += ["--set", setting]
        for option, value in (options or {}).items():
            words += [option, value] if value else []
        return shlex.join(words)


def fields_of(recipe: Spec) -> dict[str, str]:
    """The fields that fit a recipe, with the recipe's values."""
    values = {}
    for key in FIELDS:
        if key == ("steps" if recipe.steps is None else "epochs"):
            continue
        if key == "data.labels" and recipe.model.kind != "ladder":
            continue
        if key == ("noise.level" if recipe.noise.kind == "gaussian" else "noise.std"):
            continue
        part: object = recipe
        for name in key.split("."):
            part = getattr(part, name)
        values[key] = "" if part is None else f"{part:g}" if isinstance(part, float) else str(part)
    return values


def draft(recipe_name: str, filled: dict[str, str], free: str) -> Draft:
    """The run that a form means: `filled` are its fields by key, `free` its key=value lines."""
    recipe = load_recipe(recipe_name)
    before = fields_of(recipe)
    settings = [f"{k}={v.strip()}" for k, v in filled.items() if k in before and v.strip() != before[k] and v.strip()]
    settings += [line.strip() for line in free.splitlines() if line.strip()]
    if empty := [key for key, value in filled.items() if before.get(key) and not value.strip()]:
        problem = f"{FIELDS[empty[0]]} is empty; the recipe's value is {before[empty[0]]}"
        return Draft(recipe_name, tuple(settings), None, problem)
    try:
        spec = override(recipe, settings)
        if spec.data.root is not None:
            # A resume may come from another folder.
            spec = override(spec, [f"data.root={json.dumps(str(Path(spec.data.root).expanduser().absolute()))}"])
        return Draft(recipe_name, tuple(settings), spec)
    except (ValueError, RuntimeError) as error:
        return Draft(recipe_name, tuple(settings), None, str(error).removeprefix("the settings: "))
