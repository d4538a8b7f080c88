"""A terminal that is photographed: the real program in a pseudo-terminal, with colours."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pyte

from docs.svg import INK, Cell, Screen
from tests import terminal

_NAMED = {
    "default": INK,
    "black": "#000000",
    "red": "#d75f5f",
    "green": "#87af5f",
    "brown": "#d7af5f",
    "blue": "#5f87d7",
    "magenta": "#af87d7",
    "cyan": "#5fafaf",
    "white": "#d0d0d0",
    "brightblack": "#808080",
    "brightred": "#ff8787",
    "brightgreen": "#afd787",
    "brightbrown": "#ffd787",
    "brightblue": "#87afff",
    "brightmagenta": "#d7afff",
    "brightcyan": "#87d7d7",
    "brightwhite": "#ffffff",
}
"""The sixteen colours that are the terminal's own."""


class Coloured(terminal.Screen):
    """Keeps colours, too."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], object]) -> None:
        super().__init__(columns, rows, answer)
        self.background = "rgb:1c1c/1c1c/1c1c"
        self._first = self.kept = pyte.Screen(columns, rows)

    def _draw(self, text: str) -> str:
        rest = super()._draw(text)
        # pyte has no alternate screen.
        for part in re.split("(\x1b\\[\\?1049[hl])", text[: len(text) - len(rest)]):
            if part.endswith("?1049h"):
                self.kept = pyte.Screen(self._first.columns, self._first.lines)
            elif part.endswith("?1049l"):
                self.kept = self._first
            else:
                pyte.Stream(self.kept).feed(part)
        return rest


class Camera(terminal.Terminal):
    """Photographs what its command shows, and films it."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str], columns: int, rows: int) -> None:
        super().__init__(command, cwd, {**environment, "COLORTERM": "truecolor"}, columns, rows)
        self.screen: Coloured = Coloured(columns, rows, self.press)
        self.film: list[tuple[Screen, float]] = []
        """What was filmed, with the seconds for which it stood."""

    def wait_for(self, what: Callable[[list[str]], object], seconds: float = 3600.0) -> None:
        """Reads until the screen shows something: a training takes as long as it takes."""
        super().wait_for(what, seconds)

    def photograph(self) -> Screen:
        """The screen as it is now."""
        self._take_up(0)
        kept = self.screen.kept
        return [[_cell(kept.buffer[y][x]) for x in range(kept.columns)] for y in range(kept.lines)]

    def rest(self, seconds: float, every: float = 0.0) -> None:
        """Lets some time go by; with `every`, so many seconds apart, a frame is filmed where something has changed."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            shot = now + (every or seconds)
            while (left := min(shot, until) - time.monotonic()) > 0:
                self._take_up(min(left, 0.05))
            if every:
                self.shoot(min(every, seconds))

    def shoot(self, seconds: float) -> None:
        """Films the screen as it is now for so many seconds."""
        screen = self.photograph()
        if self.film and self.film[-1][0] == screen:
            self.film[-1] = (screen, self.film[-1][1] + seconds)
        else:
            self.film.append((screen, seconds))


def _cell(char: pyte.screens.Char) -> Cell:
    ink, paper = _colour(char.fg), "" if char.bg == "default" else _colour(char.bg)
    if char.reverse:
        ink, paper = paper or "#1c1c1c", ink
    return Cell(char.data, ink, paper, char.bold, char.underscore)


def _colour(name: str) -> str:
    return _NAMED.get(name, f"#{name}")
