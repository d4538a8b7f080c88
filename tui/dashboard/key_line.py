"""The keys that matter most on a screen or in a box, with a word each, in one line."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.app import App

from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.draw.cells import Ink


def key_line(hints: Iterable[tuple[str, str]], app: App[object]) -> Text:
    """Each key before its word, in the colours of the dashboard; what has no room is cut at the end."""
    colours, line = colours_of(app), Text(no_wrap=True, overflow="ellipsis")
    for key, word in hints:
        line.append("  " if line else "")
        line.append(key, style(Ink.KEY, colours)).append(f" {word}", style(Ink.DIM, colours))
    return line
