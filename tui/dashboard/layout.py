"""Where the panels of the run screen lie, for every size of terminal."""

from __future__ import annotations

from typing import NamedTuple

MIN_WIDTH, MIN_HEIGHT = 60, 15

PANELS = ("cost", "terms", "layers", "samples")
"""The panels that share the middle of the screen, in the order in which tab goes through them."""


class Place(NamedTuple):
    """Where a panel lies, in cells."""

    x: int
    y: int
    width: int
    height: int


def too_small(width: int, height: int) -> bool:
    """Whether the terminal is too small for any screen."""
    return width < MIN_WIDTH or height < MIN_HEIGHT


def arrange(width: int, height: int, knob_rows: int, term_rows: int, chosen: str, maximised: bool) -> dict[str, Place]:
    """Places by panel; a panel without a place is hidden.

    `knob_rows` and `term_rows` are the rows that the knobs and the terms need, titles included; `chosen` is the panel
    that tab arrived at, `maximised` gives it the whole middle.
    """
    event_rows = 5 if height >= 45 else 3 if height >= 30 else 1
    places = {
        "status": Place(0, 0, width, 1),
        "knobs": Place(0, height - knob_rows - event_rows, width, knob_rows),
        "history": Place(0, height - event_rows, width, event_rows),
    }
    top, rows = 1, height - 1 - knob_rows - event_rows
    if maximised:
        return places | {chosen: Place(0, top, width, rows)}
    if width >= 100 and rows >= 22:
        return places | _grid(top, width, rows, term_rows)
    if width >= 140:
        return places | _row(top, width, rows, chosen)
    lower = "terms" if chosen == "cost" else chosen
    if rows >= 34:
        lower = "layers" if lower == "terms" else lower
        cost = max(rows - term_rows - 16, 9)
        return places | {
            "cost": Place(0, top, width, cost),
            "terms": Place(0, top + cost, width, term_rows),
            lower: Place(0, top + cost + term_rows, width, rows - cost - term_rows),
        }
    below = min(max(term_rows, rows // 2), max(rows - 8, rows // 2))
    return places | {
        "cost": Place(0, top, width, rows - below),
        lower: Place(0, top + rows - below, width, below),
    }


def terms_width(width: int) -> int:
    """Columns of the terms where cost and terms stand side by side."""
    return width if width < 100 else 62 if width < 150 else 84 if width >= 180 else 68


def _grid(top: int, width: int, rows: int, term_rows: int) -> dict[str, Place]:
    """Cost and terms above, layers and samples below."""
    upper = max(term_rows, rows // 2)
    terms = terms_width(width)
    layers = min(width // 2, 76)
    return {
        "cost": Place(0, top, width - terms - 1, upper),
        "terms": Place(width - terms, top, terms, upper),
        "layers": Place(0, top + upper, layers, rows - upper),
        "samples": Place(layers + 1, top + upper, width - layers - 1, rows - upper),
    }


def _row(top: int, width: int, rows: int, chosen: str) -> dict[str, Place]:
    """Cost, terms, and the chosen one of the others, side by side."""
    third = "layers" if chosen in ("cost", "terms") else chosen
    cost = width - 108
    return {
        "cost": Place(0, top, cost - 1, rows),
        "terms": Place(cost, top, 56, rows),
        third: Place(cost + 57, top, width - cost - 57, rows),
    }
