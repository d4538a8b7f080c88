"""The command palette: every command of a screen, found by typing a part of what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.dashboard.screens.commands import Command, fitting


class CommandBox(Box[Callable[[], object]]):
    """The answer does what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('cursor_down')", "next", priority=True),
        Binding("up", "move('cursor_up')", "previous", priority=True),
        Binding("pagedown", "move('page_down')", "a page down", priority=True),
        Binding("pageup", "move('page_up')", "a page up", priority=True),
    ]

    def __init__(self, screen: Screen[Any]) -> None:
        """Lists the commands of `screen`."""
        super().__init__("commands", ("enter", "do it"), ("↑↓", "choose"))
        self._of = screen
        self._found: list[Command] = []

    def content(self) -> Iterable[Widget]:
        """The filter, the list."""
        yield Input(placeholder="a part of what it does", compact=True)
        yield OptionList()

    def on_mount(self) -> None:
        """Show all of them."""
        self.find()

    @on(Input.Changed)
    def find(self) -> None:
        """Show those that fit what is typed."""
        options, found = self.query_one(OptionList), fitting(self._of, self.app, self.query_one(Input).value)
        self._found = [command for command, _ in found]
        lines = [Option(line) for _, line in found] or [Option("nothing does that", disabled=True)]
        options.set_options(lines)
        options.highlighted = 0 if found else None

    def action_move(self, how: str) -> None:
        """Choose another one."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def take(self) -> None:
        """Close with the chosen one."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._found):
            self.dismiss(self._found[at].do)
