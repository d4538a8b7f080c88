"""The command palette: every key by name; on the run screen also every knob, set to any value by typing it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.draw.text import harmless
from tui.wording import knob_value, members

if TYPE_CHECKING:
    from tui.screens.run import RunScreen


def _literal(text: str) -> str:
    """Text from a run or the keyboard, which the palette must not take for markup."""
    return harmless(text).replace("[", r"\[")


class KeyCommands(Provider):
    """Every key of a screen by what it does."""

    async def discover(self) -> Hits:
        """What the palette shows before anything is typed."""
        for binding in self._bindings():
            yield DiscoveryHit(binding.description, partial(self.screen.run_action, binding.action))

    async def search(self, query: str) -> Hits:
        """Keys whose description fits what is typed."""
        matcher = self.matcher(query)
        for binding in self._bindings():
            if (score := matcher.match(binding.description)) > 0:
                title = matcher.highlight(binding.description)
                yield Hit(score, title, partial(self.screen.run_action, binding.action))

    def _bindings(self) -> list[Binding]:
        own = [b for b in self.screen.BINDINGS if isinstance(b, Binding) and b.action != "app.command_palette"]
        return own + [
            replace(b, action=f"app.{b.action}") for b in self.app.BINDINGS if isinstance(b, Binding) and b.description
        ]


class KnobCommands(Provider):
    """`lr 0.001`, `lambda.0 = 500` or `noise off` set a knob; `note: text` leaves a note in the event log."""

    async def discover(self) -> Hits:
        """The knobs and where they stand."""
        for knob in self._run_screen.view.state.knobs.values():
            name = _literal(knob.name)
            hint = partial(self._run_screen.tell, f"ctrl+p, then type: {name} and its new value")
            yield DiscoveryHit(f"{name} = {knob_value(knob, knob.value)}", hint, help=_literal(knob.help))

    async def search(self, query: str) -> Hits:
        """Settings as typed, and knobs whose name fits."""
        knobs = self._run_screen.view.state.knobs
        for name, value in self._settings(query):
            first = knobs[members(name, knobs)[0]]
            text = f"set {_literal(name)} to {knob_value(first, value)} (now {knob_value(first, first.value)})"
            yield Hit(1.0, text, partial(self._run_screen.ask, "set", {name: value}), help=_literal(first.help))
        if query.lower().startswith("note:") and (note := query[5:].strip()):
            yield Hit(1.0, f"leave the note: {_literal(note)}", partial(self._run_screen.ask, "annotate", None, note))
        matcher = self.matcher(query)
        for knob in knobs.values():
            name = _literal(knob.name)
            if (score := matcher.match(name)) > 0:
                hint = f"type {name} and its new value, such as {name} {knob_value(knob, knob.value)}"
                yield Hit(score * 0.9, matcher.highlight(name), partial(self._run_screen.tell, hint), help=hint)

    @property
    def _run_screen(self) -> RunScreen:
        return cast("RunScreen", self.screen)

    def _settings(self, query: str) -> Iterator[tuple[str, float]]:
        knobs = self._run_screen.view.state.knobs
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
