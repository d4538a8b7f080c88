"""The command palette, in the same frame as all that lies over a screen."""

from __future__ import annotations

from textual.command import CommandPalette
from textual.containers import Vertical

from laddertop.tui.dashboard.key_line import key_line


class CommandBox(CommandPalette):
    """What is typed filters the commands; `enter` does the chosen one, `esc` goes back."""

    DEFAULT_CSS = """
    CommandBox { align: center middle; background: transparent; }
    CommandBox > Vertical { width: 90; max-width: 100%; height: 100%; margin: 0; padding: 0 1;
        visibility: visible; background: $background;
        border: solid $primary; border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $foreground; border-subtitle-align: left; }
    CommandBox SearchIcon, CommandBox LoadingIndicator, CommandBox LoadingIndicator.--visible { display: none; }
    CommandBox #--input, CommandBox #--input.--list-visible { height: 1; border: none; }
    CommandBox #--results, CommandBox CommandList, CommandBox CommandList.--visible { height: 1fr; }
    CommandBox CommandInput, CommandBox CommandInput:focus { height: 1; border: none; padding: 0;
        background: ansi_blue; color: ansi_bright_white; }
    CommandBox #--results { overlay: none; }
    CommandBox CommandList, CommandBox CommandList.--populating { max-height: 100%; border: none; padding: 0;
        background: $background; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    CommandBox CommandList > .option-list--option { padding: 0; }
    """

    def on_mount(self) -> None:
        """Its title and its keys."""
        frame = self.query_one("#--container", Vertical)
        frame.border_title = "commands"
        frame.border_subtitle = key_line((("enter", "do it"), ("↑↓", "choose"), ("esc", "back")), self.app)
