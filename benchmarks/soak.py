"""Trains for an hour while dashboards and commands come and go, and tells whether anything grows.

    python -m benchmarks.soak [--minutes 60]

One engine trains a small ladder network; one dashboard stays open; another one is opened, given keys and left again
all the time, every fourth by a hang-up, and a command is sent after every visit. Every ten seconds the resident
memory, the open file descriptors and threads of engine and standing dashboard are read, and the bytes of metrics per
step. What they begin with is the median of the second tenth of the time, what they end with that of the last: memory
and bytes per step may have grown by 5 %, descriptors and threads by none. Exit status 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from laddertop.journal.commands import send
from laddertop.journal.metrics import MetricsReader
from tests.processes import Laddertop

KEYS = (
    "g",
    "\t",
    "+",
    "-",
    "]",
    "[",
    "?",
    "\x1b",
    "2",
    "3",
    "r",
    "\r",
    "n",
    "w",
    "e",
    "s",
    "\x1b[C",
    "\x1b[D",
    " ",
    " ",
)
CHANGES: tuple[dict[str, float | str], ...] = ({"noise": "off"}, {"noise": "on"}, {"lr": 1e-3}, {"lr": 2e-3})
EVERY = 10.0
"""Seconds between two readings."""


@dataclass
class Reading:
    """What is looked at, at one moment."""

    engine_mb: float
    engine_files: float
    engine_threads: float
    dashboard_mb: float
    dashboard_files: float
    dashboard_threads: float
    bytes_per_step: float


def read(engine: psutil.Process, dashboard: psutil.Process, run: Path, reader: MetricsReader) -> Reading:
    """The present state."""
    reader.poll()
    size = sum(file.stat().st_size for file in run.glob("metrics-*"))
    return Reading(
        *(engine.memory_info().rss / 1e6, engine.num_fds(), engine.num_threads()),
        *(dashboard.memory_info().rss / 1e6, dashboard.num_fds(), dashboard.num_threads()),
        size / max(reader.last_step(), 1),
    )


def visit(laddertop: Laddertop, number: int, chance: random.Random) -> None:
    """A dashboard is opened, given keys, and left or cut off."""
    with laddertop.in_terminal("attach", "soak", columns=chance.choice((80, 120, 160)), rows=30) as visitor:
        visitor.wait_for(lambda lines: any("training" in line or "paused" in line for line in lines))
        for _ in range(8):
            visitor.press(chance.choice(KEYS))
            _ = visitor.lines
            time.sleep(0.1)
        if number % 4 == 3:
            visitor.hang_up()
            visitor.process.wait()
        else:
            visitor.press("\x11")
            visitor.ended()


def main() -> int:
    """Soaks and prints a line per quantity."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        laddertop = Laddertop(Path(folder))
        settings = ("--steps", "1000000000", "--set", "samples.every=5000", "--detach")
        assert laddertop("train", "tiny.toml", "--name", "soak", *settings).returncode == 0
        run = laddertop.runs / "soak"
        engine = psutil.Process(laddertop.json("show", "soak")["pid"])
        visits, commands, readings = 0, 0, list[Reading]()
        with laddertop.in_terminal("attach", "soak", columns=120, rows=40) as standing:
            dashboard, reader = psutil.Process(standing.process.pid), MetricsReader(run)
            end = time.monotonic() + 60 * minutes
            next_reading = time.monotonic()
            while time.monotonic() < end:
                visit(laddertop, visits, chance)
                visits += 1
                send(run, 1, "set", dict(chance.choice(CHANGES)), by="soak")
                send(run, 1, "continue", by="soak")
                commands += 2
                if standing.process.poll() is not None:
                    print("\n".join(standing.lines))
                    print(f"the dashboard that was to stay ended with status {standing.process.returncode}")
                    return 1
                _ = standing.lines
                if time.monotonic() >= next_reading:
                    readings.append(read(engine, dashboard, run, reader))
                    next_reading += EVERY
            steps, events = reader.last_step(), (run / "events.jsonl").read_bytes().count(b"\n")
        os.kill(engine.pid, signal.SIGTERM)
        engine.wait()
    what = f"{minutes:g} minutes, {steps} steps, {visits} dashboards, {commands} commands beside their keys"
    return told(readings, f"{what}, {events} events")


def told(readings: list[Reading], what: str) -> int:
    """Prints what grew; 1 when something did."""
    tenth = max(1, len(readings) // 10)
    grown = 0
    print(f"{what}\n\n| quantity | at first | at last | grown |\n|---|---|---|---|")
    for name in Reading.__dataclass_fields__:
        first, last = (
            statistics.median(getattr(one, name) for one in part)
            for part in (readings[tenth : 2 * tenth], readings[-tenth:])
        )
        share = last / first - 1
        print(f"| {name.replace('_', ' ')} | {first:.1f} | {last:.1f} | {share:+.1%} |")
        grown += share > (0 if name.endswith(("files", "threads")) else 0.05)
    return int(grown > 0)


if __name__ == "__main__":
    sys.exit(main())
