"""Every key of a screen, built from its bindings and those of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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

    def __init__(self, title: str, groups: Mapping[str, Iterable[BindingType]], notes: str = "") -> None:
        """Shows groups of keys by what they are about, the most important first."""
        super().__init__()
        self._title = title
        found = {name: [b for b in keys if isinstance(b, Binding) and b.description] for name, keys in groups.items()}
        everywhere = [b for b in self.app.BINDINGS if isinstance(b, Binding) and b.description]
        self._groups = found | {"in every screen": everywhere}
        self._notes = notes

    def compose(self) -> ComposeResult:
        """A table of keys, group by group, then the notes."""
        width = max(len(key_sign(binding.key)) for keys in self._groups.values() for binding in keys)
        text = Text()
        text.append(self._title, "bold")
        for name, keys in self._groups.items():
            text.append(f"\n{name}\n" if name else "\n", "bold dim")
            for binding in keys:
                text.append(f"{key_sign(binding.key):>{width}}  ", "bold")
                text.append(f"{binding.tooltip or binding.description}\n")
        if self._notes:
            text.append(f"\n{self._notes}\n")
        text.append("\nesc closes this", "dim")
        with VerticalScroll():
            yield Static(text)
