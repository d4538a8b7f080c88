"""Free bits: the objective against an independent account of Kingma et al. 2016 in float64, and what is recorded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from laddertop.engine.parts import free_bits as part
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench
from tests.kinds import small_spec

KINDS = {
    "vae": ("vae", []),
    "vae of two layers": ("vae", ["model.upper_hidden=[9]", "model.upper_latent=3", "model.samples=4"]),
    "ladder vae": ("lvae", ["model.inference=ladder"]),
    "deep vae": ("lvae", ["model.inference=bottom_up", "model.mc_samples=3"]),
}


def bench(name: str, *settings: str) -> Bench:
    kind, own = KINDS[name]
    return Bench(small_spec(kind, "warmup.on=off", *own, *settings), torch.float64)


def objective(bench: Bench) -> tuple[Tensor, Tensor]:
    """The terms, and the weighted sum of them that is trained."""
    terms, knobs = bench.costs(), bench.knobs()
    one = torch.ones((), dtype=torch.float64)
    return terms, (terms * torch.stack([knobs[t.weight] if t.weight else one for t in bench.model.terms])).sum()


@pytest.mark.parametrize("beta", [1.0, 0.25])
@pytest.mark.parametrize("name", KINDS)
def test_the_objective_is_the_reconstruction_and_the_larger_of_lambda_and_each_kl(name: str, beta: float) -> None:
    plain = bench(name)
    plain.controls.set({"beta": beta})
    plain.controls.prepare(0)
    reconstruction, *kl = plain.costs()
    parameters = list(plain.model.parameters())
    least = round(sorted(kl)[len(kl) // 2].item() * 8 + 1) / 8  # some are below it, and float32 holds it
    free = bench(name, f"model.free_bits={least}")
    free.controls.set({"beta": beta})
    free.controls.prepare(0)
    terms, total = objective(free)
    # What is recorded are the true terms.
    assert [t.name for t in free.model.terms] == [*(t.name for t in plain.model.terms), "free_bits"]
    torch.testing.assert_close(terms[:-1], torch.stack([reconstruction, *kl]), rtol=0, atol=0)
    expected = reconstruction + beta * sum(torch.maximum(torch.tensor(least).double(), one) for one in kl)
    torch.testing.assert_close(total, expected, rtol=1e-12, atol=1e-12)
    wanted = torch.autograd.grad(expected, parameters, allow_unused=True)
    found = torch.autograd.grad(total, list(free.model.parameters()), allow_unused=True)
    for one, other in zip(found, wanted, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(
            zero if one is None else one, zero if other is None else other, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("name", KINDS)
def test_what_is_below_lambda_pulls_at_nothing_and_what_is_above_costs_no_more_than_it_did(name: str) -> None:
    high = bench(name, "model.free_bits=1e4")
    terms, total = objective(high)
    parameters = list(high.model.parameters())
    alone = torch.autograd.grad(terms[0], parameters, allow_unused=True, retain_graph=True)
    for one, other in zip(torch.autograd.grad(total, parameters, allow_unused=True), alone, strict=True):
        if one is not None:
            torch.testing.assert_close(one, torch.zeros_like(one) if other is None else other, rtol=1e-9, atol=1e-12)
    low = bench(name, "model.free_bits=1e-9")
    assert objective(low)[0][-1] == 0


def test_the_mean_over_the_batch_of_all_ranks_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    # Two ranks whose halves of the batch lie on either side of λ: together above it for one layer, below for the other.
    halves = torch.tensor([[0.5, 0.2], [3.5, 0.4]], dtype=torch.float64, requires_grad=True)
    least, batch = torch.tensor(1.0, dtype=torch.float64), halves.mean(0)
    monkeypatch.setattr(part.ranks, "joint", lambda: True)
    monkeypatch.setattr(part.ranks, "gathered", lambda mine: halves.detach())
    # What ranks.mean makes of what each computes.
    found = torch.stack([part.free_bits(one, least) for one in halves]).mean()
    expected = torch.maximum(batch, least).sum() - batch.sum()
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad(one, halves, retain_graph=True) for one in (found, expected)))


@pytest.mark.parametrize("name", KINDS)
def test_lambda_is_a_knob_where_there_are_free_bits_and_is_heard(name: str) -> None:
    assert "free_bits" not in bench(name).controls.names
    it = bench(name, "model.free_bits=50")
    before = objective(it)[1].item()
    it.controls.set({"free_bits": 60.0})
    it.controls.prepare(0)
    layers = len(it.model.terms) - 2
    assert objective(it)[1].item() == pytest.approx(before + 10 * layers)


@pytest.mark.parametrize(
    ("recipe", "setting"), [("lvae-digits", "model.iw_samples=2"), ("vae-digits", "model.bound=iwae")]
)
def test_importance_weights_leave_no_kl_to_be_free(recipe: str, setting: str) -> None:
    with pytest.raises(ValueError, match="free_bits"):
        override(load_recipe(recipe), [setting, "model.free_bits=1"])
    with pytest.raises(ValueError, match="free_bits"):
        override(load_recipe(recipe), ["model.free_bits=-1"])
