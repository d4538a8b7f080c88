"""How the command line prints: results to stdout, messages to stderr, and JSON in which every number survives."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from typing import Any


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


def between_words(text: str, width: int) -> list[str]:
    """Text as lines of at most `width` columns, broken between words only: a path or a command that is longer stays
    whole, to be copied."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def harmless(text: str) -> str:
    """Text in which nothing steers the terminal: names and messages may come from somebody else's run folder."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def table(rows: list[list[str]], indent: str = "") -> list[str]:
    """Rows as lines with aligned columns, two blanks apart."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [indent + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]


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
