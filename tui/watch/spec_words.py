"""A spec as keys with values in words, and what two of them differ in."""

from __future__ import annotations

from typing import Any

from laddertop.journal.spec import Spec


def flat(spec: Spec) -> dict[str, Any]:
    """The values of a spec by key, sections and all: `optimizer.lr`; of a loop of somebody's own those that it has, and
    of what was found in a model of somebody's own which text it is."""
    found: dict[str, Any] = {}

    def walk(tree: dict[str, Any], prefix: str) -> None:
        for key, value in tree.items():
            if prefix == "model.found." and key not in ("sha256", "package"):
                continue
            if isinstance(value, dict):
                walk(value, f"{prefix}{key}.")
            else:
                found[prefix + key] = value

    walk(spec.model_dump(), "")
    return found if spec.model.ours else {key: found[key] for key in ("recipe", "about", "steps", "model.kind")}


def word(value: Any) -> str:
    """A value in a word; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return " ".join(word(one) for one in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def changed(before: Spec, after: Spec) -> str:
    """The keys in which `after` is another than `before`, in a line: `seed 1 → 2, steps 300 → 400`."""
    old, new = flat(before), flat(after)
    keys = [key for key in {**old, **new} if key != "about" and old.get(key) != new.get(key)]
    return ", ".join(f"{key} {word(old.get(key))} → {word(new.get(key))}" for key in keys)
