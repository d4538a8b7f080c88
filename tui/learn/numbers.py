"""The numbers that a guide reads in the journal, and what a stretch of the training made of them.

`kl.2`: a column of the metrics, its mean over the newest records. `test.error_percent`: a value of the newest
evaluation. `active.h1`: how many units of a layer were active at it.
"""

from __future__ import annotations

import numpy as np

from laddertop.journal.events import Evaluated
from laddertop.tui.watch.watcher import News

WINDOW = 200
"""Steps over which a column is averaged."""
FIRST = 20
"""The same where nothing was recorded before."""
KEPT = 4000
"""Records that are kept: what one look hands over at most."""


class Numbers:
    """The newest records of a run and its evaluations."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._rows: np.ndarray = np.empty(0)
        self._evaluated: list[Evaluated] = []
        self.step = 0
        """Steps completed at the newest record."""

    def take(self, news: News) -> None:
        """Take up what a look found."""
        self._evaluated += [event for event in news.events if isinstance(event, Evaluated)]
        if news.rows is not None:
            first = news.rows["step"][0]
            # A resume or a roll-back comes again to steps that were there before.
            earlier = self._rows[self._rows["step"] < first] if len(self._rows) else news.rows[:0]
            self._columns, self._rows = news.columns, np.concatenate([earlier, news.rows])[-KEPT:]
            self.step = int(self._rows["step"][-1])

    def evaluated_after(self, step: int) -> bool:
        """Whether there is an evaluation of a later step."""
        return any(event.step > step for event in self._evaluated)

    def at(self, name: str, step: int | None = None) -> float:
        """A number as it was after `step`, or is now; of a column before whose first record that is, as it began. NaN
        where it is not known."""
        kind, _, rest = name.partition(".")
        if kind in ("test", "active"):
            done = [event for event in self._evaluated if step is None or event.step <= step]
            return _measured(done[-1], kind, rest) if done else float("nan")
        if name not in self._columns or not len(self._rows):
            return float("nan")
        last = self.step if step is None else step
        steps = self._rows["step"]
        among = (steps > last - WINDOW) & (steps <= last)
        if not among.any():
            among = (steps > last) & (steps <= last + FIRST)
        window = self._rows["values"][among, self._columns.index(name)]
        return float(window.astype(np.float64).mean()) if len(window) else float("nan")


def _measured(event: Evaluated, kind: str, name: str) -> float:
    if kind == "active":
        return float(event.layers[name].active) if name in event.layers else float("nan")
    value = event.values.get(name)
    return value.value if value is not None and isinstance(value.value, float | int) else float("nan")
