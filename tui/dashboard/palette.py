"""How inks look, on the terminal's own background: in 256 colours, in 16, and without any."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

from rich.color import Color
from rich.style import Style
from textual.app import App

from laddertop.tui.dashboard.background import Paper
from laddertop.tui.draw.cells import CUBE, GREY_LEVELS, Ink
from laddertop.tui.draw.pixels import palette

_GREYS = (16, 233, 234, 236, 237, 239, 240, 242, 243, 245, 246, 248, 250, 252, 254, 231)
"""Palette entries for grey levels 0 … 15."""

_COLOURED = {
    Ink.TEXT: Style(),
    Ink.DIM: Style(color=Color.from_ansi(245)),
    Ink.FAINT: Style(color=Color.from_ansi(241)),
    Ink.STRONG: Style(bold=True),
    Ink.CURVE: Style(color=Color.from_ansi(74)),
    Ink.MARK: Style(color=Color.from_ansi(179)),
    Ink.GOOD: Style(color=Color.from_ansi(71)),
    Ink.WARN: Style(color=Color.from_ansi(208)),
    Ink.BAD: Style(color=Color.from_ansi(167), bold=True),
    Ink.SECOND: Style(color=Color.from_ansi(139)),
    Ink.KEY: Style(color=Color.from_ansi(74), bold=True),
    Ink.SEVENTH: Style(color=Color.from_ansi(99)),
    Ink.EIGHTH: Style(color=Color.from_ansi(195)),
}

_COLOURLESS = {
    **{ink: Style() for ink in _COLOURED},
    Ink.DIM: Style(dim=True),
    Ink.FAINT: Style(dim=True),
    Ink.STRONG: Style(bold=True),
    Ink.CURVE: Style(bold=True),
    Ink.KEY: Style(bold=True),
    Ink.WARN: Style(bold=True),
    Ink.BAD: Style(reverse=True),
}


_SIXTEEN = {
    **_COLOURED,
    Ink.DIM: Style(color=Color.from_ansi(8)),
    Ink.FAINT: Style(color=Color.from_ansi(8)),
    Ink.CURVE: Style(color=Color.from_ansi(6)),
    Ink.MARK: Style(color=Color.from_ansi(3)),
    Ink.GOOD: Style(color=Color.from_ansi(2)),
    Ink.WARN: Style(color=Color.from_ansi(11)),
    Ink.BAD: Style(color=Color.from_ansi(9), bold=True),
    Ink.SECOND: Style(color=Color.from_ansi(5)),
    Ink.KEY: Style(color=Color.from_ansi(6), bold=True),
    Ink.SEVENTH: Style(color=Color.from_ansi(12)),
    Ink.EIGHTH: Style(color=Color.from_ansi(15)),
}

_CLASSES: dict[tuple[str, Paper], tuple[int, ...]] = {
    ("256", "dark"): (67, 208, 71, 167, 140, 137, 175, 250, 143, 80),
    ("256", "light"): (25, 130, 28, 160, 91, 52, 162, 242, 58, 23),
    ("16", "dark"): (4, 3, 2, 1, 5, 6, 12, 7, 11, 14),
    ("16", "light"): (4, 3, 2, 1, 5, 6, 12, 8, 9, 13),
}
"""Palette entries for the ten classes."""

_LIGHT: dict[int, tuple[int, int]] = {
    Ink.DIM: (241, 8), Ink.FAINT: (246, 7), Ink.CURVE: (25, 4), Ink.MARK: (23, 6), Ink.GOOD: (28, 2),
    Ink.WARN: (130, 3), Ink.BAD: (160, 1), Ink.SECOND: (90, 5), Ink.KEY: (25, 4),
    Ink.SEVENTH: (57, 12), Ink.EIGHTH: (16, 0),
}  # fmt: skip
_THEMED: dict[str, dict[Paper, dict[int, tuple[int, int]]]] = {
    "usual": {"dark": {}, "light": _LIGHT},
    # On black blue, orange, yellow, vermilion, sky blue, reddish purple after Okabe & Ito, then violet and white; on
    # white darker ones, as far apart: red-green blindness tells them apart.
    "colour-blind": {
        "dark": {
            Ink.CURVE: (74, 6), Ink.MARK: (227, 3), Ink.GOOD: (32, 12), Ink.WARN: (214, 11), Ink.BAD: (203, 13),
            Ink.SECOND: (168, 5), Ink.KEY: (74, 14), Ink.SEVENTH: (99, 4), Ink.EIGHTH: (255, 15),
        },
        "light": _LIGHT | {
            Ink.CURVE: (24, 6), Ink.MARK: (29, 2), Ink.GOOD: (20, 4), Ink.WARN: (130, 3), Ink.BAD: (88, 1),
            Ink.SECOND: (91, 5), Ink.KEY: (24, 6), Ink.SEVENTH: (17, 12),
        },
    },
    "contrast": {
        "dark": {
            Ink.DIM: (252, 7), Ink.FAINT: (248, 7), Ink.CURVE: (51, 14), Ink.MARK: (226, 15), Ink.GOOD: (46, 10),
            Ink.WARN: (214, 11), Ink.BAD: (203, 9), Ink.SECOND: (213, 13), Ink.KEY: (51, 14),
            Ink.SEVENTH: (75, 12), Ink.EIGHTH: (224, 7),
        },
        "light": _LIGHT | {
            Ink.DIM: (238, 8), Ink.FAINT: (244, 8), Ink.CURVE: (24, 6), Ink.MARK: (91, 4), Ink.GOOD: (22, 2),
            Ink.WARN: (52, 3), Ink.BAD: (124, 1), Ink.SECOND: (125, 5), Ink.KEY: (24, 6), Ink.SEVENTH: (20, 12),
        },
    },
}  # fmt: skip
"""Palette entries by theme, background and ink where they are not the usual on black: with 256 colours, with 16."""
THEMES = tuple(_THEMED)
"""Names of the themes, the usual one first."""
PAPERS: tuple[Paper, ...] = ("dark", "light")


class Colours(NamedTuple):
    """Which colours a terminal shows."""

    depth: Literal["none", "16", "256"]
    theme: str
    paper: Paper
    """The terminal's own background."""


def colours_of(app: App[object]) -> Colours:
    """How many colours the terminal of an app has, or may use, on which background, and which the user likes."""
    # An app of textual's own, as tests use it, has no theme of ours.
    theme, paper = getattr(app, "colours", (THEMES[0], PAPERS[0]))
    if app.no_color:
        return Colours("none", theme, paper)
    return Colours("16" if app.console.color_system == "standard" else "256", theme, paper)


@cache
def style(ink: int, look: Colours) -> Style:
    """The style of an ink."""
    colours = look.depth
    if ink >= Ink.IMAGES:
        return Style(color=Color.from_ansi(palette(ink - Ink.IMAGES)))
    if ink >= Ink.COLOURS:
        light, paper = divmod(ink - Ink.COLOURS, CUBE)
        return Style(color=Color.from_ansi(16 + light), bgcolor=Color.from_ansi(16 + paper))
    if ink >= Ink.GREYS:
        light, paper = divmod(ink - Ink.GREYS, GREY_LEVELS)
        return Style(color=Color.from_ansi(_GREYS[light]), bgcolor=Color.from_ansi(_GREYS[paper]))
    if ink >= Ink.CLASSES:
        return (
            Style()
            if colours == "none"
            else Style(color=Color.from_ansi(_CLASSES[colours, look.paper][ink - Ink.CLASSES]))
        )
    usual = {"none": _COLOURLESS, "16": _SIXTEEN, "256": _COLOURED}[colours][Ink(ink)]
    if colours != "none" and (themed := _THEMED[look.theme][look.paper].get(ink)):
        return Style(color=Color.from_ansi(themed[colours == "16"]), bold=usual.bold)
    return usual
