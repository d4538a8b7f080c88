"""`train --seeds N`: one run per seed, side by side on a CPU's cores or on several GPUs, in turn on one GPU, and what
they come to together.

Every run has one CPU thread: small products gain so little from a second one that two runs side by side take hardly
longer than one, and a seed's result is bit for bit that of a lone run with `--set threads=1`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.events import Evaluated
from laddertop.journal.folder import check_name, create_run
from laddertop.journal.memory import free_memory
from laddertop.journal.spec import Spec, override
from laddertop.journal.start import has_gpu
from laddertop.tui.cli.print import json_result, result, say
from laddertop.tui.cli.seed_bars import SeedBars, SeedLines
from laddertop.tui.cli.show import headline
from laddertop.tui.steer.ending import signals_taken
from laddertop.tui.steer.engine_process import EngineError, EngineProcess, NotBegunError, environment
from laddertop.tui.steer.placing import freest
from laddertop.tui.steer.sizing import sizes_of
from laddertop.tui.watch.summary import summary

TORCH = 540_000_000
"""Bytes that torch itself takes in a process."""
ROOMY = 4 << 30
"""Bytes of free memory for each run side by side from which on nobody asks how much they take."""


def train_seeds(
    spec: Spec, runs: Path, name: str, seeds: int, at_once: int | None, devices: list[str], *, as_json: bool
) -> int:
    """Trains `seeds` runs called `name`-s1 and so on, from the spec's seed up, `at_once` of them or as many as suits
    the device, or one on each of several `devices`, and returns the exit status.

    SIGINT, SIGTERM and SIGHUP stop them all in good order; a second SIGINT kills the engines. Raises ValueError when a
    run can't be made, EngineError when one failed; the others are then trained to their end all the same, unless it
    was one that could not begin.
    """
    with signals_taken() as received:
        return _train(spec, runs, name, seeds, at_once, devices or [spec.device], received, as_json)


def _train(
    spec: Spec,
    runs: Path,
    name: str,
    seeds: int,
    at_once: int | None,
    devices: list[str],
    received: list[int],
    as_json: bool,
) -> int:
    names = names_of_seeds(spec, runs, name, seeds)
    waiting, engines = list(names), dict[int, EngineProcess]()
    at_work: list[int] = []
    not_begun: list[EngineError] = []
    at_once = at_once or default_at_once(spec, devices, seeds)
    told_to_stop = False
    show: SeedBars | SeedLines = SeedBars(name, list(names)) if sys.stderr.isatty() else SeedLines()
    try:
        while at_work or (waiting and not received):
            while waiting and len(at_work) < at_once and not received:
                seed = waiting.pop(0)
                device = freest(devices, [engines[other].run.spec.device for other in at_work])
                run = create_run(runs, override(spec, [f"seed={seed}", "threads=1", f"device={device}"]), names[seed])
                engines[seed] = EngineProcess(run, foreground=True)
                at_work.append(seed)
            time.sleep(0.1)
            if received and not told_to_stop:
                told_to_stop = True
                show.message("stopping: the engines finish their step and save; ctrl-c (again) kills them at once")
                for seed in at_work:
                    engines[seed].process.terminate()
            if signal.SIGINT in received[1:]:
                for seed in at_work:
                    engines[seed].process.kill()
            for seed in list(at_work):
                engine = engines[seed]
                gone = engine.process.poll() is not None
                engine.news()
                if not gone:
                    show.progress(seed, engine)
                    continue
                at_work.remove(seed)
                if isinstance(error := engine.failure(), NotBegunError):
                    not_begun.append(error)
                    shutil.rmtree(engine.run.path)
                    waiting.clear()
                    del engines[seed]
                    continue
                evaluated = engine.state.evaluations
                words = f", {headline(summary(engine.run)['evaluation'])}" if evaluated else ""
                show.ended(seed, engine, f"{engine.state.status(alive=False)} at step {engine.state.step}{words}")
    finally:
        show.close()
    done = [engines[seed] for seed in sorted(engines)]
    evaluations = [engine.state.evaluations[-1] for engine in done if engine.state.evaluations]
    told = together(evaluations)
    if as_json and not not_begun:
        json_result({"runs": [summary(engine.run) for engine in done], "evaluation": told})
    else:
        for name, row in told.items():
            measure = evaluations[0].values[name].called(name)
            result(
                f"{measure}: median {row['median']:.4g}, mean {row['mean']:.4g} ± {row['sd']:.2g} "
                f"over {len(row['values'])} seeds ({row['unit']})"
            )
    if received:
        return 128 + received[0]
    if not_begun:
        raise not_begun[0]
    if broken := [engine for engine in done if engine.state.status(alive=False) != "finished"]:
        raise EngineError(f"{broken[0].run.name}: {broken[0].obituary()}")
    return 0


def default_at_once(spec: Spec, devices: list[str], seeds: int) -> int:
    """How many of `seeds` engines are at work at a time, where nobody says it: as many as suit the devices, and on a
    CPU no more than have room."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    suit = len(devices) if len(devices) > 1 else side_by_side(spec.device, cores, has_gpu())
    wanted = min(suit, seeds)
    if suit == 1 < min(cores, seeds):
        say(f"one seed after the other on device {spec.device}; --at-once N trains N side by side")
    if spec.device.startswith("cuda") or wanted == 1 or (room := free_memory()) >= wanted * ROOMY:
        return wanted
    each = sizes_of(spec).memory + TORCH
    if (fit := max(1, room // each)) < wanted:
        say(
            f"{fit} of {wanted} seeds at a time: each takes about {each / 1e9:.2g} GB of memory, and "
            f"{room / 1e9:.2g} GB are free"
        )
    return min(wanted, fit)


def side_by_side(device: str, cores: int, gpu: bool) -> int:
    """How many engines are at work at a time on a spec's device; `gpu`: auto takes one.

    One on a GPU, whose memory and time several would share; on a CPU one per core.
    """
    return cores if device == "cpu" or (device == "auto" and not gpu) else 1


def names_of_seeds(spec: Spec, runs: Path, name: str, seeds: int) -> dict[int, str]:
    """The names of the runs, by seed. Raises ValueError when one is taken, or can't name a run."""
    check_name(name)
    names = {seed: f"{name}-s{seed}" for seed in range(spec.seed, spec.seed + seeds)}
    if taken := [one for one in names.values() if (runs / one).exists()]:
        raise ValueError(f"there is a run {taken[0]} in {runs} already; take another --name")
    return names


def train_seeds_in_background(spec: Spec, runs: Path, name: str, seeds: int, words: list[str], *, as_json: bool) -> int:
    """Leaves the training of all seeds to a process of its own, which runs laddertop with these `words`; what it prints
    goes to a file beside the runs.

    Raises ValueError when a run can't be made.
    """
    names = list(names_of_seeds(spec, runs, name, seeds).values())
    log = runs / f"{name}-seeds.log"
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "laddertop.tui.cli.main", *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                env=environment(),
            )
    except OSError as error:
        raise ValueError(f"can't write {log}: {error.strerror}; choose another folder with --runs") from None
    if as_json:
        json_result({"pid": process.pid, "log": str(log), "runs": names}, indent=None)
        return 0
    for one in names:
        result(one)
    say(
        f"training {seeds} seeds in the background; `laddertop runs` lists those "
        f"that have begun, {log} has what came of them, `kill {process.pid}` stops them all in good order"
    )
    return 0


def together(evaluations: list[Evaluated]) -> dict[str, dict[str, Any]]:
    """Per measure, over the last evaluations of several runs: values, median, mean and standard deviation, unit.

    What says best how good a model is comes first.

    A seed that diverged stays visible: NaN and infinities go into all of them.
    """
    found: dict[str, dict[str, Any]] = {}
    names = evaluations[0].values if evaluations else {}
    for name in sorted(names, key=lambda name: not names[name].headline):
        values = [evaluation.values[name].value for evaluation in evaluations]
        with np.errstate(invalid="ignore"):
            found[name] = {
                "values": values,
                "median": float(np.median(values)),
                "mean": float(np.mean(values)),
                "sd": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0,
                "unit": evaluations[0].values[name].unit,
            }
    return found
