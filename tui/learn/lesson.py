"""What a lesson is: a recipe, and steps with what is told, what to do, how one sees that it was done, and a question.

One TOML file each in `lessons/`; the number at the beginning of its name is the one that is typed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "lessons"
LETTERS = "abc"
"""The keys of the answers, in their order."""
SCREENS = ("run", "layers", "latent", "explore", "samples")
"""The screens that a lesson can lead to."""


@dataclass(frozen=True)
class Seen:
    """One thing that has to be seen before a lesson goes on; exactly one of its kinds is given."""

    knob: str = ""
    """A knob, as set, is between the bounds."""
    number: str = ""
    """A number of the journal is; see laddertop.tui.learn.numbers."""
    at_least: float = -float("inf")
    at_most: float = float("inf")
    steps: int = 0
    """So many steps were trained since what was seen before."""
    evaluated: bool = False
    """There is an evaluation of a later step than that."""
    screen: str = ""
    """A screen is shown, one of SCREENS."""
    asked: str = ""
    """The model has answered a question of this kind; see laddertop.journal.explore."""
    found: tuple[str, ...] = ()
    """A finding of one of these kinds stands; see laddertop.tui.watch.diagnoses."""
    told: tuple[str, ...] = ()
    """Of every remedy that was sent for a finding of one of these kinds it is told whether it helped."""
    other: int = 0
    """The second run, which begins with such a step of the lesson, and the first have both come so many steps."""


@dataclass(frozen=True)
class Step:
    """One step of a lesson. In all texts `{name}` stands for a key: of a name in laddertop.tui.steer.keys, or of a
    knob, with - or + behind it for the key that lowers or raises it."""

    text: str
    """What is told first."""
    do: str = ""
    """What is to be done, or waited for, in a sentence."""
    seen: tuple[Seen, ...] = ()
    """What has to be seen, one after the other; nothing: enter goes on."""
    look: str = ""
    """The panel of the run screen that is chosen when the step begins."""
    chart: str = ""
    """The chart that is shown then."""
    changed: Mapping[str, str] = field(default_factory=dict)
    """The numbers that are told before and after, each with its name for people."""
    against: Mapping[str, str] = field(default_factory=dict)
    """The numbers that are told of both runs, after as many steps."""
    then: str = ""
    """What is told once all was seen."""
    question: str = ""
    answers: tuple[str, ...] = ()
    right: str = ""
    """The letter of the right answer."""
    why: str = ""
    """What is told after an answer."""


@dataclass(frozen=True)
class Other:
    """What the second run of a lesson is."""

    name: str
    """What its name ends with."""
    called: tuple[str, str]
    """What the first and the second are called where their numbers stand side by side."""
    settings: tuple[str, ...]
    """What differs from the first, as --set takes it, and how long it is."""


@dataclass(frozen=True)
class Lesson:
    """One idea of the lecture."""

    number: int
    name: str
    """Of its file, without the ending."""
    title: str
    about: str
    """What one has seen at its end, in a sentence."""
    sources: tuple[str, ...]
    """The papers that it is about."""
    recipe: str
    settings: tuple[str, ...]
    """What differs from the recipe, as --set takes it."""
    steps: tuple[Step, ...]
    other: Other | None
    """Its second run, if it compares two."""
    paced: bool = False
    """Whether its run rests where nothing is waited for that takes training: however long one reads, it is at the same
    step."""

    @property
    def run(self) -> str:
        """What its run is called."""
        return f"lesson-{self.number:02d}"


def lessons() -> dict[int, Lesson]:
    """Every lesson by number, in order."""
    found = (_read(file) for file in sorted(FOLDER.glob("*.toml")))
    return {lesson.number: lesson for lesson in found}


def lesson_of(number: int) -> Lesson:
    """A lesson. Raises ValueError when there is none of that number."""
    known = lessons()
    if number not in known:
        raise ValueError(f"there is no lesson {number}: `laddertop learn` lists {', '.join(map(str, known))}")
    return known[number]


def _read(file: Path) -> Lesson:
    told = tomllib.loads(file.read_text(encoding="utf-8"))
    steps = tuple(_step(step) for step in told.pop("steps"))
    sources, settings = tuple(told.pop("sources")), tuple(told.pop("settings"))
    number, other = int(file.name.partition("-")[0]), _other(told.pop("other", None))
    paced = told.pop("paced", False)
    return Lesson(
        number=number,
        paced=paced,
        name=file.stem,
        sources=sources,
        settings=settings,
        steps=steps,
        other=other,
        **_plain(told),
    )


def _other(told: dict[str, Any] | None) -> Other | None:
    if told is None:
        return None
    first, second = told["called"]
    return Other(told["name"], (first, second), tuple(told["settings"]))


def _step(told: dict[str, Any]) -> Step:
    seen = tuple(map(_seen, told.pop("seen", ())))
    answers = tuple(map(_line, told.pop("answers", ())))
    changed, against = told.pop("changed", {}), told.pop("against", {})
    return Step(seen=seen, answers=answers, changed=changed, against=against, **_plain(told))


def _seen(told: dict[str, Any]) -> Seen:
    kinds: dict[str, Any] = {key: tuple(told.pop(key, ())) for key in ("found", "told")}
    return Seen(**kinds, **told)


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return {key: _line(value) for key, value in told.items()}


def _line(text: str) -> str:
    """A text without the line breaks of its file; an empty line stays one."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n")).strip()
