"""What happened to a run, as its charts and its timeline mark it."""

from __future__ import annotations

from pathlib import Path

from laddertop.journal.events import Change, Commanded, EventReader, EventWriter, Logged, RunStarted
from laddertop.tui.dashboard.views.samples import SamplesView
from laddertop.tui.dashboard.widgets.timeline import Timeline
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


def rolled_back(engine: PlayedEngine, back_to: int, by: str | None) -> None:
    """What the engine records when it is sent back: the command of somebody who sent one, and the new start."""
    started = next(e for e in EventReader(engine.run.events_path).read_all() if isinstance(e, RunStarted))
    with EventWriter(engine.run.events_path) as events:
        if by is not None:
            gone = Change(knob="step", old=engine.step, applied=back_to)
            events.append(
                Commanded(step=engine.step, id="7", by=by, action="rollback", outcome="applied", changes=[gone])
            )
        again = {"step": back_to, "segment": 2, "resumed_from": back_to, "rolled_back": True}
        events.append(started.model_copy(update=again))


def test_a_rollback_is_one_mark_that_says_to_where_and_by_whom(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(1254)
        rolled_back(engine, 975, "ann@box (command line)")
        view = Eyes(engine.run).view
    assert [(m.kind, m.step, m.label) for m in view.markers] == [
        ("rollback", 975, "rolled back to 975 by ann@box (command line)")
    ]
    assert any("rolled back to step 975" in line.text for line in view.lines)


def test_a_rollback_without_an_engine_to_tell_is_marked_too(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(1254)
        rolled_back(engine, 975, None)
        assert [m.label for m in Eyes(engine.run).view.markers] == ["rolled back to 975"]


def test_a_stage_is_marked_where_it_begins_and_once(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(100)
        with EventWriter(engine.run.events_path) as events:
            for step, name in ((0, "layer 1 of 2"), (60, "layer 2 of 2"), (60, "layer 2 of 2")):
                events.append(Logged(step=step, level="info", text=f"{name}, since step {step}", stage=name))
        marks = [(m.kind, m.step, m.label) for m in Eyes(engine.run).view.markers]
    assert marks == [("stage", 0, "layer 1 of 2"), ("stage", 60, "layer 2 of 2")]


def test_the_timeline_of_samples_ends_where_the_run_is(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, steps=90_000) as engine:
        for _ in range(3):
            engine.train(400)
            engine.sample()
        view = Eyes(engine.run).view
    timeline = Timeline(view, SamplesView(view), id="timeline")
    marks = timeline.picture(3, 62).text().splitlines()
    assert [x for x, char in enumerate(marks[1]) if char in "┴┼"] == [21, 40, 60]
    assert "90" not in marks[2]
