"""How long a run will take, from what earlier runs took on this machine or else by a guess; and how much memory.

With an earlier run of other sizes its own speed stands in for that of the machine, and SPREAD for the difference in
kind: among the 25 runs of `guess` the nearest of another recipe was wrong by 2.1 times at most. There is no guess for a
GPU, on which nothing was measured.
"""

from __future__ import annotations

import math
import socket
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laddertop.journal.events import EventReader
from laddertop.journal.folder import list_runs
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import Spec
from laddertop.journal.start import planned_steps
from laddertop.journal.state import RunState
from laddertop.tui.dashboard.views.guess import OVERHEAD, guessed_from_sizes
from laddertop.tui.dashboard.views.machine import Sensors
from laddertop.tui.dashboard.views.sizes import memory_bytes, sizes
from laddertop.tui.draw.numbers import estimate, rate, size, thousands

LOOKED_AT = 40
"""Of the newest runs of the folder, how many are asked."""
ENOUGH = 50
"""Steps that a run must have taken to be believed."""
SPREAD = 2.5
"""How many times faster or slower a run may be than the multiply-adds of another recipe say."""


@dataclass(frozen=True)
class Known:
    """What an earlier run took."""

    run: str
    spec: Spec
    device: str
    """As its engine names it."""
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
            found.append(Known(run.name, run.spec, state.started.device, per_step, state.started.epoch_steps, saved))
        except (ValueError, OSError):
            continue
    return found


@dataclass(frozen=True)
class Experience:
    """What is known of this machine."""

    known: list[Known]
    """Newest first."""
    gpu: bool
    """Whether the machine has a GPU, which device = auto would take."""


def experience(runs: Path) -> Experience:
    """Earlier runs in the folder `runs`, and what the machine has. Takes a while; called in a thread."""
    return Experience(earlier(runs), bool(Sensors().look(None).gpus))


def in_words(spec: Spec, here: Experience) -> str:
    """How long a run of `spec` will take and where that comes from, and how much memory."""
    try:
        memory = f"about {memory_bytes(spec) / 1e6:.0f} MB of memory besides torch's own"
    except ValueError as error:
        return str(error)
    fitting = next((one for one in here.known if _sizes(one.spec) == _sizes(spec)), None)
    if fitting is None:
        return f"{_guess(spec, here)}; {memory}"
    steps = spec.steps or round((spec.epochs or 0) * fitting.epoch_steps)
    per_second = rate(1 / fitting.seconds_per_step) if fitting.seconds_per_step > 0 else "–"
    words = f"about {estimate(steps * fitting.seconds_per_step)} for {thousands(steps)} steps at {per_second}"
    words += f", as {fitting.run} took here; {memory}"
    if fitting.checkpoint_bytes:
        words += f"; {size(fitting.checkpoint_bytes)} a checkpoint"
    return words


def guessed_seconds(spec: Spec, known: list[Known]) -> tuple[float, float, str]:
    """Between how many seconds the steps of a run take on a CPU, and the run that the speed is from, or an empty name.

    Raises ValueError where the layers of the spec don't fit together.
    """
    work, steps = sizes(spec).multiply_adds, planned_steps(spec)
    on_cpu = [one for one in known if one.device == "cpu"]
    if on_cpu:
        # The nearest in size: small steps are slower per multiply-add than large ones.
        near = min(on_cpu, key=lambda one: abs(math.log(sizes(one.spec).multiply_adds / work)))
        seconds = steps * near.seconds_per_step * work / sizes(near.spec).multiply_adds
        return seconds / SPREAD, seconds * SPREAD + steps * OVERHEAD, near.run
    return *guessed_from_sizes(spec), ""


def _guess(spec: Spec, here: Experience) -> str:
    steps = thousands(planned_steps(spec))
    if spec.device not in ("auto", "cpu") or (spec.device == "auto" and here.gpu):
        return f"no run of these sizes here yet to tell how long {steps} steps take on a GPU"
    low, high, name = guessed_seconds(spec, here.known)
    source = f" by the speed of {name}" if name else ""
    return f"{estimate(low)} to {estimate(high)} for {steps} steps, a guess{source}; the first run tells"


def _sizes(spec: Spec) -> tuple[object, ...]:
    """What decides the time of a step."""
    data = spec.data
    return spec.model, data.name, data.labels, data.batch, data.labelled_batch, spec.device, spec.precision
