"""What is wrong with a run, since when, and what helps: one function a trouble, each from what is known of the run.

Which key does what is known elsewhere: what helps is named by what the key does, or by the knob that it turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from laddertop.journal.origin import ORIGIN_CHECKPOINT
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import clock, duration, size, thousands
from laddertop.tui.watch.console import why_gone
from laddertop.tui.watch.layer_life import collapsed, layer_title, measured
from laddertop.tui.watch.run_view import RunView

RESUME, ROLL_BACK, UNDO = "resume", "roll_back", "steer('undo')"
"""What helps, by the action that a key of the run screen stands for."""


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
    grave: bool = True
    """Whether the run is lost as it stands, and not only held up."""

    @property
    def since_when(self) -> str:
        """When it began, in words."""
        return f"since step {thousands(self.step)}{', ' + clock(self.since) if self.since else ''}"

    @property
    def sign(self) -> str:
        """What its name begins with."""
        return "✗" if self.grave else "▲"

    @property
    def ink(self) -> Ink:
        """The ink of its name."""
        return Ink.BAD if self.grave else Ink.WARN


def troubles(view: RunView) -> list[Trouble]:
    """What is wrong with a run now, the worst first; what is over is not among it."""
    return [found for look in _TROUBLES if (found := look(view)) is not None]


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


def _lost(view: RunView) -> Trouble | None:
    found = next((one for one in view.findings if one.kind in ("not-finite", "diverged")), None)
    if found is None:
        return None
    finite = found.kind == "diverged"
    undo = (Help("undo", UNDO),) if finite and view.alive and view.state.interventions() else ()
    return Trouble(found.name, found.sees, found.since, found.time, (*_back(view), *undo, *_resume(view)))


def _disk_full(view: RunView) -> Trouble | None:
    if view.waits and view.alive:
        full = view.full is not None
        why = "" if full else ": a quota, no inode left, read-only or broken, as its console may say"
        process = f"; kill {started.pid} ends it" if (started := view.state.started) else ""
        what = (
            f"the disk of the run folder takes nothing, with {size(view.room)} left{why}; the training waits between "
            f"two steps, and goes on by itself once it does{process}"
        )
        return Trouble("disk full" if full else "disk", what, view.step, view.heard, grave=False)
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
    return Trouble("engine silent", what, view.step, view.heard, grave=False)


def _compiling(view: RunView) -> Trouble | None:
    if not view.compiling() or (started := view.state.started) is None:
        return None
    what = (
        f"for {duration(time.time() - started.time)}: the first step waits for the compiler, a minute or two, seconds "
        "where it was compiled before; keys are obeyed after it"
    )
    return Trouble("compiling", what, started.step, started.time, grave=False)


def _collapsed(view: RunView) -> Trouble | None:
    if not (dead := collapsed(view.findings)):
        return None
    first = min(dead.values(), key=lambda one: one.since)
    several = f"layers {', '.join(map(str, dead))} tell"
    tell = several if len(dead) > 1 else f"{layer_title(next(iter(dead)))} tells"
    what = f"{tell} nothing: {measured(view, dead)}"
    return Trouble(first.name, what, first.since, first.time, _warm_up(view), grave=False)


def _damaged(view: RunView) -> Trouble | None:
    if not view.damages:
        return None
    return Trouble("damaged", "; ".join(view.damages), view.step, 0.0, grave=False)


_TROUBLES: tuple[Callable[[RunView], Trouble | None], ...] = (
    _failed,
    _crashed,
    _disk_full,
    _lost,
    _damaged,
    _silent,
    _compiling,
    _collapsed,
)
"""The worst first."""


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


def _warm_up(view: RunView) -> tuple[Help, ...]:
    """The warm-up, where it would let layers live: it weights the KL, and is not on."""
    knob = view.state.knobs.get("warmup")
    off = view.alive and knob is not None and not knob.value and view.spec.warmup.of == "kl"
    return (Help("warm-up", knob="warmup"),) if off else ()
