"""The bounds of a y axis, where somebody has set them."""

from __future__ import annotations

import numpy as np
import pytest

from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.chart import Line, Look, draw_chart, kind_in_words, left_out_in_words
from laddertop.tui.draw.scale import Kind, bounds_of, scale_for
from tests.tui.test_charts import gathered


@pytest.mark.parametrize("kind", ["log", "linear", "symlog"])
def test_set_bounds_are_the_ends_of_the_axis_and_what_lies_beyond_is_counted(kind: Kind) -> None:
    curve = [Line(gathered(np.geomspace(1000, 0.5, 400), XAxis(0, 400)))]
    look = Look(kind, bounds=(2.0, 30.0))
    scale = scale_for([curve[0].binned], kind, bounds=look.bounds)
    assert scale is not None
    assert (scale.low, scale.high, scale.kind) == (2.0, 30.0, kind)
    assert all(2 <= tick <= 30 for tick in scale.ticks(6)), "also no zero of a symlog axis"
    assert left_out_in_words(curve, [np.arange(512)], look) == "y 2 … 30, 64 % beyond", "ln 15 of ln 2000 lies within"
    assert left_out_in_words(curve, [np.arange(512)], Look(kind, bounds=(0.1, 2e3))) == "y 0.1 … 2 000"
    rows = draw_chart(12, 60, curve, XAxis(0, 400), look).text().splitlines()
    assert rows[0].strip("┤│ ⠉⠑⠒⠊⠈1234567890."), "what is too large stands at the upper edge"


def test_bounds_that_a_logarithm_can_not_have_make_the_axis_linear_and_it_says_so() -> None:
    curve = [Line(gathered(np.geomspace(1000, 0.5, 400), XAxis(0, 400)))]
    assert kind_in_words(curve, Look("log", bounds=(-1.0, 5.0))) == "linear (not positive)"
    assert kind_in_words(curve, Look("log", bounds=(0.1, 5.0))) == "log"
    nothing = [Line(gathered([np.nan], XAxis(0, 400)))]
    assert "no finite value here" in draw_chart(9, 60, nothing, XAxis(0, 400), Look(bounds=(0.1, 5.0))).text()


WRONG = ("1", "1 2 3", "low high", "2 2", "3 2", "0 inf", "nan 2")


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("0.1 2", (0.1, 2.0)), (" -1e-3,5 ", (-0.001, 5.0)), ("2 … 30", (2.0, 30.0)), ("auto", None), ("", None),
        *((wrong, f"the smaller first, .*; not '{wrong}'") for wrong in WRONG),
    ],
)  # fmt: skip
def test_bounds_are_two_numbers_the_smaller_first_or_auto(text: str, bounds: tuple[float, float] | str | None) -> None:
    if isinstance(bounds, str):
        with pytest.raises(ValueError, match=bounds):
            bounds_of(text)
    else:
        assert bounds_of(text) == bounds
