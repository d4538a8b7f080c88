"""Every key of a screen, built from its bindings and those of the dashboard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from laddertop.tui.dashboard.grammar import sign_now
from laddertop.tui.dashboard.screens.box import Box


class Help(Box[None]):
    """The keys, and what the pictures mean."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1,enter", "dismiss(None)", "back")]

    def __init__(self, title: str, groups: Mapping[str, Iterable[BindingType]], notes: str = "") -> None:
        """Shows groups of keys by what they are about, the most important first."""
        super().__init__(title, ("↑↓", "scroll"))
        found = {name: [b for b in keys if isinstance(b, Binding) and b.description] for name, keys in groups.items()}
        everywhere = [b for b in self.app.BINDINGS if isinstance(b, Binding) and b.description]
        self._groups = found | {"in every screen": everywhere}
        self._notes = notes

    def content(self) -> Iterable[Widget]:
        """A table of keys, group by group, then the notes."""
        width = max(len(sign_now(binding)) for keys in self._groups.values() for binding in keys)
        text = Text()
        for name, keys in self._groups.items():
            text.append("\n" if text else "").append(f"{name}\n" if name else "", "bold dim")
            for binding in keys:
                text.append(f"{sign_now(binding):>{width}}  ", "bold")
                text.append(f"{binding.tooltip or binding.description}\n")
        yield Static(text.append(f"\n{self._notes}" if self._notes else ""))
