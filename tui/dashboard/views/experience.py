"""How long a run will take, from what earlier runs took on this machine or else by a guess; and how much memory.

With an earlier run of other sizes its own speed stands in for that of the machine, and SPREAD for the difference in
kind: among the 25 runs of `guess` the nearest of another recipe was wrong by 2.1 times at most. There is no guess for a
GPU, on which nothing was measured.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from laddertop.journal.events import EventReader
from laddertop.journal.folder import list_runs
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.sizes import Sizes
from laddertop.journal.spec import Spec
from laddertop.journal.start import planned_steps
from laddertop.journal.state import RunState
from laddertop.tui.dashboard.views.guess import OVERHEAD, guessed_from_sizes
from laddertop.tui.dashboard.views.machine import Sensors
from laddertop.tui.draw.numbers import estimate, rate, size, thousands

LOOKED_AT = 40
"""Of the newest runs of the folder, how many are asked."""
ENOUGH = 50
"""Steps that a run must have taken to be believed."""
UNKNOWN = "…"
"""Stands for what the engine has not told yet."""
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


SizesOf = Callable[[Spec], Sizes | None]
"""Tells the sizes of a run; none: they are not known yet."""


def wanted(spec: Spec, here: Experience) -> list[Spec]:
    """The runs whose sizes `in_words` needs: its own first, then those whose speed may stand in for its own."""
    return [spec, *([] if _fitting(spec, here) else [one.spec for one in here.known if one.device == "cpu"])]


def in_words(spec: Spec, here: Experience, sizes: SizesOf) -> str:
    """How long a run of `spec` will take and where that comes from, and how much memory."""
    told, fitting = sizes(spec), _fitting(spec, here)
    if told is not None and told.problem:
        return told.problem
    memory = f"about {UNKNOWN if told is None else f'{told.memory / 1e6:.0f}'} MB of memory besides torch's own"
    if fitting is None:
        return f"{_guess(spec, here, sizes)}; {memory}"
    steps = spec.steps or round((spec.epochs or 0) * fitting.epoch_steps)
    per_second = rate(1 / fitting.seconds_per_step) if fitting.seconds_per_step > 0 else "–"
    words = f"about {estimate(steps * fitting.seconds_per_step)} for {thousands(steps)} steps at {per_second}"
    words += f", as {fitting.run} took here; {memory}"
    if fitting.checkpoint_bytes:
        words += f"; {size(fitting.checkpoint_bytes)} a checkpoint"
    return words


def guessed_seconds(spec: Spec, told: Sizes, known: list[Known], sizes: SizesOf) -> tuple[float, float, str]:
    """Between how many seconds a run takes on a CPU for its steps, and the run that the speed is from, or no name."""
    steps = planned_steps(spec)
    work = told.multiply_adds(steps)
    on_cpu = [
        (one, other.multiply_adds(planned_steps(one.spec)))
        for one in known
        if one.device == "cpu" and (other := sizes(one.spec)) is not None and not other.problem
    ]
    if on_cpu:
        # The nearest in size: small steps are slower per multiply-add than large ones.
        near, its_work = min(on_cpu, key=lambda one: abs(math.log(one[1] / work)))
        seconds = steps * near.seconds_per_step * work / its_work
        return seconds / SPREAD, seconds * SPREAD + steps * OVERHEAD, near.run
    return *guessed_from_sizes(spec, told), ""


def _guess(spec: Spec, here: Experience, sizes: SizesOf) -> str:
    told, steps = sizes(spec), thousands(planned_steps(spec))
    if spec.device not in ("auto", "cpu") or (spec.device == "auto" and here.gpu):
        return f"no run of these sizes here yet to tell how long {steps} steps take on a GPU"
    if told is None:
        return UNKNOWN
    low, high, name = guessed_seconds(spec, told, here.known, sizes)
    source = f" by the speed of {name}" if name else ""
    return f"{estimate(low)} to {estimate(high)} for {steps} steps, a guess{source}; the first run tells"


def _fitting(spec: Spec, here: Experience) -> Known | None:
    """The newest run here that took steps like those of `spec`."""
    return next((one for one in here.known if _alike(one.spec) == _alike(spec)), None)


def _alike(spec: Spec) -> tuple[object, ...]:
    """What decides the time of a step."""
    data = spec.data
    return spec.model, data.name, data.labels, data.batch, data.labelled_batch, spec.device, spec.precision
