"""How long each rank takes for its own part of a step is measured without an exchange or a wait more, and told."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from multiprocessing.queues import Queue
from pathlib import Path

import pytest
import torch

from laddertop.engine import ranks
from laddertop.engine.training import balance
from laddertop.journal.events import Event, Logged
from laddertop.journal.rank_times import slowest_of
from tests import PATIENCE

WORK = (0.05, 0.25)
"""Seconds that each rank works in a step, by rank."""


def _rank(rank: int, port: int, told: Queue[object]) -> None:
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks.join(rank, len(WORK), torch.device("cpu"))
    exchanges = 0
    exchange = ranks._sum

    def counted(flat: torch.Tensor) -> None:
        nonlocal exchanges
        exchanges += 1
        exchange(flat)

    ranks._sum = counted
    means = []
    for step in range(8):
        with ranks.jointly():
            time.sleep(WORK[rank])
            means += ranks.mean([torch.tensor([float(rank + step)], dtype=torch.float64)])
    told.put((rank, ranks.own_times(), ranks.own_times(), exchanges, [float(mean) for mean in means]))
    ranks.leave()


def test_what_ranks_wait_for_each_other_is_no_time_of_their_own_and_no_exchange_is_added() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    spawn = multiprocessing.get_context("spawn")
    told: Queue[object] = spawn.Queue()
    processes = [spawn.Process(target=_rank, args=(rank, port, told)) for rank in range(len(WORK))]
    for process in processes:
        process.start()
    found = sorted(told.get(timeout=PATIENCE) for _ in processes)  # type: ignore[type-var]
    for process in processes:
        process.join(PATIENCE)
    (_, seconds, again, exchanges, means), other = found  # type: ignore[misc]
    assert other[1:] == (seconds, again, exchanges, means), "every rank knows the same"
    assert (exchanges, again) == (8, [])
    assert means == [0.5 + step for step in range(8)]
    assert seconds[0] < WORK[1] <= seconds[1], "the first waits for the second, and that is not its own"
    assert slowest_of(seconds)[0] == 1


def test_one_process_measures_nothing() -> None:
    assert ranks.own_times() == []


def test_how_evenly_ranks_share_the_work_is_told_once_and_again_when_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Event] = []
    monkeypatch.setattr(balance, "FIRST", 0.0)
    monkeypatch.setattr(balance, "EVERY", 0.0)
    monkeypatch.setattr(ranks, "count", lambda: 3)
    looks = balance.Balance(told.append)
    for step, seconds in enumerate(
        (
            [0.010, 0.010, 0.0101],
            [0.0102, 0.010, 0.010],
            [],
            [0.01, 0.013, 0.01],
            [0.01, 0.0132, 0.01],
            [0.02, 0.01, 0.01],
        )
    ):
        monkeypatch.setattr(ranks, "own_times", lambda seconds=seconds: seconds)
        looks.look(step)
    assert [(event.step, event.text) for event in told if isinstance(event, Logged)] == [
        (0, "they share the work evenly: each rank's own part of a step takes 10, 10, 10.1 ms"),
        (3, "rank 1 takes 1.30 times the median: each rank's own part of a step takes 10, 13, 10 ms"),
        (5, "rank 0 takes 2.00 times the median: each rank's own part of a step takes 20, 10, 10 ms"),
    ]
    monkeypatch.setattr(ranks, "count", lambda: 1)
    looks.look(9)
    assert len(told) == 3


@pytest.mark.stress
def test_a_run_of_two_processes_tells_it_in_its_journal(tmp_path: Path) -> None:
    """With real ones, whose numbers nobody knows: there is one for each, and both took some time."""
    from laddertop.journal.folder import create_run
    from laddertop.journal.spec import load_recipe, override
    from laddertop.tui.steer.engine_process import EngineProcess
    from tests.processes import wait_for

    small = ["model.widths=[16]", "model.denoising=[10,1,1]", "warmup.on=off"]
    run = create_run(tmp_path, override(load_recipe("ladder-digits"), ["device=cpu", "steps=1000000", *small]), "two")
    engine = EngineProcess(run, ranks=2)
    try:
        wait_for(lambda: engine.news() is not None and len(engine.state.rank_seconds) == 2)
        assert all(0 < seconds < PATIENCE for seconds in engine.state.rank_seconds)
    finally:
        engine.process.terminate()
        engine.process.wait(PATIENCE)
