"""Which curves a run has, which of them a filter means, and which charts are pinned.

A chart is named by a word: a curve, a pattern such as `denoise.*` for several curves in one chart, or several of these
with blanks between them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from laddertop.journal.state import RunState
from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.bins import Binned, of_points
from laddertop.tui.draw.scale import Kind
from laddertop.tui.watch.history import THROUGHPUT

MOST = 9
"""Charts that are pinned at first, at most."""
EVALUATED = "evaluated."
"""What the names of evaluated numbers begin with."""


@dataclass(frozen=True)
class CurveName:
    """One curve that can be shown."""

    name: str
    label: str
    unit: str


def curve_names(state: RunState) -> list[CurveName]:
    """All curves of a run: total, terms, gradient, throughput, what is evaluated, knobs."""
    names = [CurveName("total", "total cost", "weighted sum of the terms")]
    names += [CurveName(term.name, term.label, term.unit) for term in state.terms]
    names.append(CurveName("grad_norm", "gradient norm", "over all parameters, before clipping"))
    names.append(CurveName(THROUGHPUT, "throughput", "steps per second"))
    evaluated = {name: value for event in state.evaluations for name, value in event.values.items()}
    for name, value in evaluated.items():
        names.append(CurveName(f"{EVALUATED}{name}", f"evaluated {value.called(name)}", value.unit))
    names += [CurveName(knob.name, knob.label, knob.unit) for knob in state.knobs.values()]
    return names


def usual_kind(name: str, state: RunState) -> Kind:
    """The kind of y axis that suits a curve of a run: costs and rates fall by factors, the others do not."""
    return "linear" if name.startswith(EVALUATED) or name in state.knobs else "log"


def evaluated(name: str, state: RunState, axis: XAxis, origin: float) -> Binned:
    """The curve of an evaluated number on an axis; `origin` is where an axis of wall time begins."""
    key = name.removeprefix(EVALUATED)
    events = [e for e in state.evaluations if key in e.values]
    x = [e.time - origin if axis.unit == "time" else float(e.step) for e in events]
    return of_points(axis, np.array(x), np.array([e.values[key].value for e in events]))


def matching(text: str, curves: list[CurveName]) -> list[CurveName]:
    """The curves that a filter means: /regular expression/, a pattern with * ? [ ], or a part of a name or label.

    Raises ValueError for what is no regular expression.
    """
    if text.startswith("/"):
        try:
            expression = re.compile(text[1:].removesuffix("/"), re.IGNORECASE)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return [c for c in curves if expression.search(c.name) or expression.search(c.label)]
    if any(sign in text for sign in "*?["):
        return [c for c in curves if fnmatchcase(c.name.lower(), text.lower())]
    part = text.strip().lower()
    return [c for c in curves if part in c.name.lower() or part in c.label.lower()]


def curves_of(chart: str, curves: list[CurveName]) -> list[CurveName]:
    """The curves of a chart that this run has."""
    found: dict[str, CurveName] = {}
    for word in chart.split():
        found |= {c.name: c for c in curves if c.name == word or fnmatchcase(c.name, word)}
    return list(found.values())


def title_of(chart: str, curves: list[CurveName]) -> str:
    """What a chart is called: its curve's label, or the pattern itself."""
    found = curves_of(chart, curves)
    return found[0].label if len(found) == 1 else chart


def first_charts(state: RunState) -> list[str]:
    """The charts that are pinned before the user has chosen any."""
    terms = [term.name for term in state.terms]
    groups = dict.fromkeys(name.partition(".")[0] for name in terms)
    charts = ["total"]
    for group in groups:
        members = [name for name in terms if name.partition(".")[0] == group]
        charts.append(members[0] if len(members) == 1 else f"{group}.*")
    charts += [c.name for c in curve_names(state) if c.name.startswith(EVALUATED)][:1]
    charts += ["grad_norm", THROUGHPUT, "lr", *(name for name in ("beta", "warmup") if name in state.knobs)]
    if f"{next(iter(groups), '')}.*" in charts or "denoise.*" in charts:
        charts += [name for name in terms if name.startswith("denoise.")][:2]
    return charts[:MOST]
