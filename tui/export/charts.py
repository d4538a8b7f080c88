"""The charts of a run as SVG, drawn from the same bins, scales and marks as those of the dashboard.

Light and dark follow what the reader's program prefers. A number on a mark is that of the intervention.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laddertop.journal.events import Commanded
from laddertop.journal.folder import RunFolder
from laddertop.tui.draw.axis import BINS, XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.markers import SIGNS
from laddertop.tui.draw.numbers import tick
from laddertop.tui.draw.scale import Scale, scale_for
from laddertop.tui.export.look import Looked, look_at
from laddertop.tui.export.markup import element, inert
from laddertop.tui.watch.chart_choice import curve_names, curves_of, first_charts, title_of, usual_kind
from laddertop.tui.watch.run_view import RunView

WIDTH, HEIGHT = 480, 200
"""Of a chart, in its own units."""
LEFT, TOP, BOTTOM = 46, 16, 20
"""Room for the ticks of y, the signs of marks, and the ticks of x."""
HEAD = 40
"""Room for title and legend above a chart in a picture of several."""
LABEL_APART = 12
"""Units between two marks that both say what they are."""

COLOURS = (
    ("#0b6bcb", "#6ab0ff"),
    ("#b4550a", "#ffab5e"),
    ("#0a7a53", "#4fd6a0"),
    ("#9a2f8a", "#f08be0"),
    ("#8a6d00", "#e3c64a"),
    ("#5b4bd1", "#b0a4ff"),
    ("#c22f4a", "#ff8fa3"),
    ("#3d6b78", "#8fc7d6"),
)
"""Of curves, on a light and on a dark ground; the ninth of a chart has that of the first again."""
_NAMES = ("--ground", "--text", "--dim", "--line", "--bad", *(f"--c{i}" for i in range(len(COLOURS))))
_LIGHT = ("#ffffff", "#1c2128", "#57606a", "#d8dee4", "#c4001a", *(light for light, _ in COLOURS))
_DARK = ("#0f1419", "#e6edf3", "#9aa4af", "#2d3540", "#ff6b6b", *(dark for _, dark in COLOURS))


def _variables(values: tuple[str, ...]) -> str:
    return "".join(f"{name}:{value};" for name, value in zip(_NAMES, values, strict=True))


STYLE = (
    f":root{{color-scheme:light dark;{_variables(_LIGHT)}}}"
    f"@media(prefers-color-scheme:dark){{:root{{{_variables(_DARK)}}}}}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--dim)}svg .title{font-weight:600;fill:var(--text)}"
    ".grid{stroke:var(--line);fill:none}.mark{stroke:var(--dim);stroke-dasharray:2 3}.bad{fill:var(--bad)}"
    ".gone{stroke:var(--dim);stroke-opacity:.5;fill:none}"
    + "".join(
        f".curve{i}{{stroke:var(--c{i});fill:none;stroke-width:1.6}}"
        f".band{i}{{fill:var(--c{i});fill-opacity:.18;stroke:var(--c{i});stroke-opacity:.3}}"
        f"svg .name{i},.name{i}{{fill:var(--c{i});color:var(--c{i})}}"
        for i in range(len(COLOURS))
    )
)
"""What charts look like."""


@dataclass(frozen=True)
class Chart:
    """One chart, ready to be put somewhere."""

    title: str
    unit: str
    names: list[str]
    """What its curves are called, in the order of their colours; empty where the title says it."""
    body: str
    """SVG elements in a box of WIDTH × HEIGHT."""

    def legend(self, tag: str) -> str:
        """The names in the colours of their curves, each in an element of that kind."""
        words = [(inert(f"― {name}  "), f"name{i % len(COLOURS)}") for i, name in enumerate(self.names)]
        return "".join(element(tag, word, class_=colour) for word, colour in words)


def write_svg(run: RunFolder, path: Path) -> str:
    """Writes the charts below each other, two a row; returns what it holds, in words. Raises as `look_at` does."""
    looked = look_at(run)
    drawn = charts(looked)
    rows, gap = -(-len(drawn) // 2), 20
    parts = [element("style", STYLE), '<rect width="100%" height="100%" style="fill:var(--ground)"/>']
    parts.append(element("text", inert(f"{run.name}: {looked.view.status()}"), x=gap, y=26, class_="title"))
    for at, chart in enumerate(drawn):
        x, y = gap + at % 2 * (WIDTH + gap), HEAD + at // 2 * (HEIGHT + HEAD + gap)
        title = element("text", inert(chart.title), y=16, class_="title")
        legend = element("text", chart.legend("tspan") or inert(chart.unit), y=32)
        body = element("g", chart.body, transform=f"translate(0 {HEAD})")
        parts.append(element("g", title + legend + body, transform=f"translate({x} {y})"))
    width, height = 2 * WIDTH + 3 * gap, HEAD + rows * (HEIGHT + HEAD + gap)
    whole = element("svg", "".join(parts), xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {width} {height}")
    path.write_text(whole, encoding="utf-8")
    return f"{len(drawn)} charts"


def charts(looked: Looked) -> list[Chart]:
    """The charts that a run's screen shows at first, and one of every other knob that was turned."""
    state = looked.view.state
    known = curve_names(state)
    words = first_charts(state)
    there = {curve.name for word in words for curve in curves_of(word, known)}
    turned = dict.fromkeys(change.knob for deed in deeds(looked.view) for change in deed.changes)
    found = []
    for word in [*words, *(knob for knob in turned if knob not in there)]:
        curves = curves_of(word, known)
        binned = [looked.curve(curve.name) for curve in curves]
        scale = scale_for(binned, usual_kind(curves[0].name, state)) if curves else None
        if scale is not None:
            body = "".join(_drawn(looked, scale, [curve.name for curve in curves], binned))
            names = [curve.label for curve in curves] if len(curves) > 1 else []
            found.append(Chart(title_of(word, known), curves[0].unit, names, body))
    return found


def deeds(view: RunView) -> list[Commanded]:
    """The changes of knobs that were applied, oldest first: interventions are counted from 1 in this order."""
    return [c for c in view.state.commands if c.outcome == "applied" and c.changes and c.action == "set"]


def _drawn(looked: Looked, scale: Scale, names: list[str], curves: list[Binned]) -> Iterator[str]:
    axis = looked.axis
    for value in scale.ticks(5):
        y = _y(scale, np.array([value]))[0]
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH}"/>'
        yield element("text", inert(tick(value)), x=LEFT - 5, y=f"{y + 4:.1f}", text_anchor="end")
    for position, label in axis.ticks(6):
        x = _x(axis, position)
        end = "end" if x > WIDTH - 12 else "middle"
        yield element("text", inert(label), x=f"{x:.1f}", y=HEIGHT - 5, text_anchor=end)
    for name in names:
        for line in _lines(scale, looked.curves.thrown_away(name).smooth):
            yield f'<path class="gone" d="{line}"/>'
    for at, binned in enumerate(curves):
        i = at % len(COLOURS)
        yield f'<path class="band{i}" d="{_band(scale, binned)}"/>'
        for line in _lines(scale, binned.smooth):
            yield f'<path class="curve{i}" d="{line}"/>'
        for bad in np.flatnonzero(binned.bad).tolist():
            yield f'<rect class="bad" x="{_bin_x(bad):.1f}" y="{TOP}" width="1.5" height="5"/>'
    yield from _marks(looked.view, axis)


def _marks(view: RunView, axis: XAxis) -> Iterator[str]:
    numbered = [(deed.step, str(at)) for at, deed in enumerate(deeds(view), 1)]
    others = [(m.step, SIGNS[m.kind]) for m in view.markers if m.kind in SIGNS and m.kind != "deed"]
    free = 0.0
    for step, sign in sorted(numbered + others):
        x = _x(axis, step)
        if not LEFT <= x <= WIDTH:
            continue
        yield f'<path class="mark" d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}"/>'
        if x >= free:
            yield element("text", inert(sign), x=f"{x:.1f}", y=TOP - 4, text_anchor="middle")
            free = x + LABEL_APART


def _x(axis: XAxis, position: float) -> float:
    return LEFT + float(axis.fractions(position)) * (WIDTH - LEFT)


def _bin_x(at: float) -> float:
    return LEFT + (at + 0.5) / BINS * (WIDTH - LEFT)


def _y(scale: Scale, values: np.ndarray) -> np.ndarray:
    """Where values stand, to a tenth of a unit; nan stays nan."""
    height = HEIGHT - TOP - BOTTOM
    return np.asarray(TOP + height - scale.rows(values, 10 * height + 1) / 10)


def _lines(scale: Scale, values: np.ndarray) -> list[str]:
    """A curve as paths through the bins that have a value; where all of 12 have none it is broken."""
    at = np.flatnonzero(np.isfinite(values))
    if not len(at):
        return []
    apart = np.diff(at)
    stretches = np.split(at, np.flatnonzero(apart > max(12, 2 * np.median(apart))) + 1) if len(apart) else [at]
    y = _y(scale, values)
    paths = []
    for some in stretches:
        if len(some) == 1:  # seen as a short dash
            paths.append(f"M{_bin_x(some[0]) - 2:.1f} {y[some[0]]:.1f}h4")
        else:
            paths.append("M" + " ".join(f"{_bin_x(i):.1f} {y[i]:.1f}" for i in some))
    return paths


def _band(scale: Scale, binned: Binned) -> str:
    """What lies between the smallest and the largest value of each bin."""
    at = np.flatnonzero(np.isfinite(binned.low)).tolist()
    if len(at) < 2:
        return ""
    low, high = _y(scale, binned.low), _y(scale, binned.high)
    there = [f"{_bin_x(i):.1f} {high[i]:.1f}" for i in at]
    return "M" + " ".join(there + [f"{_bin_x(i):.1f} {low[i]:.1f}" for i in reversed(at)]) + "Z"
