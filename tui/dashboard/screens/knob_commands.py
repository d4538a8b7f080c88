"""What the palette has of a run that is steered besides keys: every knob, set to any value by typing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Protocol

from laddertop.journal.actions import Action
from laddertop.journal.courses import is_course
from laddertop.journal.knobs import asked_of, members
from laddertop.tui.dashboard.knob_keys import KnobKey, knob_keys
from laddertop.tui.dashboard.screens.commands import Command
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import knob_value


class Steers(Protocol):
    """A screen from which a run is steered."""

    view: RunView
    """The run."""

    def ask(self, action: Action, changes: Mapping[str, float | str] | None = None, note: str = "") -> None:
        """Ask something of the engine."""

    def press(self, key: KnobKey) -> None:
        """Do what a key of a knob does."""

    def ask_value(self, name: str) -> object:
        """Ask for a value of a knob, and send it."""


def named(screen: Steers) -> list[Command]:
    """What the keys of the knobs do; and each knob, which asks for its value."""
    knobs = screen.view.state.knobs
    keys = [Command(key.key, key.about, partial(screen.press, key)) for key in knob_keys(knobs)]
    asks = [
        Command(
            "", name, partial(screen.ask_value, name), f"{knob_value(knob, knob.value)}; asks for another: {knob.help}"
        )
        for name, knob in knobs.items()
    ]
    return keys + asks


def meant(screen: Steers, typed: str) -> list[Command]:
    """`lr 0.001`, `lambda.0 = 500` and `noise off` set a knob; `note: text` leaves a note in the event log."""
    knobs, found = screen.view.state.knobs, []
    for name, value in _settings(screen, typed):
        first = knobs[members(name, knobs)[0]]
        text = f"set {name} to {knob_value(first, value)} (now {knob_value(first, first.value)})"
        found.append(Command("", text, partial(screen.ask, "set", {name: value}), first.help))
    if typed.lower().startswith("note:") and (note := typed[5:].strip()):
        found.append(Command("", f"leave the note: {note}", partial(screen.ask, "annotate", None, note)))
    return found


def _settings(screen: Steers, typed: str) -> Iterator[tuple[str, float | str]]:
    knobs = screen.view.state.knobs
    name, _, text = typed.replace("=", " ").strip().partition(" ")
    text = text.strip().lower()
    if not text or not (group := members(name, knobs)):
        return
    if knobs[group[0]].kind == "switch":
        if text in ("on", "off", "1", "0"):
            yield name, float(text in ("on", "1"))
        return
    try:
        yield name, asked_of(knobs[group[0]], text, None) if is_course(text) else float(text)
    except ValueError:
        return
