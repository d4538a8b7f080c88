"""The command palette: every key by name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from laddertop.tui.draw.text import harmless


def literal(text: str) -> str:
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
