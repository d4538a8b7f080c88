"""Which layers of a model live: active units as its evaluations count them, and the one notion of a collapsed layer."""

from __future__ import annotations

from typing import NamedTuple

from laddertop.journal.events import Activity, Evaluated, Term
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.collapses import COLLAPSED_BELOW
from laddertop.tui.watch.run_view import RunView


class Collapsed(NamedTuple):
    """A layer that tells nothing of what it is shown."""

    layer: int
    units: int
    """How many units it has, none of them active; 0 where it is its KL that tells."""
    at: int
    """Steps completed when they were counted last, or the KL was looked at."""
    step: int
    """Steps completed when it was seen first."""
    since: float
    """When that was, in seconds since 1970; 0 where nobody knows."""


def layer_title(number: int) -> str:
    """The one name of a layer on every screen; its number counts from the input, which is 0."""
    return f"layer {number}"


def layer_of(term: Term) -> int | None:
    """The number of the layer that a term of the cost belongs to; None where it belongs to none alone."""
    return term.layer.index if term.layer else None


def activities(view: RunView) -> dict[int, Activity]:
    """What the units of each layer did in the newest evaluation that tells it, by the layer's number from 1."""
    told = _told(view)
    return _units(told[-1]) if told else {}


def collapsed(view: RunView) -> list[Collapsed]:
    """The layers that have collapsed, by number: by their active units where evaluations count them, else by a KL that
    has been about zero for long (laddertop.tui.watch.collapses)."""
    if told := _told(view):
        return [_dead(told, number) for number, units in _units(told[-1]).items() if not units.active]
    found = []
    for term in view.state.terms:
        since, layer = view.collapses.since(term.name, view.step), layer_of(term)
        if layer is not None and since is not None and view.weight(term) != 0:
            found.append(Collapsed(layer, 0, view.step, since, 0.0))
    return sorted(found)


def measured(dead: list[Collapsed]) -> str:
    """By what layers are seen to have collapsed, in words."""
    if units := sum(one.units for one in dead):
        return f"0 of {units} units active at {thousands(dead[0].at)}"
    return f"KL below {COLLAPSED_BELOW:g} nats since {thousands(max(one.step for one in dead))}"


def _told(view: RunView) -> list[Evaluated]:
    return [event for event in view.state.evaluations if event.layers]


def _units(event: Evaluated) -> dict[int, Activity]:
    return dict(enumerate(event.layers.values(), 1))


def _dead(told: list[Evaluated], number: int) -> Collapsed:
    """A layer without active units in the newest of some evaluations, from the first in a row that found none on."""
    first = newest = told[-1]
    for event in reversed(told):
        if number not in _units(event) or _units(event)[number].active:
            break
        first = event
    return Collapsed(number, _units(newest)[number].units, newest.step, first.step, first.time)
