"""Which layers of a model live: active units as its evaluations count them, and the layers that were found dead."""

from __future__ import annotations

from laddertop.journal.events import Activity, Term
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.diagnoses.activity import units_of
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.run_view import RunView

DEAD = ("posterior-collapse", "dead-layer")
"""The kinds of findings that say of a layer that it tells nothing of what it is shown."""


def layer_title(number: int) -> str:
    """The one name of a layer on every screen; its number counts from the input, which is 0."""
    return f"layer {number}"


def layer_of(term: Term) -> int | None:
    """The number of the layer that a term of the cost belongs to; None where it belongs to none alone."""
    return term.layer.index if term.layer else None


def activities(view: RunView) -> dict[int, Activity]:
    """What the units of each layer did in the newest evaluation that tells it, by the layer's number from 1."""
    told = [event for event in view.state.evaluations if event.layers]
    return units_of(told[-1]) if told else {}


def collapsed(findings: list[Finding]) -> dict[int, Finding]:
    """The layers that tell nothing of what they are shown, by number."""
    dead = {one.evidence.layer: one for one in findings if one.kind in DEAD}
    return {layer: dead[layer] for layer in sorted(layer for layer in dead if layer is not None)}


def measured(view: RunView, dead: dict[int, Finding]) -> str:
    """By what several layers are seen to be dead, in words."""
    told = [event for event in view.state.evaluations if event.layers]
    if not told or len(dead) == 1:
        return next(iter(dead.values())).measured
    units = sum(units_of(told[-1])[layer].units for layer in dead)
    return f"0 of {units} units active at {thousands(told[-1].step)}"
