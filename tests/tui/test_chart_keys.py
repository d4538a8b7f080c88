"""Everything about the charts by keyboard: zoom, pan, cursor, axes, choosing, pinning, and finding them so again."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from laddertop.journal.files import user_cache
from laddertop.tui.dashboard.remembered import Remembered, recall, remember
from laddertop.tui.dashboard.screens.ask import AskLine
from laddertop.tui.dashboard.screens.chart_chooser import ChartChooser
from laddertop.tui.dashboard.screens.interventions import Interventions
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.widgets.charts import Charts, arrangement
from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.chart_choice import CurveName, curve_names, curves_of, first_charts, matching, title_of
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import opened

CURVES = [
    CurveName("total", "total cost", ""),
    CurveName("denoise.0", "denoising 0 x", ""),
    CurveName("denoise.1", "denoising 1 h1000", ""),
    CurveName("lr", "learning rate", ""),
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["total", "denoise.0", "denoise.1", "lr"]),
        ("rate", ["lr"]),
        ("DENOIS", ["denoise.0", "denoise.1"]),
        ("denoise.*", ["denoise.0", "denoise.1"]),
        ("*.1", ["denoise.1"]),
        ("/^(lr|total)$/", ["total", "lr"]),
        ("/h1000", ["denoise.1"]),
        ("nothing", []),
    ],
)
def test_a_filter_is_a_part_of_a_name_a_pattern_or_a_regular_expression(text: str, found: list[str]) -> None:
    assert [curve.name for curve in matching(text, CURVES)] == found


def test_what_is_no_regular_expression_is_said() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        matching("/(", CURVES)


def test_a_chart_is_a_curve_a_pattern_or_several_of_them() -> None:
    assert [c.name for c in curves_of("denoise.* lr", CURVES)] == ["denoise.0", "denoise.1", "lr"]
    assert curves_of("gone", CURVES) == []
    assert title_of("lr", CURVES) == "learning rate"
    assert title_of("denoise.*", CURVES) == "denoise.*"


@pytest.mark.parametrize(
    ("charts", "size"), [(9, (33, 120)), (9, (16, 80)), (1, (10, 40)), (4, (33, 120)), (9, (0, 0))]
)
def test_a_grid_holds_as_many_charts_as_fit_and_leaves_none_too_small(charts: int, size: tuple[int, int]) -> None:
    down, across = arrangement(charts, *size)
    assert down * across >= min(charts, max(size[0] // 7, 1) * max(size[1] // 34, 1))
    assert across == 1 or size[1] // across >= 34
    assert down == 1 or size[0] // down >= 7


def charts_of(pilot: Pilot[None]) -> Charts:
    return pilot.app.screen.query_one(Charts)


def axis_of(pilot: Pilot[None]) -> tuple[float, float]:
    screen = pilot.app.screen
    assert isinstance(screen, RunScreen)
    return screen.view.curves.wanted.axis[:2]


async def test_zoom_and_pan_go_where_they_say_and_home_shows_all_again(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: axis_of(pilot)[1] > 2000, "the whole run")
        whole = axis_of(pilot)
        await pilot.press("plus", "plus")
        await until(pilot, lambda: axis_of(pilot)[1] - axis_of(pilot)[0] < whole[1] / 2, "the end")
        assert axis_of(pilot)[0] < 2000 <= axis_of(pilot)[1]
        assert "following the end" in screen_text(pilot.app)
        end = axis_of(pilot)
        await pilot.press("comma")
        await until(pilot, lambda: axis_of(pilot)[0] < end[0], "earlier steps")
        assert "zoomed" in screen_text(pilot.app)
        await pilot.press("full_stop")
        await until(pilot, lambda: axis_of(pilot)[0] >= end[0] - 1, "later steps")
        await pilot.press("home")
        await until(pilot, lambda: axis_of(pilot) == whole, "the whole run")
        await pilot.press("end")
        await until(pilot, lambda: axis_of(pilot)[1] - axis_of(pilot)[0] == 200, "the newest tenth")


async def test_the_cursor_reads_out_raw_and_smoothed_values_step_and_time(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.view.curves.steps.max(initial=0) == 2000, "the curve")
        await pilot.press("left")
        assert screen.view.x.cursor == 2000
        assert "▲" in charts_of(pilot).text().splitlines()[-1]
        assert "step 2 000" in charts_of(pilot).text().splitlines()[-1]
        await pilot.press("shift+left", "left")
        assert screen.view.x.cursor is not None
        assert screen.view.x.cursor < 1800
        title = charts_of(pilot).text().splitlines()[0]
        bins = screen.view.curves
        at = int(bins.wanted.axis.bins(bins.steps[bins.steps == screen.view.x.cursor])[0])
        assert f"~ {bins.of('total').smooth[at]:.0f}" in title
        await pilot.press("escape")
        assert screen.view.x.cursor is None
        assert "▲" not in charts_of(pilot).text()


def test_the_cursor_reads_out_every_curve_where_it_stands_also_after_an_evaluated_one(engine: PlayedEngine) -> None:
    engine.evaluate(3.0)
    engine.train(2000)
    view = Eyes(engine.run).look()
    view.x.cursor = 3000.0
    charts = Charts(view, id="cost")
    names = {curve.name: curve for curve in curve_names(view.state)}
    curves = [names["evaluated.error_percent"], names["total"]]
    lines = [charts._line(curve.name) for curve in curves]
    at = int(view.curves.wanted.axis.bins(np.array([3000.0]))[0])
    total = number(float(view.curves.of("total").smooth[at]))
    assert charts._readings(curves, lines) == f"a {number(3.0)}  b {total}"
    assert charts._readings(curves[::-1], lines[::-1]) == f"a {total}  b {number(3.0)}"


async def test_axes_change_by_key_and_say_what_they_are(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        title = lambda: charts_of(pilot).text().splitlines()[0]  # noqa: E731
        await until(pilot, lambda: " log " in title(), "the chart")
        await pilot.press("l")
        assert " linear " in title()
        await pilot.press("l")
        assert " symlog " in title()
        await pilot.press("k", "k")
        assert "clipped: " in title()
        await pilot.press("k", "L")
        await until(pilot, lambda: "log x" in title() and axis_of(pilot)[0] == 1, "a logarithmic axis")
        await pilot.press("L", "x")
        await until(pilot, lambda: screen.view.curves.wanted.axis.unit == "epoch" and "epochs" in title(), "epochs")
        await pilot.press("x")
        await until(pilot, lambda: "wall time" in title(), "wall time")
        await pilot.press("x", "z")
        await until(pilot, lambda: "EMA 0.995" in title(), "another smoothing")
        await pilot.press("z")
        await until(pilot, lambda: "raw, not smoothed" in title(), "no smoothing")


async def test_bounds_of_the_y_axis_are_asked_for_said_kept_and_given_up_again(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        charts, text = charts_of(pilot), lambda: screen_text(pilot.app)
        title = lambda: charts.text().splitlines()[0]  # noqa: E731
        await until(pilot, lambda: " log " in title(), "the chart")
        await pilot.press("K", *"2000 500", "enter")
        await until(pilot, lambda: "the smaller first, such as 0.1 2" in text(), "the refusal")
        assert charts.bounds == {}
        await pilot.press("ctrl+u", *"500 2000", "enter")
        await until(pilot, lambda: "y 500 … 2 000" in title(), "the bounds")
        assert " log " in title()
        assert re.search(r"^ +2k┤", charts.text(), re.MULTILINE)
        await pilot.press("t")
        assert "500 … 2 000" not in title(), "each chart has its own"
        await pilot.press("T", "K")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskLine), "the prompt")
        assert "500 2000" in text()
        await pilot.press("escape")
        assert "y 500 … 2 000" in title()
    async with opened(engine.run.path) as pilot:
        charts, text = charts_of(pilot), lambda: screen_text(pilot.app)
        await until(pilot, lambda: "y 500 … 2 000" in title(), "what was kept")
        await pilot.press("K", "ctrl+u", *"auto", "enter")
        await until(pilot, lambda: "500 … 2 000" not in title(), "an axis of its own")
        await pilot.press("m", "K", *"-1 9", "enter")
        await until(pilot, lambda: "y -1 … 9" in title() and "linear (not positive)" in title(), "the kind it has")
        await pilot.press("k")
        assert "y -1 … 9" not in title(), "another range is another range"
        assert charts.bounds == {}


async def test_all_pinned_charts_are_shown_at_once_and_a_key_goes_through_them(
    engine: PlayedEngine, until: Until
) -> None:
    engine.evaluate(2.0)
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: len(first_charts(screen.view.state)) == 9, "the evaluation")
        await pilot.press("g")
        await until(
            pilot, lambda: all(w in screen_text(pilot.app) for w in ("[total cost]", "throughput", "lr")), "all"
        )
        await until(pilot, lambda: screen.view.curves.of("throughput").filled.any(), "the throughput")
        assert screen.view.smoothed["throughput"] == pytest.approx(600, rel=0.01)
        await pilot.press("t")
        assert "[labelled cross-entropy]" in screen_text(pilot.app)
        await pilot.press("T", "T")
        await until(pilot, lambda: "[total cost]" not in screen_text(pilot.app), "the last one")
        await pilot.press("g")
        await until(pilot, lambda: "raw × weight" in screen_text(pilot.app), "the other panels")


async def test_charts_are_found_pinned_and_put_together(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        charts = charts_of(pilot)
        await until(pilot, lambda: "grad_norm" in charts.names(), "the first charts")
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChartChooser), "the chooser")
        await pilot.press(*"lambda.3", "ctrl+t")
        await pilot.press(*["backspace"] * 8, *"grad", "ctrl+t")
        await pilot.press(*["backspace"] * 4, *"/^denoise.[01]$", "ctrl+o")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run screen")
        assert charts.names()[-2:] == ["lambda.3", "denoise.0 denoise.1"]
        assert "grad_norm" not in charts.names()
        assert charts.focused() == "denoise.0 denoise.1"
        await until(
            pilot, lambda: "a denoising 0" in screen_text(pilot.app) or "denoise.0 den" in screen_text(pilot.app), "it"
        )
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChartChooser), "the chooser")
        await pilot.press(*"/(")
        await until(pilot, lambda: "no regular expression" in screen_text(pilot.app), "the reason")
        await pilot.press("escape")


async def test_the_screen_is_found_as_it_was_left_for_each_kind_of_model(
    engine: PlayedEngine, tmp_path: Path, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "raw × weight" in screen_text(pilot.app), "the screen")
        await pilot.press("g", "l", "x", "z", "t", "t", "t", "k")
    assert not any(path.name.endswith("json") and "screen" in path.name for path in engine.run.path.iterdir())
    async with opened(engine.run.path) as pilot:
        charts = charts_of(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert charts.grid
        assert charts.kinds == {"total": "linear"}
        assert (charts.focused(), charts.part) == ("grad_norm", "whole")
        assert (screen.view.x.unit, screen.view.decay) == ("epoch", 0.995)
        before = charts.names()
        engine.evaluate(2.0)
        await until(pilot, lambda: charts.names() != before, "a chart before it")
        assert charts.focused() == "grad_norm"
    with PlayedEngine.new(tmp_path, name="same-kind") as another:
        another.train(10)
        async with opened(another.run.path) as pilot:
            charts = charts_of(pilot)
            await until(pilot, lambda: "grad_norm" in charts.names(), "the first charts")
            assert (charts.grid, charts.focused(), charts.part) == (True, "grad_norm", "whole")
            await pilot.press("k", "T")
        assert (recall("ladder").part, recall("ladder").focus) == ("clipped", charts.focused())
    with PlayedEngine.new(tmp_path, "vae-mnist", "other") as other:
        other.train(10)
        async with opened(other.run.path) as pilot:
            charts = charts_of(pilot)
            assert (charts.grid, charts.focused(), charts.part) == (False, "total", "settled")


@pytest.mark.parametrize(
    "rubbish",
    [
        "",
        "{",
        "[]",
        '{"ladder": 5}',
        '{"ladder": {"pinned": [5], "unit": "x", "grid": 1, "focus": 9, "bounds": {"total": [3, 2], "lr": "0 1"}}}',
    ],
)
def test_a_damaged_memory_is_forgotten(rubbish: str) -> None:
    remember("ladder", Remembered(unit="time"))
    assert recall("ladder").unit == "time"
    (user_cache() / "run-screen.json").write_text(rubbish)
    assert recall("ladder") == Remembered()
    remember("ladder", Remembered(unit="epoch"))
    assert recall("ladder").unit == "epoch"


async def test_a_key_takes_the_last_intervention_back_and_a_list_tells_them_all(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "noise ● on" in screen_text(pilot.app), "the knob")
        await pilot.press("n")
        engine.answer()
        await until(pilot, lambda: "noise ○ off" in screen_text(pilot.app), "the new value")
        await pilot.press("u")
        (command,) = engine.answer()
        assert command.changes == {"noise": 1.0}
        await until(pilot, lambda: "noise ● on" in screen_text(pilot.app), "the old value")
        assert "(undo)" in screen_text(pilot.app)
        await pilot.press("N", *"why", "enter")
        await until(pilot, lambda: [c.note for c in engine.answer()] == ["why"], "the note")
        await pilot.press("i")
        await until(pilot, lambda: isinstance(pilot.app.screen, Interventions), "the list")
        await until(pilot, lambda: "you: noise on → applied" in screen_text(pilot.app), "the undo in it")
        await pilot.press("escape")
