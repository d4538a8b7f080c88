"""Charts, sparklines and bars, cell by cell."""

from __future__ import annotations

import numpy as np

from tui.draw.cells import Cells, Ink
from tui.draw.chart import GUTTER, Marker, draw_chart, scale_for
from tui.draw.curve import Curve
from tui.draw.dots import braille
from tui.draw.spark import bar, draw_sparkline


def curve(values: list[float] | np.ndarray, decay: float = 0.0, first: int = 1) -> Curve:
    made = Curve(decay)
    made.extend(first + np.arange(len(values)), np.asarray(values, float))
    return made


def test_braille_dots_have_their_standard_places() -> None:
    dots = np.zeros((4, 8), bool)
    for i, (row, column) in enumerate([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]):
        only = np.zeros((4, 2), bool)
        only[row, column] = True
        assert ord(braille(only)[0, 0]) == 0x2800 + (1 << i)
    dots[:, 2:4] = True
    assert "".join(braille(dots)[0]) == " ⣿  "


def test_a_straight_line_on_a_linear_axis() -> None:
    chart = draw_chart(5, 14, curve(list(range(9)), first=0).blocks(), (0, 8), log=False)
    assert chart.text().splitlines() == [
        "     │     ⢀⠔⠁",
        "    5┤   ⢀⠔⠁",
        "     │ ⢀⠔⠁",
        "    0┤⡰⠁",
        "     └0───┴5──",
    ]


def test_the_axis_is_logarithmic_only_where_all_values_are_positive() -> None:
    assert scale_for([curve([1, 10, 100]).blocks()], log=True) == (1.0, 100.0, True)
    assert scale_for([curve([0, 10, 100]).blocks()], log=True) == (0.0, 100.0, False)
    assert scale_for([curve([np.nan]).blocks()], log=True) is None


def test_a_spike_of_one_step_among_many_stays_visible() -> None:
    values = np.ones(50_000)
    values[25_000] = 90
    chart = draw_chart(10, 46, curve(values, 0.98).blocks(), (0, 50_000), log=True)
    top = "".join(chart.chars[0, GUTTER:])
    assert top.strip() != ""
    assert abs(len(top) - len(top.lstrip()) - 20) <= 1
    column = GUTTER + len(top) - len(top.lstrip())
    assert (chart.chars[:9, column] != " ").all()


def test_the_smoothed_line_is_drawn_over_the_raw_range() -> None:
    rng = np.random.default_rng(0)
    chart = draw_chart(12, 46, curve(np.exp(rng.normal(0, 1, 5000)), 0.98).blocks(), (0, 5000), log=True)
    inks = chart.inks[:11, GUTTER:]
    drawn = chart.chars[:11, GUTTER:] != " "
    assert set(inks[drawn].tolist()) == {Ink.CURVE, Ink.FAINT}
    assert ((inks == Ink.CURVE) & drawn).any(0).all()


def test_nan_leaves_a_gap_and_a_red_tick() -> None:
    values = np.ones(100)
    values[40:60] = np.nan
    chart = draw_chart(5, 26, curve(values).blocks(), (1, 100), log=False)
    line = ((chart.inks == Ink.CURVE) & (chart.chars != " "))[:4, GUTTER:].any(0)
    assert line.tolist() == [True] * 8 + [False] * 4 + [True] * 8
    ticks = chart.chars[4, GUTTER:] == "×"
    assert ticks.tolist() == [False] * 8 + [True] * 4 + [False] * 8
    assert (chart.inks[4, GUTTER:][ticks] == Ink.BAD).all()


def test_infinities_count_as_gaps_too() -> None:
    chart = draw_chart(5, 26, curve([1, np.inf, 2, -np.inf, 3]).blocks(), (1, 5), log=True)
    assert (chart.chars[4] == "×").sum() == 2


def test_only_nan_and_nothing_at_all_are_said_in_words() -> None:
    assert "no finite value yet" in draw_chart(5, 40, curve([np.nan, np.inf]).blocks(), (0, 10)).text()
    assert "waiting for the first step" in draw_chart(5, 40, Curve(0.9).blocks(), (0, 10)).text()


def test_charts_of_any_size_and_any_content_are_drawn() -> None:
    contents = [[], [0.0], [np.nan], [1e-30, 1e30], [-5.0, -5.0], [1.0] * 500, [np.inf, 1, -np.inf, 0]]
    for values in contents:
        for height in (0, 1, 2, 3, 9):
            for width in (0, 5, 9, 10, 11, 60):
                for log in (True, False):
                    for plain in (True, False):
                        chart = draw_chart(height, width, curve(values).blocks(), (0, 7), log, [Marker(3, "x")], plain)
                        assert (chart.height, chart.width) == (height, width)


def test_markers_stand_at_their_step_with_their_label_where_it_fits() -> None:
    markers = [Marker(10, "noise off"), Marker(12, "lr 0.1"), Marker(95, "noise on"), Marker(2000, "beyond")]
    chart = draw_chart(6, 106, curve(np.linspace(5, 1, 100)).blocks(), (1, 100), markers=markers)
    top = "".join(chart.chars[0])
    assert top[GUTTER + 9] == "▼"
    assert top[GUTTER + 11 :].startswith("▼lr 0.1 ")
    assert top.rstrip().endswith(" noise on▼")
    assert "noise off" not in top
    assert "beyond" not in top
    assert chart.chars[1, GUTTER + 94] == "│"


def test_an_ascii_chart_is_ascii_but_for_its_frame() -> None:
    chart = draw_chart(8, 40, curve(np.linspace(5, 1, 100), 0.9).blocks(), (1, 100), ascii_only=True)
    assert set("".join(chart.chars[:7, GUTTER:].ravel())) <= set(" *:")


def test_a_new_point_touches_few_cells() -> None:
    values = np.exp(np.random.default_rng(3).normal(0, 0.3, 20_000))
    made = curve(values, 0.98)
    before = draw_chart(16, 80, made.blocks(), (0, 45_000), log=True)
    made.extend(np.arange(20_001, 20_301), np.full(300, 1.0))
    after = draw_chart(16, 80, made.blocks(), (0, 45_000), log=True)
    different = (before.chars != after.chars) | (before.inks != after.inks)
    assert 0 < different.sum() <= 2 * 16
    assert different.any(0).sum() <= 2


def test_only_rows_that_changed_are_named_up_to_their_last_difference() -> None:
    before, after = Cells(3, 10), Cells(3, 10)
    for cells in (before, after):
        cells.put(0, 0, "abc")
    after.put(1, 4, "x")
    after.put(2, 2, " ", Ink.BAD)
    assert after.changed_rows(before) == [(1, 5), (2, 3)]
    assert after.changed_rows(after) == []
    assert after.changed_rows(Cells(2, 10)) == [(0, 10), (1, 10), (2, 10)]


def test_sparklines_share_a_scale() -> None:
    falling, flat = curve(np.geomspace(100, 1, 64)), curve(np.full(64, 10.0))
    scale = scale_for([falling.blocks(), flat.blocks()], log=True)
    assert draw_sparkline(1, 8, falling.blocks(), (1, 64), scale).text() == "▇▆▅▅▄▃▂▁"
    assert draw_sparkline(1, 8, flat.blocks(), (1, 64), scale).text() in ("▄▄▄▄▄▄▄▄", "▅▅▅▅▅▅▅▅")
    tall = draw_sparkline(2, 8, falling.blocks(), (1, 64), scale).text().splitlines()
    assert tall[0].rstrip() == tall[0]
    assert tall[1].startswith("████")


def test_a_bar_shows_half_columns() -> None:
    assert bar(0.5, 10) == ("━━━━━", "─────")
    assert bar(0.26, 10) == ("━━╸", "───────")
    assert bar(float("nan"), 4) == ("", "────")
    assert bar(7, 4) == ("━━━━", "")
