"""Smoothing, axes and ticks: what a chart is drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from laddertop.tui.draw.axis import BINS, XAxis, clock
from laddertop.tui.draw.bins import Average, of_points
from laddertop.tui.draw.ticks import linear_bounds, linear_ticks, log_bounds, log_ticks, planned_end
from laddertop.tui.draw.x_view import Extent, XView


def naive_average(values: np.ndarray, decay: float) -> np.ndarray:
    """The definition, one value at a time."""
    total = weight = 0.0
    out = []
    for value in values.tolist():
        total, weight = total * decay, weight * decay
        if np.isfinite(value):
            total, weight = total + value, weight + 1
        out.append(total / weight if np.isfinite(value) else np.nan)
    return np.array(out)


def test_the_average_is_the_bias_corrected_one_over_finite_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(3, 1, 1000)
    values[[0, 5, 400, 401, 402, 999]] = [np.nan, np.inf, np.nan, -np.inf, np.nan, np.nan]
    smooth = Average(0.98, 1).at_ends(values[:, None], np.arange(1000))[0]
    finite = np.isfinite(values)
    np.testing.assert_allclose(smooth[finite], naive_average(values, 0.98)[finite], rtol=1e-10)


def test_the_average_depends_neither_on_the_pieces_it_came_in_nor_on_the_bins() -> None:
    values = np.random.default_rng(2).normal(0, 1, (777, 3))
    whole = Average(0.9, 3).at_ends(values, np.arange(777))
    pieces = Average(0.9, 3)
    parts = [pieces.at_ends(part, np.arange(len(part))) for part in np.split(values, [1, 2, 130, 131, 500])]
    np.testing.assert_allclose(np.concatenate(parts, 1), whole, rtol=1e-10)
    starts = np.array([0, 10, 11, 400])
    np.testing.assert_allclose(Average(0.9, 3).at_ends(values, starts), whole[:, [9, 10, 399, 776]], rtol=1e-10)
    np.testing.assert_allclose(pieces.now(), whole[:, -1], rtol=1e-10)


def test_a_constant_is_its_own_average_from_the_first_step() -> None:
    np.testing.assert_allclose(Average(0.99, 1).at_ends(np.full((300, 1), 5.0), np.arange(300)), 5.0)


def test_columns_keep_the_extremes_and_the_last_average_of_their_bins() -> None:
    axis = XAxis(0, BINS)
    values = np.random.default_rng(0).normal(size=BINS)
    bins = of_points(axis, np.arange(BINS) + 0.5, values)
    for count in (1, 7, 80, 511, BINS, 640):
        columns = bins.columns(count)
        at = np.arange(BINS) * count // BINS
        for column in range(min(count, BINS)):
            if count <= BINS:
                part = values[at == column]
                assert columns.low[column] == part.min()
                assert columns.high[column] == part.max()
                assert columns.smooth[column] == part[-1]
        assert columns.filled.all()


def test_an_axis_of_any_kind_finds_the_bin_of_a_position() -> None:
    for axis in (XAxis(0, 1000), XAxis(100, 300), XAxis(1, 1e6, log=True), XAxis(0, 90, "time")):
        for share in (0.0, 0.2, 0.5, 0.999, 1.0):
            assert axis.bins(np.array([axis.at(share)]))[0] == pytest.approx(min(share * BINS, BINS - 1), abs=1)
        assert axis.bins(np.array([axis.first - 1, axis.last + 1])).tolist() == [-1, -1]
        assert axis.place(axis.last + 1, 80) is None


def test_an_axis_is_labelled_in_its_unit() -> None:
    assert [label for _, label in XAxis(0, 90_000).ticks(6)] == ["0", "20k", "40k", "60k", "80k"]
    assert XAxis(0, 6000, "epoch", per=600).ticks(6)[1] == (1200, "2")
    assert [label for _, label in XAxis(0, 7200, "time").ticks(5)] == ["0", "30:00", "1h", "1h30", "2h"]
    assert [label for _, label in XAxis(0, 40, "time").ticks(5)] == ["0", "10s", "20s", "30s", "40s"]
    assert clock(3 * 86400 + 12 * 3600) == "3d12h"
    assert [label for _, label in XAxis(1, 1e6, log=True).ticks(7)] == ["1", "10", "100", "1k", "10k", "100k", "1M"]


EXTENT = Extent(step=20_000, planned=90_000, seconds=3000.0, epoch_steps=600)


def test_the_whole_run_is_shown_in_every_unit() -> None:
    assert XView().axis(EXTENT)[:2] == (0, 22_500)
    assert XView(unit="epoch").axis(EXTENT) == (0, 22_500, "epoch", False, 600)
    assert XView(unit="time").axis(EXTENT)[:2] == (0, 3840)
    assert XView(log=True).axis(EXTENT)[:2] == (1, 22_500)


def test_zooming_in_and_out_keeps_the_cursor_where_it_is_and_ends_with_the_whole_run() -> None:
    view = XView()
    for _ in range(6):
        before = float(view.axis(EXTENT).fractions(5000))
        view.zoom(EXTENT, 0.5, around=5000)
        axis = view.axis(EXTENT)
        assert axis.first <= 5000 <= axis.last
        assert float(axis.fractions(5000)) == pytest.approx(before, abs=0.01)
    assert axis.last - axis.first == pytest.approx(22_500 / 64)
    for _ in range(40):
        view.zoom(EXTENT, 0.5, around=5000)
    assert view.axis(EXTENT).last - view.axis(EXTENT).first == 8
    for _ in range(40):
        view.zoom(EXTENT, 2.0, around=5000)
    assert view.shown == "whole"


def test_zooming_in_without_a_cursor_follows_the_end_and_moves_seldom() -> None:
    view = XView()
    view.zoom(EXTENT, 0.5)
    assert view.shown == "end"
    axes = {view.axis(Extent(step, 90_000)) for step in range(20_000, 40_000, 50)}
    assert all(axis.last - axis.first == axes.copy().pop().last - axes.copy().pop().first for axis in axes)
    assert len(axes) <= 10
    for step in range(20_000, 40_000, 50):
        axis = view.axis(Extent(step, 90_000))
        assert axis.first < step <= axis.last


def test_panning_stays_within_the_run() -> None:
    view = XView()
    view.pan(EXTENT, -0.5)
    assert view.shown == "whole"
    view.zoom(EXTENT, 0.25, around=10_000)
    view.pan(EXTENT, 0.5)
    assert view.axis(EXTENT).first == pytest.approx(10_000 - 5625 * 10_000 / 22_500 + 5625 / 2)
    for _ in range(20):
        view.pan(EXTENT, -0.5)
    assert view.axis(EXTENT).first == 0
    for _ in range(20):
        view.pan(EXTENT, 0.5)
    assert view.axis(EXTENT).last == 22_500


def test_a_position_out_of_sight_is_brought_into_view() -> None:
    view = XView()
    view.zoom(EXTENT, 0.1, around=10_000)
    for position in (3000.0, 15_000.0, 15_001.0):
        view.show(EXTENT, position)
        axis = view.axis(EXTENT)
        assert axis.first <= position <= axis.last
        assert axis.last - axis.first == pytest.approx(2250)


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [(0.058, 9.3, (0.05, 10)), (1, 1, (0.8, 1.2)), (0.011, 0.019, (0.01, 0.02)), (135, 236, (120, 250))],
)
def test_log_bounds_are_round_numbers(low: float, high: float, bounds: tuple[float, float]) -> None:
    assert log_bounds(low, high) == bounds


@pytest.mark.parametrize(
    ("low", "high", "bounds"),
    [(0, 9.3, (0, 10)), (0.2, 0.94, (0.2, 1.0)), (-3, 4, (-4, 4)), (0, 0, (0, 1)), (7, 7, (2, 12))],
)
def test_linear_bounds_are_multiples_of_a_one_two_five_step(
    low: float, high: float, bounds: tuple[float, float]
) -> None:
    assert linear_bounds(low, high) == pytest.approx(bounds)


def test_bounds_hold_still_while_values_move_a_little() -> None:
    assert {log_bounds(0.051, high) for high in np.linspace(5.1, 9.9, 50)} == {(0.05, 10.0)}


def test_ticks() -> None:
    assert log_ticks(0.05, 10, 9) == [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
    assert log_ticks(0.05, 10, 4) == [0.1, 1, 10]
    assert log_ticks(1e-8, 1e8, 5) == [1e-8, 1e-4, 1, 1e4, 1e8]
    assert log_ticks(120, 250, 5) == [150, 200, 250]
    assert linear_ticks(0, 90_000, 6) == [0, 20_000, 40_000, 60_000, 80_000]
    assert linear_ticks(-0.3, 0.3, 4) == pytest.approx([-0.2, 0, 0.2])


def test_the_x_axis_is_the_plan_or_a_half_a_quarter_of_it_or_doubled() -> None:
    assert planned_end(41_200, 90_000) == 45_000
    assert planned_end(45_001, 90_000) == 90_000
    assert planned_end(90_001, 90_000) == 180_000
    assert len({planned_end(step, 90_000) for step in range(1, 90_001, 100)}) <= 11
    assert all(planned_end(step, 1347) >= step for step in range(1, 3000, 7))
