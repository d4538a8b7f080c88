"""How inks look. 256-colour palette on the terminal's own background; without colour, attributes."""

from __future__ import annotations

from functools import cache

from rich.color import Color
from rich.style import Style

from tui.draw.cells import GREY_LEVELS, Ink

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


@cache
def style(ink: int, no_color: bool = False) -> Style:
    """The style of an ink."""
    if ink >= Ink.GREYS:
        light, paper = divmod(ink - Ink.GREYS, GREY_LEVELS)
        return Style(color=Color.from_ansi(_GREYS[light]), bgcolor=Color.from_ansi(_GREYS[paper]))
    return (_COLOURLESS if no_color else _COLOURED)[Ink(ink)]
