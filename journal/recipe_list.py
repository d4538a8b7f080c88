"""The recipes as somebody looks for one: in groups by what they teach, a few to start with, and by words."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from laddertop.journal.models import KINDS
from laddertop.journal.places import recipes
from laddertop.journal.sections import POINTS
from laddertop.journal.spec import Spec, keys, load_recipe

START_WITH = ("ladder-digits", "vae-digits", "dae-digits")
"""A ladder network, a VAE and a denoising autoencoder that need no data and learn within a minute."""


@cache
def specs() -> dict[str, Spec]:
    """The recipes that come with the package, by name, sorted."""
    return {name: load_recipe(name) for name in recipes()}


_PLANE = "denoising as a score, in the plane"
_LECTURE = (
    "autoencoder and denoising autoencoder",
    "stacked denoising autoencoder",
    _PLANE,
    "walkback and GSN",
    "VAE, IWAE and denoising VAE",
    "ladder network without labels",
    "deep VAE and ladder VAE",
    "ladder network",
    "semi-supervised VAE",
)
GROUPS = tuple(dict.fromkeys((*_LECTURE, *(kind.group for kind in KINDS))))
"""What recipes teach, in the order in which the lessons come to it; what no lesson is about comes last."""


def group_of(spec: Spec) -> str:
    """What a recipe teaches: follows from its model, and from whether its data are points of the plane."""
    return _PLANE if spec.data.name in POINTS else spec.model.group


def matching(text: str) -> list[str]:
    """The names of the recipes whose name, sentence, group, model and data together hold every word of `text`."""
    words = text.casefold().split()
    return [name for name, spec in specs().items() if all(word in _searched(name, spec) for word in words)]


def _searched(name: str, spec: Spec) -> str:
    return f"{name} {spec.about} {group_of(spec)} {spec.model.kind} {spec.data.name}".casefold()


def differing(spec: Spec) -> dict[str, str]:
    """The keys in which a recipe differs from the defaults, with its values as they are typed."""
    found = {}
    for key in keys(spec):
        value: Any = spec
        if key.name.startswith("knobs."):
            value = spec.knobs.get(key.name.removeprefix("knobs."))
        else:
            for part in key.name.split("."):
                value = getattr(value, part)
        if value is not None and key.default not in (str(value), as_typed(value)) and key.name != "recipe":
            found[key.name] = as_typed(value)
    return found


def as_typed(value: Any) -> str:
    """A value of a spec as a user types it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return f"[{', '.join(json.dumps(one) if isinstance(one, str) else as_typed(one) for one in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
