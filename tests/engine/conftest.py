"""What the tests of the engine share: a bench with a model and its data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from laddertop.engine.build import build
from laddertop.engine.contract import Model
from laddertop.engine.data import Batches, Data, Inputs, load
from laddertop.engine.randomness import Draws, Stream, draws
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.stop import Stop
from laddertop.journal.spec import Spec
from tests.trainings import stop_here

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Small products gain nothing from a second thread, and results then don't depend on the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def inputs(*image: int, classes: int = 10) -> Inputs:
    """Images shaped (C, H, W) that are black in the mean."""
    return Inputs(image, classes, lambda: torch.zeros(math.prod(image)))  # type: ignore[arg-type]


@pytest.fixture
def stop() -> Iterator[Stop]:
    """What ends a training; the signals of the test run are given back."""
    with stop_here() as stopping:
        yield stopping


class Bench:
    """A model with its data, knobs and draws, ready for one call."""

    def __init__(self, spec: Spec, dtype: torch.dtype = torch.float32, device: torch.device = CPU) -> None:
        self.spec = spec
        self.data: Data = load(spec.data, device)
        self.batches = Batches(spec.data, self.data, spec.seed, with_labels=spec.model.labelled)
        self.model: Model = build(spec, self.data.inputs, device, torch.float32).to(dtype)
        self.controls = Controls(spec, self.model.knobs, self.batches.epoch_steps, 1000, device)
        self.controls.prepare(0)
        self.dtype = dtype

    def knobs(self) -> dict[str, torch.Tensor]:
        return {name: value.to(self.dtype) for name, value in self.controls.by_name().items()}

    def draws(self, counter: int = 0) -> Draws:
        needed = self.model.draws_needed(self.batches.labelled_rows, self.batches.rows)
        drawn = draws(needed, 1, Stream.SAMPLE, counter, CPU)
        return Draws(drawn.normal(needed[0]).to(self.dtype), drawn.uniform(needed[1]).to(self.dtype))

    def batch(self, step: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        labelled, labels, x = self.batches.at(step)
        return labelled.to(self.dtype), labels, x.to(self.dtype)

    def costs(self, step: int = 0) -> torch.Tensor:
        return self.model.costs(*self.batch(step), self.draws(step), self.knobs())


@pytest.fixture
def no_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data root without data."""
    monkeypatch.setenv("LADDERTOP_DATA", str(tmp_path / "empty"))
    return tmp_path / "empty"
