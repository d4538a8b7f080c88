"""How much memory a user's own data take, measured: a gigabyte on the disk is no two gigabytes in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.data import load
from laddertop.engine.data.images import _BLOCK, Images
from laddertop.engine.training import trainer
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventReader, EventWriter, Logged
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from tests import PATIENCE
from tests.engine.conftest import CPU
from tests.engine.own_data import bars, found_in, with_data
from tests.kinds import small_spec

ROWS, WIDTH = 250_000, 4096

MEASURE = """
import json, sys, time
import torch
from laddertop.engine.data import Batches, load
from laddertop.engine.own import look
from laddertop.journal.sections import DataSpec
torch.set_num_threads(1)
peak = lambda: 1024 * int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0])
told = {"before": peak()}
data = DataSpec(name=sys.argv[1], batch=2)
began = time.perf_counter()
data = DataSpec.model_validate({**data.model_dump(), "found": look(data, 1).model_dump()})
told |= {"looked": peak(), "look_seconds": time.perf_counter() - began}
began = time.perf_counter()
loaded = load(data, torch.device("cpu"))
told |= {"loaded": peak(), "load_seconds": time.perf_counter() - began}
mean = loaded.inputs.mean()
batches = Batches(data, loaded, 1, with_labels=False)
for step in range(min(batches.epoch_steps, 200)):
    batches.at(step)
told |= {"used": peak(), "mean": float(mean.mean())}
print(json.dumps(told))
"""


def measured(path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    told: dict[str, float] = json.loads(done.stdout)
    return told


@pytest.mark.stress
@pytest.mark.parametrize("kind", ["mapped", "drawn", "compressed"])
def test_a_gigabyte_lies_in_memory_once(tmp_path: Path, kind: str) -> None:
    x = np.zeros((ROWS, WIDTH), np.uint8)
    x[::7] = 255
    test = {"x_test": x[:100]} if kind == "mapped" else {}
    (np.savez_compressed if kind == "compressed" else np.savez)(tmp_path / "large.npz", x=x, **test)
    size = x.nbytes
    del x
    told = measured(tmp_path / "large.npz")
    print(kind, {key: round(value / size, 3) if value > 1e6 else round(value, 2) for key, value in told.items()})
    assert told["looked"] - told["before"] < 0.2 * size
    # What is mapped counts as far as it was touched; the pages are the file's, and go when others need room.
    assert told["used"] - told["before"] < 1.4 * size
    assert told["mean"] == pytest.approx(1 / 7, abs=0.01)


def test_the_mean_of_blocks_is_the_mean(tmp_path: Path) -> None:
    width = 1 << 16
    rows = _BLOCK // width + 77
    pixels = np.random.default_rng(1).integers(0, 256, (rows, width)).astype(np.uint8)
    images = Images(torch.from_numpy(pixels), torch.zeros(rows, dtype=torch.int64), 255)
    np.testing.assert_allclose(images.mean(), pixels.mean(0) / 255, atol=1e-6)


def test_a_file_with_a_test_part_is_mapped_and_never_written_to(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=np.ones((20, 5), np.uint8), x_test=np.ones((20, 5), np.uint8))
    before = path.read_bytes()
    spec = found_in(path)
    data = load(spec, CPU)
    assert str(path) in Path("/proc/self/maps").read_text()
    data.training.pixels.fill_(7)
    assert path.read_bytes() == before


def trained(run: RunFolder, stop: Stop) -> Training:
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        assert training.loop(stop).reason == "finished"
        training.recorder.close()
    return training


@pytest.mark.parametrize("kind", ["ladder", "vae", "sdae"])
def test_data_that_stay_on_the_host_train_to_the_same_bits_and_that_is_told(
    kind: str, tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, y = bars(60)
    np.savez(tmp_path / "mine.npz", x=x, y=y, x_test=x[:20], y_test=y[:20])
    spec = with_data(small_spec(kind, "steps=30"), found_in(tmp_path / "mine.npz", labelled_batch=6))
    there = trained(create_run(tmp_path, spec, "device"), stop)
    monkeypatch.setattr(trainer, "load", partial(load, room=80 * 13 * 7 - 1))
    here = trained(create_run(tmp_path, spec, "host"), stop)
    assert (there.data.training.on_host, here.data.training.on_host) == (False, True)
    weights, others = there.optimizer.state()["model"], here.optimizer.state()["model"]
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    numbers = [MetricsReader(tmp_path / name) for name in ("device", "host")]
    for reader in numbers:
        reader.poll()
    for column in numbers[0].columns:
        np.testing.assert_array_equal(*(reader.values(column.name) for reader in numbers))
    said = [event.text for event in EventReader(here.run.events_path).read_all() if isinstance(event, Logged)]
    assert "cpu has no room for the data: they stay on the host, and each step's batch is moved there" in said
