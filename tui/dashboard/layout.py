"""Where the panels of the run screen lie, for every size of terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

MIN_WIDTH, MIN_HEIGHT = 60, 15


class Place(NamedTuple):
    """Where a panel lies, in cells."""

    x: int
    y: int
    width: int
    height: int


GUIDE_WIDTH, GUIDE_HEIGHT = 38, 8
"""Columns of a lesson's guide beside the dashboard, a rule between them included, and rows below it."""


class Beside(NamedTuple):
    """How dashboard and guide share a terminal."""

    width: int
    """Of the dashboard, whose corner is that of the terminal."""
    height: int
    guide: Place


def beside(width: int, height: int) -> Beside:
    """The guide stands beside the dashboard where 80 columns are left to that, else below it."""
    if width >= 80 + GUIDE_WIDTH:
        guide = min(GUIDE_WIDTH + (width - 80 - GUIDE_WIDTH) // 4, 60)
        return Beside(width - guide, height, Place(width - guide + 1, 0, guide - 1, height))
    rows = min(max(height - MIN_HEIGHT - 1, GUIDE_HEIGHT // 2), GUIDE_HEIGHT + (height - 24) // 3)
    return Beside(width, height - rows, Place(0, height - rows, width, rows))


def too_small(width: int, height: int) -> bool:
    """Whether the terminal is too small for any screen."""
    return width < MIN_WIDTH or height < MIN_HEIGHT


def arrange(
    width: int, height: int, middle: Sequence[str], least: Mapping[str, int], chosen: str, maximised: bool
) -> dict[str, Place]:
    """Places by panel; a panel without a place is hidden.

    `middle` are the panels that share the middle: the charts, the terms, and others, at least two. `least` are the rows
    that banner, knobs and terms need, titles included, none for a banner with nothing to say; `chosen` is the panel
    that tab arrived at, `maximised` gives it the whole middle.
    """
    charts, terms, *others = middle
    event_rows = 5 if height >= 45 else 3 if height >= 30 else 1
    knob_rows, term_rows = least["knobs"], least[terms]
    places = {
        "status": Place(0, 0, width, 1),
        "knobs": Place(0, height - knob_rows - event_rows, width, knob_rows),
        "events": Place(0, height - event_rows, width, event_rows),
    }
    top = 1 + least["banner"]
    rows = height - top - knob_rows - event_rows
    if least["banner"]:
        places["banner"] = Place(0, 1, width, least["banner"])
    if maximised:
        return places | {chosen: Place(0, top, width, rows)}
    if width >= 100 and rows >= 22:
        left, right = others[0], chosen if chosen in others[1:] else others[1]
        return places | _grid(top, width, rows, term_rows, (charts, terms, left, right))
    if width >= 140:
        third = others[0] if chosen in (charts, terms) else chosen
        return places | _row(top, width, rows, (charts, terms, third))
    lower = terms if chosen == charts else chosen
    if rows >= 34:
        lower = others[0] if lower == terms else lower
        upper = max(rows - term_rows - 16, 9)
        return places | {
            charts: Place(0, top, width, upper),
            terms: Place(0, top + upper, width, term_rows),
            lower: Place(0, top + upper + term_rows, width, rows - upper - term_rows),
        }
    below = min(max(term_rows, rows // 2), max(rows - 8, rows // 2))
    return places | {
        charts: Place(0, top, width, rows - below),
        lower: Place(0, top + rows - below, width, below),
    }


def terms_width(width: int) -> int:
    """Columns of the terms where charts and terms stand side by side."""
    return width if width < 100 else 62 if width < 150 else 84 if width >= 180 else 68


def _grid(top: int, width: int, rows: int, term_rows: int, names: tuple[str, str, str, str]) -> dict[str, Place]:
    """Charts and terms above, two others below."""
    upper = max(term_rows, rows // 2)
    terms = terms_width(width)
    left = min(width // 2, 76)
    places = (
        Place(0, top, width - terms - 1, upper),
        Place(width - terms, top, terms, upper),
        Place(0, top + upper, left, rows - upper),
        Place(left + 1, top + upper, width - left - 1, rows - upper),
    )
    return dict(zip(names, places, strict=True))


def _row(top: int, width: int, rows: int, names: tuple[str, str, str]) -> dict[str, Place]:
    """Charts, terms and another, side by side."""
    charts = width - 108
    places = (
        Place(0, top, charts - 1, rows),
        Place(charts, top, 56, rows),
        Place(charts + 57, top, width - charts - 57, rows),
    )
    return dict(zip(names, places, strict=True))
