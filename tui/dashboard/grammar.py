"""The keys that mean one thing wherever they mean something: every screen of the dashboard binds them from here."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from laddertop.tui.steer.keymap import keys_of
from laddertop.tui.steer.keys import PLACES, key_sign


def bind(name: str, does: str, *, priority: bool = False, show: bool = True) -> Binding:
    """What a screen does for the key of that name; see laddertop.tui.steer.keys. With `priority` it comes before what
    textual itself does with the key."""
    place, _, what = name.partition(".")
    key = PLACES[place][what]
    return Binding(key.keys, does, key.about, id=name, priority=priority, show=show)


def sign_now(binding: Binding) -> str:
    """The keys of a binding as they are printed on the keyboard, those that the user gave it where there are any."""
    return key_sign(keys_of(binding.id) if binding.id else binding.key)


BACK = bind("everywhere.back", "app.back")
CLOSE = bind("everywhere.close", "app.close")
LEAVE = bind("everywhere.leave", "app.leave")
RUNS = bind("everywhere.runs", "app.runs")
HELP = bind("everywhere.help", "help")
PALETTE = bind("everywhere.commands", "app.command_palette", show=False)

EVERYWHERE: list[BindingType] = [BACK, CLOSE, LEAVE, RUNS, HELP, PALETTE]
"""What every screen binds that is no form: in a form letters are text."""

ON_CHARTS: list[Binding] = [
    bind("charts.bounds", "bounds"),
    bind("charts.log-x", "log_x"),
    bind("charts.unit", "unit"),
    bind("charts.zoom-in", "zoom(0.5)"),
    bind("charts.zoom-out", "zoom(2)"),
    bind("charts.earlier", "pan(-0.5)"),
    bind("charts.later", "pan(0.5)"),
    bind("charts.whole", "whole"),
    bind("charts.follow", "follow"),
    bind("charts.left", "cursor(-1)"),
    bind("charts.right", "cursor(1)"),
    bind("charts.far-left", "cursor(-10)"),
    bind("charts.far-right", "cursor(10)"),
]
"""What every screen with charts binds; laddertop.tui.dashboard.screens.chart_screen does it."""

MOUSE_ON_CHARTS = (
    ("hover", "on a chart: the values of the nearest step, as the cursor reads them out"),
    ("wheel", "on a chart: zoom in and out, around what is under the mouse"),
    ("click", "on a chart: the cursor goes there, or to what a marker marks"),
)
"""What is done with the mouse where there are charts, and what it means there."""


def mouse_rows(meanings: Iterable[tuple[str, str]]) -> list[BindingType]:
    """The same of a screen for its help: what is done stands in the place of the key; and where it means nothing."""
    nothing = "the mouse means nothing; with shift held the terminal itself selects text"
    return [Binding(deed, "", meaning) for deed, meaning in (*meanings, ("elsewhere", nothing))]
