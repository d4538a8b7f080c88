"""What a name in a command means, and which values a knob takes: one rule for the engine and for whatever is typed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping

from laddertop.journal.courses import course_in, is_course
from laddertop.journal.events import Knob
from laddertop.journal.names import group_of

_SWITCHED = {"on": 1.0, "off": 0.0, "true": 1.0, "false": 0.0}


def members(name: str, knobs: Iterable[str]) -> list[str]:
    """The knobs that a name means: the one of that name, or else all of the group of that name; none: it is unknown."""
    names = list(knobs)
    return [name] if name in names else [knob for knob in names if group_of(knob) == name]


def meant(name: str, knobs: Mapping[str, Knob]) -> list[Knob]:
    """The knobs that a name means; see `members`. Raises ValueError, with the nearest names, where there is none."""
    if found := members(name, knobs):
        return [knobs[knob] for knob in found]
    known = list(dict.fromkeys([*knobs, *map(group_of, knobs)]))
    near = difflib.get_close_matches(name, known, cutoff=0.5)
    near = near or difflib.get_close_matches(name.rpartition(".")[2], known, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    raise ValueError(f"unknown knob {name!r}; {hint}")


def value_of(knob: Knob, text: float | str) -> float:
    """The number to set a knob to; a switch also takes on and off. Raises ValueError for what it can't take."""
    try:
        value = _SWITCHED[text.lower()] if isinstance(text, str) and text.lower() in _SWITCHED else float(text)
    except (ValueError, OverflowError):
        value = math.nan
    if math.isnan(value) or (knob.kind == "switch" and value not in (0, 1)):
        takes = "on or off" if knob.kind == "switch" else "a number"
        raise ValueError(f"{knob.name} takes {takes}, not {text!r}")
    if not knob.low <= value <= knob.high:
        raise ValueError(f"{knob.name} must lie between {knob.low:g} and {knob.high:g}, not {value:g}")
    return value


def asked_of(knob: Knob, text: float | str, step: int | None = 0) -> float | str:
    """What to set a knob to: a number as `value_of` has it, or the word of a course, which begins once `step` steps are
    completed if it does not say when; none: whoever takes it up decides. Raises ValueError for what it can't take."""
    if not isinstance(text, str) or not is_course(text):
        return value_of(knob, text)
    if knob.kind == "switch":
        raise ValueError(f"{knob.name} takes on or off, not {text!r}")
    try:
        course = course_in(text, step or 0)
    except ValueError as error:
        raise ValueError(f"{knob.name}: {error}") from None
    for end in (course.start, course.end):
        value_of(knob, end)
    return text.strip() if step is None else course.word()


def now(knob: Knob, step: int) -> Knob:
    """The knob as it is set once `step` steps are completed; on no course any more where that is over."""
    if not knob.course:
        return knob
    course = course_in(knob.course)
    return knob.model_copy(update={"value": course.at(step), "course": "" if course.over(step) else knob.course})


def start_values(given: Mapping[str, float | str], knobs: Iterable[Knob]) -> dict[str, float | str]:
    """What the keys `knobs.NAME` of a recipe set each knob to, the later of two that mean the same one.

    Raises ValueError as `meant` and `value_of` do, naming the key.
    """
    named = {knob.name: knob.model_copy(update={"name": f"knobs.{knob.name}"}) for knob in knobs}
    found: dict[str, float | str] = {}
    for name, text in given.items():
        try:
            turned = meant(name, named)
        except ValueError as error:
            raise ValueError(f"knobs.{name}: {error}") from None
        for knob in turned:
            found[knob.name.removeprefix("knobs.")] = asked_of(knob, text)
    return found


def grouped(knobs: Mapping[str, Knob]) -> dict[str, list[Knob]]:
    """The knobs by group, for showing: those that begin with one word stand together, noise.std beside noise."""
    words = list(dict.fromkeys(name.partition(".")[0] for name in knobs))
    groups: dict[str, list[Knob]] = {}
    for name in sorted(knobs, key=lambda name: words.index(name.partition(".")[0])):
        groups.setdefault(group_of(name), []).append(knobs[name])
    return groups
