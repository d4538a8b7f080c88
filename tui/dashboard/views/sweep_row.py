"""A sweep as the runs screen lists it, in the place of its runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.views.run_row import Measured, RunRow
from laddertop.tui.dashboard.views.states import STATES
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import number
from laddertop.tui.sweep.group import Group
from laddertop.tui.sweep.plan import Plan

_RUN = re.compile(r"(.+)-[0-9]{3,}-s[0-9]+")

COUNTED = {
    "finished": STATES["finished"],
    "pruned": STATES["stopped"],
    "failed": STATES["failed"],
    "running": STATES["training"],
    "waiting": ("◌", Ink.DIM),
    "left": ("‖", Ink.WARN),
}
"""The sign and the ink of the states of a sweep's runs, in the order in which they are told."""


@dataclass
class SweepRow(RunRow):
    """One sweep of the list: its steps are runs, those that are over of all."""

    counts: dict[str, int] = field(default_factory=dict)
    """How many runs stand where, by laddertop.tui.sweep.study.TOLD."""


def sweep_row(group: Group, made: float, rows: Mapping[str, RunRow]) -> SweepRow:
    """The row of a sweep, with what its runs that are at work came to until the first is finished; `rows` by name."""
    row = SweepRow(RunFolder(group.folder), made=made, pinned=group.pinned, archived=group.archived)
    row.status, row.problem, row.recipe = group.status(), group.problem, ""
    if group.plan is None or group.problem:
        return row
    row.recipe = group.plan.spec.recipe
    row.counts, row.step, row.steps = group.counts(), group.over(), len(group.trials)
    words = [in_words(group)]
    if best := group.best():
        value = best.value
        row.evaluation = Measured(value.called(best.name), value.sign, value.value, value.value, value.better)
        with_ = " ".join(f"{key}={short(word)}" for key, word in best.trial.values.items())
        words.append(f"best {number(value.value)}{value.sign}" + (f" with {with_}" if with_ else ""))
    else:
        begun = (group.run_of(trial).name for trial in group.trials if trial.state == "running")
        known = [found for name in begun if name in rows and (found := rows[name].evaluation)]
        if known:
            better = max if known[0].better == "higher" else min
            row.evaluation = better(known, key=lambda found: found.newest)
    row.note = "   ".join([*words, varies(group.plan)])
    return row


def in_words(group: Group) -> str:
    """How many runs stand where, and whether nobody is at work although some are left."""
    counts = ", ".join(f"{count} {word}" for word, count in group.counts().items())
    return f"{counts} of {len(group.trials)}" + (": nobody is at work" if group.status() == "stopped" else "")


def varies(plan: Plan) -> str:
    """What a sweep varies, in a few words."""
    parts = [f"{key} × {len(words)}" for key, words in plan.grid.items()]
    parts += [f"{one.key} {one.low:g} … {one.high:g}" for one in plan.search]
    return ", ".join([*parts, *([f"{len(plan.seeds)} seeds"] if len(plan.seeds) > 1 else [])])


def short(word: str) -> str:
    """A value of a key, a drawn number of many digits in three."""
    try:
        value = float(word)
    except ValueError:
        return word
    return word if len(word) <= 7 else number(value)


def sweep_of(run: str, sweeps: Collection[str]) -> str:
    """The name of the sweep among some that a run is of, by its own name; empty where it is of none."""
    found = _RUN.fullmatch(run)
    return found[1] if found and found[1] in sweeps else ""
