"""What the comparison tells beyond curves: what was done to the runs, their values at a step, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from laddertop.journal.commands import send
from laddertop.journal.events import Logged, RunEnded
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.widgets.overlay import Overlay
from laddertop.tui.draw.markers import GUTTER
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.draw.x_view import XView
from laddertop.tui.watch.comparison import Compared, curves, look, marks, open_runs, read_out, wrong
from laddertop.tui.watch.event_line import ME
from tests.tui.conftest import Until
from tests.tui.mouse import scroll
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_markers import rolled_back

LOST = "the cost is a thousand times what it was"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[list[PlayedEngine]]:
    """A run whose noise was switched off at step 1000, and a fork of another that diverged at its step 2500."""
    with ExitStack() as stack:
        steered = stack.enter_context(PlayedEngine.new(tmp_path, name="steered"))
        forked = stack.enter_context(PlayedEngine.new(tmp_path, name="forked", first=500))
        steered.train(1000)
        send(steered.run.path, 1, "set", {"noise": 0.0}, by=ME)
        steered.answer()
        steered.train(1500)
        steered.checkpoint()
        forked.train(2000)
        forked._events.append(Logged(step=2500, level="error", text=LOST, diverged=True, sound_until=2000))
        forked._events.append(RunEnded(step=2500, reason="diverged", detail=LOST))
        yield [steered, forked]


def opened(engines: list[PlayedEngine]) -> list[Compared]:
    runs = open_runs([one.run for one in engines])
    look(runs)
    return runs


@asynccontextmanager
async def compared(
    engines: list[PlayedEngine], until: Until, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Pilot[None]]:
    """The comparison, once it has seen the runs."""
    app = LaddertopApp(engines[0].run.path.parent)
    async with app.run_test(size=size) as pilot:
        app.push_screen(CompareScreen(open_runs([one.run for one in engines])))
        await until(pilot, lambda: "the specs" in screen_text(app), "the tables")
        yield pilot


def test_what_was_done_to_each_run_is_marked_with_its_letter_and_ink(two: list[PlayedEngine]) -> None:
    runs = opened(two)
    found = marks(runs, "step")
    assert [(m.step, m.label, m.kind) for m in found] == [(500, "b forked", "fork"), (1000, "a noise off", "deed")]
    assert len({m.ink for m in found}) == 2
    send(two[1].run.path, 1, "set", {"noise": 0.0}, by=ME)
    two[1].step = 1000
    two[1].answer()
    look(runs)
    assert [m.label for m in marks(runs, "step")] == ["b forked", "ab noise off"], "one mark for both"
    assert [m.label for m in marks(runs, "time")].count("a noise off") == 1
    rolled_back(two[0], 700, ME)
    look(runs)
    assert [m.label for m in marks(runs, "step")] == ["b forked", "a rolled back to 700 by you", "ab noise off"]


def test_marks_stand_where_their_steps_do_in_epochs_of_another_length(two: list[PlayedEngine]) -> None:
    runs = opened(two)
    started = runs[0].state.started
    assert started is not None
    runs[0].view.state.started = started.model_copy(update={"epoch_steps": 1200})
    assert [(m.label, m.step) for m in marks(runs, "epoch")] == [("a noise off", 1000), ("b forked", 1000)]
    runs[0].view.state.started = started.model_copy(update={"epoch_steps": 300})
    assert [(m.label, m.step) for m in marks(runs, "epoch")] == [("b forked", 250), ("a noise off", 1000)]


def test_every_run_is_read_out_at_the_step_under_the_cursor(two: list[PlayedEngine]) -> None:
    runs = opened(two)
    two[0].train(500)
    look(runs)
    axis, found = curves(runs, "total", XView())
    for one, curve in zip(runs, found, strict=True):
        for position in curve.held[:: max(len(curve.held) // 7, 1)]:
            step, words = read_out(axis, curve, float(position))
            at = int(np.flatnonzero(curve.steps == position)[0])
            assert step == position
            assert words.endswith(f"~ {number(float(curve.binned.smooth[at]))}"), (one.run.name, words)
    assert read_out(axis, found[1], 3000.0) == (None, "no step here")
    assert read_out(axis, found[1], 200.0) == (None, "no step here")


def test_a_diverged_run_is_told_as_its_own_screen_tells_it(two: list[PlayedEngine]) -> None:
    trouble = dict(wrong(opened(two)))[1]
    assert (trouble.name, trouble.since_when[:18]) == ("diverged", "since step 2 500, ")
    assert trouble.helps == (), "no key here steers"


async def test_marks_and_troubles_are_seen_at_every_size(two: list[PlayedEngine], until: Until) -> None:
    for size in ((120, 40), (80, 24)):
        async with compared(two, until, size) as pilot:
            text = screen_text(pilot.app)
            assert re.search(r"↱b forked.*▼a noise off", text), text
            assert re.search(r"^ b ✗ diverged  the cost is .* since step 2 500, ", text, re.MULTILINE), text


async def test_a_cursor_reads_every_run_out_and_escape_takes_it_away(two: list[PlayedEngine], until: Until) -> None:
    two[0].evaluate(2.0)
    two[0].train(500)
    async with compared(two, until) as pilot:
        screen, text = pilot.app.screen, lambda: screen_text(pilot.app)
        assert isinstance(screen, CompareScreen)
        assert "error 2.00 %" in text()
        await pilot.press("left")
        assert screen.sight.cursor == 3000
        assert re.search(r"a steered +step +3 000  [\d. …]+ ~ [\d.]+", text())
        assert re.search(r"b forked +step +–  no step here", text())
        assert "▲step 3 000" in text()
        await pilot.press(*["shift+left"] * 3)
        at = screen.sight.cursor
        assert at is not None
        assert re.search(rf"b forked +step +{thousands(round(at))}  [\d. …]+ ~ [\d. ]+", text())
        await pilot.press("escape")
        assert pilot.app.screen is screen
        assert "error 2.00 %" in text()
        assert "▲step" not in text()


async def test_the_mouse_reads_out_zooms_and_places_the_cursor_as_keys_do(
    two: list[PlayedEngine], until: Until
) -> None:
    async with compared(two, until) as pilot:
        screen, text = pilot.app.screen, lambda: screen_text(pilot.app)
        assert isinstance(screen, CompareScreen)
        chart = screen.query_one(Overlay)
        await pilot.hover(chart, offset=(60, 9))
        at = screen.sight.pointed
        assert at is not None
        assert re.search(rf"a steered +step +{thousands(round(at))}  [\d. …]+ ~ [\d. ]+", text())
        await scroll(pilot, chart, (60, 9), 3)
        await until(pilot, lambda: chart.axis().last - chart.axis().first < 2000, "a closer look")
        assert chart.axis().first < at < chart.axis().last
        await scroll(pilot, chart, (60, 9), -4)
        await until(pilot, lambda: screen.sight.shown == "whole", "all of it")
        await pilot.hover("#heading")
        assert screen.sight.under is None
        place = chart.axis().place(1000, chart.plots[0].columns)
        assert place is not None
        await until(pilot, lambda: "▼a noise off" in text(), "the marker")
        await pilot.click(chart, offset=(GUTTER + place + 5, 0))
        await pilot.hover("#heading")
        assert screen.sight.cursor is not None
        assert abs(screen.sight.cursor - 1000) < 20, "the step of the marker, not that of the mouse"
        assert re.search(r"▲step [\d ]+ · a noise off ", text())


async def test_the_y_axis_says_what_it_leaves_out(two: list[PlayedEngine], until: Until) -> None:
    async with compared(two, until) as pilot:
        await pilot.press("k")
        await until(pilot, lambda: "outliers" not in screen_text(pilot.app), "all values")
        await pilot.press("k")
        await until(pilot, lambda: "clipped: " in screen_text(pilot.app).splitlines()[0], "the words")
        await pilot.press("K", *"-5 700", "enter")
        await until(pilot, lambda: "linear (not positive) · y -5 … 700, " in screen_text(pilot.app), "the bounds")
        await pilot.press("t")
        await until(pilot, lambda: "700" not in screen_text(pilot.app).splitlines()[0], "those of another curve")


async def test_the_help_of_the_comparison_names_its_cursor_its_marks_and_the_mouse(
    two: list[PlayedEngine], until: Until
) -> None:
    async with compared(two, until) as pilot:
        last = screen_text(pilot.app).splitlines()[-1]
        assert last == " esc back  t / curve  x l k axes  +- zoom  ←→ cursor  ↑↓ tables  ? help"
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
        box = pilot.app.screen
        assert isinstance(box, Help)
        assert [b.key for b in box._groups["the mouse"]] == ["hover", "wheel", "click", "wheel", "elsewhere"]
        assert "↱ where a fork begins" in box._notes
