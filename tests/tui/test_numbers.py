"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from laddertop.tui.draw.numbers import ago, duration, estimate, number, percent, rate, setting, size, thousands, tick


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.004213, "0.00421"),
        (0.08304, "0.0830"),
        (0.9996, "1.00"),
        (6.1, "6.10"),
        (9.996, "10.0"),
        (99.96, "100"),
        (612.4, "612"),
        (999.6, "1 000"),
        (41200, "41 200"),
        (1234567, "1.2e6"),
        (0.0000123, "1.2e-5"),
        (0.00099999, "1e-3"),
        (-2.5, "-2.50"),
        (0, "0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
    ],
)
def test_a_number_has_three_significant_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_numbers_fit_their_column() -> None:
    for exponent in range(-12, 13):
        for mantissa in (1, 1.005, 2.345, 9.994, 9.996):
            assert len(number(mantissa * 10.0**exponent)) <= 7


@pytest.mark.parametrize(
    ("value", "text"), [(0.3, "0.3"), (0.002, "0.002"), (1000.0, "1 000"), (1e-5, "1e-5"), (0.0, "0"), (250, "250")]
)
def test_a_setting_has_no_idle_digits(value: float, text: str) -> None:
    assert setting(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.02, "0.02"), (500, "500"), (20_000, "20k"), (5e6, "5M"), (2e12, "2e12"), (1e-5, "1e-5"), (15, "15")],
)
def test_a_tick_is_never_cut(value: float, text: str) -> None:
    assert tick(value) == text


def test_whole_numbers_stand_in_groups_of_three() -> None:
    assert thousands(1234567) == "1 234 567"
    assert thousands(999) == "999"


def test_shares_rates_sizes_and_times() -> None:
    assert [percent(s) for s in (0.63, 0.001, 0.0, 1.0, math.nan)] == ["63 %", "<1 %", "0 %", "100 %", ""]
    assert [rate(r) for r in (612.3, 8.314, 0.5, math.nan)] == [
        "612 step/s",
        "8.31 step/s",
        "30.0 step/min",
        "– step/s",
    ]
    assert [duration(s) for s in (35, 245, 4800, 272_000)] == ["35 s", "4 min 05 s", "1 h 20 min", "3 d 03 h"]
    assert duration(math.nan) == "–"
    assert [estimate(s) for s in (35, 245, 4800)] == ["35 s", "4 min", "1 h 20 min"]
    assert [size(b) for b in (0, 812, 48_923, 21_815_929)] == ["0 B", "812 B", "48.9 kB", "21.8 MB"]
    assert [ago(s) for s in (0.4, 12, 300, 10_000, 1e6)] == ["now", "12 s", "5 min", "2 h", "11 d"]
