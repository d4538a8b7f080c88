"""Power cuts: images of a real ext4, copied while a run in it is trained, hold every checkpoint that was promised."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.journal.events import Checkpointed, EventReader, RunStarted
from laddertop.journal.folder import RunFolder
from tests.conftest import Tally
from tests.processes import Laddertop, wait_for

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mkfs.ext4"), reason="needs to mount an ext4"),
]

CUTS = 17


class Disk:
    """An ext4 in a file, mounted."""

    def __init__(self, image: Path, place: Path) -> None:
        self.image, self.place = image, place
        place.mkdir()
        done = subprocess.run(["mount", "-o", "loop", str(image), str(place)], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no loop mounts here: {done.stderr.strip()}")

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *_: object) -> None:
        wait_for(lambda: subprocess.run(["umount", str(self.place)], capture_output=True).returncode == 0)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A fresh one."""
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.truncate(96 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    with Disk(image, tmp_path / "disk") as made:
        yield made


def promised(run: RunFolder) -> int | None:
    """Step of the newest checkpoint that the events name."""
    steps = [e.step for e in EventReader(run.events_path).read_all() if isinstance(e, Checkpointed)]
    return steps[-1] if steps else None


def test_what_was_promised_survives_a_power_cut_at_any_time(
    laddertop: Laddertop, tally: Tally, disk: Disk, tmp_path: Path
) -> None:
    chance, lost, promises = random.Random(5), [], 0
    runs = disk.place / "runs"
    settings = ("--set", "checkpoint.every=400", "--set", "checkpoint.keep=2", "--set", "evaluate.every=0")
    done = laddertop(
        "train", "tiny.toml", "--name", "cut", "--steps", "100000000", "--detach", *settings, "--runs", str(runs)
    )
    assert done.returncode == 0, done.stderr
    run = RunFolder(runs / "cut")
    engine = next(e.pid for e in EventReader(run.events_path).read_all() if isinstance(e, RunStarted))
    copies: list[tuple[Path, int | None]] = []
    try:
        for number in range(CUTS):
            time.sleep(chance.uniform(0.05, 2.5))
            os.kill(engine, signal.SIGSTOP)
            copy = tmp_path / f"cut-{number}.img"
            subprocess.run(["cp", "--sparse=always", str(disk.image), str(copy)], check=True)
            copies.append((copy, promised(run)))
            os.kill(engine, signal.SIGCONT)
    finally:
        os.kill(engine, signal.SIGKILL)
        wait_for(lambda: not run.engine_alive())
    for copy, step in copies:
        with Disk(copy, copy.with_suffix("")) as there:
            promises += step is not None
            left = RunFolder(there.place / "runs" / "cut")
            words = ("--runs", str(left.path.parent))
            done = laddertop("resume", "cut", "--detach", *words)
            if done.returncode == 0:
                start = [e for e in EventReader(left.events_path).read_all() if isinstance(e, RunStarted)][-1]
                if step is not None and (start.resumed_from or 0) < step:
                    lost.append(f"{copy.name}: goes on from {start.resumed_from}, and {step} was promised")
                stopped = laddertop("stop", "cut", *words)
                assert stopped.returncode == 0, stopped.stderr
                wait_for(lambda left=left: not left.engine_alive())  # type: ignore[misc]
            elif step is not None:
                lost.append(f"{copy.name}: {done.stderr}")
    tally("power cut", len(copies), len(lost))
    assert lost == []
    assert promises > CUTS // 2
