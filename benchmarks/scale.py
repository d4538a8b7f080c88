"""Steps of one run by one process and by two, on a CPU: what sharing a batch gains, and what the exchange takes of it.

    python -m benchmarks.scale [--steps 200] [--recipe NAME …]

One process with one thread, one with two, and two ranks of one thread each, in turn, three rounds; the step is not
compiled in any of them. Waiting for the other rank counts as exchange, too. On the digits, unless --data-root is given.

What it exchanges, and what that takes on GPUs by the usual model of a ring, is worked out below each: the bytes times
2 (N - 1) / N over the bandwidth, and a latency for every exchange. Bandwidth and latency are assumed, not measured.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from laddertop.engine import ranks
from laddertop.engine.training.recorder import columns
from laddertop.engine.training.trainer import Trainer
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override

LINKS = {8: (300e9, 20e-6), 64: (40e9, 60e-6)}
"""By number of GPUs, of one machine or of eight: bytes per second that an exchange gets, and its seconds of latency."""

RECIPES = ("ladder-mnist-100", "lvae-mnist", "conv-small-gamma-mnist-100")
WAYS = {"one process, one thread": (1, 1), "one process, two threads": (1, 2), "two ranks, one thread each": (2, 1)}
"""Ranks, and threads of each."""


class Step(NamedTuple):
    """What a step takes and exchanges."""

    milliseconds: float
    """The median over all but the first tenth."""
    share: float
    """Of that, what the exchange took."""
    exchanges: float
    """How many in a step."""
    bytes: float
    """Of all of them in a step."""


def measure(recipe: str, settings: list[str], count: int, threads: int, steps: int) -> Step:
    """Of one run."""
    with socket.socket() as free, tempfile.TemporaryDirectory() as folder:
        free.bind(("127.0.0.1", 0))
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1])}
        free.close()
        spec = override(load_recipe(recipe), [*settings, "compile=off", f"threads={threads}", f"steps={steps}"])
        run = create_run(Path(folder), spec, "run")
        children = []
        for rank in range(count):
            if not (child := os.fork()):
                if count > 1:
                    ranks.join(rank, count, torch.device("cpu"))
                step(Trainer(run), steps, Path(folder) / str(rank))
                ranks.leave()
                os._exit(0)
            children.append(child)
        assert all(os.waitpid(child, 0)[1] == 0 for child in children)
        return Step(*map(float, (Path(folder) / "0").read_text().split()))


def step(trainer: Trainer, steps: int, out: Path) -> None:
    """Takes so many steps and writes down what they took."""
    spent, exchanges, exchanged = 0.0, 0, 0
    exchange, total = ranks._exchange, ranks._sum

    def timed(do: Callable[[], object]) -> None:
        nonlocal spent
        began = time.perf_counter()
        exchange(do)
        spent += time.perf_counter() - began

    def counted(flat: torch.Tensor) -> None:
        nonlocal exchanges, exchanged
        exchanges, exchanged = exchanges + 1, exchanged + flat.nbytes
        total(flat)

    ranks._exchange, ranks._sum = timed, counted
    row = torch.empty(len(columns(trainer.model.terms, trainer.controls.knobs)))
    times, shares = [], []
    for number in range(steps):
        began, before = time.perf_counter(), spent
        trainer.take_step.enter(number)
        trainer.controls.prepare(number)
        trainer.take_step(number, row)
        trainer.controls.advance()
        times.append(time.perf_counter() - began)
        shares.append((spent - before) / times[-1])
    kept = steps // 10
    milliseconds, share = 1000 * statistics.median(times[kept:]), statistics.median(shares[kept:])
    out.write_text(f"{milliseconds} {share} {exchanges / steps} {exchanged / steps}")


def on_paper(step: Step, count: int) -> float:
    """Milliseconds that the exchanges of a step would take among that many GPUs."""
    bandwidth, latency = LINKS[count]
    return 1000 * (step.exchanges * latency + 2 * (count - 1) / count * step.bytes / bandwidth)


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--recipe", nargs="*", default=RECIPES)
    parser.add_argument("--data-root", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    settings = [f'data.root="{options.data_root}"'] if options.data_root else ["data.name=digits"]
    for recipe in options.recipe:
        found: dict[str, list[Step]] = {way: [] for way in WAYS}
        for _ in range(options.rounds):
            for way, (count, threads) in WAYS.items():
                found[way].append(measure(recipe, settings, count, threads, options.steps))
        alone = statistics.median(one.milliseconds for one in found["one process, one thread"])
        for way, some in found.items():
            taken, share, exchanges, size = (statistics.median(one) for one in zip(*some, strict=True))
            text = f"{recipe:24} {way:28} {taken:8.2f} ms a step, {alone / taken:.2f} times as fast"
            print(f"{text}, exchange {100 * share:.0f} %" if share else text, flush=True)
        (*_, last) = found[way]
        paper = ", ".join(f"{on_paper(last, count):.2f} ms among {count}" for count in LINKS)
        print(f"{recipe:24} {exchanges:.0f} exchanges of {size / 1e6:.2f} MB a step; on paper {paper} GPUs", flush=True)


if __name__ == "__main__":
    sys.exit(main())
