"""What the tests of the deep and the ladder VAE share."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, distributions

from laddertop.engine.data import Images, load
from laddertop.engine.models.lvae import Lvae
from laddertop.engine.parts.distributions import Gaussian
from laddertop.engine.randomness import Draws, Stream, draws
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from tests.engine.conftest import CPU, Bench, inputs
from tests.kinds import small_spec

LADDER, SEPARATE, DEEP = "model.inference=ladder", "model.top_down=separate", "model.inference=bottom_up"
KINDS = [[LADDER], [LADDER, SEPARATE], [DEEP]]
NO_NORM = "model.batch_norm=off"


def bench(*settings: str, dtype: torch.dtype = torch.float32) -> Bench:
    return Bench(small_spec("lvae", "warmup.on=off", *settings), dtype)


def normal(gaussian: Gaussian) -> distributions.Normal:
    return distributions.Normal(gaussian.mean, gaussian.log_std.exp())


def drawn(model: Lvae, rows: int, samples: int = 1, counter: int = 0) -> Draws:
    normals = draws((rows * samples * sum(model.latent), 0), 5, Stream.EVALUATE, counter, CPU)
    return Draws(normals.normal(rows * samples * sum(model.latent)).double(), torch.empty(0))


def trained(bench: Bench, steps: int) -> list[float]:
    """Trains, and returns the totals."""
    step = Step(
        bench.model,
        Adam(dict(bench.model.named_parameters()), bench.spec.optimizer),
        bench.controls,
        bench.batches,
        1,
        CPU,
    )
    row = torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))
    totals = []
    for i in range(steps):
        bench.controls.prepare(i)
        step(i, row)
        bench.controls.advance()
        totals.append(row[0].item())
    return totals


def tiny(*settings: str) -> tuple[Lvae, SimpleNamespace, Tensor]:
    """A model in float64 of the six middle pixels of the digits with two stochastic layers, settled, and six images."""
    spec = small_spec("lvae", "model.latent=[1, 1]", "model.hidden=[4, 3]", "model.dense=1", *settings)
    images = load(spec.data, CPU).training
    batches = SimpleNamespace(training=Images(images.pixels[:, 33:39], images.labels, images.white))
    model = Lvae(spec, inputs(1, 1, 6), torch.float32)
    model.settle(batches)
    for module in model.double().modules():
        if getattr(module, "settled", None):
            module.settled = tuple(part.double() for part in module.settled)
    return model, batches, (batches.training.rows(slice(6)) > 0.5).double()
