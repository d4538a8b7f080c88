"""All runs of a folder as the runs screen lists them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from laddertop.journal.folder import list_runs
from laddertop.tui.dashboard.views.kept_rows import keep, recall
from laddertop.tui.dashboard.views.run_row import RowReader, RunRow
from laddertop.tui.watch.kept import WORTH_KEEPING

BUDGETS = 0.05, 0.1, 0.2, 0.4
"""Seconds that the first looks take, roughly, and every one after them the last of these: in a folder of hundreds of
runs the newest are there at once, and the older ones follow."""
Key = tuple[str, tuple[int, int]]
"""Name and identity of a run."""


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._readers: dict[Key, RowReader] = {}
        self._kept: set[tuple[Key, bool]] = set()
        """The runs that the next start will know, and whether as checked ones."""
        self._looks = 0
        self.more = False
        """Whether some runs could not be read within the last look's time."""
        self.unchecked = False
        """Whether some that are over could not be compared with their checksums within that time."""

    def look(self) -> list[RunRow]:
        """The runs, newest first; a damaged one says so. Reads files only; called in a thread."""
        end = time.monotonic() + BUDGETS[min(self._looks, len(BUDGETS) - 1)]
        if not self._looks:
            self._readers = {(reader.row.name, reader.identity): reader for reader in recall(self.runs)}
            self._kept = {(key, reader.checked) for key, reader in self._readers.items()}
        self._looks += 1
        # To list hundreds of runs takes a while, too: not again before all were read.
        self._readers = seen = self._readers if self.more else self._there()
        # Those that were never looked at come first, as many as there is time for.
        unread = [reader for reader in seen.values() if reader.row.status == "reading"]
        self.more = False
        for reader in unread or seen.values():
            self.more = bool(unread) and time.monotonic() > end
            if self.more:
                break
            reader.look()
        # All are there to be seen before the first is compared with its checksums, which the next look does.
        for reader in () if unread else seen.values():
            if time.monotonic() > end:
                break
            reader.check()
        self.unchecked = not all(reader.checked for reader in seen.values())
        over = {(key, reader.checked) for key, reader in seen.items() if reader.over is not None}
        whole = not self.more and (unread or not self.unchecked)
        if whole and len(over - self._kept) >= WORTH_KEEPING:
            keep(self.runs, seen.values())
            self._kept = over
        return [reader.row for reader in seen.values()]

    def _there(self) -> dict[Key, RowReader]:
        """The runs that are in the folder now, newest first."""
        there = {}
        for run in list_runs(self.runs):
            try:
                spec = os.lstat(f"{run.path}/spec.json")
            except OSError:
                # Deleted a moment ago.
                continue
            identity = spec.st_ino, spec.st_mtime_ns
            key = run.path.name, identity
            there[key] = self._readers.get(key) or RowReader(run, identity)
        return there
