"""Text from a run made harmless, and text for terminals without Unicode."""

from __future__ import annotations

import re
import textwrap
import unicodedata

_PLAIN = {
    "…": "~", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "→": ">", "←": "<", "↑": "^", "↓": "v", "▲": "^",
    "▼": "v", "●": "*", "○": "o", "◐": "o", "◌": "?", "■": "#", "✓": "+", "✗": "X", "│": "|", "┃": "|", "─": "-",
    "━": "=", "┤": "|", "├": "|", "┴": "+", "┬": "+", "└": "+", "┘": "+", "┌": "+", "┐": "+", "┼": "+", "╵": "'",
    "β": "b", "γ": "g", "Γ": "G", "λ": "L", "σ": "s", "μ": "u", "±": "~", "≥": ">", "≤": "<", "‖": "|", "∞": "8",
    "⏸": "=", "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "#", "█": "#", "▌": "#", "▏": "|",
    "◆": "#", "▸": ">", "↶": "<", "↱": "Y", "▷": ">", "↻": "R", "┆": ":", "╱": "/", "›": ">", "⠿": "*", "°": "o",
    "′": "'",
    "↖": "\\", "↗": "/", "↘": "\\", "↙": "/", "•": "o", "\u2009": " ", "\u202f": " ", "\u00a0": " ",
}  # fmt: skip


_TOLD_APART = re.compile("[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d376\U0001f3fb-\U0001f3ff]")
"""Signs that some terminals show in one column and others in two."""
_BEHIND = re.compile("[\u1160-\u11ff\u3164\ud7b0-\ud7fb\uffa0]")
"""Parts of a Korean syllable that stand with the one before, and take no column."""


def harmless(text: str, limit: int = 500) -> str:
    """One line of text without control characters, escape sequences, line breaks, or characters that are not exactly
    one or two columns wide; cut at `limit` characters."""
    out = []
    for char in text[:limit]:
        category = unicodedata.category(char)
        if char in "\n\t\r":
            out.append(" ")
        elif category[0] == "C" or category in ("Zl", "Zp"):
            out.append("\N{REPLACEMENT CHARACTER}" if char != "\x1b" else "")
        elif category[0] == "M" or _BEHIND.match(char):
            continue
        else:
            out.append("?" if _TOLD_APART.match(char) else char)
    return "".join(out)


def wide(char: str) -> bool:
    """Whether a character takes two columns."""
    return char > "\u10ff" and unicodedata.east_asian_width(char) in "WF"


def columns(text: str) -> int:
    """Columns that a harmless text takes on a terminal."""
    return len(text) if text.isascii() else len(text) + sum(map(wide, text))


def pad(text: str, width: int) -> str:
    """The text, and blanks up to `width` columns."""
    return text + " " * (width - columns(text))


def between_words(text: str, width: int) -> list[str]:
    """Text as lines of at most `width` columns, broken between words only: a path or a command that is longer stays
    whole, to be copied."""
    return [
        line
        for part in text.split("\n")
        for line in textwrap.wrap(part, width, break_long_words=False, break_on_hyphens=False) or [""]
    ]


def ascii_only(text: str) -> str:
    """The same text, column for column in ASCII."""
    if text.isascii():
        return text
    return "".join(c if c.isascii() else "??" if wide(c) else _PLAIN.get(c, "?") for c in text)


def whole_parts(text: str, width: int) -> str:
    """As many of the parts of a line, which three blanks separate, as stand whole in `width` columns; two at least."""
    parts = text.split("   ")
    while len(parts) > 2 and columns("   ".join(parts)) > width:
        parts.pop()
    return fit("   ".join(parts), width)


def fit(text: str, width: int) -> str:
    """The text in at most `width` columns; what is cut is marked by an ellipsis."""
    if columns(text) <= width:
        return text
    return start(text, width - 1) + "…" if width > 0 else ""


def start(text: str, width: int) -> str:
    """As many characters from the start as stand whole in `width` columns."""
    text = text[: max(width, 0)]
    while columns(text) > width:
        text = text[:-1]
    return text
