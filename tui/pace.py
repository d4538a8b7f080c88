"""Frames that wait for the terminal: after each one the terminal is asked where its cursor is, and until it answers no
further frame is drawn. So a slow link is never more than one frame behind, whatever is buffered on the way.
"""

from __future__ import annotations

import time

from textual.app import App

TIMEOUT = 3.0
"""Seconds after which a frame counts as shown without an answer."""


class Pace:
    """Lets a frame through once the one before has been shown."""

    def __init__(self) -> None:
        self._asked: float | None = None
        self._unanswered = 0

    def free(self) -> bool:
        """Whether the next frame may be drawn."""
        if self._asked is not None and time.monotonic() - self._asked > TIMEOUT:
            self._asked = None
            self._unanswered += 1
        return self._asked is None

    def drawn(self, app: App[object]) -> None:
        """A frame has been handed to the terminal. A terminal that never answers is no longer asked."""
        driver = app._driver
        if self._unanswered < 2 and self._asked is None and driver is not None and not driver.is_headless:
            self._asked = time.monotonic()
            driver.write("\x1b[6n")
            driver.flush()

    def acknowledged(self) -> None:
        """The terminal has answered."""
        self._asked = None
        self._unanswered = 0
