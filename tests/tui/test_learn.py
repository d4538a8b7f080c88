"""The guide of a lesson: it believes what the journal says and no more, and goes along to every screen."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.commands import send
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.layout import beside
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.draw.numbers import number
from laddertop.tui.learn.beside import Beside
from laddertop.tui.learn.guide import Guide, Place
from laddertop.tui.learn.kept import keep, place_in
from laddertop.tui.learn.lesson import Lesson, Other, Seen, Step, lessons
from laddertop.tui.learn.words import paragraphs, waiting
from laddertop.tui.steer.engines import Engines
from laddertop.tui.watch.diagnoses.advised import note_of
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import Watcher
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import check_picture, screen_text
from tests.tui.played import PlayedEngine

LESSONS = lessons()


def lesson_of(*steps: Step) -> Lesson:
    return Lesson(1, "01-test", "A test", "About.", ("Nobody 2000",), "ladder-mnist-100", (), steps, None)


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


def test_what_began_before_anything_was_trained_is_compared_with_the_first_records(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        reader = Reader(engine, Step("Text.", seen=(Seen(steps=500),), changed={"class": "class"}))
        assert math.isnan(reader.look().before["class"])
        engine.train(300)
        reader.look()
        engine.train(200)
        place = reader.look()
        metrics = MetricsReader(engine.run.path)
        metrics.poll()
        records = np.concatenate(metrics.kept())["values"][:, 1].astype(float)
    assert (place.phase, place.before["class"]) == ("seen", pytest.approx(records[:20].mean()))


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


def test_a_finding_is_waited_for_its_remedy_and_what_came_of_it(tmp_path: Path) -> None:
    kind = "posterior-collapse"
    steps = (Step("One.", seen=(Seen(found=(kind,)),)), Step("Two.", seen=(Seen(knob="warmup", at_least=1),)))
    spec = override(load_recipe("vae-mnist"), ["warmup.of=kl", "warmup.on=off", "warmup.steps=100"])
    with PlayedEngine(create_run(tmp_path, spec, "played")) as engine:
        engine.train(100, collapsed=["kl"])
        reader = Reader(engine, *steps, Step("Three.", seen=(Seen(told=(kind,)),), then="Helped."))
        assert reader.shown() == "One.\nwaits for a finding: posterior collapse"
        engine.train(500, collapsed=["kl"])
        assert reader.look().phase == "seen"
        reader.guide.on(reader.view)
        (found,) = reader.view.findings
        assert found.remedy is not None
        (ask,) = found.remedy.commands
        send(engine.run.path, 1, ask.action, dict(ask.changes), by="a test", note=note_of([found]))
        engine.answer()
        assert reader.look().phase == "seen", "what advice turns is turned"
        reader.guide.on(reader.view)
        engine.train(1000)
        assert reader.look().phase == "told", "it is not told yet"
        assert reader.view.findings == []
        engine.train(1200)
        assert reader.look().phase == "seen"


def test_two_runs_are_compared_after_as_many_steps(tmp_path: Path) -> None:
    other = Other("none", ("with", "without"), ("model.combinator=linear",))
    step = Step("Both.", seen=(Seen(other=600),), against={"denoise.1": "layer 1", "total": "all"})
    lesson = replace(lesson_of(step), other=other)
    with PlayedEngine.new(tmp_path, name="lesson") as first:
        first.train(1000)
        both = Beside(first.run, lesson, other)
        assert both.made()
        assert both.run.name == "lesson-none"
        assert both.run.spec == override(load_recipe(lesson.recipe), list(other.settings))
        with PlayedEngine(both.run, seed=1) as second:
            assert not both.made(), "an engine is at work"
            view, guide = Eyes(first.run).view, Guide(lesson, Place(), both)
            second.train(599)
            both.look()
            assert guide.look(view, "run", ())
            assert (guide.place.phase, guide.compares) == ("told", True)
            assert waiting(guide, view, lambda name, side: name).text == "the second run trains: 599 of 600 steps"
            second.train(1)
            both.look()
            guide.look(view, "run", ())
            second.end()
        assert not both.made(), "it has come to its end"
    assert guide.place.phase == "seen"
    for run, told in ((first.run, guide.place.before), (both.run, guide.place.after)):
        reader = MetricsReader(run.path)
        reader.poll()
        for name in step.against:
            assert told[name] == pytest.approx(reader.values(name)[400:600].astype(float).mean())
    head, *rows = paragraphs(guide, view, lambda name, side: name)
    assert head.text.split() == ["with", "without"]
    values = (number(of["denoise.1"]) for of in (guide.place.before, guide.place.after))
    assert rows[0].text.split() == ["layer", "1", *values]
    assert len({len(row.text) for row in (head, *rows)}) == 1, "numbers stand below each other"


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
        await until(pilot, lambda: "First." in screen_text(app) and "● training" in screen_text(app), "the first step")
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


async def test_the_second_run_is_trained_once_the_guide_comes_to_it(
    tmp_path: Path, engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[RunFolder]()
    monkeypatch.setattr(Engines, "start", lambda self, run, back_to=None: begun.append(run))
    other = Other("none", ("with", "without"), ("model.combinator=linear",))
    compared = Step("Both.", seen=(Seen(other=600),), against={"denoise.1": "layer 1"}, then="Look.")
    lesson = replace(lesson_of(Step("First."), compared), other=other)
    app = LaddertopApp(tmp_path, engine.run.path, guide=Guide(lesson, Place(), Beside(engine.run, lesson, other)))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "First." in screen_text(app) and "● training" in screen_text(app), "the first step")
        assert begun == []
        await pilot.press("enter")
        await until(pilot, lambda: bool(begun), "an engine for the second run")
        with PlayedEngine(begun[0]) as second:
            second.train(300)
            await until(pilot, lambda: "the second run trains: 300" in screen_text(app), "how far it is")
            second.train(300)
            await until(pilot, lambda: "Look." in screen_text(app), "both")
        shown = [line.split() for line in screen_text(app).splitlines()]
        assert any(words[-2:] == ["with", "without"] for words in shown)
    assert [run.name for run in begun] == [f"{engine.run.name}-none"]


async def test_a_lesson_of_its_own_pace_rests_while_one_reads(
    tmp_path: Path, engine: PlayedEngine, until: Until
) -> None:
    steps = (Step("First."), Step("Second.", seen=(Seen(steps=500),), then="Read."))
    lesson = replace(lesson_of(*steps), paced=True)
    asked = list[str]()

    def heard(*deeds: str) -> bool:
        asked.extend(command.action for command in engine.answer())
        return asked == list(deeds)

    app = LaddertopApp(tmp_path, engine.run.path, guide=Guide(lesson, Place()))
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: heard("pause"), "a text is read")
        await pilot.press("enter")
        await until(pilot, lambda: heard("pause", "continue"), "steps are waited for")
        engine.train(500)
        await until(pilot, lambda: heard("pause", "continue", "pause"), "a text again")


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
