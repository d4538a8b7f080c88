"""Files that somebody takes away, cuts or replaces under a running engine: it is noticed and told."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

import pytest
import torch

from laddertop.engine.training import guard
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal.checkpoints import newest
from laddertop.journal.events import Checkpointed, Event, EventReader, EventWriter, Logged, RunStarted
from laddertop.journal.files import Lock
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from tests.kinds import small_spec

SPEC = small_spec("dae", "steps=300", "checkpoint.every=0", "evaluate.every=0", "samples.every=0")


def history(run: RunFolder) -> list[Event]:
    return EventReader(run.events_path).read_all()


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    last = newest(run.checkpoints([event for event in history(run) if isinstance(event, Checkpointed)]))
    assert last is not None
    found: dict[str, torch.Tensor] = torch.load(run.path / last.file, weights_only=True)["model"]
    return found


def trained(
    run: RunFolder, stop: Stop, monkeypatch: pytest.MonkeyPatch, at_step_100: object = None, lock: Lock | None = None
) -> int:
    """The exit code of training it in this process, which looks after its files before every step."""
    obey, done = Training.obey, []

    def obeying(training: Training, told: Stop) -> None:
        if training.step == 100 and callable(at_step_100) and not done:
            training.recorder.flush()
            done.append(at_step_100())
        training._looked = training.guard._next = 0.0
        obey(training, told)

    monkeypatch.setattr(Training, "obey", obeying)
    return train(run, stop, lock=lock)


def replace(file: Path) -> None:
    shutil.copy(file, file.parent / ".copy")
    os.replace(file.parent / ".copy", file)


TAKEN = {
    "removed": Path.unlink,
    "cut": lambda file: os.truncate(file, file.stat().st_size // 3),
    "replaced": replace,
}


@pytest.mark.parametrize("how", TAKEN)
@pytest.mark.parametrize("name", ["metrics-0001.bin", "events.jsonl"])
def test_what_is_done_to_a_file_under_a_running_engine_is_told_and_no_step_is_there_twice(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, name: str, how: str
):
    run, whole = create_run(tmp_path, SPEC, "run"), create_run(tmp_path, SPEC, "whole")
    file = run.path / name
    before: list[bytes] = []
    reader = EventReader(run.events_path)

    def take() -> None:
        before.append(run.events_path.read_bytes())
        reader.read_all()
        TAKEN[how](file)

    assert trained(run, stop, monkeypatch, take) == 0
    monkeypatch.undo()
    (told,) = [e for e in history(run) if isinstance(e, Logged) and e.level == "warning"]
    assert told.text.startswith(f"{name} was {how} while the engine wrote to it")
    assert told.step == 100
    assert run.events_path.read_bytes().startswith(before[0])
    assert reader.read_all()[0] == told, "who reads along goes on where he was"
    assert reader.damaged == 0
    metrics = MetricsReader(run.path)
    metrics.poll()
    steps = metrics.steps.tolist()
    starts = [(e.segment, e.resumed_from) for e in history(run) if isinstance(e, RunStarted)]
    if name == "events.jsonl":
        assert starts == [(1, None)]
        assert steps == list(range(1, 301))
    else:
        assert starts == [(1, None), (2, 100)]
        assert steps == [*range(1, {"removed": 0, "cut": 33, "replaced": 100}[how] + 1), *range(101, 301)]
    assert train(whole, stop) == 0
    expected, found = weights(whole), weights(run)
    assert all(torch.equal(expected[part], found[part]) for part in expected)


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_a_lock_that_is_taken_away_is_taken_again_and_told(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run = create_run(tmp_path, SPEC, "run")
    with run.engine_lock() as lock:
        assert trained(run, stop, monkeypatch, lambda: TAKEN[how](run.path / "engine.lock"), lock) == 0
        assert run.engine_alive(), "nobody else can begin"
    assert not run.engine_alive()
    (told,) = [e for e in history(run) if isinstance(e, Logged) and e.level == "warning"]
    assert told.text.startswith(f"engine.lock was {how} under the engine that held it; the run is locked again")
    assert told.step == 100
    assert history(run)[-1].step == 300


def test_a_lock_that_can_not_be_taken_again_is_told_and_tried_on(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(tmp_path, SPEC, "run")
    file = run.path / "engine.lock"

    def take() -> None:
        file.unlink()
        file.mkdir()

    with run.engine_lock() as lock:
        assert trained(run, stop, monkeypatch, take, lock) == 0
        file.rmdir()
        assert lock.again()
        assert lock.lost() == ""
    (told,) = [e for e in history(run) if isinstance(e, Logged) and e.level == "warning"]
    assert "engine.lock was replaced under the engine that held it, and can't be locked again" in told.text
    assert "engine.lock is no plain file" in told.text


def test_an_engine_whose_run_another_one_has_meanwhile_ends_and_writes_nothing_more(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = create_run(tmp_path, SPEC, "run")
    files: list[dict[str, bytes]] = []

    def content() -> dict[str, bytes]:
        return {file.name: file.read_bytes() for file in run.path.iterdir() if file.is_file()}

    with contextlib.ExitStack() as other, run.engine_lock() as lock:

        def take() -> None:
            (run.path / "engine.lock").unlink()
            other.enter_context(run.engine_lock())
            files.append(content())

        assert trained(run, stop, monkeypatch, take, lock) == 1
        assert files == [content()]
        assert run.engine_alive()
    assert (
        "engine.lock was replaced under the engine that held it, and another engine trains" in capsys.readouterr().out
    )


def test_it_is_noticed_within_a_second_and_costs_a_look_at_two_files(tmp_path: Path) -> None:
    assert guard.EVERY <= 1.0
    run = create_run(tmp_path, SPEC, "run")
    with EventWriter(run.events_path) as events:
        events.append(Logged(step=0, level="info", text="a word"))
        assert events.file.lost() == ""
        moved = run.path.parent / "moved"
        run.path.rename(moved)
        assert events.file.lost() == "", "a folder that was moved keeps its files"
