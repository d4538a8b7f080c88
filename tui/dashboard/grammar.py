"""The keys that mean one thing wherever they mean something: every screen of the dashboard binds them from here."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

_SIGNS = {
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "minus": "-",
    "plus": "+",
    "question_mark": "?",
    "equals_sign": "=",
    "right": "→",
    "left": "←",
    "down": "↓",
    "up": "↑",
    "right_curly_bracket": "}",
    "left_curly_bracket": "{",
    "comma": ",",
    "full_stop": ".",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
}


def key_sign(keys: str) -> str:
    """Keys of a binding as they are printed on the keyboard."""
    return " ".join(_SIGNS.get(key, key) for key in keys.split(","))


BACK = Binding("escape", "app.back", "back: ends a cursor or search, else to the screen before")
CLOSE = Binding("q", "app.close", "leave this screen for the one it was opened from; from the first one, the dashboard")
LEAVE = Binding("d", "app.leave", "detach: the dashboard ends, trainings go on")
RUNS = Binding("r", "app.runs", "all runs")
HELP = Binding("question_mark,f1", "help", "this help")
PALETTE = Binding("ctrl+p", "app.command_palette", "every command by name; sets any knob to any value", show=False)

EVERYWHERE: list[BindingType] = [BACK, CLOSE, LEAVE, RUNS, HELP, PALETTE]
"""What every screen binds that is no form: in a form letters are text."""

ON_CHARTS: list[Binding] = [
    Binding("K", "bounds", "y axis: from one value to another, or auto (asks)"),
    Binding("L", "log_x", "x axis: logarithmic or linear"),
    Binding("x", "unit", "x axis: steps, epochs, wall time"),
    Binding("plus,equals_sign", "zoom(0.5)", "zoom in, at the cursor or the end"),
    Binding("minus", "zoom(2)", "zoom out"),
    Binding("comma", "pan(-0.5)", "pan to earlier steps"),
    Binding("full_stop", "pan(0.5)", "pan to later steps"),
    Binding("home", "whole", "the whole run"),
    Binding("end", "follow", "follow the end of the run; again: its newest tenth"),
    Binding("left", "cursor(-1)", "cursor to the left, in all charts"),
    Binding("right", "cursor(1)", "cursor to the right"),
    Binding("shift+left", "cursor(-10)", "cursor ten columns to the left"),
    Binding("shift+right", "cursor(10)", "cursor ten columns to the right"),
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
