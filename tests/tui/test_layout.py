"""Every size of terminal gets an arrangement in which nothing overlaps and nothing is cut."""

from __future__ import annotations

import pytest

from laddertop.tui.dashboard.layout import MIN_HEIGHT, MIN_WIDTH, arrange, too_small
from laddertop.tui.dashboard.panels import MIDDLE

SIZES = [(w, h) for w in (60, 79, 80, 99, 100, 120, 139, 140, 160, 200, 320) for h in (15, 23, 24, 30, 40, 50, 80)]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_panels_never_overlap_and_never_leave_the_screen(width: int, height: int) -> None:
    for term_rows in (5, 8, 13):
        least = {"banner": term_rows // 6, "knobs": 3 + (height >= 30), "terms": term_rows}
        for chosen in MIDDLE:
            for maximised in (False, True):
                places = arrange(width, height, MIDDLE, least, chosen, maximised)
                cells: set[tuple[int, int]] = set()
                for name, place in places.items():
                    assert place.width > 0, name
                    assert place.height > 0, name
                    assert place.x >= 0
                    assert place.x + place.width <= width, name
                    assert place.y + place.height <= height, name
                    mine = {
                        (x, y)
                        for x in range(place.x, place.x + place.width)
                        for y in range(place.y, place.y + place.height)
                    }
                    assert not mine & cells, name
                    cells |= mine
                assert {"status", "knobs", "events"} <= set(places)
                assert maximised or "cost" in places
                assert chosen in places


def test_80_by_24_shows_chart_and_terms_and_tab_brings_the_others() -> None:
    for chosen, lower in (("cost", "terms"), ("terms", "terms"), ("layers", "layers"), ("samples", "samples")):
        places = arrange(80, 24, MIDDLE, {"banner": 0, "knobs": 2, "terms": 12}, chosen, maximised=False)
        assert set(places) == {"status", "cost", lower, "knobs", "events"}
        assert places["cost"].height >= 8
        assert places[lower].height >= 10


def test_120_by_40_shows_everything() -> None:
    places = arrange(120, 40, MIDDLE, {"banner": 0, "knobs": 3, "terms": 13}, "cost", maximised=False)
    assert set(places) == {"status", *MIDDLE, "knobs", "events"}


def test_the_smallest_size_is_60_by_15() -> None:
    assert (MIN_WIDTH, MIN_HEIGHT) == (60, 15)
    assert too_small(59, 15)
    assert too_small(60, 14)
    assert not too_small(60, 15)
