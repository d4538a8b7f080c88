"""What the tests of VAEs share."""

from __future__ import annotations

import torch
from torch import Tensor, distributions

from laddertop.engine.parts.distributions import Gaussian
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from tests.engine.conftest import CPU, Bench
from tests.kinds import small_spec

TWO = ["model.upper_hidden=[6]", "model.upper_latent=3"]
IWAE = ["model.bound=iwae", "model.samples=4"]


def bench(*settings: str, dtype: torch.dtype = torch.float64) -> Bench:
    return Bench(small_spec("vae", *settings), dtype)


def trained(it: Bench, steps: int) -> Tensor:
    """Trains, and returns the rows of metrics."""
    adam = Adam(dict(it.model.named_parameters()), it.spec.optimizer)
    step = Step(it.model, adam, it.controls, it.batches, 1, CPU)
    rows = torch.empty(steps, 2 + len(it.model.terms) + len(it.controls.names))
    for i, row in enumerate(rows):
        it.controls.prepare(i)
        step(i, row)
        it.controls.advance()
    return rows


def normal(gaussian: Gaussian) -> distributions.Normal:
    return distributions.Normal(gaussian.mean, gaussian.log_std.exp())
