"""`--tensorboard`: TensorBoard reads the numbers of a training while it trains."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.metrics import MetricsReader
from laddertop.tui.export import live
from tests.processes import Laddertop, wait_for
from tests.tui.played import PlayedEngine

accumulators = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="needs laddertop[tensorboard]"
)


def board(folder: Path) -> Any:
    """What TensorBoard has read of a folder, once there is one; `Reload` reads on."""
    wait_for(folder.is_dir)
    return accumulators.EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})


def steps(found: Any, tag: str = "cost/total") -> list[int]:
    """The steps that TensorBoard knows by now."""
    found.Reload()
    return [one.step for one in found.Scalars(tag)] if tag in found.Tags()["scalars"] else []


def test_numbers_come_while_it_trains_and_a_roll_back_takes_later_ones_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK", 0.01)

    def followed(engine: PlayedEngine) -> threading.Thread:
        thread = threading.Thread(target=live.follow, args=(engine.run, tmp_path / "logs"))
        thread.start()
        return thread

    with PlayedEngine.new(tmp_path / "runs", "vae-mnist") as engine:
        first = followed(engine)
        found = board(tmp_path / "logs" / "played")
        engine.train(100)
        engine.evaluate(2.5)
        wait_for(lambda: steps(found) == list(range(1, 101)))
        engine.train(50)
        engine.sample()
        wait_for(lambda: steps(found) == list(range(1, 151)))
        wait_for(lambda: found.Reload().Tags()["images"])
    first.join()
    monkeypatch.setattr(live.time, "time", lambda: 2e9)  # the file of a later start is a later one
    with PlayedEngine(engine.run, first=80, segment=2) as engine:
        second = followed(engine)
        engine.train(10)
        wait_for(lambda: steps(found) == list(range(1, 91)))
        assert steps(found, "evaluated/error_percent") == []
        assert found.Tags()["images"] == [] or not found.Images(found.Tags()["images"][0])
    second.join()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for few numbers."""
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32k", "tmpfs", place], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_a_disk_that_was_full_gets_all_of_the_numbers_once_it_has_room(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK", 0.01)
    monkeypatch.setattr(live, "AGAIN", 1.0)  # the names of files have seconds
    with PlayedEngine.new(tmp_path / "runs", "vae-mnist") as engine:
        thread = threading.Thread(target=live.follow_on, args=(engine.run, small))
        thread.start()
        engine.train(2000)
        wait_for(lambda: shutil.disk_usage(small).free == 0)
        subprocess.run(["mount", "-o", "remount,size=8m", small], check=True)
        found = board(small / "played")
        wait_for(lambda: steps(found) == list(range(1, 2001)))
    thread.join()


def test_a_training_is_followed_to_its_end_by_a_process_that_ends_with_it(laddertop: Laddertop) -> None:
    done = laddertop("train", "tiny.toml", "--steps", "200", "--name", "followed", "--tensorboard", "logs")
    assert done.returncode == 0, done.stderr
    found = board(laddertop.cwd / "logs" / "followed")
    wait_for(lambda: len(steps(found)) == 200)
    metrics = MetricsReader(laddertop.runs / "followed")
    metrics.poll()
    assert [one.value for one in found.Scalars("cost/total")] == pytest.approx(metrics.values("total").tolist())
    assert {f"cost/{term.name}" for term in laddertop.events("followed")[0].terms} < set(found.Tags()["scalars"])


def test_a_folder_that_can_not_be_is_said_before_there_is_a_run(laddertop: Laddertop) -> None:
    (laddertop.cwd / "file").write_text("")
    done = laddertop.here("train", "tiny.toml", "--name", "none", "--tensorboard", "file")
    assert (done.returncode, done.stdout) == (1, "")
    assert "file: File exists" in done.stderr
    assert not (laddertop.runs / "none").exists()
