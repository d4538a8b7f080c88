"""Frames that wait for the terminal: after each one the terminal is asked where its cursor is, and until it answers no
further frame is drawn. So a slow link is never more than one frame behind, whatever is buffered on the way.
"""

from __future__ import annotations

import time

from textual.app import App

TIMEOUT = 3.0
"""Seconds after which a frame counts as shown without an answer."""
PAINTED = 0.1
"""Seconds after which textual, which paints sixty times a second, has written what was drawn."""


class Pace:
    """Lets a frame through once the one before has been shown."""

    def __init__(self, app: App[object]) -> None:
        self._app = app
        self._waiting_since: float | None = None
        self._unanswered = 0

    def free(self) -> bool:
        """Whether the next frame may be drawn."""
        if self._waiting_since is not None and time.monotonic() - self._waiting_since > TIMEOUT:
            self._waiting_since = None
            self._unanswered += 1
        return self._waiting_since is None

    def drawn(self) -> None:
        """A frame has been drawn. A terminal that never answers is no longer waited for."""
        if self._unanswered < 2 and not self._app.is_headless:
            self._waiting_since = time.monotonic()
            self._app.set_timer(PAINTED, self._ask)

    def acknowledged(self) -> None:
        """The terminal has answered."""
        self._waiting_since = None
        self._unanswered = 0

    def _ask(self) -> None:
        if self._app._driver is not None:
            self._app._driver.write("\x1b[6n")
            self._app._driver.flush()
