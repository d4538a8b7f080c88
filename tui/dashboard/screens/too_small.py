"""What lies over every screen while the terminal is too small for it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static

from laddertop.tui.dashboard.layout import MIN_HEIGHT, MIN_WIDTH


class TooSmall(Screen[None]):
    """Says how large the terminal is and how large it must be; no key reaches what can't be seen."""

    DEFAULT_CSS = """
    TooSmall { align: center middle; overflow: hidden; background: $background; }
    TooSmall > Static { width: auto; max-width: 100%; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("d,q", "app.leave", "leave; trainings go on")]

    def compose(self) -> ComposeResult:
        """One sentence in the middle."""
        yield Static(markup=False)

    def on_resize(self, _: Resize) -> None:
        """Another size."""
        width, height = self.app.size
        text, line = f"too small: have {width}×{height}, need {MIN_WIDTH}×{MIN_HEIGHT}", self.query_one(Static)
        # Another text means another layout, and that the screen hears of its size again.
        if text != line.content:
            line.update(text)
