"""Screens of a terminal as SVG, still or moving: text as text, all that blocks, dots and lines make as shapes.

So a picture needs no font but some monospaced one, asks nobody for anything, and has no seams between its rows.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import groupby
from typing import Any, NamedTuple

WIDE, HIGH = 10, 20
"""Of a cell, in units of the picture."""
EDGE, BAR = 16, 34
"""Room around the screen, and for the window's bar above it."""
PAPER, INK = "#1c1c1c", "#c8c8c8"
STANDS = 60
"""Per cent of the frames that come before the one which stands for all."""
_QUADRANTS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"
"""By the sum of 1, 2, 4 and 8 for the quarters at the upper left, upper right, lower left and lower right."""
_LOWER, _LEFT = "▁▂▃▄▅▆▇", "▏▎▍▌▋▊▉"
"""One to seven eighths."""
_DOTS = ((2.5, 2.5), (2.5, 7.5), (2.5, 12.5), (7.5, 2.5), (7.5, 7.5), (7.5, 12.5), (2.5, 17.5), (7.5, 17.5))
"""Of a Braille character, by the bits of its number."""
_ARMS = {
    "LEFT": (0, "10h5"),
    "RIGHT": (5, "10h5"),
    "UP": (5, "0v10"),
    "DOWN": (5, "10v10"),
    "HORIZONTAL": (0, "10h10"),
    "VERTICAL": (5, "0v20"),
}
"""Of a line: where it begins from the left, and how it goes on."""


class Cell(NamedTuple):
    """One character of a screen."""

    char: str
    ink: str
    """Its colour, as CSS has it."""
    paper: str
    """That behind it; empty: the terminal's own."""
    bold: bool
    underlined: bool


Screen = list[list[Cell]]
"""Rows of cells, all equally long."""


def still(screen: Screen, title: str) -> str:
    """One screen in a window."""
    return moving([(screen, 1.0)], title)


def moving(film: Sequence[tuple[Screen, float]], title: str) -> str:
    """Screens of one size, each with the seconds for which it is shown, over and over again; who wants no motion, or
    has none, sees one of them."""
    rows: dict[str, str] = {}
    frames = []
    for number, (screen, _) in enumerate(film):
        used = []
        for y, row in enumerate(screen):
            drawn = _row(row)
            if drawn:
                name = rows.setdefault(drawn, f"r{len(rows)}")
                used.append(f'<use href="#{name}" y="{y * HIGH}"/>')
        frames.append(f'<g transform="translate(0 {number * len(screen) * HIGH})">{"".join(used)}</g>')
    width, height = len(film[0][0][0]) * WIDE, len(film[0][0]) * HIGH
    lights = "".join(f'<circle cx="{20 + 18 * i}" cy="17" r="5.5" fill="#4e4e4e"/>' for i in range(3))
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 2 * EDGE} {height + BAR + EDGE}">\n',
            f"<title>{escape(title)}</title>\n",
            f"<style>{_STYLE}{_motion([seconds for _, seconds in film], height)}</style>\n",
            f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>{lights}\n',
            f'<text class="t" x="50%" y="22" text-anchor="middle" fill="#8a8a8a">{escape(title)}</text>\n<defs>\n',
            *(f'<g id="{name}">{drawn}</g>\n' for drawn, name in rows.items()),
            f'</defs>\n<svg x="{EDGE}" y="{BAR}" width="{width}" height="{height}"><g class="f">\n',
            "\n".join(frames),
            "\n</g></svg>\n</svg>\n",
        ]
    )


_STYLE = (
    "text{font:16.6px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace;white-space:pre}"
    ".t{font-size:14px}.b{font-weight:bold}.u{text-decoration:underline}"
    ".q{shape-rendering:crispEdges}.d{stroke-width:3.4;stroke-linecap:round}.l{stroke-width:1.4}.h{stroke-width:3.4}"
)


def _motion(seconds: list[float], height: int) -> str:
    """The strip of frames moves up by a frame at a time."""
    if len(seconds) == 1:
        return ""
    whole, at, steps = sum(seconds), 0.0, []
    for number, one in enumerate(seconds):
        steps.append(f"{100 * at / whole:.3f}%{{transform:translateY({-number * height}px)}}")
        at += one
    stands = f"transform:translateY({-(len(seconds) * STANDS // 100) * height}px)"
    return (
        f"@keyframes k{{{''.join(steps)}}}.f{{{stands};animation:k {whole:.2f}s steps(1,end) infinite}}"
        "@media(prefers-reduced-motion:reduce){.f{animation:none}}"
    )


def _row(row: list[Cell]) -> str:
    """What stands in a row: what is behind it, then shapes, then text."""
    behind, words = [], []
    shapes: dict[tuple[str, str], list[str]] = {}
    for paper, run in _runs(row, lambda cell: cell.paper):
        if paper:
            behind.append(
                f'<path class="q" fill="{paper}" d="M{run[0] * WIDE} 0h{len(run) * WIDE}v{HIGH}h-{len(run) * WIDE}z"/>'
            )
    for (char, ink), run in _runs(row, lambda cell: (cell.char, cell.ink)):
        # A line is one line, however many characters it has.
        parts = [(run[0], len(run))] if char in "─━█" else [(x, 1) for x in run]
        for x, count in parts:
            for kind, path in _shapes(char, x * WIDE, count):
                shapes.setdefault((kind, ink), []).append(path)
    for (ink, bold, underlined, text), run in _runs(
        row, lambda cell: (cell.ink, cell.bold, cell.underlined, cell.char != " " and not _is_shape(cell.char))
    ):
        if text:
            said = "".join(row[x].char for x in run)
            kind = " ".join(name for name, on in (("b", bold), ("u", underlined)) if on)
            words.append(
                f'<text{f" class={chr(34)}{kind}{chr(34)}" if kind else ""} x="{run[0] * WIDE}" y="15" fill="{ink}"'
                f' textLength="{len(run) * WIDE}">{escape(said, quote=False)}</text>'
            )
    drawn = [
        f'<path class="{kind}" {"fill" if kind == "q" else "stroke"}="{ink}" d="{"".join(paths)}"/>'
        for (kind, ink), paths in shapes.items()
    ]
    return "".join([*behind, *drawn, *words])


def _runs(row: list[Cell], alike: Callable[[Cell], Any]) -> Iterator[tuple[Any, list[int]]]:
    """Neighbours that are alike, with their places."""
    for key, run in groupby(enumerate(row), lambda pair: alike(pair[1])):
        yield key, [x for x, _ in run]


def _is_shape(char: str) -> bool:
    return char == "⠀" or bool(_shapes(char, 0, 1))


def _shapes(char: str, x: int, count: int) -> list[tuple[str, str]]:
    """What a character is made of at `x`, `count` times, if it is no text: kinds (q: filled, d: dots, l and h: light
    and heavy lines) and paths."""
    if char == "█":
        return [("q", _rectangle(x, 0, WIDE * count, HIGH))]
    if char in "─━":
        return [("l" if char == "─" else "h", f"M{x} 10h{WIDE * count}")]
    if "⠀" < char <= "⣿":
        bits = ord(char) - 0x2800
        return [("d", "".join(f"M{x + dx:g} {dy:g}h0" for bit, (dx, dy) in enumerate(_DOTS) if bits >> bit & 1))]
    if char in _QUADRANTS and char != " ":
        return [("q", "".join(_rectangle(x + left, up, 5, 10) for left, up in _quarters(_QUADRANTS.index(char))))]
    if char in _LOWER:
        high = 2.5 * (_LOWER.index(char) + 1)
        return [("q", _rectangle(x, HIGH - high, WIDE, high))]
    if char in _LEFT:
        return [("q", _rectangle(x, 0, 1.25 * (_LEFT.index(char) + 1), HIGH))]
    if not "─" <= char <= "╿":
        return []
    words = unicodedata.name(char).removeprefix("BOX DRAWINGS ").replace(" AND", "").split()
    if words[0] not in ("LIGHT", "HEAVY") or any(word not in _ARMS for word in words[1:]):
        return []
    arms = (_ARMS[word] for word in words[1:])
    return [("l" if words[0] == "LIGHT" else "h", "".join(f"M{x + left} {rest}" for left, rest in arms))]


def _quarters(bits: int) -> list[tuple[int, int]]:
    return [(5 * (bit % 2), 10 * (bit // 2)) for bit in range(4) if bits >> bit & 1]


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:g}h{width:g}v{height:g}h-{width:g}z"
