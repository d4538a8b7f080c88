"""How inks look, on the terminal's own background: in 256 colours, in 16, and without any."""

from __future__ import annotations

from functools import cache
from typing import Literal

from rich.color import Color
from rich.style import Style
from textual.app import App

from tui.draw.cells import CUBE, GREY_LEVELS, Ink

_GREYS = (16, 233, 234, 236, 237, 239, 240, 242, 243, 245, 246, 248, 250, 252, 254, 231)
"""Palette entries for grey levels 0 … 15."""

_COLOURED = {
    Ink.TEXT: Style(),
    Ink.DIM: Style(color=Color.from_ansi(245)),
    Ink.FAINT: Style(color=Color.from_ansi(240)),
    Ink.STRONG: Style(bold=True),
    Ink.CURVE: Style(color=Color.from_ansi(74)),
    Ink.MARK: Style(color=Color.from_ansi(179)),
    Ink.GOOD: Style(color=Color.from_ansi(71)),
    Ink.WARN: Style(color=Color.from_ansi(208)),
    Ink.BAD: Style(color=Color.from_ansi(167), bold=True),
    Ink.SECOND: Style(color=Color.from_ansi(139)),
    Ink.KEY: Style(color=Color.from_ansi(74), bold=True),
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
}

_CLASSES = {"256": (67, 208, 71, 167, 140, 137, 175, 250, 143, 80), "16": (4, 3, 2, 1, 5, 6, 12, 7, 11, 14)}
"""Palette entries for the ten classes."""

Colours = Literal["none", "16", "256"]


def colours_of(app: App[object]) -> Colours:
    """How many colours the terminal of an app has, or may use."""
    if app.no_color:
        return "none"
    return "16" if app.console.color_system == "standard" else "256"


@cache
def style(ink: int, colours: Colours) -> Style:
    """The style of an ink."""
    if ink >= Ink.COLOURS:
        light, paper = divmod(ink - Ink.COLOURS, CUBE)
        return Style(color=Color.from_ansi(16 + light), bgcolor=Color.from_ansi(16 + paper))
    if ink >= Ink.GREYS:
        light, paper = divmod(ink - Ink.GREYS, GREY_LEVELS)
        return Style(color=Color.from_ansi(_GREYS[light]), bgcolor=Color.from_ansi(_GREYS[paper]))
    if ink >= Ink.CLASSES:
        return Style() if colours == "none" else Style(color=Color.from_ansi(_CLASSES[colours][ink - Ink.CLASSES]))
    return {"none": _COLOURLESS, "16": _SIXTEEN, "256": _COLOURED}[colours][Ink(ink)]
