"""All runs of a folder as the runs screen lists them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from laddertop.journal.folder import list_runs, tags_of
from laddertop.tui.dashboard.views.kept_rows import keep, recall
from laddertop.tui.dashboard.views.run_row import RowReader, RunRow
from laddertop.tui.dashboard.views.sweep_row import SweepRow, sweep_of, sweep_row
from laddertop.tui.sweep.group import Group
from laddertop.tui.sweep.plan import sweeps_in
from laddertop.tui.watch.kept import WORTH_KEEPING

BUDGETS = 0.05, 0.1, 0.2, 0.4
"""Seconds that the first looks take, roughly, and every one after them the last of these: in a folder of hundreds of
runs the newest are there at once, and the older ones follow."""
Key = tuple[str, tuple[int, int]]
"""Name and identity of a run, or of a sweep."""


class RunsView:
    """Looks at a folder of runs again and again."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self._readers: dict[Key, RowReader] = {}
        self._kept: set[tuple[Key, bool]] = set()
        """The runs that the next start will know, and whether as checked ones."""
        self._sweeps: dict[Key, Group] = {}
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
        return self._with_sweeps([reader.row for reader in seen.values()])

    def _with_sweeps(self, rows: list[RunRow]) -> list[RunRow]:
        """The runs, and the sweeps that some of them are of."""
        there = sweeps_in(self.runs)
        self._sweeps = {key: self._sweeps.get(key) or Group(self.runs / key[0]) for key in there}
        if not there:
            return rows
        by_name, names = {row.name: row for row in rows}, {name for name, _ in there}
        for row in rows:
            row.sweep = sweep_of(row.name, names)
        found: list[RunRow] = []
        for key, group in self._sweeps.items():
            group.look()
            self.more = self.more or group.more
            found.append(sweep_row(group, key[1][1] / 1e9, by_name))
        return found + rows

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


def listed(rows: list[RunRow], words: list[str], archived: bool) -> list[RunRow]:
    """Those of some rows that a list shows, with `archived` ones or without: a sweep in the place of its runs, unless
    some are searched for by `words`."""
    shown = [row for row in rows if (archived or not row.archived) and _fits(row, words)]
    return shown if words else [row for row in shown if not row.sweep]


def at_work(rows: list[RunRow]) -> list[RunRow]:
    """The runs among some rows that go on; a sweep is none."""
    going = ("starting", "training", "paused")
    return [row for row in rows if row.status in going and not isinstance(row, SweepRow)]


def _fits(row: RunRow, words: list[str]) -> bool:
    text = f"{row.name} {row.recipe or ''} {row.status} {row.note} {row.origin}".lower()
    tags = [tag.lower() for tag in tags_of(row.note)]
    return all(
        any(tag.startswith(word[4:]) for tag in tags) if word.startswith("tag:") else word in text for word in words
    )
