"""The keys that mean one thing wherever they mean something: every screen of the dashboard binds them from here."""

from __future__ import annotations

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
}


def key_sign(keys: str) -> str:
    """Keys of a binding as they are printed on the keyboard."""
    return " ".join(_SIGNS.get(key, key) for key in keys.split(","))


BACK = Binding("escape", "app.back", "back: ends a cursor or a search, else goes to the screen before")
CLOSE = Binding("q", "app.close", "leave this screen for the one it was opened from; from the first one, the dashboard")
LEAVE = Binding("d", "app.leave", "detach: the dashboard ends, trainings go on")
RUNS = Binding("r", "app.runs", "all runs")
HELP = Binding("question_mark,f1", "help", "this help")
PALETTE = Binding("ctrl+p", "app.command_palette", "every command by name; sets any knob to any value", show=False)

EVERYWHERE: list[BindingType] = [BACK, CLOSE, LEAVE, RUNS, HELP, PALETTE]
"""What every screen binds that is no form: in a form letters are text."""
