"""What the form for a new run amounts to: a spec, or what is wrong with it, and the same as a shell command."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from laddertop.journal.recipe_list import as_typed
from laddertop.journal.spec import Key, Spec, keys, load_recipe, override
from laddertop.journal.start import check_sizes

FIRST = ("data.name", "data.root", "data.labels", "data.batch", "epochs", "steps", "seed")
LAST = ("noise.on", "noise.std", "noise.level", "warmup.on", "warmup.steps", "optimizer.lr", "device", "precision")
"""Keys that have a field of their own; those of the model stand between."""


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
    """The keys that have a field of their own in the form of a recipe, with the recipe's values."""
    declared = [key.name for key in keys(recipe)]
    model = [name for name in declared if name.startswith("model.")]
    values = {}
    for key in [*FIRST, *model, *LAST]:
        if key == ("steps" if recipe.steps is None else "epochs"):
            continue
        if key == "data.labels" and not recipe.model.labelled:
            continue
        if key.startswith("noise.") and not recipe.model.noisy:
            continue
        if key == ("noise.level" if recipe.noise.kind == "gaussian" else "noise.std"):
            continue
        part: Any = recipe
        for name in key.split("."):
            part = getattr(part, name)
        values[key] = as_typed(part)
    return values


def declared(recipe: Spec, name: str) -> str:
    """What a key takes and means, in a line: model.latent: whole number, ≥ 1. Units of the code."""
    key = next((key for key in keys(recipe) if key.name == name), None)
    return "" if key is None else _in_a_line(key)


def completions(recipe: Spec, begun: str) -> list[str]:
    """Keys that what is typed may become, each in a line."""
    name, equals, _ = begun.strip().partition("=")
    found = [key for key in keys(recipe) if (key.name == name if equals else name in key.name)]
    return [_in_a_line(key) for key in found] if name else []


def _in_a_line(key: Key) -> str:
    return f"{key.name}: {key.type}{f', {key.limits}' if key.limits else ''}. {' '.join(key.help.split())}"


@cache
def _recipe(name: str) -> Spec:
    return load_recipe(name)


def draft(recipe_name: str, filled: dict[str, str], free: str) -> Draft:
    """The run that a form means: `filled` are its fields by key, `free` its key=value lines."""
    recipe = _recipe(recipe_name)
    before = fields_of(recipe)
    settings = [f"{k}={v.strip()}" for k, v in filled.items() if k in before and v.strip() != before[k] and v.strip()]
    settings += [line.strip() for line in free.splitlines() if line.strip()]
    if empty := [key for key, value in filled.items() if before.get(key) and not value.strip()]:
        problem = f"{empty[0]} is empty; the recipe's value is {before[empty[0]]}"
        return Draft(recipe_name, tuple(settings), None, problem)
    try:
        spec = override(recipe, settings)
        if spec.data.root is not None:
            # A resume may come from another folder.
            spec = override(spec, [f"data.root={json.dumps(str(Path(spec.data.root).expanduser().absolute()))}"])
        if spec.data.known:
            check_sizes(spec)
        return Draft(recipe_name, tuple(settings), spec)
    except (ValueError, RuntimeError) as error:
        return Draft(recipe_name, tuple(settings), None, str(error).removeprefix("the settings: "))
