"""The terms and knobs of a loop, from the short forms in which they are declared: a term names the knob that weights
it, a knob its value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from laddertop.journal.events import Knob, Term
from laddertop.journal.names import group_of, label_of

LARGEST = 1e9
"""How far a knob goes that is declared by its value alone."""

LETTERS = "ahjopybnw"
"""Letters that front ends leave to the knobs: of a number the small one makes it smaller, the large one larger."""

Terms = Mapping[str, str | None] | Sequence[Term]
"""By name the knob that weights a term, None: weight 1; or the terms themselves."""

Knobs = Mapping[str, float | bool] | Sequence[Knob]
"""By name the value of a knob, of a switch True or False; or the knobs themselves."""


def terms_of(declared: Terms, knobs: Sequence[Knob], unit: str = "as the loop records it") -> list[Term]:
    """The terms as the journal has them, short forms in that `unit`, but for a KL, which is in nats. Raises ValueError
    for one that is weighted by no knob."""
    if isinstance(declared, Mapping):
        terms = [
            Term(name=name, label=label_of(name), unit=_unit(name, unit), weight=weight, layer=None)
            for name, weight in declared.items()
        ]
    else:
        terms = list(declared)
    known = {knob.name for knob in knobs}
    for term in terms:
        if term.weight is not None and term.weight not in known:
            raise ValueError(f"terms: {term.name} is weighted by {term.weight!r}, which is none of the knobs")
    _unlike([*(term.name for term in terms), *known])
    return terms


def _unit(name: str, usual: str) -> str:
    return "nats" if group_of(name) == "kl" else usual


def knobs_of(declared: Knobs, letters: Sequence[str] = LETTERS, by: str = "the loop") -> list[Knob]:
    """The knobs as the journal has them, declared `by` somebody, who has those letters for keys. Raises ValueError for
    a value that is no number."""
    if not isinstance(declared, Mapping):
        return list(declared)
    knobs = []
    free = [*letters]
    for name, value in declared.items():
        knob = _knob(name, value, by)
        keys = knob.keys or _keys(knob, free)
        free = [letter for letter in free if letter not in keys]
        knobs.append(knob.model_copy(update={"keys": keys}))
    return knobs


def _knob(name: str, value: float | bool, by: str) -> Knob:
    if not isinstance(value, int | float):
        raise ValueError(f"knobs: {name} takes a number, or True or False for a switch, not {value!r}")
    switch = isinstance(value, bool)
    return Knob(
        name=name,
        label=name,
        kind="switch" if switch else "number",
        unit="",
        low=0.0 if value >= 0 else -LARGEST,
        high=1.0 if switch else LARGEST,
        factor=None if switch else 1.5,
        help=f"Declared by {by}.",
        value=float(value),
    )


def _keys(knob: Knob, free: Sequence[str]) -> str:
    """A letter of its name that is free, else any; empty where none is left, and it is set by name."""
    letter = next((letter for letter in [*knob.name.lower(), *free] if letter in free), "")
    return letter if knob.kind == "switch" else f"{letter}{letter.upper()}"


def _unlike(names: Sequence[str]) -> None:
    seen = {"total"}
    for name in names:
        if name in seen:
            raise ValueError(f"{name!r} is declared twice: terms, knobs and `total` are columns of one table")
        seen.add(name)
