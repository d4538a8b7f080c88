"""What the screens need to know of a run: its events and metrics folded together, and the commands still under way.

No textual here. Everything is what the journal says; the one exception, the commands this front end has just sent, is
kept apart as pending.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from journal.commands import Command, sender
from journal.events import Checkpointed, Commanded, Evaluated, Event, Knob, Logged, RunEnded, RunStarted, Term, Value
from journal.folder import RunFolder
from journal.models import LadderSpec
from journal.spec import Spec
from journal.state import RunState
from tui.draw.cells import Ink
from tui.draw.chart import Marker
from tui.draw.curve import Curve
from tui.draw.numbers import number, thousands
from tui.draw.ticks import planned_end
from tui.watcher import News
from tui.wording import changes_in_words, measure, members, outcome_in_words

DECAY = 0.98
"""Of the moving averages, per step."""
WINDOW = 200
"""Steps before and after an intervention whose mean costs are compared."""
STARTUP = 30.0
"""Seconds that a new run may be silent before it counts as crashed."""
INPUT_UNITS = {"digits": 64, "mnist": 784}
ME = sender("dashboard")


@dataclass
class TermRow:
    """One term of the cost: raw × weight = weighted, which is `share` of the total."""

    term: Term
    raw: float
    weight: float
    curve: Curve
    share: float = float("nan")

    @property
    def weighted(self) -> float:
        """What the term adds to the cost."""
        return self.raw * self.weight


@dataclass
class LayerRow:
    """One layer of a ladder network, 0 the input."""

    layer: int
    units: int | None
    cost: float
    weight: float
    """λ in the newest step."""
    noise: float
    """σ in the newest step."""
    curve: Curve


@dataclass
class KnobRow:
    """One knob: as set, as it acts in the newest step, and what was asked of it."""

    knob: Knob
    effective: float
    pending: float | str | None = None
    """The value asked for, until the engine says what became of it."""
    refused: bool = False
    """The last thing asked of it was refused, a moment ago."""


@dataclass
class Line:
    """One line of the event log."""

    step: int
    text: str
    ink: Ink = Ink.TEXT


@dataclass
class _Effect:
    """Mean cost before and after an intervention, once both windows are full."""

    line: Line
    before: float


@dataclass
class RunView:
    """One run as the screens see it."""

    run: RunFolder
    state: RunState = field(default_factory=RunState)
    alive: bool = False
    curves: dict[str, Curve] = field(default_factory=dict)
    """By column name: the total, the terms, and the gradient's norm."""
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
    """Interventions, oldest first."""
    problem: str = ""
    console: str = ""
    _pending: dict[str, Command] = field(default_factory=dict)
    _sent: dict[str, tuple[float, Command]] = field(default_factory=dict)
    _asked: dict[str, Command] = field(default_factory=dict)
    _refusals: dict[str, float] = field(default_factory=dict)
    _newest: float = 0.0
    _recent_steps: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    _recent_times: np.ndarray = field(default_factory=lambda: np.empty(0))
    _recent_costs: np.ndarray = field(default_factory=lambda: np.empty(0))
    _effects: list[_Effect] = field(default_factory=list)

    @cached_property
    def spec(self) -> Spec:
        """What the run trains."""
        return self.run.spec

    # Taking up what happened

    def apply(self, news: News) -> None:
        """Take up what a look found."""
        self.alive, self.console = news.alive, news.console
        self.problem = news.problem or self.problem
        for event in news.events:
            self._take_event(event)
        self._sent = {i: (at, c) for i, (at, c) in self._sent.items() if at >= news.began}
        under_way = {c.id: c for c in news.inbox} | {i: c for i, (_, c) in self._sent.items()}
        self._asked |= under_way
        done = {c.id for c in self.state.commands}
        self._pending = {i: c for i, c in under_way.items() if i not in done}
        if news.rewound:
            self.curves.clear()
            self._recent_steps, self._recent_times = np.empty(0, np.int64), np.empty(0)
            self._recent_costs = np.empty(0)
        if len(news.steps):
            self._take_rows(news)
        if news.images is not None:
            self.images, self.images_step, self.problem = news.images, news.images_step, ""

    def sent(self, command: Command) -> None:
        """This front end has just put a command into the inbox."""
        self._sent[command.id] = (time.monotonic(), command)
        self._pending[command.id] = self._asked[command.id] = command

    def _take_event(self, event: Event) -> None:
        self.state.apply(event)
        self.step = event.step if isinstance(event, RunStarted) else max(self.step, event.step)
        self._newest = max(self._newest, event.time)
        line: Line | None = None
        match event:
            case RunStarted():
                self.latest.clear()
                where = f"{event.device}, {event.precision}{', compiled' if event.compiled else ''}, pid {event.pid}"
                if event.resumed_from is None:
                    line = Line(event.step, f"training starts on {where}")
                else:
                    line = Line(event.step, f"resumed from step {thousands(event.resumed_from)} on {where}")
                    self.markers.append(Marker(event.step, "resumed"))
                if event.note:
                    self.lines.append(line)
                    line = Line(event.step, event.note)
            case Commanded():
                asked = self._asked.get(event.id)
                changes = dict(asked.changes) if asked else {}
                who = "you" if event.by == ME else event.by
                words = outcome_in_words(event, changes, self.state.knobs)
                refused = event.outcome == "refused"
                line = Line(event.step, f"{who}: {words}", Ink.BAD if refused else Ink.MARK)
                concerned = {c.knob for c in event.changes}
                concerned |= {k for name in changes for k in members(name, self.state.knobs)}
                for knob in concerned:
                    if refused:
                        self._refusals[knob] = event.time
                    else:
                        self._refusals.pop(knob, None)
                if not refused and event.changes:
                    label = changes_in_words({c.knob: c.applied for c in event.changes}, self.state.knobs)
                    self.markers.append(Marker(event.step, label))
                    self._effects.append(_Effect(line, float("nan")))
                self._asked.pop(event.id, None)
            case Evaluated():
                values = ", ".join(measure(name, v.value) for name, v in event.values.items())
                line = Line(event.step, f"evaluated on {event.split}: {values}", Ink.DIM)
            case Checkpointed():
                line = Line(event.step, f"saved {event.file} ({event.bytes / 1e6:.1f} MB, {event.reason})", Ink.DIM)
            case Logged():
                ink = {"info": Ink.TEXT, "warning": Ink.WARN, "error": Ink.BAD}[event.level]
                line = Line(event.step, event.text, ink)
            case RunEnded():
                ink = Ink.BAD if event.reason == "failed" else Ink.TEXT
                line = Line(event.step, f"{event.reason}{': ' + event.detail if event.detail else ''}", ink)
        if line is not None:
            self.lines.append(line)

    def _take_rows(self, news: News) -> None:
        drawn = {"total", "grad_norm", *(term.name for term in self.state.terms)}
        for name, values in news.values.items():
            if name in drawn:
                self.curves.setdefault(name, Curve(DECAY)).extend(news.steps, values)
        # A resume may be about to repeat what is older than the newest start.
        if news.times[-1] >= self._started():
            self.step = int(news.steps[-1])
            self.latest = {name: float(values[-1]) for name, values in news.values.items()}
        self._newest = max(self._newest, float(news.times[-1]))
        total = news.values.get("total", np.full(len(news.steps), np.nan))
        self._recent_steps = np.concatenate([self._recent_steps, news.steps])
        self._recent_times = np.concatenate([self._recent_times, news.times])
        self._recent_costs = np.concatenate([self._recent_costs, total])
        self._judge_effects()
        keep = slice(-4000, None)
        self._recent_steps, self._recent_times = self._recent_steps[keep], self._recent_times[keep]
        self._recent_costs = self._recent_costs[keep]

    def _judge_effects(self) -> None:
        waiting = []
        for i, effect in enumerate(self._effects):
            at = effect.line.step
            before = self._mean_cost(at - WINDOW + 1, at)
            if np.isfinite(before):
                effect.before = before
            interrupted = any(e.line.step < at + WINDOW and e.line.step > at for e in self._effects[i + 1 :])
            if interrupted:
                continue
            if self._recent_steps[-1] < at + WINDOW:
                waiting.append(effect)
            elif np.isfinite(effect.before) and np.isfinite(after := self._mean_cost(at + 1, at + WINDOW)):
                effect.line.text += f"   cost {number(effect.before)} → {number(after)}"
        self._effects = waiting

    def _mean_cost(self, first: int, last: int) -> float:
        begin, end = np.searchsorted(self._recent_steps, [first, last + 1])
        return float(self._recent_costs[begin:end].mean()) if end > begin else float("nan")

    # Where it is

    def status(self) -> str:
        """One of journal.state.STATES; a new run whose engine is on its way up is starting."""
        status = self.state.status(self.alive)
        if status == "crashed" and self.state.started is None and time.time() - self._made() < STARTUP:
            return "starting"
        return status

    def silence(self) -> float:
        """Seconds since the newest record or event."""
        return max(time.time() - (self._newest or self._made()), 0.0)

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
        since = max((self._recent_times[-1:] - 10).sum(), self._started())
        times = self._recent_times[self._recent_times >= since]
        gaps = np.diff(times)
        if not len(gaps) or times[-1] <= times[0]:
            return float("nan")
        going = gaps[gaps <= max(20 * float(np.median(gaps)), 1.0)]
        return len(going) / float(going.sum()) if going.sum() > 0 else float("nan")

    def seconds_left(self) -> float:
        """Seconds to the planned end; nan when unknown."""
        return (self.state.steps - self.step) / self.rate() if self.state.steps else float("nan")

    def x_axis(self) -> tuple[int, int]:
        """First and last step of the charts."""
        return 0, planned_end(self.step, self.state.steps)

    def _started(self) -> float:
        return self.state.started.time if self.state.started else 0.0

    def _made(self) -> float:
        try:
            return (self.run.path / "spec.json").stat().st_mtime
        except OSError:
            return 0.0

    # Why the cost moves

    def terms(self) -> list[TermRow]:
        """The terms of the cost, smoothed; a value that is not finite now shows as it is."""
        rows = []
        for term in self.state.terms:
            curve = self.curves.get(term.name) or Curve(DECAY)
            weight = float(not term.watched)
            if term.weight is not None:
                # Before the first step of a start the weight is what the knob is set to.
                knob = self.state.knobs.get(term.weight)
                weight = self.latest.get(term.weight, knob.value if knob else float("nan"))
            rows.append(TermRow(term, self.value(term.name), weight, curve))
        total = sum(row.weighted for row in rows)
        for row in rows:
            row.share = row.weighted / total if total else float("nan")
        return rows

    def value(self, column: str) -> float:
        """The smoothed value of a column, or nan or infinity where that is what the newest step recorded."""
        curve = self.curves.get(column)
        if curve is None or not curve.points:
            return float("nan")
        return curve.smoothed if np.isfinite(curve.last) else curve.last

    def layers(self) -> list[LayerRow]:
        """The layers of a ladder network whose cost is trained, top first; empty for other models."""
        model = self.spec.model
        if not isinstance(model, LadderSpec):
            return []
        units = [INPUT_UNITS.get(self.spec.data.name), *model.widths, 10]
        rows = []
        for layer in reversed(range(len(units))):
            name = f"denoise.{layer}"
            if name in self.curves:
                weight = self.latest.get(f"lambda.{layer}", float("nan"))
                noise = self.latest.get(f"noise.std.{layer}", float("nan"))
                rows.append(LayerRow(layer, units[layer], self.value(name), weight, noise, self.curves[name]))
        return rows

    def evaluation(self) -> tuple[str, Value, Evaluated, Value, Evaluated] | None:
        """The first value of the evaluations: its name, the newest and the best, each with its event."""
        found = [e for e in self.state.evaluations if e.values]
        if not found:
            return None
        name = next(iter(found[-1].values))
        having = [e for e in found if name in e.values]
        best = min(having, key=lambda e: (np.isnan(e.values[name].value), e.values[name].value))
        return name, found[-1].values[name], found[-1], best.values[name], best

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
                knob,
                self.latest.get(name, knob.value),
                asked.get(name),
                now - self._refusals.get(name, 0.0) < 10 and name not in asked,
            )
            for name, knob in self.state.knobs.items()
        }

    def pending(self) -> list[Command]:
        """Commands that wait for the engine, oldest first."""
        return sorted(self._pending.values(), key=lambda command: command.id)

    def noise_knobs(self) -> list[Knob]:
        """The knobs that say how strong the noise is."""
        return [k for k in self.state.knobs.values() if k.name.startswith("noise.") and k.kind == "number"]
