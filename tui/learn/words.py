"""What a guide says: the texts of its lesson with the keys in them, what is waited for, and what changed in numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from laddertop.journal.names import kind_in_words
from laddertop.journal.state import OVER
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import number, setting, thousands
from laddertop.tui.learn.guide import Guide
from laddertop.tui.learn.lesson import LETTERS, Seen
from laddertop.tui.watch.run_view import RunView

KEY = re.compile(r"\{([\w.-]+?)([-+]?)\}")
"""A key in a text of a lesson: the name of what it does; of a knob, with the side it is turned to."""
Sign = Callable[[str, str], str]
"""What is printed on the key of a name and a side: "", "-" or "+"."""


class Said(NamedTuple):
    """A paragraph of the guide."""

    text: str
    ink: Ink
    joined: bool = False
    """Whether it belongs to the one before, and stands on one page with it."""
    apart: bool = False
    """Whether an empty line sets it apart from the one before, where both stand on one page."""


def with_keys(text: str, sign: Sign) -> str:
    """A text of a lesson with the signs of its keys."""
    return KEY.sub(lambda found: sign(found[1], found[2]), text)


def paragraphs(guide: Guide, view: RunView, sign: Sign) -> list[Said]:
    """What is shown of the step that one is at."""
    step, place = guide.step, guide.place
    if place.phase == "over":
        asked = sum(bool(step.question) for step in guide.lesson.steps)
        told = f"{place.right} of {asked} questions answered rightly. " if asked else ""
        sources = "; ".join(guide.lesson.sources)
        return [
            Said(f"That was lesson {guide.lesson.number}. {told}{guide.lesson.about}", Ink.TEXT),
            Said(sources, Ink.DIM),
        ]
    said: list[Said] = []
    if place.phase == "told":
        parts = enumerate(step.text.split("\n\n"))
        said = [*(Said(part, Ink.TEXT, apart=at > 0) for at, part in parts), Said(step.do, Ink.STRONG)]
    elif place.phase == "seen":
        said = [*_changes(guide), *_against(guide), Said(step.then, Ink.TEXT), Said(step.question, Ink.STRONG)]
        answers = zip(LETTERS, step.answers, strict=False)
        said += [Said(f"{letter}  {answer}", Ink.TEXT, joined=True) for letter, answer in answers]
    else:
        said = [_verdict(guide), Said(step.why, Ink.TEXT)]
    return [one._replace(text=with_keys(one.text, sign)) for one in said if one.text]


def _verdict(guide: Guide) -> Said:
    step, given = guide.step, guide.place.answer
    if given == step.right:
        return Said(f"{given}: yes.", Ink.GOOD)
    return Said(f"{given}: no, {step.right}: {step.answers[LETTERS.index(step.right)]}", Ink.WARN)


def _changes(guide: Guide) -> list[Said]:
    width = max((len(name) for name in guide.step.changed.values()), default=0)
    return [
        Said(f"{label:<{width}}  {_before_after(guide.place.before.get(name), guide.place.after.get(name))}", Ink.CURVE)
        for name, label in guide.step.changed.items()
    ]


def _against(guide: Guide) -> list[Said]:
    """The numbers of both runs, side by side, below what the runs are called."""
    if guide.lesson.other is None or not guide.step.against:
        return []
    label = max(map(len, guide.step.against.values()))
    wide = max(8, *map(len, guide.lesson.other.called))
    rows = [("", *guide.lesson.other.called)]
    for name, words in guide.step.against.items():
        one, other = (place.get(name, math.nan) for place in (guide.place.before, guide.place.after))
        rows.append((words, number(one), number(other)))
    return [
        Said(f"{words:<{label}}  {first:>{wide}}  {second:>{wide}}", Ink.CURVE if at else Ink.DIM, joined=at > 0)
        for at, (words, first, second) in enumerate(rows)
    ]


def _before_after(before: float | None, after: float | None) -> str:
    now = number(math.nan if after is None else after)
    return now if before is None or math.isnan(before) else f"{number(before)} → {now}"


def waiting(guide: Guide, view: RunView, sign: Sign) -> Said:
    """The last line: what is waited for, or the key that goes on."""
    if guide.place.phase == "over":
        return Said(f"{sign('everywhere.leave', '')} leaves; `laddertop learn` lists the others", Ink.DIM)
    if guide.asks:
        return Said(f"{' '.join(LETTERS[: len(guide.step.answers)])}  answers", Ink.KEY)
    seen = guide.waits_for()
    if seen is None:
        return Said("enter  goes on", Ink.KEY)
    status = view.status()
    if status in OVER and not seen.screen and not seen.asked:
        again = f"`laddertop learn {guide.lesson.number} --again` begins anew"
        return Said(again if status == "finished" else f"{sign('run.resume', '')} resumes the training", Ink.WARN)
    return Said(_awaited(guide, seen, view), Ink.WARN)


def _awaited(guide: Guide, seen: Seen, view: RunView) -> str:
    if seen.screen:
        return f"waits for the {seen.screen} screen"
    if seen.asked:
        return f"waits for an answer of the model: {seen.asked}"
    if seen.evaluated:
        return "waits for an evaluation"
    if seen.found:
        return f"waits for a finding: {kind_in_words(seen.found[0])}"
    if seen.told:
        return "waits until it is told whether that helped"
    if seen.other:
        done = min(guide.beside.step if guide.beside else 0, seen.other)
        return f"the second run trains: {thousands(done)} of {thousands(seen.other)} steps"
    if seen.steps:
        done = min(max(guide.numbers.step - guide.place.since, 0), seen.steps)
        return f"trains on: {thousands(done)} of {thousands(seen.steps)} steps"
    value = guide.value_of(seen, view)
    knob = view.state.knobs.get(seen.knob)
    name = knob.label if knob else guide.step.changed.get(seen.number, seen.number)
    if knob is not None and knob.kind == "switch":
        return f"waits until {name} is {'on' if seen.at_least > 0 else 'off'}"
    bounds = [f"{setting(seen.at_least)} or more"] if math.isfinite(seen.at_least) else []
    bounds += [f"{setting(seen.at_most)} or less"] if math.isfinite(seen.at_most) else []
    now = f", now {setting(float(f'{value:.3g}'))}" if math.isfinite(value) else ""
    return f"waits until {name} is {' and '.join(bounds)}{now}"
