"""Whether the terminal's own background is dark or light: asked of the terminal, else as its environment says. What is
typed meanwhile is kept."""

from __future__ import annotations

import contextlib
import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from typing import Any, Literal

from laddertop.tui.dashboard.terminal import asks_for_background, terminal_problem

Paper = Literal["dark", "light"]
"""What is written on."""

_ASK = "\x1b]11;?\x1b\\\x1b[c"
"""OSC 11 asks for the colour of the background, which not every terminal answers; DA1 for what every terminal is."""
_COLOUR = re.compile(r"\x1b\]11;rgba?:([0-9a-f]{1,4})/([0-9a-f]{1,4})/([0-9a-f]{1,4})", re.IGNORECASE)
ANSWERS = re.compile(r"\x1b\]11;rgba?:[0-9a-fA-F/]*(?:\x07|\x1b\\)|(\x1b\[\?[\d;]*c)")
"""The answers; the group is that to the second question, after which none to the first one comes."""

QUICKLY, SLOWLY = 1.0, 3.0
"""Seconds within which a terminal answers, at hand and over a slow link."""


class Question:
    """The question to the terminal, and what has come of it before textual listens."""

    def __init__(self) -> None:
        self.before: list[Any] | None = None
        """How the terminal was set; None: nothing was changed, as there is none."""
        self.typed = ""
        """What has come, keys and answers, in order."""
        self.due = False
        """Whether answers may still come."""
        self.asked = time.monotonic()
        """When it was asked, in seconds of the monotonic clock."""
        self._paper = _of_environment(os.environ.get("COLORFGBG", ""))

    def paper(self) -> Paper | None:
        """What is known now, without any waiting; None where nobody has told."""
        self._take(0)
        return paper_of(self.typed) or self._paper

    def end(self, patience: float) -> None:
        """Waits for answers that are still due, at the latest until `patience` seconds after the question: they are
        nothing that the shell should find."""
        while self.due and self._take(max(self.asked + patience - time.monotonic(), 0)):
            pass

    def _take(self, seconds: float) -> bool:
        """Takes up what has come, or comes within some seconds; whether there was anything."""
        if self.before is None:
            return False
        keyboard, came = sys.__stdin__.fileno(), False  # type: ignore[union-attr]
        while select.select([keyboard], [], [], seconds)[0] and (told := os.read(keyboard, 4096)):
            # Until the terminal was set, enter was made a line feed of.
            self.typed += told.decode(errors="ignore").replace("\n", "\r")
            came, seconds = True, 0
        self.due = self.due and not any(found[1] for found in ANSWERS.finditer(self.typed))
        return came


@contextlib.contextmanager
def asked(patience: float) -> Iterator[Question]:
    """Asks the terminal and lets it take keys one by one, unseen. Nobody waits for the answer but the end, which
    does so for some `patience` if there was none, and leaves the terminal as it was."""
    question = Question()
    if terminal_problem() is not None:
        yield question
        return
    keyboard = sys.__stdin__.fileno()  # type: ignore[union-attr]
    question.before = termios.tcgetattr(keyboard)
    _set_for_keys(keyboard)
    if asks_for_background():
        question.due = True
        sys.__stderr__.write(_ASK)  # type: ignore[union-attr]
        sys.__stderr__.flush()  # type: ignore[union-attr]
    try:
        yield question
    finally:
        with contextlib.suppress(OSError, termios.error):  # a terminal that is gone has nothing to be restored
            if question.due:
                _set_for_keys(keyboard)
                question.end(patience)
            termios.tcsetattr(keyboard, termios.TCSANOW, question.before)


def _set_for_keys(keyboard: int) -> None:
    """Keys arrive one by one and unchanged, as textual wants them, and are not echoed; ctrl+c interrupts."""
    setting = termios.tcgetattr(keyboard)
    setting[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    setting[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    setting[tty.CC][termios.VMIN], setting[tty.CC][termios.VTIME] = 1, 0
    termios.tcsetattr(keyboard, termios.TCSANOW, setting)


def paper_of(answer: str) -> Paper | None:
    """What the answer to OSC 11 in some text says; None where there is none."""
    if (found := _COLOUR.search(answer)) is None:
        return None
    red, green, blue = (int(part, 16) / (16 ** len(part) - 1) for part in found.groups())
    return "light" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "dark"


def _of_environment(colours: str) -> Paper | None:
    """What rxvt and those after it say: the palette's entries for text and background, as in 15;0."""
    _, _, paper = colours.rpartition(";")
    return None if not paper.isdigit() else "light" if int(paper) in (7, 15) else "dark"
