"""What happened in a run: one JSON object per line in `events.jsonl`, written by the engine alone, append-only.

Readers poll the file; a line without its newline is not there yet, and one whose checksum does not fit is none. NaN and
infinities survive as JSON strings.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError

from laddertop.journal.actions import Action
from laddertop.journal.event_lines import CANCELLED, Lines, sum_fits, with_sum
from laddertop.journal.names import keys_of, layer_of, short_of
from laddertop.journal.record import Record
from laddertop.journal.remembered import Remembered
from laddertop.journal.value import Value


class TermLayer(Record):
    """The layer of a model that a term of its cost belongs to."""

    index: int
    """Its place: 0 the input, 1 the lowest representation."""
    name: str
    """What it is called beside its cost: x, h500, c64, y, z1."""
    units: int | None = None
    """How many; none: it is a stack of maps, or nobody has said."""
    code: str = ""
    """Its name among the representations that the model gives; empty: it is none of them."""
    noise: str | None = None
    """The knob of the noise at this layer; none: it takes none of its own."""


def _layer_by_name(term: dict[str, Any]) -> TermLayer | None:
    return TermLayer(**found) if (found := layer_of(term)) else None


class Term(Record):
    """One term of the cost, as the engine declares it."""

    name: str
    """Name of its column in the metrics."""
    label: str
    """Name for people."""
    unit: str
    """Unit and reduction in words, such as nats per image, mean over the batch."""
    weight: str | None
    """The knob whose effective value multiplies the term; none: weight 1."""
    watched: bool = False
    """Whether the term is only looked at: it is recorded, but no part of the total."""
    layer: TermLayer | None = Field(default_factory=_layer_by_name, exclude_if=lambda layer: layer is None)
    """The layer that it belongs to; none: it is of the whole model. Journals of before tell it by the name alone."""


class Schedule(Record):
    """What a knob does by itself in the course of a run, as the engine declares it."""

    knob: str
    """Its name."""
    what: str
    """What it does, after the knob's label: falls to 0."""
    first: int
    """Steps completed before the first step that it acts on."""


class Knob(Record):
    """One thing that can be changed while the training runs, as the engine declares it.

    Knobs whose names differ in the number at their end alone are a group, which has one unit, one short name and one
    pair of keys: see `group_of`.
    """

    name: str
    """Its name in commands and in the metrics."""
    label: str
    """Name for people."""
    kind: Literal["switch", "number"]
    """A switch is 0 or 1."""
    unit: str
    """Unit in words; empty for a plain factor."""
    low: float
    """Smallest value that is accepted."""
    high: float
    """Largest value that is accepted."""
    factor: float | None
    """What a key press multiplies it by; none: a switch."""
    help: str
    """One sentence."""
    value: float
    """Value as set, before schedules."""
    course: str = Field(default="", exclude_if=lambda course: not course)
    """What it does by itself from some step on, see laddertop.journal.courses; empty: it stays at `value`."""
    short: str = Field(default_factory=lambda told: short_of(told["name"]))
    """Its name in a word, or its sign; of a group that of all its members."""
    keys: str = Field(default_factory=lambda told: keys_of(told["name"]))
    """What to type: one character flips a switch, two make a number smaller and larger; empty: it is set by name."""


class Column(Record):
    """One column of the metrics."""

    name: str
    """Name of the term or knob, total or grad_norm."""
    label: str
    """Name for people."""
    unit: str
    """Unit and reduction in words."""


class Change(Record):
    """What a command did to one knob."""

    knob: str
    """Name of the knob."""
    old: float
    """Value before."""
    applied: float
    """Value after."""
    old_course: str = Field(default="", exclude_if=lambda course: not course)
    """Its course before; empty: it had none."""
    course: str = Field(default="", exclude_if=lambda course: not course)
    """The course that it is on after; empty: it stays at `applied`."""

    @property
    def set_to(self) -> float | str:
        """What was asked for: a value, or a course."""
        return self.course or self.applied

    @property
    def before(self) -> float | str:
        """What takes it back."""
        return self.old_course or self.old


class _Event(Record):
    time: float = Field(default_factory=time.time)
    """Seconds since 1970."""
    step: int
    """Steps completed when it happened."""


class RunStarted(_Event):
    """An engine begins, or goes on after a resume."""

    type: Literal["run_started"] = "run_started"
    segment: int
    """1 for the first start, one more at every resume."""
    pid: int
    """Process of the engine."""
    host: str
    """Host of the engine."""
    device: str
    """Device, in words."""
    precision: str
    """fp32 or bf16."""
    compiled: bool
    """Whether the step was to be compiled; a compiler that then fails is a logged warning that says `uncompiled`."""
    threads: int
    """Threads of the CPU, of each rank."""
    ranks: int = Field(default=1, ge=1, exclude_if=lambda ranks: ranks == 1)
    """Processes that share every batch."""
    versions: dict[str, str]
    """Versions of what decides the numbers."""
    resumed_from: int | None
    """Step of the checkpoint it goes on from."""
    rolled_back: bool = False
    """Whether it was sent back there: what was done to the run from that step on is then no part of it any more."""
    steps: int
    """Planned length of the run in steps."""
    until: int | None = Field(default=None, exclude_if=lambda until: until is None)
    """Step at which it ends before that, as the run that it replays did."""
    epoch_steps: int = Field(gt=0)
    """Steps of one epoch."""
    terms: list[Term]
    """The terms of the cost."""
    knobs: list[Knob]
    """What can be changed, with the values at the start of this segment."""
    schedules: list[Schedule] = Field(default=[])
    """What knobs do by themselves."""
    unable: list[Action] = Field(default=[], exclude_if=lambda unable: not unable)
    """What a loop of somebody's own can't be asked for, as it has not said how."""
    note: str = ""
    """Anything a user should know about this start."""
    files: dict[str, str] = Field(default={}, exclude_if=lambda files: not files)
    """The files that it was begun with and that stay as they are, each with its checksum."""


class Commanded(_Event):
    """The outcome of a command."""

    type: Literal["commanded"] = "commanded"
    id: str
    """Id of the command."""
    by: str
    """Who sent it."""
    action: str
    """What was asked for; see laddertop.journal.actions."""
    outcome: Literal["applied", "refused"]
    """Applied before the step after `step`, or refused."""
    reason: str = ""
    """Why it was refused, or what was bent to fit."""
    changes: list[Change] = Field(default=[])
    """What it did to each knob."""
    note: str = ""
    """The sender's words."""


class Activity(Record):
    """What the units of one layer do with test items: the mark of a layer that is trained."""

    units: int
    """How many units."""
    active: int
    """Units whose representation varies by more than 0.01 over the items (Burda et al. 2015)."""
    sd: float
    """Root of the mean variance of the units."""


class Evaluated(_Event):
    """An evaluation on data the training has not seen."""

    type: Literal["evaluated"] = "evaluated"
    split: str
    """test or held back."""
    values: dict[str, Value]
    """What was measured."""
    seconds: float
    """How long it took."""
    layers: dict[str, Activity] = Field(default={}, exclude_if=lambda layers: not layers)
    """What the units of each layer do, by the name of its representation, the bottom one first."""

    def headline(self) -> str | None:
        """Name of the value that says best how good the model is; where no value says so, the first."""
        said = (name for name, value in self.values.items() if value.headline)
        return next(said, next(iter(self.values), None))


class Sampled(_Event):
    """The fixed test items passed through the model."""

    type: Literal["sampled"] = "sampled"
    file: str = Field(pattern=r"^samples/step-[0-9]{1,20}\.npz$")
    """File of images, relative to the run folder; see laddertop.journal.samples."""
    rows: list[str]
    """Names of the arrays in the file, in the order to show."""


class Checkpointed(_Event):
    """The training was saved."""

    type: Literal["checkpointed"] = "checkpointed"
    file: str = Field(pattern=r"^(step-[0-9]{1,20}(-[0-9a-f]{8})?|origin)\.ckpt$")
    """File, relative to the run folder; never one that lies elsewhere."""
    sha256: str
    """Checksum of the file."""
    bytes: int
    """Size of the file."""
    reason: str
    """Why it was saved: schedule, best, command, or end."""
    diverged: bool = False
    """Whether the run counted as diverged then: a resume goes on from an older one."""


class Logged(_Event):
    """A line for people."""

    type: Literal["logged"] = "logged"
    level: Literal["info", "warning", "error"]
    """How much it matters."""
    text: str
    """One or more sentences."""
    stage: str = Field(default="", exclude_if=lambda stage: not stage)
    """Name of the stage of the training that begins here; empty where none does."""
    uncompiled: bool = Field(default=False, exclude_if=lambda uncompiled: not uncompiled)
    """Whether the compiler failed, and the step is taken uncompiled from here to the end of this start."""
    diverged: bool | None = Field(default=None, exclude_if=lambda diverged: diverged is None)
    """True: the run counts as diverged from here on; false: no longer, its cost is back."""
    sound_until: int | None = Field(default=None, exclude_if=lambda step: step is None)
    """Where it diverged: the last step at which its cost was still sound."""
    rank_seconds: list[float] = Field(default=[], exclude_if=lambda seconds: not seconds)
    """By rank, how long its own part of a step takes; empty: that is not told here."""


class RunEnded(_Event):
    """The engine ends on purpose. An engine that is gone without it has crashed."""

    type: Literal["run_ended"] = "run_ended"
    reason: Literal["finished", "stopped", "diverged", "failed"]
    """Finished its steps, was told to stop, did either with a cost that had diverged, or could not go on."""
    detail: str = ""
    """Who stopped it, or what went wrong and what to do."""


Event = RunStarted | Commanded | Evaluated | Sampled | Checkpointed | Logged | RunEnded
_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


class EventWriter:
    """Appends events to a run's event file; the engine holds the only one."""

    def __init__(self, path: Path) -> None:
        """Opens `path` for appending, and ends a line that a crash cut off.

        Raises ValueError when it is a link or no plain file.
        """
        self.file = Remembered(path.parent, path.name)
        """Where they are written to."""
        if last := self.file.last_line():
            self.file.add(b"\n" if _event_in(last) else CANCELLED + b"\n")
            self.file.flush()

    def append(self, event: Event) -> None:
        """Writes one event; readers see it at once, and what a resume needs outlives a power cut.

        Raises OSError when the disk does not take it; what it did not take goes first the next time.
        """
        durable = isinstance(event, RunStarted | Checkpointed | RunEnded)
        self.file.add(with_sum(event.model_dump_json().encode()) + b"\n", durable=durable)
        self.flush()

    def flush(self) -> None:
        """Writes what the disk has not taken so far. Raises as `append` does."""
        self.file.flush()

    def close(self) -> None:
        """Closes the file."""
        self.file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


class EventReader:
    """Reads a run's events as they are written. Any number may read."""

    def __init__(self, path: Path) -> None:
        """Reads from the beginning of `path`, which may not exist yet."""
        self._lines = Lines(path)
        self.damaged = 0
        """Lines that are no events, or not as they were written: damage, or what a newer laddertop wrote."""

    def poll(self) -> list[Event]:
        """The events written since the last poll, at most a mebibyte of them: empty when there is no more.

        Raises ValueError when the file is no plain file, OSError when it can't be read.
        """
        return next((events for lines in self._lines.read() if (events := list(self._parse(lines)))), [])

    def read_all(self) -> list[Event]:
        """Every event written so far that was not yet read. Raises as `poll` does."""
        return [event for lines in self._lines.read() for event in self._parse(lines)]

    def _parse(self, lines: list[bytes]) -> Iterator[Event]:
        for line in lines:
            if line.strip() and not line.endswith(CANCELLED):
                if event := _event_in(line):
                    yield event
                else:
                    self.damaged += 1


def _event_in(line: bytes) -> Event | None:
    try:
        return _event.validate_json(line) if sum_fits(line) else None
    except ValidationError:
        return None
