"""What the screens need to know of a run: its events and metrics folded together, and the commands still under way.

No textual here. Everything is what the journal says; the one exception, the commands this front end has just sent, is
kept apart as pending.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from laddertop.journal.actions import Action
from laddertop.journal.commands import Command
from laddertop.journal.event_lines import unreadable
from laddertop.journal.events import Commanded, Event, Knob, RunStarted, Term
from laddertop.journal.folder import RunFolder
from laddertop.journal.knobs import members
from laddertop.journal.knobs import now as now_set
from laddertop.journal.spec import Spec
from laddertop.journal.state import STARTUP, RunState
from laddertop.tui.draw.axis import BINS, XAxis
from laddertop.tui.draw.bins import empty_bins
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.markers import Marker
from laddertop.tui.draw.x_view import Extent, XView
from laddertop.tui.watch.advice import mark_of, verdict
from laddertop.tui.watch.chart_choice import EVALUATED
from laddertop.tui.watch.diagnoses.advised import Advised
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.effects import Effect
from laddertop.tui.watch.event_line import Line, effect_in_words, lines_of, marker_of
from laddertop.tui.watch.history import Curves, Wanted, weights_of
from laddertop.tui.watch.watcher import News

DECAYS = (0.98, 0.995, 0.0, 0.9)
"""Of the moving averages, per step, in the order in which a key goes through them."""
RATE_OVER = 10.0
"""Seconds over which the speed is taken."""


@dataclass
class KnobRow:
    """One knob: as set, as it acts in the newest step, and what was asked of it."""

    knob: Knob
    effective: float
    set_to: float
    """As it was set in the newest step; of one that is on a course that is a step before `knob`."""
    pending: float | str | None = None
    """The value asked for, until the engine says what became of it."""
    refused: bool = False
    """The last thing asked of it was refused, a moment ago."""

    @property
    def otherwise(self) -> bool:
        """Whether a schedule or a switch makes the value that acts another one, in its first two digits, than it is set
        to. What is recorded is rounded."""
        same = math.isclose(self.effective, self.set_to, rel_tol=1e-4, abs_tol=1e-9)
        return not same and f"{self.effective:.2g}" != f"{self.set_to:.2g}"


def _no_curves() -> Curves:
    nothing = empty_bins(0)
    return Curves(Wanted(XAxis(0, 8), (), 0.0), nothing, nothing, np.zeros(BINS), np.zeros(BINS))


@dataclass
class Sent:
    """A command of this front end on its way: a look that began before it was written can't find it in the inbox."""

    command: Command
    written: float = math.inf
    """When it was, in seconds of the monotonic clock."""


@dataclass
class RunView:
    """One run as the screens see it."""

    looking: ClassVar[str] = "read-only"
    """The word for a run that is not steerable."""
    run: RunFolder
    steerable: bool = True
    """Whether this dashboard may ask anything of the engine."""
    stranger: str = ""
    """Why it may not, where the run is not the user's alone; in a sentence."""
    state: RunState = field(default_factory=RunState)
    alive: bool = False
    curves: Curves = field(default_factory=_no_curves)
    """What was wanted of the metrics when the watcher looked last."""
    smoothed: dict[str, float] = field(default_factory=dict)
    """The moving averages at the newest record, by column name."""
    x: XView = field(default_factory=XView)
    """Which part of the run the charts show, and where in it one looks."""
    decay: float = DECAYS[0]
    """Of the moving averages, per step."""
    latest: dict[str, float] = field(default_factory=dict)
    """The newest record of the newest start by column name; empty before its first step."""
    step: int = 0
    """Steps completed at the newest record or event."""
    images: dict[str, np.ndarray] = field(default_factory=dict)
    """The newest samples, uint8 (N, H, W) by row."""
    images_step: int = 0
    lines: list[Line] = field(default_factory=list)
    """The event log, oldest first."""
    markers: list[Marker] = field(default_factory=list)
    """What is marked on the charts, oldest first."""
    effects: dict[str, Effect] = field(default_factory=dict)
    """What interventions did, by the id of their command."""
    newest_command: float = 0.0
    """When this front end sent its newest command, in seconds of the monotonic clock."""
    findings: list[Finding] = field(default_factory=list)
    """What goes wrong in the run, the worst first."""
    past: list[Finding] = field(default_factory=list)
    """What went wrong in it and is over, oldest first."""
    advised: list[Advised] = field(default_factory=list)
    """The remedies that were sent, and what became of them, oldest first."""
    babysat: bool = False
    """Whether a babysitter is at work beside the engine."""
    lit: frozenset[str] = frozenset()
    """Names of the curves that show what goes wrong."""
    lit_layers: frozenset[int] = frozenset()
    """Numbers of the layers in which something goes wrong."""
    problem: str = ""
    console: list[str] = field(default_factory=list)
    """The last lines that a dead engine printed."""
    files: frozenset[str] = frozenset()
    """Names of the checkpoint files that are in the run folder."""
    room: int = 0
    """Bytes that are left on the disk of the run folder."""
    full: tuple[int, float] | None = None
    """Step and time at which a checkpoint was first seen to have no room there; None while it has."""
    damages: list[str] = field(default_factory=list)
    """What is wrong with the files of the run, each in a sentence."""
    waits: bool = False
    """Whether the training stands still because the disk takes nothing of what it writes."""
    _pending: dict[str, Command] = field(default_factory=dict)
    _sent: dict[str, Sent] = field(default_factory=dict)
    _asked: dict[str, Command] = field(default_factory=dict)
    _refusals: dict[str, float] = field(default_factory=dict)
    _told: set[tuple[str, tuple[str, str]]] = field(default_factory=set)
    _newest: float = 0.0
    _damaged: int = 0
    _recent_times: np.ndarray = field(default_factory=lambda: np.empty(0))

    @cached_property
    def spec(self) -> Spec:
        """What the run trains."""
        return self.run.spec

    # Taking up what happened

    def apply(self, news: News) -> None:
        """Take up what a look found."""
        self.alive, self.console, self.files = news.alive, news.console, news.files
        self.babysat = news.babysat
        self.problem = news.problem or self.problem
        for event in news.events:
            self._take_event(event)
        self.lines += [Line(self.state.step, text, Ink.WARN) for text in news.damages if text not in self.damages]
        self.damages = news.damages
        if news.damaged > self._damaged:
            self._damaged = news.damaged
            self.lines.append(Line(self.state.step, unreadable(news.damaged), Ink.WARN))
        self._sent = {i: sent for i, sent in self._sent.items() if sent.written >= news.began}
        under_way = {c.id: c for c in news.inbox} | {i: sent.command for i, sent in self._sent.items()}
        self._asked |= under_way
        done = {c.id for c in self.state.commands}
        self._pending = {i: c for i, c in under_way.items() if i not in done}
        if news.rows is not None:
            self._take_rows(news.columns, news.rows)
        if news.curves is not None:
            self.curves, self.smoothed = news.curves, news.smoothed
        labels = {term.name: term.label for term in self.state.terms}
        for effect in news.effects:
            self.effects[effect.command] = effect
            for line in self.lines:
                if line.command == effect.command and effect.window:
                    line.text += f"   {effect_in_words(effect, labels)}"
        self._look_at_room(news.room)
        self.waits = news.waits
        self._take_findings(news)
        if news.images is not None:
            self.images, self.images_step, self.problem = news.images, news.images_step, ""

    def _take_findings(self, news: News) -> None:
        self.findings, self.past, self.advised = news.findings, news.past, news.advised
        evidence = [one.evidence for one in self.findings]
        self.lit = frozenset(lit for one in evidence for lit in one.columns)
        self.lit |= {f"{EVALUATED}{one.value}" for one in evidence if one.value}
        self.lit_layers = frozenset(one.layer for one in evidence if one.layer is not None)
        for one in self.advised:
            told = one.commands[-1], one.finding.key
            if one.helped is not None and told not in self._told:
                self._told.add(told)
                for line in self.lines:
                    if line.command == one.commands[-1]:
                        # Before what it did to the cost, of which a narrow screen cuts most.
                        done, *effect = line.text.split("   ")
                        line.text = "   ".join([done, verdict(one), *effect])

    def sent(self, command: Command) -> Sent:
        """This front end is about to put a command into the inbox."""
        self.newest_command = time.monotonic()
        self._sent[command.id] = sent = Sent(command)
        self._pending[command.id] = self._asked[command.id] = command
        return sent

    def withdrawn(self, command: Command) -> None:
        """A command that this front end could not put there."""
        for told in (self._sent, self._pending, self._asked):
            told.pop(command.id, None)

    def _take_event(self, event: Event) -> None:
        self.state.apply(event)
        self.step = event.step if isinstance(event, RunStarted) else max(self.step, event.step)
        self._newest = max(self._newest, event.time)
        asked: dict[str, float | str] = {}
        if isinstance(event, RunStarted):
            self.latest.clear()
        if isinstance(event, Commanded):
            command = self._asked.pop(event.id, None)
            asked = dict(command.changes) if command else {}
            concerned = {c.knob for c in event.changes}
            for knob in concerned | {k for name in asked for k in members(name, self.state.knobs)}:
                if event.outcome == "refused":
                    self._refusals[knob] = event.time
                else:
                    self._refusals.pop(knob, None)
        self.lines += lines_of(event, asked, self.state.knobs)
        if (marker := marker_of(event, self.origin, self.state.knobs)) is not None:
            # A command that sent the run back says who did it, which the start that follows does not know; and a stage
            # that is gone through again begins where it began.
            once = marker.kind == "stage" or (marker.kind == "rollback" and isinstance(event, RunStarted))
            known = self.markers if marker.kind == "stage" else self.markers[-1:]
            if not (once and any((m.kind, m.step) == (marker.kind, marker.step) for m in known)):
                self.markers.append(marker)

    def _take_rows(self, columns: list[str], rows: np.ndarray) -> None:
        times = rows["time"]
        # A resume may be about to repeat what is older than the newest start.
        if times[-1] >= self._started():
            self.step = int(rows["step"][-1])
            self.latest = dict(zip(columns, rows["values"][-1].tolist(), strict=True))
        self._newest = max(self._newest, float(times[-1]))
        recent = np.concatenate([self._recent_times, times])
        self._recent_times = recent[recent > recent[-1] - 3 * RATE_OVER][-4000:]

    def _look_at_room(self, room: int) -> None:
        self.room = room
        self.full = (self.full or (self.step, time.time())) if room < self.saved_bytes else None

    @property
    def saved_bytes(self) -> int:
        """What the newest checkpoint takes on the disk; a mebibyte where there is none."""
        return self.state.checkpoints[-1].bytes if self.state.checkpoints else 1 << 20

    # What the charts show

    @property
    def marks(self) -> list[Marker]:
        """What is marked on the charts, oldest first: what was done, and where something began to go wrong."""
        began = [mark_of(one, self.origin) for one in (*self.past, *self.findings)]
        return sorted([*self.markers, *began], key=lambda mark: mark.time) if began else self.markers

    @property
    def origin(self) -> float:
        """When the run first started, in seconds since 1970: where wall time begins."""
        return self.state.starts[0].time if self.state.starts else 0.0

    @property
    def extent(self) -> Extent:
        """How far the run has come."""
        seconds = max(self._newest - self.origin, 0.0) if self.state.starts else 0.0
        epoch = self.state.started.epoch_steps if self.state.started else 0
        return Extent(self.step, self.state.end, seconds, epoch)

    @property
    def unable(self) -> list[Action]:
        """What its engine, a loop of somebody's own, can't be asked for."""
        return self.state.started.unable if self.state.started else []

    def wanted(self, names: tuple[str, ...] = ()) -> Wanted:
        """What to gather of the metrics: the total, the terms, and other curves by name."""
        mine = ("total", *(term.name for term in self.state.terms))
        weights = weights_of(self.state.terms)
        names = tuple(dict.fromkeys((*mine, *names)))
        return Wanted(self.x.axis(self.extent), names, self.decay, self.origin, weights, tuple(self.state.knobs))

    # Where it is

    def status(self) -> str:
        """One of laddertop.journal.state.STATES; a new run whose engine is on its way up is starting."""
        status = self.state.status(self.alive)
        if status == "crashed" and self.state.started is None and time.time() - self.made < STARTUP:
            return "starting"
        return status

    def silence(self) -> float:
        """Seconds since the newest record or event."""
        return max(time.time() - self.heard, 0.0)

    @property
    def heard(self) -> float:
        """When the newest record or event was written, in seconds since 1970, or else when the run was made."""
        return self._newest or self.made

    def stale(self) -> bool:
        """Whether the numbers no longer show what is happening."""
        if self.status() == "crashed":
            return True
        if self.compiling():
            return False
        return self.status() == "training" and self.silence() > max(10.0, 20 / self.rate() if self.rate() > 0 else 0)

    def compiling(self) -> bool:
        """Whether the engine compiles its step, silent for a minute or two before the first record."""
        started = self.state.started
        return started is not None and started.compiled and not self.latest and self.status() == "training"

    def rate(self) -> float:
        """Steps a second of the newest start over its newest ten seconds, pauses left out; nan when unknown."""
        since = max((self._recent_times[-1:] - RATE_OVER).sum(), self._started())
        times = self._recent_times[self._recent_times >= since]
        gaps = np.diff(times)
        if not len(gaps) or times[-1] <= times[0]:
            return float("nan")
        going = gaps[gaps <= max(20 * float(np.median(gaps)), 1.0)]
        return len(going) / float(going.sum()) if going.sum() > 0 else float("nan")

    def seconds_left(self) -> float:
        """Seconds to the end; nan when unknown."""
        return (self.state.end - self.step) / self.rate() if self.state.steps else float("nan")

    def _started(self) -> float:
        return self.state.started.time if self.state.started else 0.0

    @cached_property
    def made(self) -> float:
        """When the run was made, in seconds since 1970; asks the disk once."""
        try:
            return (self.run.path / "spec.json").lstat().st_mtime
        except OSError:
            return 0.0

    # Why the cost moves

    def value(self, column: str) -> float:
        """The smoothed value of a column, or nan or infinity where that is what the newest step recorded."""
        newest = self.latest.get(column, float("nan"))
        smoothed = self.smoothed.get(column, newest)  # until the curves of a start are gathered
        return smoothed if np.isfinite(newest) or not self.latest else newest

    def weight(self, term: Term) -> float:
        """What multiplies a term now; before the first step of a start what its knob is set to."""
        if term.weight is None:
            return float(not term.watched)
        knob = self.state.knobs.get(term.weight)
        return self.latest.get(term.weight, knob.value if knob else float("nan"))

    # What can be done

    def knobs(self) -> dict[str, KnobRow]:
        """The knobs by name."""
        asked: dict[str, float | str] = {}
        for command in self._pending.values():
            for name, value in command.changes.items():
                asked |= dict.fromkeys(members(name, self.state.knobs), value)
        now = time.time()
        return {
            name: KnobRow(
                now_set(knob, self.step),
                self.latest.get(name, knob.value),
                now_set(knob, max(self.step - 1, 0)).value,
                asked.get(name),
                now - self._refusals.get(name, 0.0) < 10 and name not in asked,
            )
            for name, knob in self.state.knobs.items()
        }

    def pending(self) -> list[Command]:
        """Commands that wait for the engine, oldest first."""
        return sorted(self._pending.values(), key=lambda command: command.id)
