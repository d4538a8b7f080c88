"""What holds for a step of every kind of model: its costs at step 0 are known numbers, and its gradients are right."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from laddertop.engine.build import MODELS
from laddertop.journal.models import KINDS as SECTIONS
from tests.engine.conftest import Bench
from tests.engine.training import gradients_are_right
from tests.kinds import KINDS, small_spec

TWO = ["model.upper_hidden=[3]", "model.upper_latent=2"]


def nudge(bench: Bench) -> None:
    """Moves every parameter by a fixed wave: many start at 0, which hides whatever multiplies them."""
    for parameter in bench.model.parameters():
        wave = torch.cos(1.7 * torch.arange(parameter.numel(), dtype=parameter.dtype))
        parameter.data += 0.1 * wave.view_as(parameter)


@pytest.mark.parametrize("kind", KINDS)
def test_golden_values_at_step_0(kind: str) -> None:
    bench = Bench(small_spec(kind), torch.float64)
    at_first = bench.costs()
    nudge(bench)
    for found, golden in zip((at_first, bench.costs()), (KINDS[kind].costs, KINDS[kind].nudged), strict=True):
        expected = torch.tensor(golden, dtype=torch.float64)
        # The draws are made in float32, with a logarithm and a cosine that differ in their last bits between machines.
        torch.testing.assert_close(found.detach(), expected, rtol=1e-5, atol=0, equal_nan=True)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("ladder", ["model.widths=[4, 3]", "data.labels=10"]),
        ("ladder", ["model.widths=[4, 3]", "data.labels=10", "model.combinator=amlp"]),
        ("unsupervised_ladder", ["model.widths=[4, 3]"]),
        ("conv_ladder", ["data.labels=10"]),
        ("vae", ["model.hidden=[4]", "model.latent=2"]),
        (
            "vae",
            [
                "model.hidden=[4]",
                "model.latent=3",
                "model.upper_hidden=[3]",
                "model.upper_latent=2",
                "model.bound=iwae",
                "model.samples=3",
            ],
        ),
    ],
)
def test_gradients_of_a_whole_step_by_gradcheck(kind: str, settings: list[str]) -> None:
    bench = Bench(small_spec(kind, "data.batch=6", "data.labelled_batch=10", *settings), torch.float64)
    nudge(bench)
    assert gradients_are_right(bench)


def test_every_kind_is_here_that_a_spec_or_the_engine_knows() -> None:
    assert list(KINDS) == list(MODELS) == [get_args(kind.model_fields["kind"].annotation)[0] for kind in SECTIONS]
