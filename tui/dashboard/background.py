"""Whether the terminal's own background is dark or light: asked of the terminal, else as its environment says."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

from laddertop.tui.dashboard.terminal import asks_for_background, terminal_problem

Paper = Literal["dark", "light"]
"""What is written on."""

_ASK = "\x1b]11;?\x1b\\\x1b[c"
"""OSC 11 asks for the colour of the background, which not every terminal answers; DA1 for what every terminal is."""
_COLOUR = re.compile(rb"\x1b\]11;rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})", re.IGNORECASE)
_ANSWERS = re.compile(r"\x1b\]11;rgba?:[0-9a-fA-F/]*(?:\x07|\x1b\\)|\x1b\[\?[\d;]*c")
_LAST = re.compile(rb"\x1b\[\?[\d;]*c")
"""The answer to the second question, after which none to the first one comes."""


QUICKLY, SLOWLY = 1.0, 3.0
"""Seconds within which a terminal answers, at hand and over a slow link."""


@contextlib.contextmanager
def asked(patience: float) -> Iterator[Callable[[], Paper | None]]:
    """Asks the terminal; what is yielded gives the answer, at the latest `patience` seconds after the question, and
    None where nobody can tell. Meanwhile what is typed is not seen; in the end the terminal is as it was, and has
    answered."""
    if terminal_problem() is not None or not asks_for_background():
        yield lambda: _of_environment(os.environ.get("COLORFGBG", ""))
        return
    assert sys.__stdin__ is not None
    assert sys.__stderr__ is not None
    keyboard, until = sys.__stdin__.fileno(), time.monotonic() + patience
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard, termios.TCSANOW)
    sys.__stderr__.write(_ASK)
    sys.__stderr__.flush()

    @cache
    def answer() -> Paper | None:
        told = b""
        while not _LAST.search(told) and select.select([keyboard], [], [], max(until - time.monotonic(), 0))[0]:
            told += os.read(keyboard, 1)
        termios.tcsetattr(keyboard, termios.TCSANOW, before)
        return paper_of(told) or _of_environment(os.environ.get("COLORFGBG", ""))

    try:
        yield answer
    finally:
        answer()


def without_answers(typed: str) -> str:
    """What is typed without answers of the terminal that come late: no key is meant by them."""
    return _ANSWERS.sub("", typed)


def paper_of(answer: bytes) -> Paper | None:
    """What the answer to OSC 11 in some bytes says; None where there is none."""
    if (found := _COLOUR.search(answer)) is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return "light" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "dark"


def _of_environment(colours: str) -> Paper | None:
    """What rxvt and those after it say: the palette's entries for text and background, as in 15;0."""
    _, _, paper = colours.rpartition(";")
    return None if not paper.isdigit() else "light" if int(paper) in (7, 15) else "dark"
