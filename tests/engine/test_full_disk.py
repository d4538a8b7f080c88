"""A disk that takes nothing for a while holds a training up: then it goes on, and nothing is lost or written twice."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from laddertop.engine.training import disk, recorder
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal import inside
from laddertop.journal.commands import send
from laddertop.journal.events import Event, EventReader, Logged, RunEnded
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.metrics_overview import Overview
from laddertop.journal.metrics_sums import BLOCK
from laddertop.tui.watch.trouble import Trouble, troubles
from tests.engine.training import last_weights
from tests.kinds import small_spec
from tests.processes import wait_for
from tests.trainings import stop_here
from tests.tui.eyes import Eyes

SPEC = small_spec("dae", "steps=300", "checkpoint.every=100", "evaluate.every=150", "samples.every=150")


def history(run: RunFolder) -> list[Event]:
    return EventReader(run.events_path).read_all()


def warnings(run: RunFolder) -> list[str]:
    return [event.text for event in history(run) if isinstance(event, Logged) and event.level == "warning"]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    run = create_run(tmp_path_factory.mktemp("whole"), SPEC, "whole")
    with stop_here() as stop:
        assert train(run, stop) == 0
    torch.set_num_threads(threads)
    return last_weights(run, 300)


class Failing:
    """A disk that refuses what is written to some files, once a training is under way and for as long as it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, number: int, times: int) -> None:
        self.left, self.refused = times, 0
        self._name, self._number = name, number
        flush, write = inside.Appender.flush, inside.write

        def flushing(file: Any) -> None:
            self.refuse(f"{file._folder}/{file._name}")
            flush(file)

        def writing(folder: Path, file: str, data: bytes, **more: Any) -> None:
            self.refuse(f"{folder}/{file}")
            write(folder, file, data, **more)

        monkeypatch.setattr(inside.Appender, "flush", flushing)
        monkeypatch.setattr(inside, "write", writing)
        monkeypatch.setattr(recorder, "INTERVAL", 0.0)
        monkeypatch.setattr(disk, "AGAIN", 0.01)

    def refuse(self, path: str) -> None:
        name = path.rpartition("/")[2]
        steps = MetricsReader(Path(path).parent)
        if (
            self.left
            and name.startswith(self._name)
            and "samples" not in path
            and steps.poll()
            and steps.last_step() >= 120
        ):
            self.left -= 1
            self.refused += 1
            raise OSError(self._number, os.strerror(self._number), path)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("metrics-0001.bin", errno.ENOSPC),
        ("metrics-0001.overview", errno.EDQUOT),
        ("events.jsonl", errno.EIO),
        ("step-", errno.EROFS),
    ],
)
def test_whatever_the_disk_refuses_for_a_while_is_written_once_and_the_weights_are_the_same(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, undisturbed, name: str, number: int
):
    run = create_run(tmp_path, SPEC, "full")
    failing = Failing(monkeypatch, name, number, 3)
    assert held(run, stop) == 0
    assert failing.refused == 3
    found = last_weights(run, 300)
    assert all(torch.equal(undisturbed[part], found[part]) for part in undisturbed)
    (told,) = warnings(run)
    assert os.strerror(number) in told
    assert told.endswith("the training waited")
    reader = MetricsReader(run.path)
    reader.poll()
    assert reader.steps.tolist() == list(range(1, 301))
    overview = Overview(run.path, 1, len(reader.columns))
    overview._take_up(300 // BLOCK)
    assert overview.blocks["step"].tolist() == [BLOCK]
    kinds = [event.type for event in history(run)]
    assert [kinds.count(kind) for kind in ("run_started", "evaluated", "checkpointed", "run_ended")] == [1, 2, 3, 1]


def test_samples_wait_for_room_and_not_for_a_disk_that_fails(tmp_path: Path, stop: Stop, monkeypatch):
    real, refused = inside.write, [errno.ENOSPC, errno.ENOSPC, errno.EIO]

    def writing(folder: Path, name: str, data: bytes, **more: Any) -> None:
        if name.startswith("samples/") and refused:
            raise OSError(refused[0], os.strerror(refused.pop(0)))
        real(folder, name, data, **more)

    monkeypatch.setattr(inside, "write", writing)
    monkeypatch.setattr(disk, "AGAIN", 0.01)
    run = create_run(tmp_path, SPEC, "full")
    assert held(run, stop) == 0
    assert sum("the samples can't be written" in text for text in warnings(run)) == 1
    assert [event.step for event in history(run) if event.type == "sampled"] == [10, 30, 100, 150, 300]


def held(run: RunFolder, stop: Stop) -> int:
    """Trains as an engine does, which holds its run: of one that nobody holds nobody takes it that it waits."""
    with run.engine_lock():
        return train(run, stop)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little room."""
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,nr_inodes=200", "tmpfs", place]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    """Takes all the room there is."""
    ballast = place / ".ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def take_all_names(place: Path) -> list[Path]:
    """Takes all the files that there can be more."""
    taken = []
    with contextlib.suppress(OSError):
        while True:
            taken.append(place / f".ballast-{len(taken)}")
            taken[-1].touch()
    return taken[:-1]


def test_a_file_system_that_is_full_is_seen_by_all_and_loses_nothing(small: Path, stop: Stop, undisturbed):
    run = create_run(small, SPEC, "full")
    found: list[Trouble] = []

    def filling() -> None:
        while not list(run.path.glob("step-*.ckpt")):
            time.sleep(0.01)
        ballast = fill(small)
        while not run.engine_waits():
            time.sleep(0.01)
        found.extend(troubles(Eyes(run).view))
        ballast.unlink()

    helper = threading.Thread(target=filling)
    helper.start()
    assert held(run, stop) == 0
    helper.join()
    assert [(trouble.name, trouble.grave) for trouble in found] == [("disk full", False)]
    assert "the training waits" in found[0].what
    assert f"kill {os.getpid()} ends it" in found[0].what
    weights_now = last_weights(run, 300)
    assert all(torch.equal(undisturbed[part], weights_now[part]) for part in undisturbed)
    reader = MetricsReader(run.path)
    reader.poll()
    assert reader.steps.tolist() == list(range(1, 301))
    assert any("No space left on device" in text for text in warnings(run))


@pytest.mark.parametrize("start", [1, 2], ids=["a new run", "a roll-back"])
def test_a_start_on_a_full_disk_waits_as_a_training_does(
    small: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, undisturbed, start: int
):
    run = create_run(small, SPEC, "full")
    obey, record, seen, helpers = Training.obey, Training._record, [], []

    def obeying(training: Training, told: Stop) -> None:
        if (training.begins.segment, training.step) == (1, 150) and start == 2 and not training.back_to:
            send(run.path, 1, "rollback", {"step": 100}, by="ann")
            training._looked = 0.0
        obey(training, told)

    def recording(training: Training) -> None:
        if training.begins.segment == start:
            ballast = [fill(small), *take_all_names(small)]

            def making_room() -> None:
                wait_for(run.engine_waits)
                seen.append(True)
                for file in ballast:
                    file.unlink()

            helpers.append(threading.Thread(target=making_room))
            helpers[0].start()
        record(training)

    monkeypatch.setattr(Training, "obey", obeying)
    monkeypatch.setattr(Training, "_record", recording)
    monkeypatch.setattr(disk, "AGAIN", 0.01)
    assert held(run, stop) == 0
    helpers[0].join()
    assert seen
    assert [event.segment for event in history(run) if event.type == "run_started"] == [1, 2][:start]
    (told,) = warnings(run)
    assert "No space left on device" in told
    assert told.endswith("the training waited")
    weights_now = last_weights(run, 300)
    assert all(torch.equal(undisturbed[part], weights_now[part]) for part in undisturbed)


@pytest.mark.parametrize("how", ["a signal", "a command"])
def test_who_waits_for_the_disk_is_seen_to_and_can_be_stopped(tmp_path: Path, stop: Stop, monkeypatch, how: str):
    run = create_run(tmp_path, SPEC, "full")
    failing = Failing(monkeypatch, "metrics-0001.bin", errno.ENOSPC, 1_000_000)
    seen: list[bool] = []

    def stopping() -> None:
        while not run.engine_waits():
            time.sleep(0.01)
        seen.append(True)
        if how == "a signal":
            stop.reason = "SIGTERM"
        else:
            send(run.path, 1, "pause", by="ann")
            send(run.path, 1, "stop", by="ann")

    helper = threading.Thread(target=stopping)
    helper.start()
    assert held(run, stop) == 1
    helper.join()
    assert seen
    assert not run.engine_waits()
    ended = history(run)[-1]
    assert isinstance(ended, RunEnded)
    assert ended.reason == "failed"
    assert f"stopped ({'SIGTERM' if how == 'a signal' else 'told to by ann'}) while" in ended.detail
    failing.left = 0
    stop.reason = ""
    assert held(run, stop) == 0
    assert history(run)[-1].step == 300
