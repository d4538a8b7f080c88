"""The remedies that were sent to a run, and what became of them: from its journal alone, which has them as commands.

The note of such a command says which findings it is for; see `note_of`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from laddertop.journal.events import Commanded
from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.diagnoses.finding import Finding

ADVICE = "advice on "
"""What the note of an advised command begins with; kind and places of the findings follow."""
SHARE = 10
"""The part of a window, its last tenth, over which the column is taken that tells whether a remedy has helped."""


def note_of(findings: Iterable[Finding]) -> str:
    """What the note of a command says that is a remedy for some findings of one kind: advice on posterior-collapse:
    layer 2, layer 3."""
    found = list(findings)
    places = ", ".join(one.where for one in found if one.where)
    return f"{ADVICE}{found[0].kind}{': ' if places else ''}{places}"


def keys_in(note: str) -> set[tuple[str, str]]:
    """Kind and place of the findings that a command is a remedy for; empty where its note names none."""
    if not note.startswith(ADVICE):
        return set()
    kind, _, places = note.removeprefix(ADVICE).partition(": ")
    return {(kind, place) for place in places.split(", ")}


@dataclass(frozen=True)
class Advised:
    """A remedy that was sent for a finding."""

    finding: Finding
    """As it stood when the engine carried the remedy out."""
    commands: tuple[str, ...]
    """Ids of the commands that it took, in order."""
    step: int
    """Steps completed where the training went on with it."""
    time: float
    """When that was, in seconds since 1970."""
    helped: bool | None = None
    """Whether it helped; none: that can't be told yet."""
    measured: str = ""
    """The value that tells it, in words; empty: the finding itself does, or nothing does yet."""

    @property
    def told_at(self) -> int | None:
        """Steps completed when it can be told whether it helped; none: nothing says when."""
        helped = self.finding.helped
        return self.step + helped.within if helped else None


class Advice:
    """Follows the remedies of one run."""

    def __init__(self, read: Callable[[str, int, int], list[float]]) -> None:
        """`read` gives the values of a column of the metrics over steps of the newest start, both ends included."""
        self._read = read
        self._known: dict[str, list[Finding]] = {}
        self._given: dict[tuple[str, str], list[Advised]] = {}

    def take(self, event: Commanded, seen: Iterable[Finding]) -> None:
        """Takes up the outcome of a command; `seen` is what stands before it."""
        keys = keys_in(event.note)
        if not keys or event.outcome != "applied":
            return
        # A resume carries a command out again, at a step at which its finding may not be seen any more.
        found = self._known.setdefault(event.id, [one for one in seen if one.key in keys])
        step = int(event.changes[0].applied) if event.action == "rollback" else event.step
        for key in keys:
            given = self._given.setdefault(key, [])
            open_ = given.pop() if given and given[-1].helped is None else None
            finding = next((one for one in found if one.key == key), open_.finding if open_ else None)
            if finding is not None:
                before = open_.commands if open_ else ()
                given.append(Advised(finding, (*(i for i in before if i != event.id), event.id), step, event.time))

    def forget_after(self, step: int) -> None:
        """A start goes on from `step`: what came after it is no part of the run any more."""
        for given in self._given.values():
            given[:] = [
                one if one.told_at is None or one.told_at <= step else replace(one, helped=None, measured="")
                for one in given
                if one.step <= step
            ]

    def settle(self, step: int, standing: Iterable[tuple[str, str]]) -> None:
        """Tells what can be told at `step`; `standing` are the findings that stand there."""
        for key, given in self._given.items():
            for at, one in enumerate(given):
                if one.helped is None and one.told_at is not None and step >= one.told_at:
                    given[at] = self._judged(one, one.told_at, key not in standing)

    def given(self) -> list[Advised]:
        """Every remedy that was sent, oldest first."""
        return sorted((one for given in self._given.values() for one in given), key=lambda one: one.time)

    def _judged(self, one: Advised, until: int, gone: bool) -> Advised:
        helped = one.finding.helped
        assert helped is not None
        if not helped.column:
            return replace(one, helped=gone)
        values = self._read(helped.column, until - max(helped.within // SHARE, 1) + 1, until)
        mean = sum(values) / len(values) if values else math.nan
        return replace(one, helped=helped.above < mean < helped.below, measured=number(mean))
