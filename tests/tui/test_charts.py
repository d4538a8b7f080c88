"""Charts, sparklines and bars, cell by cell."""

from __future__ import annotations

import re

import numpy as np
import pytest

from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.bins import Average, Binned, empty_bins, of_points
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.chart import INKS, Line, Look, clipped, draw_chart, put_reading, within_range
from laddertop.tui.draw.dots import braille
from laddertop.tui.draw.markers import GUTTER, Marker
from laddertop.tui.draw.scale import Kind, early_bins, left_out, scale_for
from laddertop.tui.draw.spark import bar, draw_sparkline


def gathered(values: list[float] | np.ndarray, axis: XAxis, decay: float = 0.0, first: int = 1) -> Binned:
    """The values of the steps from `first` on in the bins of an axis."""
    array = np.asarray(values, float)
    bins = empty_bins()
    if not len(array):
        return bins
    at = axis.bins(first + np.arange(len(array)))
    starts = np.flatnonzero(np.diff(at, prepend=-2))
    smooth = Average(decay, 1).at_ends(array[:, None], starts)[0]
    for i, (start, end) in enumerate(zip(starts, [*starts[1:], len(array)], strict=True)):
        part, bin_ = array[start:end], at[start]
        if bin_ < 0:
            continue
        finite = part[np.isfinite(part)]
        bins.filled[bin_], bins.bad[bin_] = True, len(finite) < len(part)
        if len(finite):
            bins.low[bin_], bins.high[bin_], bins.smooth[bin_] = finite.min(), finite.max(), smooth[i]
    return bins


def chart(
    height: int,
    width: int,
    values: list[float] | np.ndarray,
    steps: tuple[float, float],
    *,
    decay: float = 0.0,
    first: int = 1,
    look: Look = Look("linear"),  # noqa: B008
    markers: tuple[Marker, ...] = (),
) -> Cells:
    """A chart of one curve over some steps."""
    axis = XAxis(*steps)
    return draw_chart(height, width, [Line(gathered(values, axis, decay, first))], axis, look, markers)


def test_braille_dots_have_their_standard_places() -> None:
    dots = np.zeros((4, 8), bool)
    for i, (row, column) in enumerate([(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 1), (3, 0), (3, 1)]):
        only = np.zeros((4, 2), bool)
        only[row, column] = True
        assert ord(braille(only)[0, 0]) == 0x2800 + (1 << i)
    dots[:, 2:4] = True
    assert "".join(braille(dots)[0]) == " ⣿  "


def test_a_straight_line_on_a_linear_axis() -> None:
    assert chart(5, 14, list(range(9)), (0, 8), first=0).text().splitlines() == [
        "     │      ⢀⠜",
        "    5┤    ⣀⠔⠁",
        "     │  ⡠⠊",
        "    0┤⡠⠊",
        "     └0────┴5─",
    ]


def test_the_axis_is_logarithmic_only_where_no_value_is_negative() -> None:
    axis = XAxis(0, 8)
    assert scale_for([gathered([1, 10, 100], axis)], "log") == (1.0, 100.0, "log")
    assert scale_for([gathered([-5, 10, 100], axis)], "log") == (-50.0, 100.0, "linear")
    assert scale_for([gathered([0, 0], axis)], "log") == (0.0, 1.0, "linear")
    assert scale_for([gathered([np.nan], axis)], "log") is None


def test_zeros_stand_at_the_foot_of_a_logarithmic_axis() -> None:
    scale = scale_for([gathered([0, 10, 100], XAxis(0, 8))], "log")
    assert scale == (10.0, 100.0, "log")
    assert scale.rows(np.array([0, -1e-9, 10, 100]), 9).tolist() == [0, 0, 0, 8]
    deep = scale_for([gathered([1e-30, 10], XAxis(0, 8))], "log")
    assert deep == (1e-5, 10.0, "log")


@pytest.mark.parametrize("kind", ["linear", "symlog", "log"])
def test_rounding_below_zero_gives_a_series_that_is_never_negative_no_negative_axis(kind: Kind) -> None:
    kl = scale_for([gathered([3.0, 0.4, -1e-6, 0.0], XAxis(0, 8))], kind)
    assert kl is not None
    assert kl.low >= 0
    negative = scale_for([gathered([3.0, -0.4], XAxis(0, 8))], "linear")
    assert negative is not None
    assert negative.low < 0


def test_the_smoothed_curve_stays_in_its_raw_range_where_that_falls_steeply() -> None:
    rng = np.random.default_rng(1)
    values = np.exp(np.where(np.arange(2000) < 900, 5.0, 1.0) + rng.normal(0, 0.1, 2000))
    line = Line(gathered(values, XAxis(0, 2000), decay=0.98))
    for width in (40, 80, 250):
        columns = within_range(line.binned.columns(width), 2)
        for x in range(width):
            near = slice(max(x - 2, 0), x + 3)
            assert np.nanmin(columns.low[near]) <= columns.smooth[x] <= np.nanmax(columns.high[near]), (width, x)
    # A cell beside the curve there is always a cell of the range that it summarises.
    drawn = draw_chart(24, 86, [line], XAxis(0, 2000), Look())
    far = [(y, x) for y, x in np.argwhere(drawn.inks[:23, GUTTER + 40 :] == Ink.CURVE) if y < 12]
    assert not far, "after the fall the curve hangs above what was recorded"


def test_the_smoothed_curve_is_as_smooth_as_before_where_nothing_falls() -> None:
    values = 5 + np.random.default_rng(1).normal(0, 1, 5000)
    columns = gathered(values, XAxis(0, 5000), decay=0.98).columns(160)
    np.testing.assert_array_equal(within_range(columns, 2).smooth, columns.smooth)
    single = gathered([1.0, 5.0, 2.0], XAxis(0, 3), decay=0.9).columns(300)
    np.testing.assert_array_equal(within_range(single, 2).smooth, single.smooth)


def test_the_y_axis_leaves_out_first_steps_that_would_take_most_of_it() -> None:
    axis = XAxis(0, 2000)
    values = np.full(2000, 100.0) + np.random.default_rng(0).normal(0, 3, 2000)
    values[:20] = np.geomspace(50_000, 110, 20)
    curve = [gathered(values, axis)]
    robust, whole = scale_for(curve, "log"), scale_for(curve, "log", "whole")
    assert robust is not None
    assert whole is not None
    assert (robust.high, whole.high) == (120.0, 50_000.0)
    assert left_out(curve, "log")
    assert early_bins(curve[0]) > 0
    # A spike later on is no first step, and a curve that keeps falling needs its beginning.
    values[1000] = 50_000
    assert not left_out([gathered(values, axis)], "log")
    assert not left_out([gathered(np.geomspace(100, 1, 2000), axis)], "log")
    assert not left_out([gathered([1e6, 1, 1, 1], axis)], "log"), "four steps have not settled"


def test_a_symlog_axis_shows_small_and_large_values_of_both_signs() -> None:
    scale = scale_for([gathered([-80, -0.5, 0, 0.5, 80], XAxis(0, 8))], "symlog")
    assert scale == (-100.0, 100.0, "symlog")
    rows = scale.rows(np.array([-100, -1, 0, 1, 100.0]), 101)
    assert rows[2] == 50
    assert (rows + rows[::-1] == 100).all()
    assert 10 < rows[3] - rows[2] < 40
    assert scale.ticks(9) == [-100.0, -10.0, -1.0, -0.1, 0.0, 0.1, 1.0, 10.0, 100.0]


def test_outliers_are_clipped_only_on_request_and_counted() -> None:
    values = np.ones(400)
    values[100] = 1e6
    axis = XAxis(1, 400)
    line = [Line(gathered(values, axis))]
    whole, cut = scale_for([line[0].binned], "log"), scale_for([line[0].binned], "log", "clipped")
    assert whole is not None
    assert cut is not None
    assert whole.high >= 1e6
    assert cut.high < 2
    assert clipped(line, Look("log")) == 0
    assert clipped(line, Look("log", "clipped")) == 1


def test_a_spike_of_one_step_among_many_stays_visible_at_every_zoom() -> None:
    values = np.ones(50_000)
    values[25_000] = 90
    for first, last in ((0, 50_000), (20_000, 30_000), (24_990, 25_010)):
        drawn = chart(10, 46, values, (first, last), decay=0.98, look=Look())
        top = "".join(drawn.chars[0, GUTTER:])
        column = GUTTER + len(top) - len(top.lstrip())
        assert top.strip() != ""
        assert abs(column - GUTTER - 40 * (25_001 - first) / (last - first)) <= 1
    assert (chart(10, 46, values, (0, 50_000), decay=0.98, look=Look()).chars[:9, GUTTER + 20] != " ").all()


def test_the_smoothed_line_is_drawn_over_the_raw_range() -> None:
    rng = np.random.default_rng(0)
    drawn = chart(12, 46, np.exp(rng.normal(0, 1, 5000)), (0, 5000), decay=0.98, look=Look())
    inks, there = drawn.inks[:11, GUTTER:], drawn.chars[:11, GUTTER:] != " "
    assert set(inks[there].tolist()) == {Ink.CURVE, Ink.FAINT}
    assert ((inks == Ink.CURVE) & there).any(0).all()


def test_nan_leaves_a_gap_and_a_red_tick() -> None:
    values = np.ones(100)
    values[40:60] = np.nan
    drawn = chart(5, 26, values, (0.5, 100.5))
    line = ((drawn.inks == Ink.CURVE) & (drawn.chars != " "))[:4, GUTTER:].any(0)
    assert line.tolist() == [True] * 8 + [False] * 4 + [True] * 8
    ticks = drawn.chars[4, GUTTER:] == "×"
    assert ticks.tolist() == [False] * 8 + [True] * 4 + [False] * 8
    assert (drawn.inks[4, GUTTER:][ticks] == Ink.BAD).all()


def test_infinities_count_as_gaps_too() -> None:
    assert (chart(5, 26, [1, np.inf, 2, -np.inf, 3], (1, 5)).chars[4] == "×").sum() == 2


def test_only_nan_and_nothing_at_all_are_said_in_words() -> None:
    assert "no finite value here" in chart(5, 40, [np.nan, np.inf], (0, 10)).text()
    assert "no steps here yet" in chart(5, 40, [], (0, 10)).text()


def test_charts_of_any_size_and_any_content_are_drawn() -> None:
    contents = [[], [0.0], [np.nan], [1e-30, 1e30], [-5.0, -5.0], [1.0] * 500, [np.inf, 1, -np.inf, 0]]
    for values in contents:
        for height in (0, 1, 2, 3, 9):
            for width in (0, 5, 9, 10, 11, 60, 700):
                for kind in ("log", "linear", "symlog"):
                    for plain in (True, False):
                        look = Look(kind, "clipped" if plain else "whole", ascii_only=plain, cursor=3.0)
                        drawn = chart(height, width, values, (0, 7), look=look, markers=(Marker(3, 3.0, "x"),))
                        assert (drawn.height, drawn.width) == (height, width)


def test_several_curves_have_an_ink_and_a_letter_each() -> None:
    axis = XAxis(0, 120)
    lines = [Line(gathered(np.full(100, value), axis)) for value in (1.0, 10.0, 100.0)]
    drawn = draw_chart(12, 66, lines, axis, Look("log"))
    for i, line in enumerate("abc"):
        (at,) = np.argwhere(drawn.chars == line)
        assert drawn.inks[tuple(at)] == INKS[i]
        assert 48 <= at[1] - GUTTER <= 52


@pytest.mark.parametrize("look", [Look(colourless=True), Look(ascii_only=True)])
def test_without_colours_eight_curves_bear_their_letters_even_where_they_lie_on_one_another(look: Look) -> None:
    axis = XAxis(0, 120)
    same = [Line(gathered(np.full(100, 5.0), axis))] * 8
    drawn = draw_chart(12, 86, same, axis, look).chars[:11, GUTTER:]
    for name in "abcdefgh":
        assert 4 <= (drawn == name).sum() <= 6, name  # along the curve, and at its end
    (row,) = np.flatnonzero((drawn == "a").any(1))
    assert "".join(drawn[row]).rstrip().endswith("abcdefgh")


def test_steps_that_a_resume_threw_away_are_drawn_dim_behind() -> None:
    axis = XAxis(0, 100)
    kept, gone = gathered(np.full(50, 1.0), axis), gathered(np.full(40, 5.0), axis, first=51)
    alone = draw_chart(10, 56, [Line(kept)], axis, Look("linear"))
    drawn = draw_chart(10, 56, [Line(kept, gone)], axis, Look("linear"))
    more = (drawn.chars != " ") & (alone.chars == " ")
    assert more[:9, GUTTER + 26 :].any()
    assert (drawn.inks[:9][more[:9]] == Ink.FAINT).all()


def test_markers_stand_at_their_step_with_their_label_where_it_fits() -> None:
    deeds = [(12, "lr 0.1"), (95, "noise on"), (2000, "beyond")]
    markers = tuple(Marker(step, step / 2, label) for step, label in deeds)
    drawn = chart(6, 106, np.linspace(5, 1, 100), (0, 100), look=Look(), markers=markers)
    top = "".join(drawn.chars[0])
    assert top[GUTTER + 12 :].startswith("▼lr 0.1 ")
    assert top.rstrip().endswith(" noise on▼")
    assert "beyond" not in top
    assert drawn.chars[1, GUTTER + 95] == "│"


def test_no_marker_swallows_another_without_counting_it() -> None:
    every = [
        (9, "noise off"),
        (12, "lr 0.1"),
        (14, "lr 0.2"),
        (60, "noise on"),
        (61, "lr 0.3"),
        (97, "β 2"),
        (98, "β 3"),
    ]
    for count in range(1, len(every) + 1):
        for width in (40, 60, 106, 200):
            markers = tuple(Marker(step, step / 2, label) for step, label in every[:count])
            drawn = chart(6, width, np.linspace(5, 1, 100), (0, 100), look=Look(), markers=markers)
            top = "".join(drawn.chars[0, GUTTER:])
            told = top.count("▼") + sum(int(more) for more in re.findall(r" \+(\d+)", top))
            assert told == count, (count, width, top)
    near = (Marker(3, 0, "lr 0.1"), Marker(4, 0, "noise off"))
    assert "▼noise off +1" in chart(6, 106, [1.0], (0, 100), markers=near).text()
    far = (Marker(10, 0, "lr 0.1"), Marker(51, 0, "noise off"))
    assert "+1" not in chart(6, 106, [1.0], (0, 100), markers=far).text()


def test_markers_stand_at_their_time_on_an_axis_of_time() -> None:
    axis = XAxis(0, 100, "time")
    drawn = draw_chart(6, 106, [Line(empty_bins())], axis, Look(), [Marker(7, 50.0, "lr 0.1")])
    assert drawn.chars[0, GUTTER + 50] == "▼"


def test_checkpoints_evaluations_and_resumes_have_their_signs() -> None:
    markers = (
        Marker(10, 0, "", "checkpoint"),
        Marker(30, 0, "", "evaluation"),
        Marker(40, 0, "layer 2", "stage"),
        Marker(60, 0, "resumed", "resume"),
        Marker(80, 0, "to 80", "rollback"),
    )
    drawn = chart(6, 106, np.linspace(5, 1, 100), (0, 100), markers=markers)
    assert drawn.chars[5, GUTTER + 10] == "◆"
    assert drawn.chars[5, GUTTER + 30] == "╵"
    assert "".join(drawn.chars[0, GUTTER + 40 :]).startswith("▷layer 2 ")
    assert "".join(drawn.chars[0, GUTTER + 60 :]).startswith("↻resumed ")
    assert "".join(drawn.chars[0, GUTTER + 80 :]).startswith("↶to 80 ")


def test_a_cursor_is_a_line_through_what_is_empty() -> None:
    drawn = chart(6, 106, np.linspace(5, 1, 100), (0, 100), look=Look("linear", cursor=40.0))
    assert drawn.chars[5, GUTTER + 40] == "▲"
    assert (drawn.chars[:5, GUTTER + 40] != " ").all()


def test_what_is_told_of_the_cursor_leaves_no_part_of_a_tick_beside_it() -> None:
    for step in range(300, 1000, 7):
        cells = chart(6, 76, np.arange(1.0, 1001.0), (0, 1000), look=Look("linear", cursor=float(step)))
        put_reading(cells, [f"step {step}", "a mark without room, as long as the whole axis is or longer than that"])
        row = cells.text().splitlines()[-1]
        assert re.search(rf"▲step {step}( [─┴]|$)|[─┴] step {step}▲", row), row


def test_an_ascii_chart_is_ascii_but_for_its_frame() -> None:
    drawn = chart(8, 40, np.linspace(5, 1, 100), (1, 100), decay=0.9, look=Look(ascii_only=True))
    assert set("".join(drawn.chars[:7, GUTTER:].ravel())) <= set(" *:")


def test_a_new_point_touches_few_cells() -> None:
    values = np.exp(np.random.default_rng(3).normal(0, 0.3, 20_000))
    before = chart(16, 80, values, (0, 45_000), decay=0.98, look=Look())
    after = chart(16, 80, np.append(values, np.full(300, 1.0)), (0, 45_000), decay=0.98, look=Look())
    different = (before.chars != after.chars) | (before.inks != after.inks)
    assert 0 < different.sum() <= 2 * 16
    assert different.any(0).sum() <= 2


def test_evaluations_are_points_joined_by_lines() -> None:
    axis = XAxis(0, 100)
    bins = of_points(axis, np.array([10.0, 50.0, 200.0]), np.array([3.0, np.nan, 1.0]))
    assert bins.filled.sum() == 2
    assert bins.bad.sum() == 1
    assert np.nanmax(bins.high) == 3


def test_only_cells_that_changed_are_named() -> None:
    before, after = Cells(3, 40), Cells(3, 40)
    for cells in (before, after):
        cells.put(0, 0, "abc")
    after.put(1, 4, "x")
    after.put(1, 30, "xy")
    after.put(2, 2, " ", Ink.BAD)
    after.put(2, 5, "z")
    assert after.changed_spans(before) == [(1, 4, 5), (1, 30, 32), (2, 2, 6)]
    assert after.changed_spans(after) == []
    assert after.changed_spans(Cells(2, 40)) == [(0, 0, 40), (1, 0, 40), (2, 0, 40)]


def test_sparklines_share_a_scale() -> None:
    axis = XAxis(1, 64)
    falling, flat = gathered(np.geomspace(100, 1, 64), axis), gathered(np.full(64, 10.0), axis)
    scale = scale_for([falling, flat], "log")
    assert draw_sparkline(1, 8, falling, scale).text() == "▇▆▅▅▄▃▂▁"
    assert draw_sparkline(1, 8, flat, scale).text() in ("▄▄▄▄▄▄▄▄", "▅▅▅▅▅▅▅▅")
    tall = draw_sparkline(2, 8, falling, scale).text().splitlines()
    assert tall[0].rstrip() == tall[0]
    assert tall[1].startswith("████")


def test_a_bar_shows_half_columns() -> None:
    assert bar(0.5, 10) == ("━━━━━", "─────")
    assert bar(0.26, 10) == ("━━╸", "───────")
    assert bar(float("nan"), 4) == ("", "────")
    assert bar(7, 4) == ("━━━━", "")
