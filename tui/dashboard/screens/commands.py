"""The command palette: every key by name."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from laddertop.tui.dashboard.grammar import key_sign
from laddertop.tui.dashboard.messages import Listing
from laddertop.tui.draw.text import harmless


def literal(text: str) -> str:
    """Text from a run or the keyboard, which the palette must not take for markup."""
    return harmless(text).replace("[", r"\[")


def with_key(key: str, words: Content | str) -> Content:
    """An entry of the palette behind its key."""
    return Content.assemble((f"{key_sign(key.partition(',')[0]):>11}  ", "bold"), words)


class KeyCommands(Provider):
    """Every key of a screen by what it does."""

    async def discover(self) -> Hits:
        """What the palette shows before anything is typed."""
        for binding in self._bindings():
            run = partial(self.screen.run_action, binding.action)
            yield DiscoveryHit(with_key(binding.key, binding.description), run, binding.description)

    async def search(self, query: str) -> Hits:
        """Keys whose description fits what is typed."""
        matcher = self.matcher(query)
        for binding in self._bindings():
            if (score := matcher.match(binding.description)) > 0:
                title = with_key(binding.key, matcher.highlight(binding.description))
                run = partial(self.screen.run_action, binding.action)
                yield Hit(score, title, run, binding.description)

    def _bindings(self) -> list[Binding]:
        screen = self.screen
        every = screen.at_hand() if isinstance(screen, Listing) else screen.BINDINGS
        own = [b for b in every if isinstance(b, Binding) and b.action != "app.command_palette"]
        return own + [
            replace(b, action=f"app.{b.action}") for b in self.app.BINDINGS if isinstance(b, Binding) and b.description
        ]
