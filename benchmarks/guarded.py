"""Times a training step with and without what guards a run's files, in alternating windows of one training.

    python -m benchmarks.guarded [--pairs 120] [--seconds 0.5]

A small VAE on the digits is trained in this process, on one thread: the shorter the step, the more a guard weighs. In
every other window nothing is guarded: nobody looks whether the lock, the events and the numbers are where they were,
the numbers get no checksums, the inbox and the folder of questions are listed by their paths, whatever lies there, and
what the disk refuses is an error at once. Which comes first changes from pair to pair.
All time is that which the training's thread had a processor, also what the training goes by where it does something
twice a second: so it does what it does on a machine of its own, whatever else this one does. Beside the whole step, the
time within those functions that differ is taken by itself: what else changes between two windows, such as what other
programs leave of the caches, is not in it. The interval is that of the median over pairs, 95 %.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import laddertop.engine.training.train as loop
from laddertop.engine.training import guard, recorder
from laddertop.engine.training.disk import Disk
from laddertop.engine.training.guard import Guard
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal import inside, metrics_overview
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override

SETTINGS = (
    *("data.name=digits", "model.hidden=[64]", "model.latent=8", "data.batch=50", "steps=1000000000", "threads=1"),
    *("device=cpu", "compile=off", "precision=fp32", "checkpoint.every=0", "evaluate.every=0", "samples.every=0"),
)


def listed(folder: Path | str, inner: str, form: re.Pattern[str]) -> list[str]:
    """The names in a folder, whatever they are."""
    return sorted(name for name in os.listdir(f"{folder}/{inner}") if form.fullmatch(name))


class Windows:
    """Two kinds of windows in turn, and what a step takes in each."""

    def __init__(self, seconds: float) -> None:
        self.guarded = True
        self.pairs: list[dict[bool, tuple[float, float]]] = [{}]
        """Of each pair, by whether it was guarded: seconds that a step took, and what of them went into files."""
        self._seconds, self._began = seconds, (0.0, 0)
        self._inside, self._spent = 0, 0.0

    def either(self, guarded: Callable[..., Any], bare: Callable[..., Any]) -> Callable[..., Any]:
        """Does the one in guarded windows and the other in bare ones, and takes the time of it."""

        def one(*words: Any, **more: Any) -> Any:
            began, self._inside = time.thread_time(), self._inside + 1
            try:
                return (guarded if self.guarded else bare)(*words, **more)
            finally:
                self._inside -= 1
                if not self._inside:
                    self._spent += time.thread_time() - began

        return one

    def step(self, number: int) -> None:
        """Before each step: ends a window that is over, and begins the next."""
        began, first = self._began
        if (now := time.thread_time()) < began + self._seconds:
            return
        if first:
            pair = self.pairs[-1]
            steps = number - first
            pair[self.guarded] = (now - began) / steps, self._spent / steps
            if len(pair) == 2:
                self.pairs.append({})
            else:
                self.guarded = not self.guarded
        self._began, self._spent = (now, number), 0.0


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=120)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    windows, stop = Windows(options.seconds), Stop(foreground=False)
    obey = Training.obey

    def obeying(training: Training, told: Stop) -> None:
        windows.step(training.step)
        if len(windows.pairs) > options.pairs + 1:  # the first pair warms up
            stop.reason = "measured"
        obey(training, told)

    nothing = np.empty(0, np.uint8)
    clock = SimpleNamespace(**vars(time) | {"monotonic": time.thread_time})
    for module in (loop, guard, recorder):
        module.time = clock  # type: ignore[attr-defined]
    Training.obey = obeying  # type: ignore[method-assign]
    Guard.look = windows.either(Guard.look, lambda guard: None)  # type: ignore[method-assign]
    Disk.takes = windows.either(Disk.takes, lambda disk, write, *rest, **more: write())  # type: ignore[method-assign]
    inside.names = windows.either(inside.names, listed)
    metrics_overview.entries = windows.either(metrics_overview.entries, lambda *blocks: nothing)
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(Path(folder), override(load_recipe("vae-mnist"), list(SETTINGS)), "guarded")
        with run.engine_lock() as lock:
            train(run, stop, lock=lock)
    pairs = windows.pairs[1 : options.pairs + 1]
    step = statistics.median(pair[False][0] for pair in pairs)
    print(f"a step takes {1000 * step:.3f} ms of a processor unguarded")
    for part, name in ((0, "the whole step"), (1, "by what goes into files alone")):
        more = sorted(100 * (pair[True][part] - pair[False][part]) / step for pair in pairs)
        reach = round(0.98 * math.sqrt(len(more)))  # ranks on either side of the median, by the binomial distribution
        middle = len(more) // 2
        low, high = more[max(0, middle - reach)], more[min(len(more) - 1, middle + reach)]
        print(f"guarded, {name}: {statistics.median(more):+.2f} % ({low:.2f} … {high:.2f} %)")


if __name__ == "__main__":
    main()
