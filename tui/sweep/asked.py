"""What is asked of a sweep that is there: one small file per request in its `commands/` folder, which stays there as
the record. The workers look there, whoever asked, from a command line or a dashboard.

To stop is asked of the workers that are at work then: who joins later goes on. What was added counts from the moment it
is asked for; the queue has it as soon as a worker looks.
"""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Literal

from laddertop.journal import inside
from laddertop.journal.commands import COMMAND_FILE
from laddertop.journal.folder import ARCHIVED
from laddertop.journal.record import Record
from laddertop.journal.spec import override
from laddertop.tui.sweep.plan import MOST, Plan, read_plan

PINNED = "pinned"
"""An empty file in the folder of a sweep that keeps it on top of the list of runs."""


class Asked(Record):
    """One request."""

    id: str
    """Unique within the sweep; in the order of asking."""
    time: float
    """When, in seconds since 1970."""
    by: str
    """Who asked, and from where."""
    action: Literal["stop", "add"]
    """What is asked for: that workers stop in good order, or more to train."""
    count: int = 0
    """What is added: so many settings where something is searched, else so many seeds of every setting."""


class Inbox:
    """What was asked of the sweep in a folder, looked at again and again; what was read is not read again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """That of the sweep."""
        self._known: dict[str, Asked | None] = {}

    def look(self) -> list[Asked]:
        """Everything that was asked, in that order; files that hold no request are none."""
        try:
            names = inside.names(self.folder, "commands", COMMAND_FILE)
        except (OSError, ValueError):
            return []
        for name in names:
            if name not in self._known:
                try:
                    self._known[name] = Asked.model_validate_json(inside.read(self.folder, f"commands/{name}"))
                except FileNotFoundError:
                    continue
                except (OSError, ValueError):
                    self._known[name] = None
        return [one for name in names if (one := self._known.get(name))]


def ask_to_stop(folder: Path, by: str) -> Asked:
    """Asks the workers of a sweep to stop in good order. Raises OSError when that can't be written."""
    return _put(folder, "stop", by)


def ask_to_add(folder: Path, count: int, by: str) -> Asked:
    """Asks for `count` more settings, or seeds where nothing is searched. Raises ValueError when they can't be had."""
    plan = read_plan(folder)
    asked = Inbox(folder).look()
    before = len(trials_of(plan, asked))
    more = count * (len(plan.seeds) if plan.search else plan.settings)
    if before + more > MOST:
        raise ValueError(f"{plan.name} has {before} runs and would have {before + more}; {MOST} is the most")
    if not plan.search:
        override(plan.spec, [f"seed={plan.seeds[-1] + _added(asked) + count}"])
    return _put(folder, "add", by, count)


def keep_pinned(folder: Path, on: bool) -> None:
    """Keeps a sweep on top of the list of runs, or no longer. Raises OSError when that can't be written."""
    _mark(folder, PINNED, on)


def keep_away(folder: Path, on: bool) -> None:
    """Puts a sweep away, out of the list of runs, or takes it back. Raises OSError when that can't be written."""
    _mark(folder, ARCHIVED, on)


def _mark(folder: Path, name: str, on: bool) -> None:
    if on:
        inside.touch(folder, name)
    else:
        inside.remove(folder, name)


def _put(folder: Path, action: Literal["stop", "add"], by: str, count: int = 0) -> Asked:
    now = time.time_ns()
    asked = Asked(id=f"{now:020d}-{secrets.token_hex(3)}", time=now / 1e9, by=by, action=action, count=count)
    inside.make_folder(folder, "commands")
    inside.write(folder, f"commands/{asked.id}.json", asked.model_dump_json().encode(), durable=True)
    return asked


def trials_of(plan: Plan, asked: list[Asked]) -> list[tuple[int, int]]:
    """Setting and seed of every run that a sweep has by its plan and by what was added, in the order of the queue.

    It is the same in whichever order requests are seen. Raises ValueError for more than anybody may ask for.
    """
    base = [(setting, seed) for setting in range(min(plan.settings, MOST + 1)) for seed in plan.seeds[: MOST + 1]]
    count = _added(asked)
    if plan.search:
        settings = range(plan.settings, plan.settings + count)
        more = [(setting, seed) for setting in settings for seed in plan.seeds[: MOST + 1]]
    else:
        last = plan.seeds[-1]
        more = [(setting, last + 1 + i) for i in range(count) for setting in range(min(plan.settings, MOST + 1))]
    if len(base) + len(more) > MOST:
        raise ValueError(f"{plan.name} has more than {MOST} runs")
    return base + more


def _added(asked: list[Asked]) -> int:
    return min(sum(max(one.count, 0) for one in asked if one.action == "add"), MOST)
