"""Smoothing and gathering: what a chart is drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from tui.draw.curve import MOST_BLOCKS, Curve, Smoother
from tui.draw.ticks import linear_bounds, linear_ticks, log_bounds, log_ticks, planned_end


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
    smooth = Smoother(0.98).extend(values)
    np.testing.assert_allclose(smooth, naive_average(values, 0.98), rtol=1e-10)


def test_the_average_does_not_depend_on_the_pieces_it_came_in() -> None:
    values = np.random.default_rng(2).normal(0, 1, 777)
    whole = Smoother(0.9).extend(values)
    pieces = Smoother(0.9)
    parts = [pieces.extend(part) for part in np.split(values, [1, 2, 130, 131, 500])]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-10)


def test_a_constant_is_its_own_average_from_the_first_step() -> None:
    np.testing.assert_allclose(Smoother(0.99).extend(np.full(300, 5.0)), 5.0)


def test_a_long_curve_stays_small_and_keeps_every_spike_and_every_nan() -> None:
    n = 200_000
    values = np.ones(n, np.float32)
    values[123_456] = 99
    values[77_777] = np.nan
    curve = Curve(0.98)
    for begin in range(0, n, 3333):
        curve.extend(np.arange(begin, min(begin + 3333, n)), values[begin : begin + 3333])
    blocks = curve.blocks()
    assert len(blocks.steps) <= MOST_BLOCKS + 1
    assert curve.points == n
    assert blocks.high.max() == 99
    assert blocks.steps[np.argmax(blocks.high)] - 123_456 in range(n // MOST_BLOCKS * 2 + 1)
    assert blocks.bad.sum() == 1
    assert blocks.steps[-1] == n - 1
    assert (np.diff(blocks.steps) > 0).all()


def test_a_short_curve_keeps_every_point() -> None:
    curve = Curve(0.5)
    curve.extend(np.array([1, 2, 3]), np.array([4.0, np.nan, 2.0]))
    blocks = curve.blocks()
    assert blocks.steps.tolist() == [1, 2, 3]
    assert blocks.bad.tolist() == [False, True, False]
    assert np.isnan(blocks.low[1])
    assert curve.last == 2.0


def test_a_curve_remembers_that_its_newest_value_is_nan() -> None:
    curve = Curve(0.5)
    curve.extend(np.array([1, 2]), np.array([4.0, np.nan]))
    assert np.isnan(curve.last)
    assert curve.smoothed == 4.0


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
