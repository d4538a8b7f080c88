"""How the command line prints: results to stdout, messages to stderr, and JSON in which every number survives."""

from __future__ import annotations

import json
import math
import shutil
import sys
from typing import Any

from laddertop.tui.draw.text import between_words

LEAST = 16
"""Columns in which words can be read below each other."""


def say(message: str) -> None:
    """A message for people, on stderr."""
    text = harmless(message)
    if sys.stderr.isatty():
        text = "\n".join(between_words(text, shutil.get_terminal_size().columns))
    print(text, file=sys.stderr, flush=True)


def result(text: str) -> None:
    """A line of the result, on stdout."""
    print(harmless(text), flush=True)


def json_result(value: Any, *, indent: int | None = 1) -> None:
    """A result as JSON on stdout; indent None: one line. NaN and infinities become "NaN", "Infinity", "-Infinity".

    What is not printable is escaped: the same text for a program, and nothing that steers a terminal.
    """
    text = json.dumps(_storable(value), indent=indent, ensure_ascii=False, allow_nan=False)
    print("".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text), flush=True)


def harmless(text: str) -> str:
    """Text in which nothing steers the terminal: names and messages may come from somebody else's run folder."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(rows: list[list[str]], indent: str = "", width: int | None = None) -> list[str]:
    """Rows as lines with aligned columns, two blanks apart. Where the last column has no room in `width` it goes on
    below itself, broken between words."""
    *widths, last = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    before = len(indent) + sum(widths) + 2 * len(widths)
    room = last if width is None else width - before
    lines = []
    for *cells, end in rows:
        head = indent + "".join(f"{cell:<{wide}}  " for cell, wide in zip(cells, widths, strict=True))
        for part in between_words(end, room) if LEAST <= room < last else [end]:
            lines.append((head + part).rstrip())
            head = " " * before
    return lines


def number(value: float | str | None) -> str:
    """A number in six significant digits at most; what is not known is a dash."""
    return "-" if value is None else value if isinstance(value, str) else f"{value:.6g}"


def setting(kind: str, value: float | str | None) -> str:
    """The value of a knob: on or off for a switch."""
    return ("on" if value else "off") if kind == "switch" and value is not None else number(value)


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
