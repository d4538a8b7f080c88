"""How the dashboard ends, or stands aside, that is told to: by a key, by a signal, by the loss of its terminal.

Its terminal may be stuck, so that whoever writes to it waits for ever: textual's writer, then the event loop, then
nobody takes up what is typed. And it may be gone, which textual does not notice. So the end is seen to by threads of
its own, which need neither.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import termios
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.events import Callback, Key, Paste
from textual.message import Message

PATIENCE = 3.0
"""Seconds that the dashboard has for leaving cleanly once it was told to, and that a terminal may take nothing then."""
LOOK_EVERY = 0.5
"""Seconds between two looks at a terminal."""
KEYS = ("d", "q", "ctrl+c", "ctrl+q")
"""What is pressed to leave, among other things."""
TIDY = "\x18\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[?7h\x1b[<u\x1b[?1049l\x1b[?25h"
"""Gives a terminal back as it was, whatever was being written: mouse, pasting, focus, wrapping, keys, screen."""


class Driver(LinuxDriver):
    """Textual's driver; what is typed to leave a terminal that takes nothing reaches somebody, and what is typed before
    there is a screen that it means something on waits for that."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._early: list[Message] | None = []
        self._ordered = threading.RLock()

    def start_application_mode(self) -> None:
        """Takes the terminal, which is to be given back as it was before anything was asked of it."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.attrs_before = getattr(self._app, "terminal_before", None) or self.attrs_before

    def listen(self) -> None:
        """From now on keys reach the screen, those first that were typed before."""
        with self._ordered:
            early, self._early = self._early or [], None
            for message in early:
                super().process_message(message)

    def run_input_thread(self) -> None:
        """Reads what is typed. A mistake of ours in that is told as one anywhere else, and ends the dashboard."""
        try:
            super().run_input_thread()
        except Exception as error:
            self._app.call_later(_raise, error)

    def process_message(self, message: Message) -> None:
        """Takes up what was typed; called in the thread that reads it."""
        messages = [message]
        if isinstance(message, Key) and message.key in KEYS:
            taken = threading.Event()
            once_taken: Callable[..., None] = self._app.once_taken  # type: ignore[attr-defined]  # of LaddertopApp
            messages.append(Callback(partial(once_taken, taken.set)))
            end_if_stuck(self._app, taken.is_set)
        with self._ordered:
            if self._early is not None and isinstance(message, Key | Paste):
                self._early += messages
            else:
                for one in messages:
                    super().process_message(one)


def _raise(error: Exception) -> None:
    raise error


def leave_on_signals(app: App[None]) -> None:
    """SIGHUP, SIGTERM and SIGQUIT end the dashboard cleanly, even while it waits for a terminal that nobody reads."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda number, _: _leave(app, loop, number))


def leave_without_terminal(app: App[None]) -> None:
    """Ends the dashboard when its terminal is gone, from now on."""
    _thread(_watch, app, asyncio.get_running_loop())


def end_if_stuck(app: App[None], over: Callable[[], bool]) -> None:
    """Ends the process once its terminal has taken nothing for a while, unless it is `over` before."""
    _thread(_end_if_stuck, app, over)


def can_be_taken_up_again() -> bool:
    """Whether a shell that controls jobs waits for the process group of the dashboard: it can say `fg`."""
    import psutil

    for parent in psutil.Process().parents():
        try:
            if os.getpgid(parent.pid) != os.getpgrp():
                return os.getsid(parent.pid) == os.getsid(0)
        except OSError:
            return False
    return False


def _leave(app: App[None], loop: asyncio.AbstractEventLoop, number: int) -> None:
    """Cleanly, if that can be done, and for certain some seconds from now."""
    timer = threading.Timer(PATIENCE, _end, (app, 128 + number))
    timer.daemon = True
    timer.start()
    with contextlib.suppress(RuntimeError):  # the loop is closed: the clean way is almost over
        loop.call_soon_threadsafe(partial(app.exit, return_code=128 + number))


def _watch(app: App[None], loop: asyncio.AbstractEventLoop) -> None:
    watched = select.poll()
    watched.register(sys.__stdin__.fileno(), 0)  # type: ignore[union-attr]
    # Most systems wake it up at once; others don't, so it looks itself.
    while not watched.poll(1000 * LOOK_EVERY):
        pass
    _leave(app, loop, signal.SIGHUP)


def _end_if_stuck(app: App[None], over: Callable[[], bool]) -> None:
    terminal = select.poll()
    terminal.register(sys.__stderr__.fileno(), select.POLLOUT)  # type: ignore[union-attr]
    looks = 0
    # Looks are counted and not seconds: of those that pass while the process is stopped it sees nothing.
    while looks < PATIENCE / LOOK_EVERY:
        if over():
            return
        looks = 0 if terminal.poll(0) == [(sys.__stderr__.fileno(), select.POLLOUT)] else looks + 1  # type: ignore[union-attr]
        time.sleep(LOOK_EVERY)
    _end(app, 0)


def _end(app: App[None], status: int) -> None:
    """Ends the process, however its other threads hang, and leaves what is on its way to the terminal behind."""
    with contextlib.suppress(OSError, termios.error):
        # A handle of its own: that of the dashboard is the shell's, too, and must go on waiting.
        terminal = os.open(os.ttyname(sys.__stderr__.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)  # type: ignore[union-attr]
        before = getattr(app._driver, "attrs_before", None)
        if before is not None:
            termios.tcsetattr(terminal, termios.TCSANOW, before)
        for _ in range(100):
            # The writer waits for room and holds the terminal until it has some, of which it hears by the flow alone.
            termios.tcflush(terminal, termios.TCOFLUSH)
            termios.tcflow(terminal, termios.TCOOFF)
            termios.tcflow(terminal, termios.TCOON)
            with contextlib.suppress(BlockingIOError):
                if os.write(terminal, TIDY.encode()) == len(TIDY):
                    break
            time.sleep(0.01)
    os._exit(status)


def _thread(target: Callable[..., None], *given: object) -> None:
    threading.Thread(target=target, args=given, daemon=True).start()
