"""The ladder network without labels: its step written out, its measure of invariance, its lateral connections."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from laddertop.engine.models.unsupervised_ladder import UnsupervisedLadder, invariance
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench
from tests.kinds import small_spec


def reference_costs(model: UnsupervisedLadder, x: Tensor, noise: list[Tensor]) -> Tensor:
    """The step of 64-32-16 with additive connections, every layer written out; noise[l] with its deviation."""

    def norm(rows: Tensor) -> Tensor:
        return functional.batch_norm(rows, None, None, training=True, eps=1e-10)

    def encoder(x: Tensor, noise: list[Tensor] | None) -> tuple[list[Tensor], list[Tensor], Tensor]:
        z = [x if noise is None else x + noise[0]]
        pre, h = [x], z[0]
        for layer in (1, 2):
            pre.append(h @ model.W[str(layer - 1)])
            z.append(norm(pre[-1]) + (0 if noise is None else noise[layer]))
            h = functional.relu(z[-1] + model.beta[str(layer - 1)])
        return z, pre, h

    z, _, h = encoder(x, noise)
    clean, pre, _ = encoder(x, None)
    above, costs = h, {}
    for layer in (2, 1, 0):
        a = model.a[str(layer)]
        hat = a[0] + a[1] * z[layer] + a[2] * norm(above)
        normed = hat if layer == 0 else (hat - pre[layer].mean(0)) / (pre[layer].var(0, unbiased=False) + 1e-10).sqrt()
        costs[layer] = (normed - clean[layer]).square().mean()
        above = hat @ model.V[str(layer - 1)] if layer else hat
    return torch.stack([costs[0], costs[1], costs[2]])


def test_costs_and_gradients_equal_a_step_written_out():
    bench = Bench(small_spec("unsupervised_ladder", "model.combinator=linear"), torch.float64)
    model, (_, _, x) = bench.model, bench.batch()
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    draws = bench.draws()
    std = bench.knobs()["noise.std.0"]
    expected = reference_costs(model, x, [std * draws.normal(len(x), width) for width in (64, 32, 16)])
    actual = bench.costs()
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-12)
    mine, theirs = (torch.autograd.grad(costs.sum(), list(model.parameters())) for costs in (actual, expected))
    torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-10)


def test_no_term_and_no_row_is_labelled():
    bench = Bench(small_spec("unsupervised_ladder"))
    assert [term.name for term in bench.model.terms] == ["denoise.0", "denoise.1", "denoise.2"]
    assert bench.batches.labelled_rows == 0
    assert not hasattr(bench.model, "classify")
    assert bench.model.gamma is None


@pytest.mark.parametrize("combinator", ["modulated", "linear", "no_lateral", "gauss", "sig"])
def test_every_kind_of_lateral_connection_learns(combinator):
    from tests.engine.test_ladder_runs import stepper

    bench = Bench(small_spec("unsupervised_ladder", f"model.combinator={combinator}"))
    step, row = stepper(bench)
    totals = []
    for at in range(40):
        bench.controls.prepare(at)
        step(at, row)
        totals.append(row[0].item())
    assert sum(totals[-5:]) < 0.9 * sum(totals[:5])


@pytest.mark.stress
def test_modulated_connections_denoise_better_than_additive_and_those_better_than_none():
    from tests.engine.test_ladder_runs import stepper

    reports = []
    for combinator in ("modulated", "linear", "no_lateral"):
        settings = ["model.widths=[128, 64, 32]", "model.denoising=[100, 1, 0.1, 0.1]", "warmup.on=off"]
        bench = Bench(small_spec("unsupervised_ladder", f"model.combinator={combinator}", *settings))
        step, row = stepper(bench)
        for at in range(900):  # a bench's learning rate falls to 0 at step 1000
            bench.controls.prepare(at)
            step(at, row)
        reports.append(bench.model.report(bench.data.test, bench.batches, 1))
    costs = [report["denoising"].value for report in reports]
    assert costs[0] < 0.95 * costs[1] < 0.95 * 0.95 * costs[2]
    # The second claim of arXiv:1412.7210: with modulated connections invariance grows fastest with depth.
    tops = [report["invariance.3"].value for report in reports]
    assert tops[0] > tops[1] > tops[2]


def test_without_lateral_connections_the_noise_reaches_a_layer_from_above_alone():
    bench = Bench(small_spec("unsupervised_ladder", "model.combinator=no_lateral"))
    z = [torch.randn(50, width) for width in (64, 32, 16)]
    top = torch.rand(50, 16)
    one, other = bench.model._decode(z, top), bench.model._decode([2 * part for part in z], top)
    assert all(torch.equal(one[layer], other[layer]) for layer in range(3))


def test_invariance_is_the_share_of_variance_that_shifts_leave():
    torch.manual_seed(0)
    images = torch.randn(1, 400, 3, dtype=torch.float64).expand(9, -1, -1)
    shifts = torch.randn(9, 400, 3, dtype=torch.float64)
    assert invariance(images).item() == pytest.approx(1)
    # Noise alone: the mean of nine has a ninth of the variance. Half and half: 1/2 + 1/2 · 1/9.
    assert invariance(shifts).item() == pytest.approx(1 / 9, rel=0.1)
    assert invariance(images + shifts).item() == pytest.approx((1 + 1 / 9) / 2, rel=0.1)
    dead = torch.cat([images, torch.zeros_like(images)], 2)
    assert invariance(dead).item() == pytest.approx(1)


def test_images_are_shifted_and_nothing_comes_in_from_the_other_side():
    bench = Bench(small_spec("unsupervised_ladder"))
    x = torch.arange(64.0).view(1, 64) + 1
    shifted = bench.model._shifted(x, 1, -1).view(8, 8)
    image = x.view(8, 8)
    assert torch.equal(shifted[1:, :-1], image[:-1, 1:])
    assert shifted[0].eq(0).all()
    assert shifted[:, -1].eq(0).all()
    assert torch.equal(bench.model._shifted(x, 0, 0), x)


def test_the_report_has_costs_and_invariance_of_every_layer():
    bench = Bench(small_spec("unsupervised_ladder"))
    report = bench.model.report(bench.data.test, bench.batches, 1)
    names = ["denoising", *[f"denoise.{i}" for i in range(3)], *[f"invariance.{i}" for i in range(3)]]
    assert list(report) == names
    expected = sum(w * report[f"denoise.{i}"].value for i, w in enumerate([10, 1, 0.1]))
    assert report["denoising"].value == pytest.approx(expected)
    assert all(1 / 9 < report[f"invariance.{i}"].value < 1 for i in range(3))
    # The input's own, by hand and with another way to shift.
    images = bench.data.test.rows(slice(None)).view(-1, 8, 8)
    padded = functional.pad(images, (1, 1, 1, 1))
    moved = torch.stack([padded[:, i : i + 8, j : j + 8].flatten(1) for i in range(3) for j in range(3)])
    assert report["invariance.0"].value == pytest.approx(invariance(moved).item(), rel=1e-5)


def test_without_any_cost_the_spec_is_refused():
    with pytest.raises(ValueError, match="one weight at least"):
        override(load_recipe("ladder-unsupervised-mnist"), ["model.denoising=[0, 0, 0, 0, 0, 0]"])
    with pytest.raises(ValueError, match=r"needs 6 weights \(input and every layer\), has 2"):
        override(load_recipe("ladder-unsupervised-mnist"), ["model.denoising=[1, 0]"])
