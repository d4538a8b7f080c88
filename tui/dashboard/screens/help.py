"""Every key of a screen, built from its bindings and those of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from laddertop.tui.dashboard.grammar import key_sign


class Help(ModalScreen[None]):
    """The keys, and what the pictures mean."""

    DEFAULT_CSS = """
    Help { align: center middle; background: transparent; }
    Help > VerticalScroll { width: 90; max-width: 100%; height: auto; max-height: 100%; border: solid $primary;
        padding: 0 2; scrollbar-size-vertical: 1; background: $background; }
    Help Static { width: 100%; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "dismiss(None)", "close")]

    def __init__(self, title: str, bindings: Iterable[Binding], notes: str = "") -> None:
        super().__init__()
        self._title = title
        everywhere = (b for b in self.app.BINDINGS if isinstance(b, Binding))
        self._keys = [b for b in (*bindings, *everywhere) if b.description]
        self._notes = notes

    def compose(self) -> ComposeResult:
        """A table of keys, then the notes."""
        width = max(len(key_sign(binding.key)) for binding in self._keys)
        text = Text()
        text.append(f"{self._title}\n\n", "bold")
        for binding in self._keys:
            text.append(f"{key_sign(binding.key):>{width}}  ", "bold")
            text.append(f"{binding.tooltip or binding.description}\n")
        if self._notes:
            text.append(f"\n{self._notes}\n")
        text.append("\nesc closes this", "dim")
        with VerticalScroll():
            yield Static(text)
