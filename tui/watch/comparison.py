"""Several runs beside each other: their curves on one axis, what their specs differ in, what they were evaluated to.

No textual here. R is a number of runs.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import Spec
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.draw.axis import BINS, Unit, XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.chart import INKS, letter
from laddertop.tui.draw.cursor import reading
from laddertop.tui.draw.markers import SIGNS, Marker
from laddertop.tui.draw.x_view import Extent, XView
from laddertop.tui.watch.chart_choice import EVALUATED, CurveName, curve_names, evaluated
from laddertop.tui.watch.history import Curves, History, Wanted, weights_of
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.spec_words import flat, word
from laddertop.tui.watch.trouble import Trouble, troubles
from laddertop.tui.watch.watcher import Watcher

DECAY = 0.98
"""Of the moving average, per step."""
SAME_BUT_FOR = {"seed", "threads", "recipe", "about", "data.root", "device"}
"""Keys in which seeds of one experiment may differ."""


@dataclass
class Compared:
    """One of the runs, as far as it was read."""

    view: RunView
    watcher: Watcher
    history: History

    @property
    def run(self) -> RunFolder:
        """Its folder."""
        return self.view.run

    @property
    def spec(self) -> Spec:
        """What it trains."""
        return self.view.spec

    @property
    def state(self) -> RunState:
        """Where it stands."""
        return self.view.state

    @property
    def per_epoch(self) -> int:
        """Steps of an epoch."""
        return max(self.view.extent.epoch_steps, 1)


class Curve(NamedTuple):
    """One curve of one run on the axis that all share."""

    binned: Binned
    steps: np.ndarray
    """Steps completed at the last record of each bin, 0 for bins without any."""
    positions: np.ndarray
    """Where on the axis these are."""

    @property
    def held(self) -> np.ndarray:
        """The positions [N, rising] that hold a record."""
        return np.asarray(self.positions[self.steps > 0])


@dataclass
class Row:
    """What one run, or several seeds of one experiment, came to."""

    runs: list[int]
    """Numbers of the runs, from 0."""
    name: str
    step: int
    values: Mapping[str, tuple[float, float | None]]
    """By measure: mean over the runs, and its standard deviation where there are several."""
    """The one that says best how good the model is comes first."""
    about: Mapping[str, Value] = field(default_factory=dict)
    """By measure: one of the values, for its unit and what it is called."""
    headline: Value | None = None
    """That one, of a single run; none: it was not evaluated."""
    best: bool = False
    """Whether no other run that is told with the same headline has a better one, and some have a worse one."""


def open_runs(runs: Sequence[RunFolder]) -> list[Compared]:
    """The runs, ready to be looked at. Raises ValueError when the spec of one can't be read."""
    opened = []
    for run in runs:
        view, reader = RunView(run, steerable=False), MetricsReader(run.path)
        assert view.spec  # read now, to complain of it now
        opened.append(Compared(view, Watcher(run, metrics=reader), History(reader)))
    return opened


def look(runs: Sequence[Compared]) -> None:
    """Takes up what is new. Reads files only; called in a thread."""
    for one in runs:
        while (news := one.watcher.look()).events:
            one.view.apply(news)
        one.view.apply(news)


def names(runs: Sequence[Compared]) -> list[CurveName]:
    """Every curve that any of the runs has, as the charts of a run name them; without a unit where theirs differ."""
    found: dict[str, CurveName] = {}
    for curve in (curve for one in runs for curve in curve_names(one.state)):
        same = found.setdefault(curve.name, curve).unit == curve.unit
        found[curve.name] = found[curve.name] if same else replace(curve, unit="")
    return list(found.values())


def widest(runs: Sequence[Compared], unit: Unit) -> Extent:
    """How far the runs have come together. Epochs are counted in steps of the first run."""
    extents, scales = [one.view.extent for one in runs], _scales(runs, unit)
    return Extent(
        max(round(extent.step * scale) for extent, scale in zip(extents, scales, strict=True)),
        max(round(extent.planned * scale) for extent, scale in zip(extents, scales, strict=True)),
        max(extent.seconds for extent in extents),
        extents[0].epoch_steps,
    )


def curves(runs: Sequence[Compared], name: str, view: XView) -> tuple[XAxis, list[Curve]]:
    """The axis that holds what `view` shows of all the runs, and one curve of each run on it: [R]; that of a run which
    has no such curve is empty."""
    axis = view.axis(widest(runs, view.unit))
    found = []
    for one, scale in zip(runs, _scales(runs, view.unit), strict=True):
        own = axis._replace(first=axis.first / scale, last=axis.last / scale, per=float(one.per_epoch))
        weights, plain = weights_of(one.state.terms), tuple(one.state.knobs)
        # An evaluated number is no column; where its steps lie is then read off another one.
        column = "total" if name.startswith(EVALUATED) else name
        gathered = one.history.all(Wanted(own, (column,), DECAY, one.view.origin, weights, plain))
        shown = evaluated(name, one.state, own, one.view.origin) if column != name else gathered.of(name)
        found.append(Curve(shown, gathered.steps, _positions(gathered, one.view.origin, scale)))
    return axis, found


def _positions(gathered: Curves, origin: float, scale: float) -> np.ndarray:
    if gathered.wanted.axis.unit == "time":
        return np.asarray(gathered.times - origin)
    return np.asarray(gathered.steps * scale)


def read_out(axis: XAxis, curve: Curve, position: float) -> tuple[int | None, str]:
    """What a run had come to at a position of the axis: its step there, and the value of its newest record up to it,
    raw and smoothed; no step before its first record and beyond its last one."""
    at = min(int(float(axis.fractions(position)) * BINS + 1e-6), BINS - 1)
    held = np.flatnonzero(curve.steps > 0)
    before = held[held <= at]
    if not len(before) or at > held[-1]:
        return None, "no step here"
    filled = np.flatnonzero(curve.binned.filled[: at + 1])
    words = reading(curve.binned, int(filled[-1])) if len(filled) else ""
    return int(curve.steps[before[-1]]), words or "no value"


def marks(runs: Sequence[Compared], unit: Unit) -> list[Marker]:
    """What was done to the runs, oldest first: interventions, resumes, roll-backs, forks and stages, each with the
    letter and the ink of its run; what was done to several at one place is one mark with the letters of all. Epochs are
    counted in steps of the first run."""
    found: dict[tuple[float, str], tuple[Marker, list[int]]] = {}
    for number, (one, scale) in enumerate(zip(runs, _scales(runs, unit), strict=True)):
        for marker in (m._replace(step=round(m.step * scale)) for m in one.view.markers if m.kind in SIGNS):
            place = marker.time if unit == "time" else marker.step
            found.setdefault((place, f"{marker.kind} {marker.label}"), (marker, []))[1].append(number)
    return [
        marker._replace(
            label=f"{''.join(letter(number) for number in dict.fromkeys(of))} {marker.label}",
            ink=INKS[of[0] % len(INKS)] if len(set(of)) == 1 else Ink.MARK,
        )
        for _, (marker, of) in sorted(found.items(), key=lambda entry: entry[0][0])
    ]


def wrong(runs: Sequence[Compared]) -> list[tuple[int, Trouble]]:
    """The runs with which something is wrong, by their number, each with the worst of it."""
    return [(number, found[0]) for number, one in enumerate(runs) if (found := troubles(one.view))]


def _scales(runs: Sequence[Compared], unit: Unit) -> list[float]:
    """Steps of the first run that one step of each run stands for: in epochs, runs are stretched to fit."""
    return [runs[0].per_epoch / one.per_epoch if unit == "epoch" else 1.0 for one in runs]


def difference(runs: Sequence[Compared]) -> list[tuple[str, list[str]]]:
    """Keys in which the specs differ, each with the value of every run [R]; a run without the key has none, and a loop
    of somebody's own, which has hardly any, does not differ by that. After them where the runs come from, and how often
    somebody changed their knobs, if that differs."""
    specs = [flat(one.spec) for one in runs]
    keys = dict.fromkeys(key for spec in specs for key in spec if key != "about")
    told = []
    for key in keys:
        values = [word(spec.get(key)) for spec in specs]
        if len({values[i] for i, one in enumerate(runs) if one.spec.model.ours or key in specs[i]}) > 1:
            told.append((key, values))
    origins = [one.run.origin for one in runs]
    told.append(("comes from", [f"{o.run} at {o.step}" if o else "–" for o in origins]))
    told.append(("interventions", [str(len(one.state.interventions())) for one in runs]))
    return [(key, values) for key, values in told if len(set(values)) > 1]


def evaluations(runs: Sequence[Compared]) -> list[Row]:
    """The newest evaluation of each run, the best one marked; and, where several are seeds of one experiment that were
    steered alike, their mean ± standard deviation over the seeds."""
    rows, groups = [], dict[str, list[int]]()
    for number, one in enumerate(runs):
        rows.append(_row(number, one))
        groups.setdefault(_experiment(one), []).append(number)
    _mark_best(rows)
    for alike in groups.values():
        # A replay has the seed of its run, and is no further draw.
        members = list({runs[number].spec.seed: number for number in reversed(alike)}.values())[::-1]
        if len(members) > 1 and len({rows[number].step for number in members}) == 1:
            shared = [name for name in rows[members[0]].values if all(name in rows[n].values for n in members)]
            together = {name: _mean_and_sd([rows[n].values[name][0] for n in members]) for name in shared}
            first = rows[members[0]]
            rows.append(Row(members, f"{len(members)} seeds", first.step, together, first.about))
    return rows


def _row(number: int, one: Compared) -> Row:
    told = one.state.headline()
    if told is None:
        return Row([number], one.run.name, one.view.step, {})
    found = {told.name: told.newest, **told.evaluated.values}
    values = {name: (value.value, None) for name, value in found.items()}
    return Row([number], one.run.name, told.evaluated.step, values, found, told.newest)


def _mark_best(rows: Sequence[Row]) -> None:
    """Marks the best runs among those that have the same headline, name and unit."""
    groups = dict[tuple[str, str], list[tuple[Row, Value]]]()
    for row in rows:
        if row.headline is not None:
            groups.setdefault((next(iter(row.values)), row.headline.unit), []).append((row, row.headline))
    for group in groups.values():
        beaten = [any(other.beats(value) for _, other in group) for _, value in group]
        for (row, _), worse in zip(group, beaten, strict=True):
            row.best = not worse and any(beaten)


def _experiment(one: Compared) -> str:
    spec = {key: value for key, value in flat(one.spec).items() if key not in SAME_BUT_FOR}
    done = [(c.step, [(change.knob, change.set_to) for change in c.changes]) for c in one.state.interventions()]
    return f"{spec} {done}"


def _mean_and_sd(values: list[float]) -> tuple[float, float]:
    """A value that is not finite shows in both."""
    if not np.isfinite(values).all():
        return float(np.mean(values)), float("nan")
    return statistics.fmean(values), statistics.stdev(values)
