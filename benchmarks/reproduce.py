"""A queue that trains the published settings, evaluates each as its paper does, and keeps what came out.

    python benchmarks/reproduce.py [--data-root DIR] [--side-by-side 2] [RECIPE …]
    python benchmarks/reproduce.py --left
    python benchmarks/reproduce.py --record RUN …

One result per row of benchmarks/reproduce.toml and seed, in the order of that file, each run with one CPU thread and
the lowest priority, unless --nice says otherwise. The runs live in the user's cache, results are appended to
benchmarks/reproduce.jsonl, from which benchmarks/REPRODUCE.md is written anew. What is recorded is not done again, on
this machine or another one; what was interrupted, however it was, goes on from its checkpoint, and an engine that is
still at work is waited for. Plan and results are read again before each run, so both may change while the queue works.
Ctrl-C and SIGTERM save and end the runs; a SIGKILL of the queue alone leaves them at work.

`--left` tells what is left, in hours, and does nothing. `--record` takes up finished runs that were trained by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.reproduce_page import write_page
from benchmarks.reproduced import Child, Stopped, measure, row_of, wanted
from laddertop.journal.files import lock, user_cache
from laddertop.journal.folder import RunFolder
from laddertop.tui.watch.summary import short_summary, summary

HERE = Path(__file__).resolve().parent
LOOK_EVERY = 1.0
"""Seconds between two looks at an engine."""


class Job(NamedTuple):
    """One row of the plan with one seed."""

    row: dict[str, Any]
    seed: int

    @property
    def name(self) -> str:
        """The run's name, the same wherever and whenever it is trained."""
        changed = "".join(f"-{setting}" for setting in self.row.get("settings", [])).replace("/", "_")
        return f"{self.row['recipe']}{changed}-s{self.seed}"


class Left(NamedTuple):
    """What is left of one row of the plan."""

    row: dict[str, Any]
    seeds: int
    a_seed: float | None
    """Hours of one CPU thread for a seed; None: never measured and not in the plan."""
    hours: float
    """Hours left, less what its runs have behind them."""


def read_plan(path: Path) -> list[dict[str, Any]]:
    """The rows of a plan, in their order. Raises ValueError when it is no TOML."""
    plan: list[dict[str, Any]] = tomllib.loads(path.read_text())["row"]
    return plan


def read_results(path: Path) -> list[dict[str, Any]]:
    """What is recorded, the first of each recipe, settings and seed; a line that was cut off is not there yet."""
    lines = path.read_text().rpartition("\n")[0].splitlines() if path.exists() else []
    first: dict[str, dict[str, Any]] = {}
    for result in map(json.loads, lines):
        first.setdefault(identity(result), result)
    return list(first.values())


def append_result(path: Path, result: dict[str, Any]) -> None:
    """Adds a line and waits for the disk; half a line that a crash left there is taken away."""
    with path.open("ab+") as file:
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.write(json.dumps(result).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def identity(result: dict[str, Any]) -> str:
    """Recipe, settings and seed as one text."""
    return json.dumps([result[key] for key in ("recipe", "settings", "seed")])


def left_to_do(plan: list[dict[str, Any]], results: list[dict[str, Any]]) -> list[Job]:
    """Every job that is not recorded, in the order of the plan."""
    done = {identity(result) for result in results}
    return [Job(row, s) for row in plan for s in row["seeds"] if identity(wanted(row, s)) not in done]


def hours_left(plan: list[dict[str, Any]], results: list[dict[str, Any]], runs: Path) -> list[Left]:
    """What is left of each row: hours a seed as measured before, else as the plan tells."""
    jobs, told = left_to_do(plan, results), []
    for row in plan:
        mine = [job for job in jobs if job.row is row]
        measured = [
            result["training_seconds"] + result["evaluation_seconds"]
            for result in results
            if identity(result | {"seed": 0}) == identity(wanted(row, 0))
        ]
        a_seed = sum(measured) / len(measured) / 3600 if measured else row.get("hours")
        if mine:
            ahead = sum(1 - progress(RunFolder(runs / job.name)) for job in mine)
            told.append(Left(row, len(mine), a_seed, ahead * (a_seed or 0)))
    return told


def progress(run: RunFolder) -> float:
    """The share of its steps that a run has behind it; 0 before it is made."""
    if not run.path.exists():
        return 0.0
    told = short_summary(run)
    return told["step"] / told["steps"] if told.get("steps") else 0.0


def left_table(left: list[Left], side_by_side: int) -> str:
    """A line per row of what is left, and the sum."""
    lines = []
    for row, seeds, a_seed, hours in left:
        each = "not measured yet" if a_seed is None else f"{a_seed:6.2f} h each {hours:7.1f} h left"
        title = " ".join([row["recipe"], *row.get("settings", [])])
        lines.append(f"{title:<44} {seeds:>3} {'seed ' if seeds == 1 else 'seeds'} {each}")
    return "\n".join([*lines, left_in_short(left, side_by_side)])


def left_in_short(left: list[Left], side_by_side: int) -> str:
    """How much is left, in one line."""
    total = sum(one.hours for one in left)
    unknown = sum(one.seeds for one in left if one.a_seed is None)
    more = f" and {unknown} runs of unknown length" if unknown else ""
    runs = sum(one.seeds for one in left)
    by_the_clock = f"{total / side_by_side:.1f} hours with {side_by_side} at a time"
    return f"left: {runs} runs, {total:.1f} CPU hours{more}; {by_the_clock}"


class Queue:
    """Does what is left, some jobs at a time, until nothing is left or it is told to stop."""

    def __init__(self, plan: Path, results: Path, runs: Path, recipes: list[str], side_by_side: int) -> None:
        self.failed: set[str] = set()
        """Jobs that could not be done."""
        self.stopping = threading.Event()
        """Set when runs shall be saved and ended."""
        self._plan, self._results, self._runs, self._recipes = plan, results, runs, recipes
        self._side_by_side = side_by_side
        self._taken: set[str] = set()
        self._mutex = threading.Lock()

    def left(self) -> list[Left]:
        """What is left of the wanted recipes, as plan and results say now."""
        return hours_left(self._wanted(), read_results(self._results), self._runs)

    def work(self) -> None:
        """Takes jobs until there are none."""
        while not self.stopping.is_set() and (job := self._take()):
            try:
                self._record(self._reproduce(job))
                print(f"{job.name}: recorded\n{left_in_short(self.left(), self._side_by_side)}", flush=True)
            except Stopped:
                print(f"{job.name}: stopped, goes on next time", flush=True)
            except (RuntimeError, ValueError, OSError) as error:
                self.failed.add(job.name)
                print(f"{job.name}: {error}", file=sys.stderr, flush=True)

    def _wanted(self) -> list[dict[str, Any]]:
        return [row for row in read_plan(self._plan) if not self._recipes or row["recipe"] in self._recipes]

    def _take(self) -> Job | None:
        """The next job: one whose engine is at work already, else the first of the plan."""
        with self._mutex:
            jobs = left_to_do(self._wanted(), read_results(self._results))
            free = [job for job in jobs if job.name not in self._taken]
            at_work = (job for job in free if RunFolder(self._runs / job.name).engine_alive())
            job = next(at_work, None) or next(iter(free), None)
            if job:
                self._taken.add(job.name)
            return job

    def _reproduce(self, job: Job) -> dict[str, Any]:
        """Trains, or goes on with, what a job asks for, evaluates it, and returns the result."""
        run, child = RunFolder(self._runs / job.name), Child(self.stopping)
        self._wait(run, child)
        where = [f"--runs={self._runs}", "--detach"]
        if not run.path.exists():
            settings = [f"--set={setting}" for setting in [*job.row.get("settings", []), "threads=1"]]
            words = ["train", job.row["recipe"], *settings, f"--seed={job.seed}", f"--name={job.name}"]
            child.laddertop(*words, *where)
        elif summary(run)["state"] != "finished":
            child.laddertop("resume", job.name, *where)
        self._wait(run, child)
        return measure(run, job.row, self._results.parent, child)

    def _wait(self, run: RunFolder, child: Child) -> None:
        """Returns when no engine is at work in a run. Raises Stopped when the queue is to stop, and saves the run."""
        while run.engine_alive():
            if self.stopping.wait(LOOK_EVERY):
                try:
                    Child().laddertop("stop", str(run.path), "--note=the queue was stopped")
                except RuntimeError as error:
                    print(f"{run.name}: {error}", file=sys.stderr, flush=True)
                raise Stopped
        child.check()

    def _record(self, result: dict[str, Any]) -> None:
        with self._mutex:
            append_result(self._results, result)
            write_page(self._results, read_plan(self._plan), read_results(self._results))


def main() -> int:
    """Does what is not recorded yet; the exit status says whether everything wanted is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="only these rows of the plan")
    parser.add_argument("--data-root", type=Path, help="folder that holds the data in torchvision's layout")
    parser.add_argument("--runs", type=Path, default=user_cache() / "reproduce", help="where the runs live")
    parser.add_argument("--side-by-side", type=int, default=2, metavar="K", help="runs at a time, one thread each")
    parser.add_argument("--nice", type=int, default=19, metavar="N", help="how far it gives way to what else runs")
    parser.add_argument("--left", action="store_true", help="tell what is left, in hours, and end")
    parser.add_argument("--record", type=Path, nargs="+", metavar="RUN", help="record these finished runs instead")
    parser.add_argument("--plan", type=Path, default=HERE / "reproduce.toml")
    parser.add_argument("--results", type=Path, default=HERE / "reproduce.jsonl")
    arguments = parser.parse_args()
    plan, runs = read_plan(arguments.plan), arguments.runs.absolute()
    if unknown := set(arguments.recipes) - {row["recipe"] for row in plan}:
        parser.error(f"{arguments.plan} has no row of {', '.join(sorted(unknown))}")
    queue = Queue(arguments.plan, arguments.results, runs, arguments.recipes, arguments.side_by_side)
    if arguments.left:
        print(left_table(queue.left(), arguments.side_by_side))
        return 0
    if arguments.data_root:
        # By the environment, so that specs hold no folder of this machine.
        os.environ["LADDERTOP_DATA"] = str(arguments.data_root.absolute())
    os.setpriority(os.PRIO_PROCESS, 0, arguments.nice)
    if arguments.record:
        for path in arguments.record:
            run = RunFolder(path)
            append_result(arguments.results, measure(run, row_of(run, plan), arguments.results.parent, Child()))
        write_page(arguments.results, plan, read_results(arguments.results))
        return 0
    runs.mkdir(parents=True, exist_ok=True)
    with lock(runs / "queue.lock") as mine:
        if not mine:
            parser.error(f"another queue is at work in {runs}")
        return work(queue, arguments.side_by_side)


def work(queue: Queue, side_by_side: int) -> int:
    """Lets a queue work until it is done or a signal ends it; the exit status."""
    print(left_in_short(queue.left(), side_by_side), flush=True)
    received: list[int] = []

    def stop(number: int, frame: object) -> None:
        received.append(number)
        queue.stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    workers = [threading.Thread(target=queue.work) for _ in range(side_by_side)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return 128 + received[0] if received else bool(queue.failed)


if __name__ == "__main__":
    sys.exit(main())
