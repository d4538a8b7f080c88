"""What the palette knows: every key of a screen by what it does, and what a screen has by name besides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

from textual.app import App
from textual.binding import Binding
from textual.content import Content
from textual.fuzzy import Matcher
from textual.screen import Screen

from laddertop.tui.dashboard.grammar import sign_now
from laddertop.tui.dashboard.messages import Listing
from laddertop.tui.draw.text import harmless


class Command(NamedTuple):
    """An entry of the palette."""

    sign: str
    """Its key, as it is printed on the keyboard; empty: it has none."""
    name: str
    """What it is found by."""
    do: Callable[[], object]
    aside: str = ""
    """What else there is to say of it."""

    def line(self, matcher: Matcher | None = None) -> Content:
        """The same in one line, with what a matcher finds brought out."""
        # Text from a run or the keyboard must not be taken for markup.
        name = harmless(self.name).replace("[", r"\[")
        found = matcher.highlight(name) if matcher is not None else Content.from_markup(name)
        return Content.assemble((f"{self.sign:>11}  ", "bold"), found, (f"  {harmless(self.aside)}", "dim"))


@runtime_checkable
class Commanding(Protocol):
    """A screen that has commands besides its keys."""

    def named(self) -> list[Command]:
        """Those that are found by their names."""

    def meant(self, typed: str) -> list[Command]:
        """Those that typed text spells out."""


def fitting(screen: Screen[Any], app: App[object], typed: str) -> list[tuple[Command, Content]]:
    """The commands of a screen that fit what is typed, the best first, each with its line; all where nothing is."""
    everything = _of_keys(screen, app) + (screen.named() if isinstance(screen, Commanding) else [])
    if not typed.strip():
        return [(command, command.line()) for command in everything]
    matcher = Matcher(typed.strip())
    scored = [(matcher.match(command.name), command) for command in everything]
    found = [command for score, command in sorted(scored, key=lambda one: -one[0]) if score > 0]
    meant = screen.meant(typed.strip()) if isinstance(screen, Commanding) else []
    return [(command, command.line()) for command in meant] + [(command, command.line(matcher)) for command in found]


def _of_keys(screen: Screen[Any], app: App[object]) -> list[Command]:
    every = screen.at_hand() if isinstance(screen, Listing) else screen.BINDINGS
    own = [b for b in every if isinstance(b, Binding) and b.action != "app.command_palette"]
    shared = [replace(b, action=f"app.{b.action}") for b in app.BINDINGS if isinstance(b, Binding) and b.description]
    return [
        Command(sign_now(b).partition(" ")[0], b.description, partial(screen.run_action, b.action))
        for b in own + shared
    ]
