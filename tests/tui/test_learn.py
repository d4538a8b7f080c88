"""The lessons: each can be played with the keys it names, and the guide believes what the journal says and no more."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.build import build
from laddertop.engine.data import load
from laddertop.journal.commands import send
from laddertop.journal.declared import model_knobs, shared_knobs
from laddertop.journal.events import Knob, Term
from laddertop.journal.explore import KINDS
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.names import group_of
from laddertop.journal.sections import POINTS
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.layout import beside
from laddertop.tui.dashboard.panels import MIDDLE
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.dashboard.widgets.guide import GuidePanel
from laddertop.tui.draw.numbers import number
from laddertop.tui.learn.guide import Guide, Phase, Place
from laddertop.tui.learn.kept import keep, place_in
from laddertop.tui.learn.lesson import LETTERS, SCREENS, Lesson, Seen, Step, lessons
from laddertop.tui.learn.words import KEY, paragraphs, waiting
from laddertop.tui.steer.keys import USUAL
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import Watcher
from tests.processes import typed
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import check_picture, screen_text
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
    assert override(load_recipe(lesson.recipe), list(lesson.settings)).data.name in EMBEDDED
    for step in lesson.steps:
        named = {name for text in texts(step) for name, _ in KEY.findall(text)}
        assert named <= {*USUAL, *usable_keys(knobs)}
        assert step.look in ("", *MIDDLE)
        assert (step.right in LETTERS[: len(step.answers)] and step.why) if step.question else not step.answers
        assert not any("*" in text or "`laddertop learn" in text for text in texts(step))
        for seen in step.seen:
            told = (seen.knob, seen.number, seen.steps, seen.evaluated, seen.screen, seen.asked)
            assert sum(map(bool, told)) == 1
            assert seen.knob in ("", *knobs)
            assert seen.screen in ("", *SCREENS)
            assert seen.asked in ("", *KINDS)
            # What has to be turned is turned by a key that the lesson names.
            assert not seen.knob or group_of(seen.knob) in named
        numbers = {*step.changed, *(seen.number for seen in step.seen if seen.number)}
        assert {name for name in numbers if name.partition(".")[0] not in ("test", "active")} <= columns


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("lesson", LESSONS.values(), ids=lambda lesson: lesson.name)
def test_what_a_lesson_tells_takes_few_pages(tmp_path: Path, lesson: Lesson, size: tuple[int, int]) -> None:
    place = beside(*size).guide
    with PlayedEngine.new(tmp_path) as engine:
        view = Eyes(engine.run).view
    for at, step in enumerate(lesson.steps):
        numbers = dict.fromkeys(step.changed, 12.3)
        phases: tuple[Phase, ...] = ("told", "seen", "answered") if step.question else ("told", "seen")
        for phase in phases:
            told = Place(step=at, phase=phase, before=numbers, after=numbers, answer=step.right or "a")
            panel = GuidePanel(Guide(lesson, told), view)
            pages = panel.pages(place.height - 2, place.width)
            assert len(pages) <= (3 if size == (80, 24) else 1), (at, phase)
            assert max((len(text) for page in pages for text, _ in page), default=0) <= place.width - 2


def lesson_of(*steps: Step) -> Lesson:
    return Lesson(1, "01-test", "A test", "About.", ("Nobody 2000",), "ladder-mnist-100", (), steps)


class Reader:
    """Looks at a run, and goes through a lesson beside it."""

    def __init__(self, engine: PlayedEngine, *steps: Step) -> None:
        self.view, self.watcher = RunView(engine.run), Watcher(engine.run)
        self.guide = Guide(lesson_of(*steps), Place())
        self.look()

    def look(self, screen: str = "run", answered: Collection[str] = ()) -> Place:
        while (news := self.watcher.look(self.view.wanted())).events or news.rows is not None:
            self.view.apply(news)
            self.guide.take(news)
        self.guide.look(self.view, screen, answered)
        return self.guide.place

    def shown(self) -> str:
        said = [*paragraphs(self.guide, self.view, lambda name, side: name + side)]
        return "\n".join([*(one.text for one in said), waiting(self.guide, self.view, lambda name, side: name).text])

    def turn(self, engine: PlayedEngine, **changes: float) -> None:
        send(engine.run.path, 1, "set", changes, by="a test")
        engine.answer()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PlayedEngine]:
    played = PlayedEngine.new(tmp_path)
    played.keep_time(time.time() - 1000 / played.rate)
    with played:
        played.train(1000)
        yield played


def test_steps_are_counted_from_where_the_step_of_the_lesson_began(engine: PlayedEngine) -> None:
    reader = Reader(engine, Step("Text.", do="Wait.", seen=(Seen(steps=500),), then="Done."))
    engine.train(499)
    assert reader.look().phase == "told"
    assert reader.shown() == "Text.\nWait.\ntrains on: 499 of 500 steps"
    assert not reader.guide.on(reader.view), "enter must not pass by what was not seen"
    engine.train(1)
    assert reader.look().phase == "seen"
    assert reader.shown() == "Done.\nenter  goes on"


def test_a_knob_counts_as_turned_once_the_journal_has_it_and_numbers_are_compared_around_that_step(
    engine: PlayedEngine,
) -> None:
    step = Step("Text.", seen=(Seen(knob="noise", at_most=0), Seen(steps=300)), changed={"class": "the class term"})
    reader = Reader(engine, step)
    engine.train(400)
    send(engine.run.path, 1, "set", {"noise": 0.0}, by="a test")
    assert reader.look().met == 0, "a command that nobody has answered is none"
    engine.answer()
    engine.train(299)
    assert (reader.look().met, reader.guide.place.since) == (1, 1400)
    engine.train(1)
    place = reader.look()
    reader_of_all = MetricsReader(engine.run.path)
    reader_of_all.poll()
    records = np.concatenate(reader_of_all.kept())["values"][:, 1].astype(float)
    assert place.before["class"] == pytest.approx(records[1200:1400].mean())
    assert place.after["class"] == pytest.approx(records[1500:1700].mean())
    assert reader.shown().startswith(
        f"the class term  {number(place.before['class'])} → {number(place.after['class'])}"
    )


def test_an_evaluation_a_screen_and_an_answer_of_the_model_are_waited_for(engine: PlayedEngine) -> None:
    engine.evaluate(7.0)
    seen = (Seen(evaluated=True), Seen(screen="explore"), Seen(asked="denoise"))
    reader = Reader(engine, Step("Text.", seen=seen, changed={"test.error_percent": "error"}, then="Done."))
    assert reader.look(screen="explore", answered={"denoise"}).met == 0, "that evaluation was there before"
    engine.train(10)
    engine.evaluate(5.0)
    assert reader.look().met == 1
    assert reader.look(answered={"denoise"}).met == 1
    assert reader.look(screen="explore").met == 2
    assert reader.look(answered={"sample"}).met == 2
    assert reader.look(answered={"denoise"}).phase == "seen"
    assert "error  7.00 → 5.00" in reader.shown()


def test_a_question_goes_on_once_it_is_answered_and_the_right_ones_are_counted(engine: PlayedEngine) -> None:
    asking = Step("Text.", question="Why?", answers=("So.", "Because."), right="b", why="That is why.")
    reader = Reader(engine, asking, asking)
    assert not reader.guide.answer("b"), "it is not asked yet"
    assert reader.guide.on(reader.view)
    assert reader.shown() == "Why?\na  So.\nb  Because.\na b  answers"
    assert not reader.guide.on(reader.view)
    assert not reader.guide.answer("c")
    assert reader.guide.answer("a")
    assert reader.shown() == "a: no, b: Because.\nThat is why.\nenter  goes on"
    assert reader.guide.on(reader.view)
    assert reader.guide.on(reader.view)
    assert reader.guide.answer("b")
    assert reader.shown().startswith("b: yes.")
    assert reader.guide.on(reader.view)
    assert reader.guide.place.phase == "over"
    assert "1 of 2 questions answered rightly" in reader.shown()


def test_who_comes_back_is_where_he_was(engine: PlayedEngine) -> None:
    reader = Reader(engine, Step("One."), Step("Two.", seen=(Seen(steps=9),), changed={"class": "class"}))
    assert reader.guide.on(reader.view)
    keep(engine.run, reader.guide.lesson, reader.guide.place)
    assert place_in(engine.run, reader.guide.lesson) == reader.guide.place
    assert reader.guide.place.before["class"] > 0
    assert place_in(engine.run, lesson_of(Step("One."))) == Place(), "that lesson has no second step any more"


def test_a_training_that_is_over_can_not_be_waited_for(engine: PlayedEngine) -> None:
    reader = Reader(engine, Step("Text.", seen=(Seen(steps=50),)))
    engine.end("stopped")
    engine.__exit__(None, None, None)
    reader.look()
    assert "run.resume resumes the training" in reader.shown()


async def test_the_guide_goes_along_to_every_screen_and_takes_no_key_but_its_own(
    tmp_path: Path, engine: PlayedEngine, until: Until
) -> None:
    steps = (
        Step("First.", look="layers"),
        Step(
            "Second.",
            do="Go.",
            seen=(Seen(screen="layers"),),
            question="Why?",
            answers=("A.", "B.", "C."),
            right="c",
            why="So.",
        ),
    )
    app = LaddertopApp(tmp_path, engine.run.path, guide=Guide(lesson_of(*steps), Place()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "First." in screen_text(app) and "step 1 000" in screen_text(app), "the first step")
        assert "[layers]" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: "waits for the layers screen" in screen_text(app), "the second step")
        await pilot.press("2")
        await until(pilot, lambda: "Why?" in screen_text(app), "its question, on the screen that it leads to")
        assert isinstance(app.screen, LayersScreen)
        await pilot.press("c", "c")  # the second is no checkpoint
        await until(pilot, lambda: "c: yes." in screen_text(app), "the verdict")
        await pilot.press("1", "n")
        await until(pilot, lambda: "pending: noise off" in screen_text(app), "a knob")
        assert [c.changes for c in engine.answer()] == [{"noise": 0.0}]
        await pilot.press("enter")
        await until(pilot, lambda: "That was lesson 1" in screen_text(app), "the end")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_lesson_looks_as_it_did(
    tmp_path: Path, engine: PlayedEngine, until: Until, size: tuple[int, int]
) -> None:
    before = {"denoise.0": 0.031, "denoise.1": 0.42, "denoise.2": 0.77, "denoise.3": 0.91}
    after = {name: value / 3 for name, value in before.items()}
    place = Place(step=2, phase="seen", met=2, since=400, before=before, after=after)
    engine.evaluate(7.0)
    engine.end("stopped")  # one that trains is soon told to be silent
    engine.__exit__(None, None, None)
    app = LaddertopApp(tmp_path, engine.run.path, guide=Guide(LESSONS[11], place))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "step 1 000" in screen_text(app), "the run")
        await check_picture(pilot, f"lesson-{size[0]}x{size[1]}")


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (118, 30), (200, 50)])
def test_dashboard_and_guide_share_the_terminal(size: tuple[int, int]) -> None:
    shared = beside(*size)
    assert shared.width >= min(size[0], 80)
    assert shared.height >= min(size[1] - 4, 16)
    assert shared.guide.height >= 4
    assert (shared.guide.x + shared.guide.width, shared.guide.y + shared.guide.height) == size
    assert shared.guide.x == shared.width + 1 or shared.guide.y == shared.height


def test_lessons_are_listed_and_an_unknown_one_is_told() -> None:
    listed = typed("learn")
    assert listed.returncode == 0
    assert all(lesson.title in listed.stdout for lesson in LESSONS.values())
    assert json.loads(typed("learn", "--json").stdout)[0].keys() >= {"number", "title", "about", "recipe", "done"}
    assert typed("learn", "99").returncode == 2
