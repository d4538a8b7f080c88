"""What the lessons are: each can be played with the keys it names, and is told in few pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from laddertop.engine.build import build
from laddertop.engine.data import load
from laddertop.journal.declared import model_knobs, shared_knobs
from laddertop.journal.events import Knob, Term
from laddertop.journal.explore import KINDS
from laddertop.journal.names import group_of
from laddertop.journal.sections import POINTS
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.layout import beside
from laddertop.tui.dashboard.panels import MIDDLE
from laddertop.tui.dashboard.widgets.guide import GuidePanel
from laddertop.tui.learn.guide import Guide, Phase, Place
from laddertop.tui.learn.lesson import LETTERS, SCREENS, Lesson, Step, lessons
from laddertop.tui.learn.words import KEY
from laddertop.tui.steer.keys import USUAL
from laddertop.tui.watch.diagnoses.table import DIAGNOSES
from tests.processes import typed
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine

LESSONS = lessons()
EMBEDDED = ("digits", *POINTS)
"""The data sets that come with laddertop."""


def declared(lesson: Lesson) -> tuple[dict[str, Knob], list[Term]]:
    """The knobs and the terms of the run of a lesson."""
    spec = override(load_recipe(lesson.recipe), list(lesson.settings))
    model = build(spec, load(spec.data, torch.device("cpu")).inputs, torch.device("cpu"), torch.float32)
    return {knob.name: knob for knob in shared_knobs(spec) + model_knobs(spec)}, model.terms


def texts(step: Step) -> list[str]:
    return [step.text, step.do, step.then, step.question, step.why, *step.answers]


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_a_lesson_asks_for_what_its_run_has(lesson: Lesson) -> None:
    knobs, terms = declared(lesson)
    columns = {"total", "grad_norm", *(term.name for term in terms), *knobs}
    spec = override(load_recipe(lesson.recipe), list(lesson.settings))
    assert spec.data.name in EMBEDDED
    assert spec.compile == "off", "a compiler takes longer than the lesson has"
    for step in lesson.steps:
        named = {name for text in texts(step) for name, _ in KEY.findall(text)}
        assert named <= {*USUAL, *usable_keys(knobs)}
        assert step.look in ("", *MIDDLE)
        assert (step.right in LETTERS[: len(step.answers)] and step.why) if step.question else not step.answers
        assert not any("*" in text or "`laddertop learn" in text for text in texts(step))
        for seen in step.seen:
            told = (seen.knob, seen.number, seen.steps, seen.evaluated, seen.screen, seen.asked)
            assert sum(map(bool, (*told, seen.found, seen.told, seen.other))) == 1
            assert seen.knob in ("", *knobs)
            assert seen.screen in ("", *SCREENS)
            assert seen.asked in ("", *KINDS)
            assert {*seen.found, *seen.told} <= {one.kind for one in DIAGNOSES}
            # What has to be turned is turned by a key that the lesson names, or by advice.
            assert not seen.knob or named & {group_of(seen.knob), "looking.findings"}
            assert not seen.other or (lesson.other and step.against)
        numbers = {*step.changed, *step.against, *(seen.number for seen in step.seen if seen.number)}
        assert {name for name in numbers if name.partition(".")[0] not in ("test", "active")} <= columns


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_what_a_lesson_tells_takes_few_pages(tmp_path: Path, lesson: Lesson, size: tuple[int, int]) -> None:
    place = beside(*size).guide
    with PlayedEngine.new(tmp_path) as engine:
        view = Eyes(engine.run).view
    for at, step in enumerate(lesson.steps):
        numbers = dict.fromkeys((*step.changed, *step.against), 12.3)
        phases: tuple[Phase, ...] = ("told", "seen", "answered") if step.question else ("told", "seen")
        for phase in phases:
            told = Place(step=at, phase=phase, before=numbers, after=numbers, answer=step.right or "a")
            panel = GuidePanel(Guide(lesson, told), view)
            pages = panel.pages(place.height - 2, place.width)
            assert len(pages) <= (3 if size == (80, 24) else 1), (at, phase)
            assert max((len(text) for page in pages for text, _ in page), default=0) <= place.width - 2


def test_lessons_are_listed_and_an_unknown_one_is_told() -> None:
    listed = typed("learn")
    assert listed.returncode == 0
    assert all(lesson.title in listed.stdout for lesson in LESSONS.values())
    assert json.loads(typed("learn", "--json").stdout)[0].keys() >= {"number", "title", "about", "recipe", "done"}
    assert typed("learn", "99").returncode == 2
