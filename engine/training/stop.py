"""How a training learns that it should end."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType


class Stop:
    """Somebody wants the training to end: a signal, a command, or the front end that held it is gone."""

    def __init__(self, foreground: bool) -> None:
        """Listens for SIGINT, SIGTERM and SIGUSR1, which schedulers send before they end a job; in the foreground also
        for the end of standard input."""
        self.reason = ""
        """Who wants it; empty while nobody does."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, self._signalled)
        if foreground:
            threading.Thread(target=self._watch_standard_input, daemon=True).start()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self.reason = self.reason or signal.Signals(number).name

    def _watch_standard_input(self) -> None:
        while os.read(0, 1024):
            pass
        self.reason = self.reason or "the command that started it is gone"
