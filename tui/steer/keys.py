"""Every key of the dashboard that can be given to something else, by the name of what it does.

A name is that of a place, a dot, and what the key does there: run.pause. Boxes and forms, where letters are text, keep
their keys. No textual here, so that a command can list them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from laddertop.journal.actions import ACTIONS

SIGNS = {
    **{"exclamation_mark": "!", "quotation_mark": '"', "number_sign": "#", "dollar_sign": "$", "percent_sign": "%"},
    **{"ampersand": "&", "apostrophe": "'", "left_parenthesis": "(", "right_parenthesis": ")", "asterisk": "*"},
    **{"plus": "+", "comma": ",", "minus": "-", "full_stop": ".", "slash": "/", "colon": ":", "semicolon": ";"},
    **{"less_than_sign": "<", "equals_sign": "=", "greater_than_sign": ">", "question_mark": "?", "at": "@"},
    **{"left_square_bracket": "[", "backslash": "\\", "right_square_bracket": "]", "circumflex_accent": "^"},
    **{"underscore": "_", "grave_accent": "`", "left_curly_bracket": "{", "vertical_line": "|"},
    **{"right_curly_bracket": "}", "tilde": "~", "left": "←", "right": "→", "up": "↑", "down": "↓"},
}
"""What is printed on a key that textual calls otherwise."""


class Key(NamedTuple):
    """What can be done with a key, and which it is usually."""

    keys: str
    """As textual has them, with commas between them."""
    about: str
    """What it does, for help and palette."""


def _asks(keys: str, action: str) -> Key:
    return Key(keys, next(about.words for name, about in ACTIONS.items() if name == action))


PLACES: Mapping[str, Mapping[str, Key]] = {
    "everywhere": {
        "back": Key("escape", "back: ends a cursor or search, else to the screen before"),
        "close": Key("q", "leave this screen for the one it was opened from; from the first one, the dashboard"),
        "leave": Key("d", "detach: the dashboard ends, trainings go on"),
        "runs": Key("r", "all runs"),
        "help": Key("question_mark,f1", "this help"),
        "commands": Key("ctrl+p", "every command by name; sets any knob to any value or course"),
        "shell": Key("ctrl+z", "back to the shell; its fg takes the dashboard up again"),
        "copy": Key("ctrl+y", "copy what is read here: the values under the cursor, a run's name"),
        "colours": Key("ctrl+t", "colours: usual, colour-blind, contrast"),
        "bell": Key("ctrl+n", "ring at an end, a divergence and a new best, or keep silent"),
    },
    "charts": {
        "bounds": Key("K", "y axis: from one value to another, or auto (asks)"),
        "log-x": Key("L", "x axis: logarithmic or linear"),
        "unit": Key("x", "x axis: steps, epochs, wall time"),
        "zoom-in": Key("plus,equals_sign", "zoom in, at the cursor or the end"),
        "zoom-out": Key("minus", "zoom out"),
        "earlier": Key("comma", "pan to earlier steps"),
        "later": Key("full_stop", "pan to later steps"),
        "whole": Key("home", "the whole run"),
        "follow": Key("end", "follow the end of the run; again: its newest tenth"),
        "left": Key("left", "cursor to the left, in all charts"),
        "right": Key("right", "cursor to the right"),
        "far-left": Key("shift+left", "cursor ten columns to the left"),
        "far-right": Key("shift+right", "cursor ten columns to the right"),
    },
    "run": {
        "pause": Key("space", "pause or continue the training"),
        "checkpoint": _asks("c", "checkpoint"),
        "evaluate": _asks("e", "evaluate"),
        "sample": _asks("s", "sample"),
        "undo": Key("u", "undo: send the values from before the last intervention"),
        "resume": Key("R", "resume a run whose engine is gone"),
        "fork": Key("f", "fork: a new run that goes on from a checkpoint of this one"),
        "roll-back": Key("Z", "send the run back to a checkpoint, from which it goes on"),
        "note": Key("N", "leave a note in the event log"),
        "stop": Key("S,ctrl+x", "stop the training (asks first)"),
        "layers": Key("2", "the layers: activations, gates, active units, and a map by class"),
        "latent": Key("3", "the latent space: map, prior, traversal, interpolation"),
        "explore": Key("4", "explore: denoise, fill in, classify, errors, generate, gradient field"),
        "samples": Key("5", "the samples, large, and over the training"),
        "machine": Key("M", "a line about the machine, or none: speed, processors, memory, GPUs"),
    },
    "looking": {
        "findings": Key(
            "exclamation_mark", "what was found to go wrong: what it means, and what helps, which enter sends"
        ),
        "interventions": Key("i", "interventions: every term before and after each"),
        "next-chart": Key("t,down", "next chart"),
        "previous-chart": Key("T,up", "previous chart"),
        "grid": Key("g", "all pinned charts at once, or one"),
        "choose": Key("slash", "choose and pin charts, with a filter"),
        "axis": Key("l", "y axis: logarithmic, linear, symlog"),
        "smooth": Key("z", "smoothing: EMA 0.98, 0.995, none, 0.9"),
        "range": Key("k", "y axis: without the first steps, all values, without outliers"),
        "drawing": Key("v", "next way to draw the samples"),
        "next-panel": Key("tab", "next panel"),
        "previous-panel": Key("shift+tab", "previous panel"),
        "maximise": Key("m", "give the chosen panel the whole screen, or take it back"),
    },
    "list": {
        "open": Key("enter", "open the run"),
        "new": Key("n", "new run"),
        "resume": Key("R", "resume a run whose engine is gone"),
        "fork": Key("f", "fork: a new run that goes on from a checkpoint of this one"),
        "mark": Key("space", "mark the run for a comparison, or take the mark away"),
        "compare": Key("c", "compare the marked runs"),
        "replay": Key("p", "play the run again on its own screen"),
        "search": Key("slash", "search: show only runs that fit"),
        "order": Key("s", "order by the next thing"),
        "reverse": Key("S", "turn the order round"),
        "rename": Key("E,f2", "another name for the run"),
        "note": Key("N", "keep a line of text about the run"),
        "archive": Key("a", "archive the run, or take it back"),
        "archived": Key("A", "show archived runs too, or no longer"),
        "delete": Key("x,delete", "delete the run (asks first)"),
        "pin": Key("P", "keep the sweep on top of the list of runs, or no longer"),
        "up": Key("up,k", "one run up"),
        "down": Key("down,j", "one run down"),
        "page-up": Key("pageup,ctrl+b", "one page up"),
        "page-down": Key("pagedown,ctrl+f", "one page down"),
        "first": Key("home,g", "to the first run"),
        "last": Key("end,G", "to the last run"),
    },
    "sweep": {
        "stop": Key("X,ctrl+x", "stop the sweep: its workers save and end (asks first)"),
        "add": Key("m", "more runs: settings where something is searched, else seeds (asks how many)"),
        "plots": Key("t", "the plots of the next keys, where there is no room for all"),
    },
    "compare": {
        "next-curve": Key("t", "next curve: total, terms, gradient norm, throughput, evaluations, knobs"),
        "previous-curve": Key("T", "previous curve"),
        "choose": Key("slash", "choose a curve from all that the runs have"),
        "axis": Key("l", "y axis: logarithmic, linear, symlog"),
        "range": Key("k", "y axis: without the first steps, all values, without outliers"),
        "up": Key("up", "the tables up"),
        "down": Key("down", "the tables down"),
    },
    "replay": {
        "play": Key("space", "play or pause; at the end, from the beginning"),
        "on": Key("right_square_bracket", "a hundredth on"),
        "back": Key("left_square_bracket", "a hundredth back"),
        "far-on": Key("right_curly_bracket", "a tenth on"),
        "far-back": Key("left_curly_bracket", "a tenth back"),
        "next-step": Key("n", "one training step on"),
        "previous-step": Key("b", "one training step back"),
        "faster": Key("greater_than_sign", "twice as fast"),
        "slower": Key("less_than_sign", "half as fast"),
    },
    "model": {
        "drawing": Key("v", "next way to draw images"),
        "run": Key("1", "back to the run"),
        "layers": Key("2", "the layers"),
        "latent": Key("3", "the latent space"),
        "explore": Key("4", "explore: denoise, fill in, classify, errors, generate"),
        "samples": Key("5", "the samples over the training"),
        "older": Key("comma", "ask an older checkpoint"),
        "newer": Key("full_stop", "ask a newer checkpoint, at last the training itself"),
    },
    "layers": {
        "up": Key("up", "the layer above"),
        "down": Key("down", "the layer below"),
        "side": Key("h", "histogram of activations, of the units' variances, of their gates"),
    },
    "latent": {
        "lower": Key("left", "lower the value of the chosen unit"),
        "raise": Key("right", "raise it"),
        "far-lower": Key("shift+left", "lower it by a quarter of its range"),
        "far-raise": Key("shift+right", "raise it by a quarter"),
        "up": Key("up", "the unit above"),
        "down": Key("down", "the unit below"),
        "restore": Key("0,backspace", "back to the item's own code"),
        "previous-item": Key("left_square_bracket", "the item before, as A"),
        "next-item": Key("right_square_bracket", "the next item, as A"),
        "other": Key("b", "A becomes B too: another item as A then shows the way between"),
        "swap": Key("x", "exchange A and B"),
        "axes": Key("p", "axes of the map: PCA, or the first two units"),
        "manifold": Key("m", "in the place of the map: the plane of a code of two units, decoded"),
        "strip": Key("tab", "traversal or interpolation, where there is no room for both"),
    },
    "explore": {
        "next-task": Key("tab", "next task: denoise, fill in, classify, errors, generate, field"),
        "previous-task": Key("shift+tab", "previous task"),
        "left": Key("left", "the test item before; moves the pen while drawing"),
        "right": Key("right", "the next test item"),
        "more": Key("up", "more: level of the corruption, missing share, lines of the field"),
        "less": Key("down", "less of it"),
        "kind": Key("k", "next kind of corruption; for fill in, next missing part"),
        "seed": Key("s", "other draws: the next seed"),
        "draw": Key("w", "take the pen and draw, or put it away"),
        "play": Key("space", "fill in: play or pause; while drawing: pen up or down"),
        "restart": Key("home", "fill in from the start"),
        "clear": Key("e", "clear the drawing"),
        "item": Key("i", "back from the drawing to the test item"),
        "behind": Key("m", "behind the field: data, samples, nothing"),
    },
    "samples": {
        "earlier": Key("left", "earlier samples"),
        "later": Key("right", "later samples"),
        "far-earlier": Key("shift+left", "ten earlier"),
        "far-later": Key("shift+right", "ten later"),
        "first": Key("home", "the first samples"),
        "newest": Key("end", "the newest samples, and whatever comes"),
        "up": Key("up", "the items before these"),
        "down": Key("down", "the items after these"),
        "larger": Key("plus,equals_sign", "larger images, fewer items"),
        "smaller": Key("minus", "smaller images, more items"),
        "colour": Key("c", "colour images in colour, or in their luminance"),
    },
}
"""Every key that can be given to something else, by place and by what it does there."""

SCREENS = {
    "list": ("everywhere", "list"),
    "sweep": ("everywhere", "list", "sweep"),
    "run": ("everywhere", "charts", "looking", "run"),
    "replay": ("everywhere", "charts", "looking", "replay"),
    "compare": ("everywhere", "charts", "compare"),
    **{name: ("everywhere", "model", name) for name in ("layers", "latent", "explore", "samples")},
}
"""The places whose keys a screen has."""
FIXED = {"everywhere": ("ctrl+c", "ctrl+q"), "replay": tuple("0123456789")}
"""Keys that always mean the same in a place."""
USUAL = {f"{place}.{name}": key.keys for place, keys in PLACES.items() for name, key in keys.items()}
"""The usual keys, by name."""


def key_sign(keys: str) -> str:
    """Keys as they are printed on the keyboard."""
    return " ".join(SIGNS.get(key, key) for key in keys.split(","))
