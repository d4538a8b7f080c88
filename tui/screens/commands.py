"""The command palette of the run screen: every key by name, and every knob set to any value by typing it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.draw.text import harmless
from tui.wording import knob_value

if TYPE_CHECKING:
    from tui.screens.run import RunScreen


class RunCommands(Provider):
    """`lr 0.001`, `lambda.0 = 500` or `noise off` set a knob; `note: text` leaves a note in the event log."""

    async def discover(self) -> Hits:
        """What the palette shows before anything is typed."""
        for binding in self._bindings():
            yield DiscoveryHit(binding.description, partial(self._run_action, binding.action))
        for knob in self._run_screen.view.state.knobs.values():
            name = harmless(knob.name)
            yield DiscoveryHit(
                f"{name} = {knob_value(knob, knob.value)}",
                partial(self._run_screen.hint, f"ctrl+p, then type: {name} and its new value"),
                help=harmless(knob.help),
            )

    async def search(self, query: str) -> Hits:
        """Commands that fit what is typed."""
        for name, value in self._settings(query):
            knob = self._run_screen.view.state.knobs[name]
            text = f"set {harmless(name)} to {knob_value(knob, value)} (now {knob_value(knob, knob.value)})"
            yield Hit(1.0, text, partial(self._run_screen.ask, "set", {name: value}), help=harmless(knob.help))
        if query.lower().startswith("note:") and (note := query[5:].strip()):
            yield Hit(1.0, f"leave the note: {harmless(note)}", partial(self._run_screen.ask, "annotate", None, note))
        matcher = self.matcher(query)
        for binding in self._bindings():
            if (score := matcher.match(binding.description)) > 0:
                yield Hit(score, matcher.highlight(binding.description), partial(self._run_action, binding.action))
        for knob in self._run_screen.view.state.knobs.values():
            name = harmless(knob.name)
            if (score := matcher.match(name)) > 0:
                hint = f"type {name} and its new value, such as {name} {knob_value(knob, knob.value)}"
                yield Hit(score * 0.9, matcher.highlight(name), partial(self._run_screen.hint, hint), help=hint)

    @property
    def _run_screen(self) -> RunScreen:
        return cast("RunScreen", self.screen)

    def _bindings(self) -> list[Binding]:
        return [b for b in self._run_screen.BINDINGS if isinstance(b, Binding) and b.action != "app.command_palette"]

    async def _run_action(self, action: str) -> None:
        await self._run_screen.run_action(action)

    def _settings(self, query: str) -> Iterator[tuple[str, float]]:
        name, _, text = query.replace("=", " ").strip().partition(" ")
        knob = self._run_screen.view.state.knobs.get(name)
        text = text.strip().lower()
        if knob is None or not text:
            return
        if knob.kind == "switch":
            if text in ("on", "off", "1", "0"):
                yield name, float(text in ("on", "1"))
            return
        try:
            yield name, float(text)
        except ValueError:
            return
