"""The event log in words, one line an event; and the events that are marked on the charts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from laddertop.journal.commands import sender
from laddertop.journal.events import Checkpointed, Commanded, Evaluated, Event, Knob, Logged, RunEnded, RunStarted
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.markers import Marker
from laddertop.tui.draw.numbers import size, thousands
from laddertop.tui.watch.babysat import BABYSITTER
from laddertop.tui.watch.diagnoses.advised import keys_in
from laddertop.tui.watch.effects import Effect, before_after, moved_most
from laddertop.tui.watch.wording import changes_in_words, measure, outcome_in_words


def _here() -> str:
    """The front end, with the terminal that it is in: that tells two dashboards of one user apart."""
    try:
        return f"dashboard {os.ttyname(0).removeprefix('/dev/')}"
    except OSError:
        return "dashboard"


ME, _MINE = sender(_here()), sender("dashboard")
ADVISED = " (advised)"
"""What follows the sender of a command that a finding advised."""
UNDO = "undo of "
"""What the note of a command that takes another one back begins with; the id of that one follows."""


@dataclass(slots=True)
class Line:
    """One line of the event log."""

    step: int
    text: str
    ink: Ink = Ink.TEXT
    command: str = ""
    """Id of the command it tells of."""


def who(by: str) -> str:
    """Who sent a command; of the same user's dashboards another one is told by its terminal."""
    if by.endswith(ADVISED):
        return f"{who(by.removesuffix(ADVISED))}{ADVISED}"
    if by == BABYSITTER:
        return "babysitter"
    if by in (ME, _MINE):
        return "you"
    terminal = by.removeprefix(f"{_MINE.removesuffix(')')} ")
    return by if terminal == by else f"you ({terminal}"


def lines_of(event: Event, asked: Mapping[str, float | str], knobs: Mapping[str, Knob]) -> list[Line]:
    """An event in words; `asked` is what a command asked for, which a refusal does not repeat."""
    step = event.step
    match event:
        case RunStarted():
            # A loop of somebody's own may not say where it trains.
            told = event.device, event.precision, "compiled" if event.compiled else "", f"pid {event.pid}"
            where = ", ".join(filter(None, told))
            went = f"{'rolled back to' if event.rolled_back else 'resumed from'} step {thousands(step)}"
            begins = "training starts" if event.resumed_from is None else went
            return [
                Line(step, f"{begins}{' on' if event.device else ','} {where}"),
                *([Line(step, event.note)] if event.note else []),
            ]
        case Commanded():
            words = outcome_in_words(event, asked, knobs)
            # What was advised is told with whether it helped.
            if event.note and event.action == "set" and not keys_in(event.note):
                words += " (undo)" if event.note.startswith(UNDO) else f" ({event.note})"
            ink = Ink.BAD if event.outcome == "refused" else Ink.MARK
            return [Line(step, f"{who(event.by)}: {words}", ink, event.id)]
        case Evaluated():
            values = ", ".join(measure(name, value) for name, value in event.values.items())
            return [Line(step, f"evaluated on {event.split}: {values}", Ink.DIM)]
        case Checkpointed():
            return [Line(step, f"saved {event.file} ({size(event.bytes)}, {event.reason})", Ink.DIM)]
        case Logged():
            return [Line(step, event.text, {"info": Ink.TEXT, "warning": Ink.WARN, "error": Ink.BAD}[event.level])]
        case RunEnded():
            ink = Ink.BAD if event.reason in ("failed", "diverged") else Ink.TEXT
            return [Line(step, f"{event.reason}{': ' + event.detail if event.detail else ''}", ink)]
    return []


def marker_of(event: Event, origin: float, knobs: Mapping[str, Knob]) -> Marker | None:
    """The mark that an event leaves on the charts; `origin` is the time of the run's first start."""
    at = event.time - origin
    match event:
        case RunStarted(rolled_back=True):
            return Marker(event.step, at, f"rolled back to {thousands(event.step)}", "rollback")
        case Commanded(action="rollback", outcome="applied"):
            back_to = round(event.changes[0].applied)
            return Marker(back_to, at, f"rolled back to {thousands(back_to)} by {who(event.by)}", "rollback")
        case Logged() if event.stage:
            return Marker(event.step, at, event.stage, "stage")
        case RunStarted(segment=1) if event.resumed_from is not None:
            return Marker(event.step, at, "forked", "fork")
        case RunStarted() if event.resumed_from is not None:
            return Marker(event.step, at, "resumed", "resume")
        case Commanded(outcome="applied") if event.changes:
            label = changes_in_words({c.knob: c.set_to for c in event.changes}, knobs)
            return Marker(event.step, at, label)
        case Checkpointed():
            return Marker(event.step, at, "", "checkpoint")
        case Evaluated():
            return Marker(event.step, at, "", "evaluation")
    return None


def effect_in_words(effect: Effect, labels: Mapping[str, str], most: int = 2) -> str:
    """What an intervention did to the cost and to the terms it moved most, briefly."""
    parts = [f"cost {before_after(effect, 'total')}" + (" (of another objective)" if effect.objective else "")]
    parts += [f"{labels[name]} {before_after(effect, name)}" for name in moved_most(effect)[:most] if name in labels]
    return "   ".join(parts)
