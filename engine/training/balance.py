"""How evenly the ranks of a run share its work: told when that is known, and when it has changed."""

from __future__ import annotations

import time
from collections.abc import Callable

from laddertop.engine import ranks
from laddertop.journal.events import Event, Logged
from laddertop.journal.rank_times import EVEN, slowest_of

FIRST, EVERY = 5.0, 30.0
"""Seconds until the first look, and between two after it."""
CHANGED = 0.1
"""By how much the slowest rank, in medians, differs from what was told last to be told again."""


class Balance:
    """Looks at the ranks' own step times, which every step exchanges anyway."""

    def __init__(self, tell: Callable[[Event], None]) -> None:
        """`tell` records what is to be known."""
        self._tell = tell
        self._next = time.monotonic() + FIRST
        self._told: tuple[int, float] | None = None

    def look(self, step: int) -> None:
        """After `step` steps: tells how long each rank takes, if it is time, and it was not told yet."""
        if ranks.count() == 1 or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        if not (seconds := ranks.own_times()):
            return
        slowest, share = slowest_of(seconds)
        if self._told and abs(share - self._told[1]) < CHANGED and (slowest == self._told[0] or share < EVEN):
            return
        self._told = slowest, share
        each = ", ".join(f"{1000 * one:.3g}" for one in seconds)
        how = f"rank {slowest} takes {share:.2f} times the median" if share >= EVEN else "they share the work evenly"
        text = f"{how}: each rank's own part of a step takes {each} ms"
        self._tell(Logged(step=step, level="info", text=text, rank_seconds=seconds))
