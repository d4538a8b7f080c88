"""A picture of seeds as dots beside the published interval, one strip per row, as SVG."""

from __future__ import annotations

import statistics
from html import escape
from typing import NamedTuple

WIDTH, LABEL, RIGHT, HEIGHT = 900, 230, 230, 34


class Strip(NamedTuple):
    """One row of the picture, with a scale of its own."""

    title: str
    unit: str
    seeds: list[float]
    published: float
    deviation: float | None
    """Of single published runs; None where no spread is published."""


def seeds_svg(strips: list[Strip]) -> str:
    """The picture, on a white ground of its own so that it can be read on dark pages too."""
    height = HEIGHT * len(strips) + 44
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        ' font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="8" y="20" fill="#333">dots: seeds, a line: their median; bar and tick: published mean ± one standard'
        " deviation of a run. Every strip has its own scale.</text>",
    ]
    for number, strip in enumerate(strips):
        parts += _strip(strip, 36 + HEIGHT * number)
    return "\n".join([*parts, "</svg>\n"])


def _strip(strip: Strip, top: float) -> list[str]:
    reach = [strip.published + side * (strip.deviation or 0) for side in (-2, 2)]
    low, high = min([*reach, *strip.seeds]), max([*reach, *strip.seeds])
    high = high if high > low else low + 1
    left, right, middle = LABEL + 50, WIDTH - RIGHT - 50, top + HEIGHT / 2

    def at(value: float) -> float:
        return round(left + (value - low) / (high - low) * (right - left), 1)

    parts = [
        f'<text x="8" y="{middle + 4}" fill="#111">{escape(strip.title)}</text>',
        f'<text x="{left - 8}" y="{middle + 4}" text-anchor="end" fill="#777">{low:.4g}</text>',
        f'<text x="{right + 8}" y="{middle + 4}" fill="#777">{high:.4g}</text>',
        f'<text x="{WIDTH - 8}" y="{middle + 4}" text-anchor="end" fill="#777">{escape(strip.unit)}</text>',
        f'<line x1="{left}" y1="{middle}" x2="{right}" y2="{middle}" stroke="#ddd"/>',
    ]
    if strip.deviation:
        begin, end = (at(strip.published + side * strip.deviation) for side in (-1, 1))
        parts.append(
            f'<rect x="{begin}" y="{middle - 7}" width="{end - begin:.1f}" height="14" fill="#f0c060" opacity="0.6"/>'
        )
    tick = at(strip.published)
    parts.append(
        f'<line x1="{tick}" y1="{middle - 10}" x2="{tick}" y2="{middle + 10}" stroke="#b07000" stroke-width="2"/>'
    )
    if strip.seeds:
        median = at(statistics.median(strip.seeds))
        parts.append(f'<line x1="{median}" y1="{middle - 10}" x2="{median}" y2="{middle + 10}" stroke="#2060b0"/>')
    parts += [
        f'<circle cx="{at(seed)}" cy="{middle}" r="3.5" fill="#2060b0" fill-opacity="0.7"/>' for seed in strip.seeds
    ]
    return parts
