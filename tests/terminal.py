"""A terminal for the tests of what people see: a pseudo-terminal whose screen can be read as lines of text."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests import PATIENCE

_SEQUENCE = re.compile(
    r"\x1b(?:\[([0-9;?<>=]*)([ -/]*[@-~])|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)|[()*+][ -~]|[ -Z\\^-~])"
)
"""A whole control sequence: CSI with its parameters and its end, a string such as a title, or a short one."""


class Screen:
    """What is shown of what a program draws, as far as cursor moves, text and erasing go."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], object]) -> None:
        """`answer` takes what a terminal answers where it is asked."""
        self.background = ""
        """Its colour, rgb:RR/GG/BB, as the terminal tells it; empty: it does not."""
        self._answer = answer
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._rest = ""
        self._row = self._column = 0
        self._cells = [[" "] * columns for _ in range(rows)]
        self._main = self._cells
        """The main screen, while the alternate one is shown."""

    @property
    def lines(self) -> list[str]:
        """The screen as it is now."""
        return ["".join(row).rstrip() for row in self._cells]

    def draw(self, data: bytes) -> None:
        """Takes up what was drawn next."""
        self._rest = self._draw(self._rest + self._decoder.decode(data))

    def _draw(self, text: str) -> str:
        """Draws text and returns what is no whole sequence yet."""
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\x1b":
                match = _SEQUENCE.match(text, at)
                if match is None:
                    return text[at:]
                self._obey(match[1] or "", match[2] or "")
                if match[0].startswith("\x1b]11;?") and self.background:
                    self._answer(f"\x1b]11;{self.background}\x1b\\")
                at = match.end()
                continue
            if char == "\r":
                self._column = 0
            elif char == "\n":
                self._row = min(self._row + 1, len(self._cells) - 1)
            elif char == "\b":
                self._column = max(self._column - 1, 0)
            elif char >= " ":
                if self._column < len(self._cells[0]):
                    self._cells[self._row][self._column] = char
                self._column += 1
            at += 1
        return ""

    def _obey(self, parameters: str, end: str) -> None:
        numbers = [int(n) if n else 0 for n in parameters.split(";")] if not parameters.strip("0123456789;") else []
        first = numbers[0] if numbers else 0
        height, width = len(self._cells), len(self._cells[0])
        if end in ("H", "f"):
            self._row = min(max(first, 1), height) - 1
            self._column = min(max(numbers[1] if len(numbers) > 1 else 1, 1), width) - 1
        elif end == "A":
            self._row = max(self._row - max(first, 1), 0)
        elif end == "B":
            self._row = min(self._row + max(first, 1), height - 1)
        elif end == "C":
            self._column = min(self._column + max(first, 1), width - 1)
        elif end == "D":
            self._column = max(self._column - max(first, 1), 0)
        elif end == "K":
            cut = (
                slice(0, width)
                if first == 2
                else slice(0, self._column + 1)
                if first == 1
                else slice(self._column, width)
            )
            self._cells[self._row][cut] = " " * len(self._cells[self._row][cut])
        elif end == "J" and first == 2:
            self._cells = [[" "] * width for _ in range(height)]
        elif parameters == "?1049" and end == "h":
            self._main, self._cells = self._cells, [[" "] * width for _ in range(height)]
        elif parameters == "?1049" and end == "l":
            self._cells = self._main
        elif end == "c" and not parameters:
            self._answer("\x1b[?62;22c")
        elif end == "n" and first == 6:
            self._answer(f"\x1b[{self._row + 1};{self._column + 1}R")


def _as_in_a_shell() -> None:
    """The terminal is the command's own; ctrl-c and its end reach it even where the tests run in the background
    of a shell or under nohup."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """Runs a command in a terminal of its own and keeps its screen."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str], columns: int, rows: int) -> None:
        sizeless = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")}
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**sizeless, "TERM": "xterm-256color", "LANG": "C.UTF-8"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_as_in_a_shell,
        )
        os.close(slave)
        self.screen = Screen(columns, rows, self.press)
        """What it shows of what was read."""

    @property
    def lines(self) -> list[str]:
        """The screen as it is now."""
        self._take_up(0)
        return self.screen.lines

    def press(self, keys: str) -> float:
        """Sends keys; returns the time of it."""
        os.write(self._master, keys.encode())
        return time.time()

    def wait_for(self, what: Callable[[list[str]], object], seconds: float = PATIENCE) -> None:
        """Reads until the screen shows something; fails with the screen when it does not in time."""
        deadline = time.monotonic() + seconds
        while not what(self.lines):
            assert time.monotonic() < deadline, "never shown; the screen is\n" + "\n".join(self.lines)
            self._take_up(0.05)

    def ended(self, seconds: float = PATIENCE) -> int:
        """Reads until the command is over; returns its status. Without a reader it could not write its last words."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "never ended; the screen is\n" + "\n".join(self.lines)
            self._take_up(0.05)
        return self.process.returncode

    def hang_up(self) -> None:
        """The terminal is gone, as when a connection breaks."""
        os.close(self._master)
        self._master = -1

    def close(self) -> None:
        """Ends the command for certain."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self._master >= 0:
            os.close(self._master)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def _take_up(self, seconds: float) -> None:
        while self._master >= 0 and select.select([self._master], [], [], seconds)[0]:
            try:
                data = os.read(self._master, 1 << 16)
            except OSError:  # how Linux says that nobody has the other side open
                return
            self.screen.draw(data)
            seconds = 0
