"""A picture of character cells: what every panel draws, and what is compared so that only changed cells are sent."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np

from laddertop.tui.draw.text import columns, harmless, wide


class Ink(IntEnum):
    """What a cell means; the palette says how it looks. Values from GREYS on are pairs of grey levels (see `grey`)
    or of colours."""

    TEXT = 0
    DIM = 1
    """Labels, rules, units: everything that is read second."""
    FAINT = 2
    """Raw curves behind the smoothed one, empty bars."""
    STRONG = 3
    CURVE = 4
    """The smoothed curve and what belongs to it."""
    MARK = 5
    """What the user did: markers, knob keys."""
    GOOD = 6
    WARN = 7
    """Pending, paused, stale."""
    BAD = 8
    """NaN, refused, crashed."""
    SECOND = 9
    """A second curve or bar."""
    KEY = 10
    """The name of a key."""
    SEVENTH = 11
    """The seventh curve of a chart, which means nothing else."""
    EIGHTH = 12
    CLASSES = 16
    """The first of ten, one per class; see `class_ink`."""
    GREYS = 64
    COLOURS = 512
    """From here on pairs of colours of the palette's cube of 6 × 6 × 6 (see `colour`)."""
    IMAGES = 47168
    """From here on parts of an image that the terminal holds, by its number (see `laddertop.tui.draw.pixels`)."""


GREY_LEVELS = 16
NEAR = 8
"""Cells that are sent again rather than jumped over."""


def grey(ink: np.ndarray | int, paper: np.ndarray | int) -> np.ndarray:
    """Inks for cells painted in grey level `ink` on grey level `paper`, both 0 … GREY_LEVELS - 1."""
    return np.asarray(Ink.GREYS + np.asarray(ink) * GREY_LEVELS + np.asarray(paper), np.uint16)


CUBE = 216
"""Colours of the palette's cube."""

CLASSES = 10
"""Classes with an ink of their own; further ones begin again."""


def colour(ink: np.ndarray | int, paper: np.ndarray | int) -> np.ndarray:
    """Inks for cells painted in one colour of the cube on another, both 0 … CUBE - 1: 36·red + 6·green + blue."""
    return np.asarray(Ink.COLOURS + np.asarray(ink) * CUBE + np.asarray(paper), np.uint16)


def class_ink(label: int) -> int:
    """The ink of a class."""
    return Ink.CLASSES + label % CLASSES


class Cells:
    """H × W characters with an ink each. One that is two columns wide has an empty string beside it."""

    def __init__(self, height: int, width: int) -> None:
        self.chars = np.full((max(height, 0), max(width, 0)), " ", "<U1")
        self.inks = np.zeros(self.chars.shape, np.uint16)

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.chars.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.chars.shape[1])

    def put(self, y: int, x: int, text: str, ink: int = Ink.TEXT) -> int:
        """Write `text` from column x of row y, cropped to the picture. Returns the column after its end.

        This is the only way that text gets into a picture, so nothing a run says can reach the terminal as a control.
        """
        text = text if text.isascii() and text.isprintable() else harmless(text)
        parts = list(text) if text.isascii() else [p for c in text for p in ((c, "") if wide(c) else (c,))]
        end = x + len(parts)
        if 0 <= y < self.height and text:
            left, right = max(x, 0), min(end, self.width)
            if left < right:
                self.chars[y, left:right] = parts[left - x : right - x]
                self.inks[y, left:right] = ink
                self._no_halves(y, y + 1, left, right)
        return end

    def _no_halves(self, top: int, bottom: int, left: int, right: int) -> None:
        """Blanks for the halves of wide characters at both ends of what was laid on columns left … right - 1."""
        # A half on its own makes its row a column too long or too short.
        for y in range(top, bottom):
            for x in (left, right):
                before = self.chars[y, x - 1] if x > 0 else " "
                after = self.chars[y, x] if x < self.width else " "
                if x > 0 and wide(before) and after != "":
                    self.chars[y, x - 1] = " "
                elif after == "" and not wide(before):
                    self.chars[y, x] = " "

    def right(self, y: int, end: int, text: str, ink: int = Ink.TEXT) -> int:
        """Write `text` so that it ends before column `end`. Returns its first column."""
        first = end - columns(text if text.isascii() else harmless(text))
        self.put(y, first, text, ink)
        return first

    def paste(self, y: int, x: int, other: Cells) -> None:
        """Lay another picture on this one with its corner at (y, x), cropped on the right and below."""
        height, width = min(other.height, self.height - y), min(other.width, self.width - x)
        if height > 0 and width > 0:
            self.chars[y : y + height, x : x + width] = other.chars[:height, :width]
            self.inks[y : y + height, x : x + width] = other.inks[:height, :width]
            self._no_halves(y, y + height, x, x + width)

    def runs(self, y: int) -> Iterator[tuple[str, int]]:
        """Row y as stretches of text in one ink. Blanks between images stay bare; others take the ink of their
        neighbours, so stretches are few."""
        row = self.chars[y].tolist()
        start, current = 0, -1
        for x, (char, ink) in enumerate(zip(row, self.inks[y].tolist(), strict=True)):
            if char == " " and ink < Ink.GREYS:
                if current < Ink.GREYS:
                    continue
                ink = Ink.TEXT
            if current >= 0 and ink != current:
                yield "".join(row[start:x]), current
                start = x
            elif current < 0 and ink >= Ink.GREYS and x:
                yield "".join(row[:x]), Ink.TEXT
                start = x
            current = ink
        if row:
            yield "".join(row[start:]), max(current, 0)

    def changed_spans(self, before: Cells | None) -> list[tuple[int, int, int]]:
        """(row, first column, column after the last) of every stretch of cells that differs from `before`; stretches
        that are nearer than a move of the cursor is long make one."""
        if before is None or before.chars.shape != self.chars.shape:
            return [(y, 0, self.width) for y in range(self.height)]
        differs = (self.chars != before.chars) | (self.inks != before.inks)
        if not differs.any():
            return []
        # Both halves of a wide character are sent, of the one that is there as of the one that was.
        half = (self.chars[:, 1:] == "") | (before.chars[:, 1:] == "")
        differs[:, :-1] |= differs[:, 1:] & half
        differs[:, 1:] |= differs[:, :-1] & half
        rows, at = np.nonzero(differs)
        begins = np.append(True, (np.diff(rows) > 0) | (np.diff(at) > NEAR))
        ends = np.append(begins[1:], True)
        return list(zip(rows[begins].tolist(), at[begins].tolist(), (at[ends] + 1).tolist(), strict=True))

    def text(self) -> str:
        """The characters alone, one line per row, without blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self.chars.tolist())
