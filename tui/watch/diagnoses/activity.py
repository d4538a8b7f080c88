"""Layers of which no unit is active, as the evaluations count them."""

from __future__ import annotations

from typing import NamedTuple

from laddertop.journal.events import Activity, Evaluated
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.diagnoses.facts import Facts

FOR = 500
"""Steps for which a KL must have been about zero, where evaluations count no units."""


class DeadUnits(NamedTuple):
    """A layer without active units in the newest evaluation."""

    layer: int
    """Counted from 1, the lowest."""
    units: int
    """How many it has."""
    since: int
    """Steps completed at the first evaluation in a row that found none active."""
    time: float
    """When that was, in seconds since 1970."""
    measured: str
    """How many of its units are active, in words."""


def units_of(event: Evaluated) -> dict[int, Activity]:
    """What the units of each layer did in an evaluation, by the layer's number from 1."""
    return dict(enumerate(event.layers.values(), 1))


def dead_units(facts: Facts) -> list[DeadUnits]:
    """The layers without active units in the newest evaluation that counts them, by number."""
    told = facts.told()
    return [_dead(told, layer, units) for layer, units in units_of(told[-1]).items() if not units.active]


def _dead(told: list[Evaluated], layer: int, units: Activity) -> DeadUnits:
    first = told[-1]
    for event in reversed(told):
        of_layer = units_of(event).get(layer)
        if of_layer is None or of_layer.active:
            break
        first = event
    return DeadUnits(
        layer, units.units, first.step, first.time, f"0 of {units.units} units active at {thousands(told[-1].step)}"
    )
