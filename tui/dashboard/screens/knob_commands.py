"""The command palette of the run screen: every knob, set to any value by typing it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from laddertop.journal.actions import Action
from laddertop.journal.knobs import members
from laddertop.tui.dashboard.knob_keys import KnobKey, knob_keys
from laddertop.tui.dashboard.screens.commands import literal, with_key
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import knob_value


class Steers(Protocol):
    """A screen from which a run is steered."""

    view: RunView
    """The run."""

    def ask(self, action: Action, changes: dict[str, float] | None = None, note: str = "") -> None:
        """Ask something of the engine."""

    def press(self, key: KnobKey) -> None:
        """Do what a key of a knob does."""

    def ask_value(self, name: str) -> None:
        """Ask for a value of a knob, and send it."""


class KnobCommands(Provider):
    """`lr 0.001`, `lambda.0 = 500` or `noise off` set a knob; `note: text` leaves a note in the event log."""

    async def discover(self) -> Hits:
        """What the keys of the knobs do, the knobs and where they stand."""
        for key in knob_keys(self._screen.view.state.knobs):
            yield DiscoveryHit(with_key(key.key, key.about), partial(self._screen.press, key), key.about)
        for knob in self._screen.view.state.knobs.values():
            name = literal(knob.name)
            prompt = partial(self._screen.ask_value, knob.name)
            yield DiscoveryHit(f"{name} = {knob_value(knob, knob.value)}", prompt, help=literal(knob.help))

    async def search(self, query: str) -> Hits:
        """Settings as typed, and knobs whose name fits."""
        knobs = self._screen.view.state.knobs
        for name, value in self._settings(query):
            first = knobs[members(name, knobs)[0]]
            text = f"set {literal(name)} to {knob_value(first, value)} (now {knob_value(first, first.value)})"
            yield Hit(1.0, text, partial(self._screen.ask, "set", {name: value}), help=literal(first.help))
        if query.lower().startswith("note:") and (note := query[5:].strip()):
            yield Hit(1.0, f"leave the note: {literal(note)}", partial(self._screen.ask, "annotate", None, note))
        matcher = self.matcher(query)
        for key in knob_keys(knobs):
            about = key.about
            if (score := matcher.match(about)) > 0:
                yield Hit(score, with_key(key.key, matcher.highlight(about)), partial(self._screen.press, key), about)
        for knob in knobs.values():
            name = literal(knob.name)
            if (score := matcher.match(name)) > 0:
                prompt = partial(self._screen.ask_value, knob.name)
                hint = f"asks for a value; or type it: {name} {knob_value(knob, knob.value)}"
                yield Hit(score * 0.9, matcher.highlight(name), prompt, help=hint)

    @property
    def _screen(self) -> Steers:
        return cast(Steers, self.screen)

    def _settings(self, query: str) -> Iterator[tuple[str, float]]:
        knobs = self._screen.view.state.knobs
        name, _, text = query.replace("=", " ").strip().partition(" ")
        text = text.strip().lower()
        if not text or not (meant := members(name, knobs)):
            return
        if knobs[meant[0]].kind == "switch":
            if text in ("on", "off", "1", "0"):
                yield name, float(text in ("on", "1"))
            return
        try:
            yield name, float(text)
        except ValueError:
            return
