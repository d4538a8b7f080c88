"""What is wrong with a run, since when, and what helps: one function a trouble, each from what is known of the run, and
what was found in its journal, of which those of one kind are one trouble.

Which key does what is known elsewhere: what helps is named by what the key does, or by the knob that it turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from laddertop.journal.origin import ORIGIN_CHECKPOINT
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import clock, duration, size, thousands
from laddertop.tui.watch.advice import SIGNS, SO_FAR, by_kind, places, sent
from laddertop.tui.watch.console import why_gone
from laddertop.tui.watch.diagnoses.finding import Finding, Severity
from laddertop.tui.watch.layer_life import DEAD, collapsed, measured
from laddertop.tui.watch.run_view import RunView

RESUME, ROLL_BACK, UNDO = "resume", "roll_back", "steer('undo')"
"""What helps, by the action that a key of the run screen stands for."""
LOSSES = ("not-finite", "diverged")
"""The kinds of findings that say that the cost is lost."""


class Help(NamedTuple):
    """Something that a user can do about it."""

    words: str
    """What it does."""
    does: str = ""
    """The action of the key; empty: it turns a knob."""
    knob: str = ""
    """The switch that is flipped."""


class Trouble(NamedTuple):
    """One thing that is wrong."""

    name: str
    """What it is called, in a word or two."""
    what: str
    """The whole of it, in one or more lines."""
    step: int
    """Steps completed when it began."""
    since: float
    """When it began, in seconds since 1970; 0 where nobody knows."""
    helps: tuple[Help, ...] = ()
    """What can be done about it in the state that the run is in, what helps most first."""
    severity: Severity = "grave"
    """grave: the run is lost as it stands; warning: it is held up, or loses time or quality; note: nothing is wrong."""
    where: str = ""
    """In which layers or terms; empty: in the whole run."""
    found: bool = False
    """Whether it is a finding, of which there is more to read."""

    @property
    def grave(self) -> bool:
        """Whether the run is lost as it stands."""
        return self.severity == "grave"

    @property
    def since_when(self) -> str:
        """When it began, in words."""
        return f"since step {thousands(self.step)}{', ' + clock(self.since) if self.since else ''}"

    @property
    def sign(self) -> str:
        """What its name begins with."""
        return SIGNS[self.severity][0]

    @property
    def ink(self) -> Ink:
        """The ink of its name."""
        return SIGNS[self.severity][1]


def troubles(view: RunView) -> list[Trouble]:
    """What is wrong with a run now, the worst first; what is over is not among it."""
    return [one for one in told(view) if one.severity != "note"]


def told(view: RunView) -> list[Trouble]:
    """The same, and what is only good to know."""
    found = [_found(view, group) for group in by_kind(view.findings)]
    lost, held = ([one for look in looks if (one := look(view)) is not None] for looks in (_LOST, _HELD_UP))
    return [*lost, *(one for one in found if one.grave), *held, *(one for one in found if not one.grave)]


def way_back(view: RunView) -> int | None:
    """The step of the newest checkpoint from before the cost diverged; 0, the beginning, where there is none and the
    run began from nothing; None where there is no way back."""
    sound = {saved.step for saved in view.state.checkpoints if saved.file in view.files and not saved.diverged}
    first = view.state.starts[0] if view.state.starts else None
    if first is None:
        return None
    if first.resumed_from is None:
        return max(sound, default=0)
    return max(sound | ({first.resumed_from} if ORIGIN_CHECKPOINT in view.files else set()), default=None)


def _failed(view: RunView) -> Trouble | None:
    ended = view.state.ended
    if ended is None or view.status() != "failed":
        return None
    return Trouble("failed", ended.detail or why_gone(view.console), ended.step, ended.time, _goes_on(view))


def _crashed(view: RunView) -> Trouble | None:
    if view.status() != "crashed":
        return None
    begun = "no engine holds this run any more" if view.state.started else "its engine is gone before it began to train"
    return Trouble(
        "crashed", f"{begun}, and none said why; {why_gone(view.console)}", view.step, view.heard, _goes_on(view)
    )


def _found(view: RunView, group: list[Finding]) -> Trouble:
    """Findings of one kind as one trouble."""
    first = min(group, key=lambda one: one.since)
    where = places(group)
    what = group[0].sees
    if len(group) > 1:
        dead = first.kind in DEAD
        what = (
            f"{where} tell nothing: {measured(view, collapsed(group))}"
            if dead
            else f"{where}: {first.measured or first.sees}"
        )
    if given := sent(view.advised, first):
        what += f"; advised at {thousands(given[-1].step)}{SO_FAR[given[-1].helped]}"
    helps = _ways_out(view, first) if first.kind in LOSSES else _switches(view, first)
    return Trouble(first.name, what, first.since, first.time, helps, first.severity, where, found=True)


def _ways_out(view: RunView, finding: Finding) -> tuple[Help, ...]:
    """Of a cost that is lost: back, the values of before while it is finite, another start."""
    finite = finding.kind == "diverged"
    undo = (Help("undo", UNDO),) if finite and view.alive and view.state.interventions() else ()
    return (*_back(view), *undo, *_resume(view))


def _disk_full(view: RunView) -> Trouble | None:
    if view.waits and view.alive:
        full = view.full is not None
        why = "" if full else ": a quota, no inode left, read-only or broken, as its console may say"
        process = f"; kill {started.pid} ends it" if (started := view.state.started) else ""
        what = (
            f"the disk of the run folder takes nothing, with {size(view.room)} left{why}; the training waits between "
            f"two steps, and goes on by itself once it does{process}"
        )
        return Trouble("disk full" if full else "disk", what, view.step, view.heard, severity="warning")
    if view.full is None or view.status() in ("finished", "stopped", "diverged"):
        return None
    step, since = view.full
    what = f"the disk of the run folder has {size(view.room)} left; a checkpoint takes {size(view.saved_bytes)}"
    return Trouble("disk full", what, step, since, _resume(view))


def _silent(view: RunView) -> Trouble | None:
    if view.status() == "crashed" or view.waits or not view.stale() or (started := view.state.started) is None:
        return None
    what = (
        f"no word from the engine for {duration(view.silence())}; process {started.pid} on {started.host} still holds "
        "the run"
    )
    return Trouble("engine silent", what, view.step, view.heard, severity="warning")


def _compiling(view: RunView) -> Trouble | None:
    if not view.compiling() or (started := view.state.started) is None:
        return None
    what = (
        f"for {duration(time.time() - started.time)}: the first step waits for the compiler, a minute or two, seconds "
        "where it was compiled before; keys are obeyed after it"
    )
    return Trouble("compiling", what, started.step, started.time, severity="warning")


def _damaged(view: RunView) -> Trouble | None:
    if not view.damages:
        return None
    return Trouble("damaged", "; ".join(view.damages), view.step, 0.0, severity="warning")


_LOST: tuple[Callable[[RunView], Trouble | None], ...] = (_failed, _crashed, _disk_full)
_HELD_UP: tuple[Callable[[RunView], Trouble | None], ...] = (_damaged, _silent, _compiling)
"""The worst first; a cost that is lost stands between the two."""


def _goes_on(view: RunView) -> tuple[Help, ...]:
    return (*_resume(view), *_back(view))


def _resume(view: RunView) -> tuple[Help, ...]:
    over = view.alive or view.status() == "finished"
    return () if over else (Help("resume" if view.state.started else "try again", RESUME),)


def _back(view: RunView) -> tuple[Help, ...]:
    back = way_back(view)
    if back is None or back >= view.step:
        return ()
    return (Help(f"back to {thousands(back)}" if back else "begin again", ROLL_BACK),)


def _switches(view: RunView, finding: Finding) -> tuple[Help, ...]:
    """The switch that a remedy flips, where it is one: a key does it, too."""
    asks = finding.remedy.commands if finding.remedy else ()
    changes = [name for ask in asks for name in ask.changes] if view.alive else []
    knob = view.state.knobs.get(changes[0]) if len(changes) == 1 else None
    return (Help(knob.short, knob=knob.name),) if knob is not None and knob.kind == "switch" else ()
