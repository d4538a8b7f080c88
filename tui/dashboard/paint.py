"""What goes to the terminal: when a part of the screen changes the cells that changed and no others, and ASCII where it
has no more.

Textual crops what it sends on the right only, so each change in the middle of a row would bring everything left of it.
"""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate
from textual.color import Color
from textual.filter import LineFilter

from laddertop.tui.draw.text import ascii_only


class OnlyChanged(CompositorUpdate):
    """A partial update of the screen, cropped on both sides."""

    def __init__(self, update: ChopsUpdate) -> None:
        self._update = update

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Left to textual: nothing asks for it on a terminal."""
        return self._update.__rich_console__(console, options)

    def render_segments(self, console: Console) -> str:
        """The spans, each after a move of the cursor to its first cell."""
        parts: list[str] = []
        for y, left, right in self._update.spans:
            for end, (x, strip) in zip(self._update.chop_ends[y], self._update.chops[y].items(), strict=False):
                first, last = max(x, left), min(end, right)
                if strip is not None and first < last:
                    parts.append(Control.move_to(first, y).segment.text)
                    parts.append(strip.crop(first - x, last - x).render(console))
        return "".join(parts)


class AsciiOnly(LineFilter):
    """Whatever any widget draws, in ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments, character for character in ASCII."""
        return [Segment(ascii_only(text), style, control) for text, style, control in segments]
