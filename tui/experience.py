"""How long a run of a recipe will take, from what earlier runs of the same sizes took on this machine."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from journal.events import EventReader
from journal.folder import list_runs
from journal.metrics import MetricsReader
from journal.spec import Spec
from journal.state import RunState
from tui.draw.numbers import estimate, rate, thousands

LOOKED_AT = 40
"""Of the newest runs of the folder, how many are asked."""
ENOUGH = 50
"""Steps that a run must have taken to be believed."""


@dataclass(frozen=True)
class Known:
    """What an earlier run took."""

    run: str
    spec: Spec
    seconds_per_step: float
    """Median over its newest start."""
    epoch_steps: int
    checkpoint_bytes: int
    """Of its newest checkpoint; 0 when it has none."""


def earlier(runs: Path) -> list[Known]:
    """What runs of this machine took, newest first. Reads files only; called in a thread."""
    found = []
    for run in list_runs(runs)[:LOOKED_AT]:
        try:
            state = RunState().apply_all(EventReader(run.events_path).read_all())
            metrics = MetricsReader(run.path)
            metrics.poll()
            records = next((part for part in reversed(metrics.records()) if len(part) > ENOUGH), None)
            if records is None or state.started is None or state.started.host != socket.gethostname():
                continue
            per_step = float(np.median(np.diff(records["time"][-2000:])))
            saved = state.checkpoints[-1].bytes if state.checkpoints else 0
            found.append(Known(run.name, run.spec, per_step, state.started.epoch_steps, saved))
        except (ValueError, OSError):
            continue
    return found


def in_words(spec: Spec, known: list[Known]) -> str:
    """What a run of `spec` will take, and where that comes from."""
    fitting = next((one for one in known if _sizes(one.spec) == _sizes(spec)), None)
    if fitting is None:
        return f"no run of these sizes here yet to tell how long it takes ({os.cpu_count()} cores)"
    steps = spec.steps or round((spec.epochs or 0) * fitting.epoch_steps)
    per_second = rate(1 / fitting.seconds_per_step) if fitting.seconds_per_step > 0 else "–"
    words = f"about {estimate(steps * fitting.seconds_per_step)} for {thousands(steps)} steps at {per_second}"
    if fitting.checkpoint_bytes:
        words += f"; {fitting.checkpoint_bytes / 1e6:.1f} MB a checkpoint"
    return f"{words}; as {fitting.run} took here"


def _sizes(spec: Spec) -> tuple[object, ...]:
    """What decides the time of a step."""
    data = spec.data
    return spec.model, data.name, data.labels, data.batch, data.labelled_batch, spec.device, spec.precision
