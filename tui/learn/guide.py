"""The guide of a lesson: which step one is at, whether it was seen that what it asks for happened, and what changed.

It believes the journal alone, and what the dashboard says of itself: which screen is shown, what the model answered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Literal

from laddertop.journal.events import Commanded
from laddertop.tui.learn.beside import Beside
from laddertop.tui.learn.lesson import LETTERS, Lesson, Seen, Step
from laddertop.tui.learn.numbers import Numbers
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import News

Phase = Literal["told", "seen", "answered", "over"]


@dataclass
class Place:
    """Where one is in a lesson; what is kept from one dashboard to the next."""

    step: int = 0
    """Of the lesson, from 0."""
    phase: Phase = "told"
    """told: its text is shown, and what it asks for waited for; seen: it happened; answered: its question was; over:
    the lesson is."""
    met: int = 0
    """How many of the conditions of the step were seen."""
    since: int = -1
    """Step of the training at which the newest of them was, or at which the step of the lesson began; -1: not yet
    known."""
    before: dict[str, float] = field(default_factory=dict)
    """Its numbers as they were when the first condition was seen; those of the first run, where two are compared."""
    after: dict[str, float] = field(default_factory=dict)
    """The same once all were; those of the second run."""
    answer: str = ""
    """The letter that was answered."""
    right: int = 0
    """How many questions were answered rightly, of those before."""


class Guide:
    """Goes through a lesson beside a run, and a second one where the lesson compares two."""

    def __init__(self, lesson: Lesson, place: Place, beside: Beside | None = None) -> None:
        self.lesson, self.place, self.beside = lesson, place, beside
        self.numbers = Numbers()
        self.moved: Callable[[], None] = lambda: None
        """Called where a key has moved it."""

    @property
    def step(self) -> Step:
        """The step that is shown."""
        return self.lesson.steps[self.place.step]

    @property
    def asks(self) -> bool:
        """Whether a question waits for its answer."""
        return self.place.phase == "seen" and bool(self.step.question)

    @property
    def compares(self) -> bool:
        """Whether the second run is to be trained now."""
        return self.place.phase == "told" and any(seen.other for seen in self.step.seen)

    @property
    def rests(self) -> bool:
        """Whether the training is to rest now."""
        seen = self.waits_for()
        needs = seen is not None and not (seen.knob or seen.screen or seen.asked or seen.other)
        return self.lesson.paced and not needs

    def waits_for(self) -> Seen | None:
        """What has to be seen next; None: nothing has."""
        return self.step.seen[self.place.met] if self.place.phase == "told" and self.step.seen else None

    def take(self, news: News) -> None:
        """Take up what a look at the run found."""
        self.numbers.take(news)

    def look(self, view: RunView, screen: str, answered: Collection[str]) -> bool:
        """Whether anything changed, given which screen is shown and which kinds of questions the model has answered."""
        place, was = self.place, (self.place.met, self.place.phase, self.place.since)
        if place.since < 0:
            if view.state.started is None:
                return False
            self._begin(view.step)
        if place.met == 0:
            # Of what is not trained yet there are no numbers; how it began is known a little later.
            unknown = [name for name, value in place.before.items() if math.isnan(value)]
            place.before |= {name: self.numbers.at(name, place.since) for name in unknown}
        while (seen := self.waits_for()) is not None and self._met(seen, view, screen, answered):
            if seen.knob:
                self._since_turned(seen.knob, view)
            elif not seen.screen and not seen.asked:
                place.since = max(place.since, self.numbers.step)
            place.met += 1
            if place.met == len(self.step.seen):
                place.phase, place.after = "seen", self._values(None)
                self._compare()
        return was != (place.met, place.phase, place.since)

    def _met(self, seen: Seen, view: RunView, screen: str, answered: Collection[str]) -> bool:
        if seen.screen:
            return screen == seen.screen
        if seen.asked:
            return seen.asked in answered
        if seen.found:
            return any(one.kind in seen.found for one in view.findings)
        if seen.told:
            return not any(one.finding.kind in seen.told and one.helped is None for one in view.advised)
        if seen.other:
            return self.beside is not None and self.beside.step >= seen.other
        if seen.evaluated:
            return self.numbers.evaluated_after(self.place.since)
        if seen.steps:
            return self.numbers.step >= self.place.since + seen.steps
        value = self.value_of(seen, view)
        return seen.at_least <= value <= seen.at_most

    def value_of(self, seen: Seen, view: RunView) -> float:
        """The value of the knob or number that a condition is about; NaN where it is not known."""
        if seen.knob:
            return view.state.knobs[seen.knob].value if seen.knob in view.state.knobs else math.nan
        return self.numbers.at(seen.number)

    def _since_turned(self, knob: str, view: RunView) -> None:
        """What is compared begins where the knob was turned first in this step, as far as it was turned in it."""
        turned = [c.step for c in view.state.commands if _turns(c, knob) and c.step >= self.place.since]
        if turned and self.place.met == 0:
            self.place.before = self._values(turned[0])
        if turned:
            self.place.since = turned[-1]

    def _values(self, step: int | None) -> dict[str, float]:
        return {name: self.numbers.at(name, step) for name in self.step.changed}

    def _compare(self) -> None:
        """Keep the numbers of both runs after as many steps."""
        if self.beside is not None:
            pairs = {name: self.beside.pair(name) for name in self.step.against}
            self.place.before |= {name: first for name, (first, _) in pairs.items()}
            self.place.after |= {name: second for name, (_, second) in pairs.items()}

    def _begin(self, step: int) -> None:
        self.place.since = step
        self.place.before = self._values(step)

    def on(self, view: RunView) -> bool:
        """Go on, where nothing is waited for any more; whether there was somewhere to go."""
        place = self.place
        if place.phase == "over" or self.asks or self.waits_for() is not None:
            return False
        if place.phase == "told" and (self.step.question or self.step.then):
            place.phase = "seen"
            self.moved()
            return True
        right = place.right + (place.phase == "answered" and place.answer == self.step.right)
        if place.step + 1 == len(self.lesson.steps):
            place.phase, place.right = "over", right
        else:
            self.place = Place(step=place.step + 1, right=right)
            self._begin(view.step)
        self.moved()
        return True

    def answer(self, letter: str) -> bool:
        """Answer the question; whether there was one with such an answer."""
        if not self.asks or letter not in LETTERS[: len(self.step.answers)]:
            return False
        self.place.answer, self.place.phase = letter, "answered"
        self.moved()
        return True


def _turns(command: Commanded, knob: str) -> bool:
    return command.outcome == "applied" and any(change.knob == knob for change in command.changes)
