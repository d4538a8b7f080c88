"""How often the folder is looked at and the screen is drawn.

After each frame the terminal is asked where its cursor is, and until it answers no further frame is drawn. So a slow
link is never more than one frame behind, whatever is buffered on the way.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.screen import Screen

if TYPE_CHECKING:
    from laddertop.tui.watch.run_view import RunView

TIMEOUT = 3.0
"""Seconds after which a frame counts as shown without an answer."""
LONGEST = 600.0
"""The same for a terminal that answered before and stopped, in the end: it doubles. An sshd gives up a client that says
nothing for so long only while nothing is sent to it."""
PAINTED = 0.05
"""Seconds after which textual, which paints sixty times a second, has written what was drawn."""
INTERVAL = 0.5
"""Seconds between two looks at a run that trains."""
IDLE = 1.0
"""Seconds between two looks at a run that nobody trains."""
ANSWER = 0.04
"""Seconds between two looks while the engine owes an answer."""
PATIENCE = 2.0
"""Seconds after which an answer is waited for no faster than anything else."""
SLOW = 4.0
"""How much longer all of that, and the time between two drawings of a panel, is on a slow link."""


def in_sight(screen: Screen[Any]) -> bool:
    """Whether a screen is on top, or below a box that leaves it in sight."""
    # Textual calls every screen current that lies below one with the terminal's own background.
    return screen.is_current and (screen.app.screen is screen or screen.app.screen.is_modal)


class Pace:
    """Lets a frame through once the one before has been shown."""

    def __init__(self, app: App[object]) -> None:
        self._app = app
        self._slower = SLOW if getattr(app, "slow_link", False) else 1.0
        self._waiting_since: float | None = None
        self._unanswered = 0
        self._answers = False
        self._left = False
        self._drawn: dict[str, float] = {}

    def interval(self, view: RunView) -> float:
        """Seconds until the next look."""
        if view.pending() and view.alive and time.monotonic() - view.newest_command < PATIENCE:
            return ANSWER
        return (INTERVAL if view.alive else IDLE) * self._slower

    def free(self, hurry: bool = False) -> bool:
        """Whether the next frame may be drawn; one that a key waits for is drawn as soon as it may."""
        longer = 2**self._unanswered if self._answers and not hurry else 1
        timeout = min(TIMEOUT * longer, LONGEST)
        if self._waiting_since is not None and time.monotonic() - self._waiting_since > timeout:
            self._waiting_since = None
            self._unanswered += 1
        self._left = self._left or (hurry and self._waiting_since is not None)
        return self._waiting_since is None

    def due(self, panel: str, interval: float, hurry: bool) -> bool:
        """Whether it is time to draw a panel again, after `interval` seconds unless a key waits for it."""
        now = time.monotonic()
        if not hurry and now - self._drawn.get(panel, 0.0) < interval * self._slower * 0.9:
            return False
        self._drawn[panel] = now
        return True

    def drawn(self) -> None:
        """A frame has been drawn. A terminal that never answers is no longer waited for."""
        if (self._answers or self._unanswered < 2) and not self._app.is_headless:
            self._waiting_since = time.monotonic()
            self._app.set_timer(PAINTED, self._ask)

    def acknowledged(self) -> bool:
        """The terminal has answered; true when a frame that a key waits for was held up."""
        self._waiting_since = None
        self._unanswered, self._answers = 0, True
        left, self._left = self._left, False
        return left

    def _ask(self) -> None:
        if self._app._driver is not None:
            self._app._driver.write("\x1b[6n")
            self._app._driver.flush()
