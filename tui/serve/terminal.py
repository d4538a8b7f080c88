"""A dashboard in a terminal of its own, whose screen is in a browser: the same program as in every terminal.

Its frames wait for the browser's answers, what is typed early is kept, and it ends with its terminal, which is gone
when the page is closed, and when this process is, however that dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import struct
import termios
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

LEAVING = 6.0
"""Seconds that a dashboard has to end once its terminal is gone; it promises three."""
_OF_ANOTHER = ("COLUMNS", "LINES", "COLORFGBG", "TMUX", "STY", "TERM_PROGRAM", "TERM_PROGRAM_VERSION")
"""What the environment says of the terminal that the server was started in."""
_OF_THIS = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONIOENCODING": "utf-8"}


class Terminal:
    """A pseudo-terminal with a program in it."""

    def __init__(self, columns: int, rows: int) -> None:
        """Raises OSError where there is none to be had."""
        self._master, self._slave = pty.openpty()
        self.resize(columns, rows)
        self._drawn = asyncio.StreamReader()
        self._pipes: list[asyncio.BaseTransport] = []
        self._keys: asyncio.WriteTransport | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, command: list[str], environment: Mapping[str, str]) -> None:
        """Starts a command in it. Raises OSError where no process can be started."""
        loop = asyncio.get_running_loop()
        screen, keys = (os.fdopen(os.dup(self._master), mode, 0) for mode in ("rb", "wb"))
        read, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._drawn), screen)
        self._keys, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, keys)
        self._pipes = [read, self._keys]
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                env={name: value for name, value in environment.items() if name not in _OF_ANOTHER} | _OF_THIS,
                preexec_fn=partial(os.login_tty, self._slave),
            )
        finally:
            os.close(self._slave)

    async def show(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Hands on what is drawn, no faster than it is taken, until the program or whoever takes it is gone."""
        with contextlib.suppress(OSError):  # how Linux says that nobody has the other side open
            while data := await self._drawn.read(1 << 16):
                await send(data)

    def type(self, text: str) -> None:
        """Hands on what was typed."""
        assert self._keys is not None
        self._keys.write(text.encode(errors="replace"))

    def resize(self, columns: int, rows: int) -> None:
        """Gives it a size in cells, within what a terminal can have."""
        within = (min(max(cells, 1), 1000) for cells in (rows, columns))
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *within, 0, 0))

    async def close(self) -> None:
        """Takes it away, and waits until the program is gone, too."""
        for pipe in self._pipes:
            pipe.close()
        os.close(self._master)
        if self._process is None:
            return
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVING):
                    await self._process.wait()
        finally:
            if self._process.returncode is None:
                self._process.kill()
