"""What a knob does by itself from a step on: a function of the step alone, written in a word, `0..1:linear:2000`.

Commands, recipes and checkpoints hold that word; with `@500` behind it, it says at which step it begins.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple, Self

SHAPES = {"linear": "linear", "cosine": "along a cosine", "cyclical": "again and again"}
"""The shapes of a course, each with what sentences say of it."""

LONGEST = 10**9
"""The most steps of a course."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_WORD = re.compile(
    rf"(?P<start>{_NUMBER})\.\.(?P<end>{_NUMBER}):(?P<shape>\w+):(?P<steps>\d+)(?:@(?P<first>\d+))?", re.I
)


class Course(NamedTuple):
    """The way of a knob from one value to another."""

    start: float
    """Where it begins."""
    end: float
    """Where it leads, and stays."""
    shape: str
    """linear; cosine, half a wave of it (Loshchilov & Hutter 2017, eq. 5, without its restarts); cyclical, linear over
    the first half of each cycle, then `end` until the next one begins with `start` (Fu et al. 2019, with R = 0.5)."""
    steps: int
    """How many it takes, or those of a cycle."""
    first: int = 0
    """Steps completed when it begins."""

    def at(self, step: int) -> float:
        """The value for the step after `step` completed ones."""
        done = max(step - self.first, 0)
        if self.shape == "cyclical":
            way = min(done % self.steps / (0.5 * self.steps), 1.0)
        else:
            way = min(done / self.steps, 1.0)
        if self.shape == "cosine":
            way = (1.0 - math.cos(math.pi * way)) / 2.0
        # Exactly the end at the end, whatever is rounded.
        return self.end if way == 1.0 else self.start + (self.end - self.start) * way

    def over(self, step: int) -> bool:
        """Whether nothing changes any more after `step` completed ones."""
        return self.shape != "cyclical" and step >= self.first + self.steps

    def scaled(self, factor: float) -> Self:
        """The same way between values that are multiplied by a factor."""
        return self._replace(start=self.start * factor, end=self.end * factor)

    def word(self) -> str:
        """As it is recorded, with the step at which it begins."""
        return f"{self.start:.9g}..{self.end:.9g}:{self.shape}:{self.steps}@{self.first}"

    def words(self) -> str:
        """As sentences say it: 0 → 1, linear in 2000 steps."""
        span = f"{self.start:g} → {self.end:g}, {SHAPES[self.shape]}"
        return f"{span} in {self.steps} steps"


def is_course(text: object) -> bool:
    """Whether something that is to be set means a course and no value."""
    return isinstance(text, str) and ".." in text


def course_in(text: str, first: int = 0) -> Course:
    """The course that a word means; where it does not say so it begins once `first` steps are completed.

    Raises ValueError for what is none.
    """
    found = _WORD.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no course; write FROM..TO:SHAPE:STEPS, such as 0..1:linear:2000")
    shape, steps = found["shape"].lower(), int(found["steps"][:20])
    if shape not in SHAPES:
        raise ValueError(f"{text!r}: a course is {', '.join(SHAPES)}, not {shape}")
    if not 1 <= steps <= LONGEST:
        raise ValueError(f"{text!r}: a course takes 1 to {LONGEST} steps")
    begins = int(found["first"][:20]) if found["first"] else first
    return Course(float(found["start"]), float(found["end"]), shape, steps, begins)
