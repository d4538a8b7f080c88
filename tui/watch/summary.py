"""A run in one object of plain values: what `laddertop show --json` and `laddertop runs --json` print.

The keys are a contract (docs/command-line.md): all of them are always there, and what is not known yet is None.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np

from laddertop.journal.damage import all_damages
from laddertop.journal.events import Event, EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.knobs import now
from laddertop.journal.metrics import MetricsReader, segment_size
from laddertop.journal.record import as_json
from laddertop.journal.state import RunState
from laddertop.tui.watch.diagnoses.finding import Finding

NEWEST = 0
"""Bytes of a segment's numbers that a list of runs compares with their checksums, besides the newest block."""


def summary(run: RunFolder) -> dict[str, Any]:
    """Where a run stands, from its folder alone. Raises ValueError when it is no run or its spec is damaged."""
    from laddertop.tui.watch.babysat import told as babysat
    from laddertop.tui.watch.diagnoses.diagnoses import whole
    from laddertop.tui.watch.layer_life import collapsed

    standing, state, reader, metrics, events = _read(run, None)
    diagnoses = whole(run, events, metrics)
    findings = diagnoses.findings()
    started = state.started
    values = last_values(state, metrics)
    return standing | {
        "device": started.device if started else None,
        "precision": started.precision if started else None,
        "compiled": started.compiled if started else None,
        "threads": started.threads if started else None,
        "ranks": started.ranks if started else None,
        "start_note": started.note if started else None,
        "unreadable_lines": reader.damaged,
        "segment": state.segment,
        "total": total(values),
        "terms": terms(state, values),
        "knobs": {
            name: {
                "kind": knob.kind,
                "value": now(knob, standing["step"]).value,
                **({"course": knob.course} if knob.course else {}),
                "effective": _short(values[name]) if name in values else None,
                "unit": knob.unit,
            }
            for name, knob in state.knobs.items()
        },
        "checkpoints": [as_json(saved) for saved in run.checkpoints(state.checkpoints)],
        "ended": as_json(state.ended) if state.ended else None,
        "note": run.note,
        "collapsed": [
            {"layer": layer, "since": one.since, "measured": one.measured} for layer, one in collapsed(findings).items()
        ],
        "divergence": _divergence(state),
        "findings": [finding_as_json(one) for one in findings],
        "babysitter": babysat(run, state, diagnoses.advised()),
    }


def _divergence(state: RunState) -> dict[str, Any] | None:
    said = state.diverged
    return {"step": said.step, "time": said.time, "sound_until": said.sound_until, "text": said.text} if said else None


def finding_as_json(finding: Finding) -> dict[str, Any]:
    """A finding in plain values; what is not known, and a bound that is none, is None."""
    plain = asdict(finding)
    plain["evidence"] = finding.evidence._asdict()
    remedy, helped = finding.remedy, finding.helped
    plain["remedy"] = remedy and {**remedy._asdict(), "commands": [ask._asdict() for ask in remedy.commands]}
    plain["helped"] = helped and {
        name: None if isinstance(value, float) and math.isinf(value) else value
        for name, value in helped._asdict().items()
    }
    return plain


def short_summary(run: RunFolder) -> dict[str, Any]:
    """The line of a run in a list of runs; for a damaged run its state is `damaged` and `problem` says why."""
    try:
        return _read(run, NEWEST).line
    except (ValueError, OSError) as error:
        return {"name": run.name, "folder": str(run.path.absolute()), "state": "damaged", "problem": str(error)}


class _Read(NamedTuple):
    line: dict[str, Any]
    state: RunState
    reader: EventReader
    metrics: MetricsReader
    events: list[Event]


def _read(run: RunFolder, newest: int | None) -> _Read:
    """The line of a run, and what it was read from; of its numbers, all or the `newest` bytes are compared with their
    checksums. Raises ValueError as `summary` does."""
    spec = run.spec
    alive = run.engine_alive()
    reader = EventReader(run.events_path)
    events = reader.read_all()
    state = RunState().apply_all(events)
    if alive and state.ended:
        alive = run.engine_alive()  # it may have ended while its events were read
    metrics = MetricsReader(run.path)
    metrics.poll()
    step = last_step(run, state, metrics)
    started = state.started
    line = {
        "name": run.name,
        "folder": str(run.path.absolute()),
        "recipe": spec.recipe,
        "state": state.status(alive),
        "diverged": state.diverged.step if state.diverged else None,
        "pid": started.pid if started and alive else None,
        "host": started.host if started else None,
        "step": step,
        "steps": state.steps or None,
        "epoch": step / started.epoch_steps if started else None,
        "evaluation": newest_evaluation(state),
        "origin": {"kind": origin.kind, "run": origin.run, "step": origin.step} if (origin := run.origin) else None,
        "problems": all_damages(run, state, metrics, alive, newest),
        "tags": run.tags,
    }
    return _Read(line, state, reader, metrics, events)


def last_step(run: RunFolder, state: RunState, metrics: MetricsReader) -> int:
    """Steps completed. Records older than the newest start don't count: a resume may be about to repeat them."""
    if segment_size(run.path, state.segment):
        return max(state.step, metrics.last_step())
    return state.step


def last_values(state: RunState, metrics: MetricsReader) -> dict[str, float]:
    """The newest record by column name; empty before the newest start has one, as older ones belong to other steps, and
    where newer ones are lost."""
    parts = metrics.kept()
    there = 0 < state.segment <= len(parts) and len(parts[state.segment - 1])
    return metrics.last() if there and metrics.last_step() >= state.reached.get(state.segment, 0) else {}


def terms(state: RunState, values: dict[str, float]) -> dict[str, dict[str, Any]]:
    """The terms of the cost at the newest record `values` (by column): raw value × weight = share of the total."""
    told = {}
    for term in state.terms:
        value, weight = values.get(term.name), values.get(term.weight) if term.weight else float(not term.watched)
        share = None if value is None or weight is None else _short(value * weight)
        told[term.name] = {
            "label": term.label,
            "value": None if value is None else _short(value),
            "weight": None if weight is None else _short(weight),
            "share": share,
            "unit": term.unit,
        }
    return told


def total(values: dict[str, float]) -> float | None:
    """The total cost at the newest record `values` (by column)."""
    return _short(values["total"]) if "total" in values else None


def newest_evaluation(state: RunState) -> dict[str, Any] | None:
    """The newest evaluation: step, split, and each value with its unit."""
    return as_json(state.evaluations[-1]) if state.evaluations else None


def _short(value: float) -> float:
    """The fewest digits that still name the same float32: 0.002, not 0.0020000000949949026."""
    return float(str(np.float32(value))) if math.isfinite(value) else value
