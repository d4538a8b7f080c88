"""The mouse does on charts, panels, lists and tabs what keys do there, and the help says where it means nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from textual.events import CursorPosition
from textual.widgets import Input, OptionList

import laddertop.tui.dashboard.screens.compare
from laddertop.journal.commands import send
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.grammar import mouse_rows
from laddertop.tui.dashboard.screens.ask import Choose
from laddertop.tui.dashboard.screens.chart_chooser import ChartChooser
from laddertop.tui.dashboard.screens.chart_screen import ChartScreen
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.replay import ReplayBar, ReplayScreen
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.draw.markers import GUTTER
from laddertop.tui.watch.comparison import open_runs
from laddertop.tui.watch.event_line import ME
from tests import PATIENCE
from tests.tui.conftest import Until
from tests.tui.mouse import scroll
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import inbox, opened


def option_of(app: LaddertopApp, number: int) -> tuple[int, int]:
    """A cell of an option of the list on the screen."""
    inside = app.screen.query_one(OptionList).content_region
    return inside.x + 2, inside.y + number


def mouse_in(app: LaddertopApp) -> list[str]:
    """What the help on the screen says of the mouse."""
    box = app.screen
    assert isinstance(box, Help)
    return [row.description for row in box._groups["the mouse"]]


async def test_hover_reads_out_what_the_cursor_reads_out_and_leaves_the_cursor_alone(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        charts = screen.charts
        await until(pilot, lambda: screen.view.curves.steps.max(initial=0) == 2000, "the curve")
        before = charts.text()
        await pilot.hover(charts, offset=(30, 5))
        hovered, at = charts.text(), screen.sight.pointed
        assert at is not None
        assert "▲step " in hovered
        assert screen.sight.cursor is None
        await pilot.hover("#knobs")
        assert charts.text() == before
        await pilot.click(charts, offset=(30, 5))
        await pilot.hover("#knobs")
        assert screen.sight.cursor == at
        assert charts.text() == hovered, "a click reads out the same, and it stays"
        await pilot.hover(charts, offset=(20, 5))
        assert charts.text() != hovered
        await pilot.press("right")
        assert screen.sight.pointed is None, "who presses a key looks at the cursor"
        await pilot.press("escape")
        assert charts.text() == before
        assert pilot.app.screen is screen
        assert inbox(engine.run.path) == []


async def test_a_mouse_that_moves_faster_than_the_terminal_shows_is_followed_where_it_is_by_then(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laddertop.tui.dashboard.screens.compare, "INTERVAL", 600.0)  # nothing else is to draw
    async with opened(engine.run.path) as pilot:
        run = pilot.app.screen
        assert isinstance(run, RunScreen)
        await until(pilot, lambda: run.view.curves.steps.max(initial=0) == 2000, "the curve")
        pilot.app.push_screen(CompareScreen(open_runs([engine.run, engine.run])))
        await until(pilot, lambda: "the specs" in screen_text(pilot.app), "the comparison")
        for screen in (pilot.app.screen, run):
            if screen is run:
                pilot.app.pop_screen()
                await until(pilot, lambda: pilot.app.screen is run, "the run")
            assert isinstance(screen, ChartScreen)
            before = ""
            while screen.charts.text() != before:  # the tables below it take their room
                before = screen.charts.text()
                await pilot.pause(0.2)
            screen._pace._waiting_since = time.monotonic() + PATIENCE  # type: ignore[attr-defined]
            for x in (14, 20, 26):
                await pilot.hover(screen.charts, offset=(x, 5))
            assert screen.charts.text() == before
            assert screen.sight.pointed is not None
            pilot.app.post_message(CursorPosition(0, 0))
            await until(pilot, lambda s=screen: "▲" in s.charts.text(), "the newest place")  # type: ignore[misc]
            assert screen.charts.text().splitlines()[-1].index("▲") == pytest.approx(26, abs=1)


async def test_the_wheel_zooms_around_what_is_under_the_mouse(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        charts = screen.charts
        await until(pilot, lambda: screen.view.curves.steps.max(initial=0) == 2000, "the curve")
        whole = charts.axis()
        await pilot.hover(charts, offset=(24, 5))
        at = screen.sight.pointed
        assert at is not None
        await scroll(pilot, charts, (24, 5), 4)
        await until(pilot, lambda: charts.axis().last - charts.axis().first < 0.5 * whole.last, "a closer look")
        assert charts.axis().first < at < charts.axis().last
        assert charts.axis().place(at, charts.plots[0].columns) == pytest.approx(24 - GUTTER, abs=1)
        await scroll(pilot, charts, (24, 5), -6)
        await until(pilot, lambda: charts.axis() == whole, "the whole run")


async def test_a_click_at_a_label_goes_to_what_it_marks_and_is_told_beside_the_cursor(
    engine: PlayedEngine, until: Until
) -> None:
    send(engine.run.path, 1, "set", {"noise": 0.0}, by=ME)
    engine.answer()
    engine.train(1000)
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        charts = screen.charts
        await until(pilot, lambda: "▼noise off" in charts.text(), "the label")
        row = charts.text().splitlines()[1]
        await pilot.click(charts, offset=(row.index("off"), 1))
        assert screen.sight.cursor is not None
        assert abs(screen.sight.cursor - 2000) <= 10
        assert " · noise off " in charts.text().splitlines()[-1]


async def test_a_click_in_the_grid_goes_to_a_chart_and_one_at_a_panel_chooses_it_and_enlarges_it(
    engine: PlayedEngine, until: Until
) -> None:
    engine.sample()
    async with opened(engine.run.path) as pilot:
        screen, text = pilot.app.screen, lambda: screen_text(pilot.app)
        assert isinstance(screen, RunScreen)
        charts = screen.charts
        await until(pilot, lambda: screen.view.curves.steps.max(initial=0) == 2000, "the curve")
        samples = screen.query_one(Samples)
        await until(pilot, lambda: "reconst." in samples.text(), "the samples")
        region, item, kind = samples._shown[2]
        await pilot.hover(samples, offset=(region.x + 1, region.y + 1))
        assert f"item {item}, {kind}, step 2 000" in samples.text().splitlines()[0]
        await pilot.click("#samples")
        assert "[samples]" in text()
        assert "[total cost]" not in text()
        await pilot.click("#samples")
        await until(pilot, lambda: samples.size.height > 25, "the whole screen")
        await pilot.click("#samples")
        await until(pilot, lambda: "raw × weight" in text(), "all panels")
        await pilot.click("#terms")
        assert "[terms]" in text()
        await pilot.press("g")
        await until(pilot, lambda: len(charts.plots) > 4, "the grid")
        plot = charts.plots[4]
        await pilot.click(charts, offset=(plot.x + GUTTER + 3, plot.y + 2))
        assert charts.focused() == plot.name
        await until(pilot, lambda: text().count("▲step") > 4, "the cursor in all of them")


async def test_a_run_is_chosen_and_opened_and_a_recipe_chosen_by_clicks(tmp_path: Path, until: Until) -> None:
    for name in ("one", "two", "three"):
        with PlayedEngine.new(tmp_path, "vae-mnist", name) as engine:
            engine.train(20)
            engine.end("stopped")
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen_text(app).count("■ stopped") == 3, "the list")
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help of the list")
        assert mouse_in(app)[0] == "on a run: chooses it; once more: opens it"
        await pilot.press("escape")
        table = app.screen.query_one(RunsTable)
        await pilot.click(table, offset=(6, 3))
        assert table._at == 2
        await scroll(pilot, table, (6, 3), 1)
        assert table._at == 0
        await pilot.click(table, offset=(6, 2))
        chosen = table.selected
        await pilot.click(table, offset=(6, 2))
        await until(pilot, lambda: isinstance(app.screen, LiveScreen), "the run")
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        assert chosen is not None
        assert screen.view.run.path == chosen.run.path
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.screen, ChartChooser), "the chooser")
        await pilot.click(offset=option_of(app, 2))
        await until(pilot, lambda: app.screen is screen, "the run")
        assert screen.charts.focused() == screen.charts.names()[2]
        app.action_new_run()
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen) and app.screen._draft is not None, "the form")
        recipes = app.screen.query_one("#recipes", OptionList)
        await pilot.click(recipes, offset=(4, 2))
        form = app.screen
        assert isinstance(form, NewRunScreen)
        assert recipes.highlighted is not None
        assert form._recipe == recipes.get_option_at_index(recipes.highlighted).id
        assert isinstance(form.focused, Input)
        assert form.focused.id == "name"
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help of the form")
        assert mouse_in(app)[0].startswith("on a recipe: chooses it")


async def test_a_choice_is_made_by_a_click(tmp_path: Path, until: Until) -> None:
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        answers: list[int | None] = []
        app.push_screen(Choose("which?", ["first", "second", "third"]), answers.append)
        await until(pilot, lambda: len(app.screen.query(OptionList)) == 1, "the question")
        await pilot.click(offset=option_of(app, 1))
        await until(pilot, lambda: answers == [1], "the second")


async def test_a_click_at_the_bar_of_a_replay_goes_to_that_share_of_the_run(engine: PlayedEngine, until: Until) -> None:
    engine.end()
    app = LaddertopApp(engine.run.path.parent, engine.run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, ReplayScreen), "the replay")
        await pilot.press("space")
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        bar = screen.query_one(ReplayBar)
        for share in (0.8, 0.2):
            column = bar._bar[round(share * (len(bar._bar) - 1))]
            await pilot.click(bar, offset=(column, 0))
            assert screen._past.at / screen._past.length == pytest.approx(share, abs=0.04)
        await pilot.click(bar, offset=(bar._bar.stop + 3, 0))
        assert screen._past.at / screen._past.length == pytest.approx(0.2, abs=0.04)


@pytest.mark.parametrize("kind", [LiveScreen, ReplayScreen, *MODEL_SCREENS.values()])
def test_the_help_says_what_the_mouse_means_and_where_it_means_nothing(kind: type) -> None:
    rows = mouse_rows(kind.MOUSE)  # type: ignore[attr-defined]
    assert {row.key for row in rows} <= {"hover", "click", "wheel", "drag", "elsewhere"}  # type: ignore[union-attr]
    assert "means nothing" in rows[-1].description  # type: ignore[union-attr]
