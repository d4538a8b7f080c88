"""What a training in the foreground shows: a bar on a terminal, plain lines elsewhere, or JSON lines."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from laddertop.journal.actions import command_name
from laddertop.journal.courses import course_in
from laddertop.journal.events import (
    Change,
    Checkpointed,
    Commanded,
    Evaluated,
    Event,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
)
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.record import as_json
from laddertop.tui.cli.print import harmless, json_result, number, say, setting
from laddertop.tui.cli.show import headline
from laddertop.tui.draw.numbers import duration, rate
from laddertop.tui.draw.text import between_words, fit
from laddertop.tui.steer.engine_process import EngineProcess
from laddertop.tui.watch.summary import last_step, last_values, newest_evaluation, terms, total

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

WINDOW = 15.0
"""Seconds over which the speed is measured."""
LOOK_BACK = 1 << 14
"""Steps that are looked at for it at most."""


@dataclass(frozen=True)
class Progress:
    """Where the training stands at one moment."""

    step: int
    """Steps completed."""
    steps: int
    """Planned length in steps."""
    epoch: float
    """Passes over the training images."""
    speed: float | None
    """Steps a second while it trains; none when that is not known yet, or while it is paused."""
    paused: bool
    """Whether it is paused."""
    total: float | None
    """Total cost at the newest step."""
    terms: dict[str, dict[str, Any]]
    """Its terms; see laddertop.tui.watch.summary.terms."""
    evaluation: dict[str, Any] | None
    """The newest evaluation."""

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the planned end at the present speed; none when that is not known."""
        going = self.speed and not self.paused and self.step < self.steps
        return (self.steps - self.step) / self.speed if going and self.speed else None

    def in_words(self) -> str:
        """All but the step."""
        left = "" if self.seconds_left is None else f"  {duration(self.seconds_left)} left"
        speed = "paused" if self.paused else rate(self.speed) if self.speed else "starting"
        cost = "" if self.total is None else f"  cost {number(self.total)}"
        if self.evaluation is None:
            return f"{speed}{left}{cost}"
        # Of a model without classes the evaluation is of a cost, too: of other data.
        return f"{speed}{left}{cost}  {self.evaluation['split']} {headline(self.evaluation)}"


class Meter:
    """Reads the progress of an engine."""

    def __init__(self, engine: EngineProcess) -> None:
        self._engine = engine
        self._metrics = MetricsReader(engine.run.path)

    def read(self) -> Progress:
        """Where the training stands now."""
        state = self._engine.state
        self._metrics.poll()
        step, values = last_step(self._engine.run, state, self._metrics), last_values(state, self._metrics)
        times = self._metrics.kept()[-1]["time"][-LOOK_BACK:] if values else np.empty(0)
        return Progress(
            step=step,
            steps=state.end,
            epoch=step / state.started.epoch_steps if state.started else 0.0,
            speed=None if state.paused else speed(times),
            paused=state.paused,
            total=total(values),
            terms=terms(state, values),
            evaluation=newest_evaluation(state),
        )


def speed(times: npt.NDArray[np.float64]) -> float | None:
    """Steps a second over the newest WINDOW seconds of training, from the times of N steps [N].

    Silences between two steps don't count: pauses, evaluations, saving.
    """
    took = np.diff(times)
    if not len(took):
        return None
    took = took[took <= max(1.0, 10 * float(np.median(took)))]
    since = np.cumsum(took[::-1])
    steps = max(1, int(np.searchsorted(since, WINDOW)))
    return steps / float(since[steps - 1]) if since[steps - 1] > 0 else None


class Reporter(Protocol):
    """Shows what happens in a training."""

    every: float
    """Seconds between two reports of progress."""

    def happened(self, event: Event, knobs: dict[str, Knob]) -> None:
        """Something happened."""

    def progress(self, now: Progress) -> None:
        """The training went on."""

    def message(self, words: str) -> None:
        """Something that this command has to say."""

    def close(self) -> None:
        """The training is over."""


def reporter_for(engine: EngineProcess, as_json_lines: bool) -> Reporter:
    """The reporter that fits: JSON lines when asked for, a bar on a terminal, else lines."""
    if as_json_lines:
        return JsonLines(engine.run.name)
    return Bar(engine.run.name) if sys.stderr.isatty() else Lines(engine.run.name)


class Lines:
    """One plain line at an interval, for logs."""

    every = 10.0

    def __init__(self, name: str) -> None:
        self._name = name

    def happened(self, event: Event, knobs: dict[str, Knob]) -> None:
        """Says it, unless it is a matter of course."""
        if words := in_words(event, self._name, knobs):
            self.message(words)

    def progress(self, now: Progress) -> None:
        """Where it stands."""
        self.message(f"step {now.step}/{now.steps}  epoch {now.epoch:.1f}  {now.in_words()}")

    def message(self, words: str) -> None:
        """With the time of day."""
        say(f"{time.strftime('%H:%M:%S')}  {words}")

    def close(self) -> None:
        """Nothing is left open."""


class Bar:
    """A bar that stays in its place, and the more important events above it."""

    every = 0.25

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar = rich_bar()
        self._task = self._bar.add_task("starting", total=None, words=beside(self._bar, "starting", name))
        self._bar.start()
        self._bar.refresh()

    def happened(self, event: Event, knobs: dict[str, Knob]) -> None:
        """Says it above the bar, unless the bar tells it or it is a matter of course."""
        words = in_words(event, self._name, knobs)
        if words and not isinstance(event, Evaluated | Checkpointed):
            self.message(words)

    def progress(self, now: Progress) -> None:
        """Moves the bar."""
        where = f"step {now.step}/{now.steps}"
        words = beside(self._bar, where, now.in_words())
        self._bar.update(self._task, total=now.steps, completed=now.step, description=where, words=words)
        self._bar.refresh()

    def message(self, words: str) -> None:
        """Above the bar."""
        say_above(self._bar, words)

    def close(self) -> None:
        """Leaves the bar as it stands and gives the cursor back."""
        self._bar.stop()


def rich_bar() -> RichProgress:
    """Bars on stderr, shorter on a narrow terminal; words go in by `beside`."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as RichProgress

    console = Console(stderr=True, highlight=False)
    return RichProgress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=_bar_width(console.width)),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[words]}", markup=False),
        console=console,
        auto_refresh=False,
    )


def beside(bar: RichProgress, description: str, words: str) -> str:
    """As many of the words beside a bar as stay in its row."""
    columns = bar.console.width
    return fit(harmless(words), columns - _bar_width(columns) - len(description) - len("   100 %") - 1)


def _bar_width(columns: int) -> int:
    return 24 if columns >= 100 else 10


def say_above(bar: RichProgress, words: str) -> None:
    """A message above the bars, broken between words only."""
    bar.console.print("\n".join(between_words(harmless(words), bar.console.width)), markup=False, soft_wrap=True)
    bar.refresh()


class JsonLines:
    """One JSON object per line: the events of the journal, and the progress once a second."""

    every = 1.0

    def __init__(self, name: str) -> None:
        self._name = name

    def happened(self, event: Event, knobs: dict[str, Knob]) -> None:
        """The event; the last line tells of the end."""
        if not isinstance(event, RunEnded):
            plain = as_json(event)
            json_line(plain.pop("type").removeprefix("run_"), {"run": self._name, **plain})

    def progress(self, now: Progress) -> None:
        """Where it stands."""
        told = {
            "run": self._name,
            "time": time.time(),
            "step": now.step,
            "steps": now.steps,
            "epoch": now.epoch,
            "steps_per_second": now.speed,
            "seconds_left": now.seconds_left,
            "total": now.total,
            "terms": now.terms,
        }
        json_line("progress", told)

    def message(self, words: str) -> None:
        """On stderr, apart from the lines."""
        say(words)

    def close(self) -> None:
        """Nothing is left open."""


def json_line(kind: str, told: dict[str, Any]) -> None:
    """One line of JSON whose key `event` says what it is."""
    json_result({"event": kind, **told}, indent=None)


def in_words(event: Event, name: str, knobs: dict[str, Knob]) -> str | None:
    """An event in one line for people; none for a matter of course."""
    match event:
        case RunStarted():
            begun = f"goes on from step {event.resumed_from}" if event.resumed_from is not None else "starts"
            note = f"; {event.note}" if event.note else ""
            return f"{name} {begun} on {event.device}, {event.precision}, {event.steps} steps{note}"
        case Commanded():
            what = f"{command_name(event.action)} {event.outcome} at step {event.step} by {event.by}"
            changes = ", ".join(change_in_words(change, knobs) for change in event.changes)
            return what + "".join(f": {more}" for more in (changes, event.reason, event.note) if more)
        case Evaluated():
            return f"evaluation at step {event.step}, {event.split} data: {headline(as_json(event))}"
        case Checkpointed():
            return f"saved {event.file}"
        case Logged():
            return event.text if event.level == "info" else f"{event.level}: {event.text}"
        case RunEnded() | Sampled():
            return None


def change_in_words(change: Change, knobs: dict[str, Knob]) -> str:
    """What happened to a knob: noise on → off, lr 0.002 → 0.001."""
    # A roll-back changes the step, which is no knob.
    kind = knobs[change.knob].kind if change.knob in knobs else "number"
    if change.course:
        return f"{change.knob} {setting(kind, change.old)}, then {course_in(change.course).words()}"
    return f"{change.knob} {setting(kind, change.old)} → {setting(kind, change.applied)}"
