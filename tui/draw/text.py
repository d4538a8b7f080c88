"""Text from a run made harmless, and text for terminals without Unicode."""

from __future__ import annotations

import unicodedata

_PLAIN = {
    "…": "~", "–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "→": ">", "←": "<", "↑": "^", "↓": "v", "▲": "^",
    "▼": "v", "●": "*", "○": "o", "◐": "o", "◌": "?", "■": "#", "✓": "+", "✗": "X", "│": "|", "┃": "|", "─": "-",
    "━": "=", "┤": "|", "├": "|", "┴": "+", "┬": "+", "└": "+", "┘": "+", "┌": "+", "┐": "+", "┼": "+", "╵": "'",
    "β": "b", "γ": "g", "Γ": "G", "λ": "L", "σ": "s", "μ": "u", "±": "~", "≥": ">", "≤": "<", "‖": "|", "∞": "8",
    "⏸": "=", "▁": "_", "▂": "_", "▃": ".", "▄": "-", "▅": "-", "▆": "=", "▇": "#", "█": "#", "▌": "#", "▏": "|",
    "◆": "#", "↶": "<", "▷": ">", "↻": "R", "┆": ":", "╱": "/", "›": ">", "⠿": "*", "°": "o", "′": "'",
    "↖": "\\", "↗": "/", "↘": "\\", "↙": "/", "•": "o", "\u2009": " ", "\u202f": " ", "\u00a0": " ",
}  # fmt: skip


def harmless(text: str, limit: int = 500) -> str:
    """One line of text without control characters, escape sequences, line breaks, or characters that are not exactly
    one column wide; cut at `limit` characters."""
    out = []
    for char in text[:limit]:
        category = unicodedata.category(char)
        if char in "\n\t\r":
            out.append(" ")
        elif category[0] == "C" or category in ("Zl", "Zp"):
            out.append("\N{REPLACEMENT CHARACTER}" if char != "\x1b" else "")
        elif category[0] == "M":
            continue
        else:
            out.append("?" if unicodedata.east_asian_width(char) in "WF" else char)
    return "".join(out)


def ascii_only(text: str) -> str:
    """The same text, character for character in ASCII."""
    return text if text.isascii() else "".join(c if c.isascii() else _PLAIN.get(c, "?") for c in text)


def whole_parts(text: str, width: int) -> str:
    """As many of the parts of a line, which three blanks separate, as stand whole in `width` columns; two at least."""
    parts = text.split("   ")
    while len(parts) > 2 and len("   ".join(parts)) > width:
        parts.pop()
    return fit("   ".join(parts), width)


def fit(text: str, width: int) -> str:
    """The text in at most `width` columns; what is cut is marked by an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…" if width > 0 else ""
