"""Trains a small model of every kind in float64, alone and shared by several ranks, and writes down what came out.

python -m tests.engine.ranked STEPS OUT COUNT …
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from pathlib import Path

import torch
from torch import Tensor

from laddertop.engine import ranks
from laddertop.engine.randomness import Draws
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from tests.engine.conftest import CPU, Bench
from tests.kinds import KINDS, small_spec

ROWS = 24
"""Rows of a batch, labelled ones, too."""


def train(kind: str, steps: int) -> dict[str, Tensor]:
    """What is recorded in each step [steps, K], and the parameters after the last, by name."""
    bench = Bench(small_spec(kind, f"data.batch={ROWS}", f"data.labelled_batch={ROWS}", "steps=1000"), torch.float64)
    optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, optimizer, bench.controls, bench.batches, bench.spec.seed, CPU)
    made, gather = step._draws, bench.batches.gather

    def doubled(labelled: Tensor, unlabelled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, labels, x = gather(labelled, unlabelled)
        return rows.double(), labels, x.double()

    def draws(normals: Tensor, uniforms: Tensor) -> Draws:
        return made(normals.double(), uniforms.double())

    step._draws, bench.batches.gather = draws, doubled  # type: ignore[assignment, method-assign]
    recorded = torch.empty(steps, 1 + len(bench.model.terms) + len(bench.controls.names) + 1)
    for i in range(steps):
        step.enter(i)
        bench.controls.prepare(i)
        step(i, recorded[i])
        bench.controls.advance()
    return {"recorded": recorded} | {name: p.detach() for name, p in bench.model.named_parameters()}


def rank_of(rank: int, count: int, port: int, steps: int, out: Path) -> None:
    """Trains every kind as that rank of so many."""
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    if count > 1:
        ranks.join(rank, count, CPU)
    torch.save({kind: train(kind, steps) for kind in KINDS}, out / f"{count}-{rank}.pt")
    ranks.leave()


def main() -> int:
    """All ranks of all counts are forks of this process, which has loaded torch."""
    torch.set_num_threads(1)
    steps, out, counts = int(sys.argv[1]), Path(sys.argv[2]), [int(count) for count in sys.argv[3:]]
    for kind in KINDS:
        train(kind, 1)  # imports what the forks then need not
    children = []
    with contextlib.ExitStack() as held:
        free = [held.enter_context(socket.socket()) for _ in counts]
        for one in free:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in free]
    for count, port in zip(counts, ports, strict=True):
        for rank in range(count):
            if not (child := os.fork()):
                rank_of(rank, count, port, steps, out)
                return 0
            children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(main())
