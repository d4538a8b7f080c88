"""What is recorded of a finished run: its evaluation, its pictures, and how it was trained."""

from __future__ import annotations

import itertools
import json
import os
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from laddertop.journal.events import Evaluated, Event, EventReader, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.watch.summary import summary

ROOT = Path(__file__).resolve().parents[1]
LADDERTOP = "laddertop.tui.cli.main"


class Stopped(Exception):
    """The queue is to stop; what was under way is done again or gone on with next time."""


class Child:
    """Runs commands, one at a time, in sessions of their own: a signal to the queue is the queue's alone."""

    def __init__(self, stopping: threading.Event | None = None) -> None:
        """Once `stopping` is set, commands are ended."""
        self._stopping = stopping or threading.Event()

    def check(self) -> None:
        """Raises Stopped when commands are to end."""
        if self._stopping.is_set():
            raise Stopped

    def laddertop(self, *words: str) -> str:
        """What a command of laddertop prints. Raises RuntimeError with its last words when it fails."""
        return self.run(LADDERTOP, *words)

    def run(self, module: str, *words: str) -> str:
        """What a module prints. Raises RuntimeError with its last words when it fails, and Stopped."""
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", module, *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        while True:
            try:
                printed, errors = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if self._stopping.is_set():
                    os.killpg(process.pid, signal.SIGTERM)
        self.check()
        if process.returncode:
            raise RuntimeError((errors.strip() or f"exit status {process.returncode}").splitlines()[-1])
        return printed


def wanted(row: dict[str, Any], seed: int) -> dict[str, Any]:
    """What identifies a result: recipe, settings, seed."""
    return {"recipe": row["recipe"], "settings": row.get("settings", []), "seed": seed}


def measure(run: RunFolder, row: dict[str, Any], beside: Path, child: Child) -> dict[str, Any]:
    """Evaluates a finished run and returns its result; its pictures go into the folder `beside`.

    Raises RuntimeError when it is not finished.
    """
    told = summary(run)
    if told["state"] != "finished":
        raise RuntimeError(f"{run.name} is {told['state']} at step {told['step']} of {told['steps']}")
    represent = ["--representation"] if row.get("representation") else []
    evaluation = json.loads(child.laddertop("evaluate", str(run.path), "--json", *represent))
    few_labels = isinstance(run.spec.data.labels, int) and "error_percent" in evaluation["values"]
    draw = {"confusion": json.loads(child.run("benchmarks.confusion", str(run.path)))} if few_labels else {}
    events = EventReader(run.events_path).read_all()
    state = RunState().apply_all(events)
    spec, epochs = run.spec, told["epoch"]
    return {
        **wanted(row, spec.seed),
        "command": command_of(row, spec.seed),
        "finished": time.strftime("%Y-%m-%d", time.localtime(events[-1].time)),
        "machine": machine(),
        "engine": {key: told[key] for key in ("device", "precision", "compiled", "threads")},
        "versions": state.started.versions if state.started else {},
        "steps": told["steps"],
        "epochs": epochs,
        "shortened": shortened(row, epochs),
        "interventions": len(state.interventions()),
        "training_seconds": training_seconds(events),
        "evaluation_seconds": evaluation["seconds"],
        "values": evaluation["values"],
        **draw,
        **({"log": log_by_epoch(run, state, row["log"])} if "log" in row else {}),
        "pictures": draw_pictures(run, row, beside, child),
    }


def draw_pictures(run: RunFolder, row: dict[str, Any], beside: Path, child: Child) -> list[dict[str, str]]:
    """The pictures that a row asks for, as files below the folder `beside`."""
    pictures = []
    for number, words in enumerate(row.get("pictures", [])):
        command, *options = shlex.split(words)
        (beside / "pictures").mkdir(exist_ok=True)
        file = f"pictures/{run.name}-{number}-{command}.png"
        child.laddertop(command, str(run.path), *options, "--out", str(beside / file), "--timeout=3600")
        pictures.append({"file": file, "command": words})
    return pictures


def log_by_epoch(run: RunFolder, state: RunState, log: dict[str, Any]) -> list[dict[str, float]]:
    """Per epoch the mean of a term over its training steps, and a measure of the test images after it.

    `log` names the `term` and the `measure`.
    """
    assert state.started is not None
    metrics = MetricsReader(run.path)
    metrics.poll()
    steps, term, an_epoch = metrics.steps, metrics.values(log["term"]), state.started.epoch_steps
    return [
        {
            "epoch": one.step / an_epoch,
            "training": float(term[(steps > one.step - an_epoch) & (steps <= one.step)].mean()),
            "test": float(one.values[log["measure"]].value),
        }
        for one in state.evaluations
        if isinstance(one, Evaluated) and one.step and one.step % an_epoch == 0
    ]


def command_of(row: dict[str, Any], seed: int) -> str:
    """What to type to do it again."""
    settings = " ".join(f"--set {setting}" for setting in [*row.get("settings", []), "threads=1"])
    return f"laddertop train {row['recipe']} --seed {seed} {settings}"


def shortened(row: dict[str, Any], epochs: float) -> str:
    """How a schedule falls short of the published one; empty when it does not."""
    if "whole" in row:
        return ""
    if row["recipe"].endswith("-short"):
        return f"{epochs:g} epochs, see the recipe"
    recipe = load_recipe(row["recipe"])
    own = override(recipe, row.get("settings", []))
    if recipe.epochs is not None and epochs < recipe.epochs:
        return f"{epochs:g} of {recipe.epochs:g} epochs"
    if recipe.steps is not None and own.steps is not None and own.steps < recipe.steps:
        return f"{own.steps} of {recipe.steps} steps"
    return ""


def training_seconds(events: Sequence[Event]) -> float:
    """Seconds that engines were at work, over all starts.

    Silences between two starts don't count, and of a silence that is longer than two minutes and than four times the
    mean one (processes were stopped for a while) no more than that.
    """
    pairs = itertools.pairwise(events)
    gaps = [after.time - before.time for before, after in pairs if not isinstance(after, RunStarted)]
    longest = max(120.0, 4 * statistics.fmean(gaps)) if gaps else 0.0
    return float(sum(min(gap, longest) for gap in gaps))


def machine() -> str:
    """The processor and how many cores of it there are."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line.partition(": ")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"


def row_of(run: RunFolder, plan: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of the plan that a run was trained for, by its spec; else one with the settings that it differs in."""
    spec = run.spec
    for row in plan:
        if row["recipe"] == spec.recipe:
            own = override(load_recipe(row["recipe"]), row.get("settings", []))
            if same(own.model_dump(), spec.model_dump()):
                return row
    recipe = flat(load_recipe(spec.recipe).model_dump())
    different = {key: value for key, value in flat(spec.model_dump()).items() if recipe.get(key) != value}
    settings = [f"{key}={json.dumps(value)}" for key, value in different.items() if key not in ASIDE]
    return {"recipe": spec.recipe, "settings": settings}


ASIDE = ("seed", "threads", "device", "data.root", "about", "evaluate.every", "samples.every", "checkpoint.every")
"""Keys of a spec that make no other row of it: none of them changes what is trained."""


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A tree of settings as dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs are those of one row."""
    left, right = ({k: v for k, v in flat(tree).items() if k not in ASIDE} for tree in (one, other))
    return left == right
