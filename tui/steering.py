"""What a key asks of the engine: which command, with which new values."""

from __future__ import annotations

import math

from journal.commands import Action
from tui.run_view import RunView

Request = tuple[Action, dict[str, float]]


def flip(view: RunView, name: str) -> Request:
    """Turn a switch to its other side. Raises ValueError when the run has none of that name."""
    row = view.knobs().get(name)
    if row is None:
        raise ValueError(f"this run has no switch {name}")
    # A second press before the engine answered turns the first one back.
    now = row.pending if isinstance(row.pending, float | int) else row.knob.value
    return "set", {name: 0.0 if now else 1.0}


def turn(view: RunView, names: list[str], up: bool) -> Request:
    """Multiply or divide knobs by their factor, within their bounds, all in one command.

    Presses add up: what was asked for last counts, answered or not. Raises ValueError when there is nothing to turn.
    """
    rows = [row for name, row in view.knobs().items() if name in names]
    if not rows:
        raise ValueError("this run has no such knob")
    changes = {}
    for row in rows:
        knob = row.knob
        now = row.pending if isinstance(row.pending, float | int) else knob.value
        value = now * (knob.factor or 1.0) if up else now / (knob.factor or 1.0)
        value = min(max(_tidy(value), knob.low), knob.high)
        if value != now:
            changes[knob.name] = value
    if not changes:
        at = "0" if all(row.knob.value == 0 for row in rows) else "its bound"
        raise ValueError(f"{', '.join(row.knob.label for row in rows[:2])} is at {at}; ctrl+p sets any value")
    return "set", changes


def _tidy(value: float) -> float:
    """Without the dust of repeated turning, so that as many presses back lead to the number it was."""
    short = float(f"{value:.3g}")
    return short if math.isclose(value, short, rel_tol=1e-5) else float(f"{value:.7g}")
