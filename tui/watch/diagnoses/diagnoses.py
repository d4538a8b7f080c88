"""What goes wrong in a run, told from its journal alone: the same for a live, a finished, a replayed and a foreign one.

Records and events are taken up once each, as they come. What began and ended when is told at fixed points of the run,
16 steps or a thirty-second of it apart, and at every evaluation, so that it does not depend on who looks how often;
what stands now is told at the newest record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from laddertop.journal.events import Commanded, Evaluated, Event, EventReader, Logged, RunEnded, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.diagnoses.advised import Advice, Advised, keys_in
from laddertop.tui.watch.diagnoses.course import Course
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import SEVERITIES, SINCE, Diagnosis, Finding, Seen
from laddertop.tui.watch.diagnoses.table import DIAGNOSES

AT_ONCE = 1 << 15
"""Records that one look takes up at most."""
LEAST, SHARE = 16, 32
"""Steps between two points at which findings begin and end: so many, or that part of the run."""


def findings_of(run: RunFolder) -> list[Finding]:
    """Everything that is or was found in a run, from its folder alone: what stands first, the worst first. Raises
    ValueError when its spec, events or metrics can't be read."""
    metrics = MetricsReader(run.path)
    metrics.poll()
    return found_in(run, EventReader(run.events_path).read_all(), metrics)


def found_in(run: RunFolder, events: Iterable[Event], metrics: MetricsReader) -> list[Finding]:
    """The same from its events and metrics, which were read already."""
    diagnoses = whole(run, events, metrics)
    return [*diagnoses.findings(), *diagnoses.past()]


def whole(run: RunFolder, events: Iterable[Event], metrics: MetricsReader) -> Diagnoses:
    """The diagnoses of a run that have taken up all of its events and metrics, which were read already."""
    diagnoses = Diagnoses(run, metrics)
    diagnoses.look(events)
    while not diagnoses.complete:
        diagnoses.look()
    return diagnoses


class Diagnoses:
    """Follows one run."""

    def __init__(self, run: RunFolder, metrics: MetricsReader) -> None:
        """Reads numbers by `metrics`, which somebody else polls."""
        self._metrics = metrics
        self._facts = Facts(run, RunState(), Course([]))
        self._events: deque[Event] = deque()
        self._at = 0
        self._next = LEAST
        self._standing: dict[tuple[str, str], Finding] = {}
        self._past: list[Finding] = []
        self._advice = Advice(self._values)
        self._now: list[Finding] | None = None
        self.complete = True
        """Whether everything that was there at the last look was taken up."""

    def look(self, events: Iterable[Event] = (), at_most: int = AT_ONCE) -> None:
        """Takes up the next events, and so many of the records that are there."""
        self._events.extend(events)
        left = at_most
        while left > 0:
            event = self._events[0] if self._events else None
            # A start is behind all records of the one before it, whatever step it goes back to.
            taken = self._take(left, None if event is None or isinstance(event, RunStarted) else event.step)
            left -= taken
            if taken:
                self._now = None
            elif event is None:
                break
            else:
                self._events.popleft()
                self._apply(event)
        self.complete = left > 0

    def findings(self) -> list[Finding]:
        """What stands, the worst first."""
        if self._now is None:
            self._now = sorted(self._seen(), key=lambda one: (SEVERITIES.index(one.severity), one.since))
        return list(self._now)

    def standing(self) -> list[Finding]:
        """What stood at the last of the points at which findings begin and end."""
        return list(self._standing.values())

    def past(self) -> list[Finding]:
        """What was found and is over, oldest first."""
        return list(self._past)

    def advised(self) -> list[Advised]:
        """The remedies that were sent, and what became of them, oldest first."""
        return self._advice.given()

    def _take(self, at_most: int, until: int | None) -> int:
        """Takes up some of the next records of the newest start, those up to step `until`; returns how many."""
        segment = self._facts.state.segment
        parts = self._metrics.records()
        there = len(parts[segment - 1]) if 0 < segment <= len(parts) else 0
        begin, end = self._at, min(there, self._at + at_most)
        if end <= begin:
            return 0
        records = self._metrics.read(segment, begin, end)
        if until is not None:
            records = records[: int((records["step"] <= until).sum())]
        if not len(records):
            return 0
        if not self._facts.course.names:
            self._facts.course = Course([column.name for column in self._metrics.columns])
        course, taken = self._facts.course, 0
        while taken < len(records):
            part = records[taken : taken + self._next - course.count]
            course.take(part)
            taken += len(part)
            self._facts.step = int(part["step"][-1])
            if course.count == self._next:
                self._next += max(LEAST, course.count // SHARE)
                self._settle()
        self._at += taken
        return taken

    def _apply(self, event: Event) -> None:
        facts = self._facts
        # What a command is a remedy for is seen before it is taken up: many findings are over once a knob was turned.
        advised = isinstance(event, Commanded) and bool(keys_in(event.note))
        before = self._seen() if advised else []
        facts.state.apply(event)
        facts.step = event.step if isinstance(event, RunStarted) else max(facts.step, event.step)
        self._now = None
        if isinstance(event, RunStarted):
            self._at = 0
            facts.course.forget_after(event.step)
            self._forget_after(event.step)
            self._advice.forget_after(event.step)
        elif isinstance(event, Commanded) and advised:
            self._advice.take(event, before)
        elif isinstance(event, Evaluated | RunEnded) or (isinstance(event, Logged) and event.diverged is not None):
            self._settle()

    def _forget_after(self, step: int) -> None:
        """What was found beyond a step that a start goes on from was found in a training that is thrown away."""
        known = [one for one in (*self._standing.values(), *self._past) if one.found <= step]
        again = [replace(one, until=None) for one in known if one.until is None or one.until > step]
        self._standing = {one.key: one for one in again}
        self._past = [one for one in known if one.until is not None and one.until <= step]

    def _settle(self) -> None:
        """Takes down what began and what is over by now."""
        seen = {one.key: one for one in self._seen()}
        over = [one for key, one in self._standing.items() if key not in seen]
        self._past += [replace(one, until=self._facts.step) for one in over]
        self._standing = seen
        self._advice.settle(self._facts.step, seen)

    def _values(self, column: str, first: int, last: int) -> list[float]:
        """A column of the newest start over some of its steps; empty where there is none of that name."""
        names = [one.name for one in self._metrics.columns]
        segment = self._facts.state.segment
        if column not in names or segment > self._metrics.segments:
            return []
        records = self._metrics.between(segment, first, last)
        return [float(value) for value in records["values"][:, names.index(column)]]

    def _seen(self) -> list[Finding]:
        self._facts.memo.clear()
        return [self._finding(diagnosis, seen) for diagnosis in DIAGNOSES for seen in diagnosis.look(self._facts)]

    def _finding(self, diagnosis: Diagnosis, seen: Seen) -> Finding:
        facts, place = self._facts, (diagnosis.kind, seen.where)
        if known := self._standing.get(place):
            since, found, time = known.since, known.found, known.time
        else:
            since, found, time = seen.since, facts.step, seen.time or facts.time_of(seen.since)
        return Finding(
            *place,
            diagnosis.severity,
            since,
            found,
            None,
            time,
            seen.sees.replace(SINCE, thousands(since)),
            seen.measured.replace(SINCE, thousands(since)),
            diagnosis.means,
            diagnosis.source,
            seen.evidence,
            seen.remedy,
            seen.helped,
        )
