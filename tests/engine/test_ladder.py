"""The ladder network against a plain, unstacked implementation of the published step, and its values at step 0."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from laddertop.engine.models.ladder import Ladder
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from laddertop.journal.spec import load_recipe
from tests.engine.conftest import CPU, Bench, inputs
from tests.kinds import small_spec


def reference_costs(
    model: Ladder,
    labelled: Tensor,
    labels: Tensor,
    x: Tensor,
    noise: list[Tensor],
    std: list[Tensor],
    normalised: bool = True,
):
    """One step as the paper's algorithm tells it: separate passes, torch's own batch normalisation, nothing stacked.

    noise[l] are the standard normal draws of layer l for labelled, then unlabelled rows.
    """
    top, rows_l = model.top, len(labelled)
    weights, beta = list(model.W.values()), list(model.beta.values())

    def norm(rows: Tensor) -> Tensor:
        return functional.batch_norm(rows, None, None, training=True, eps=1e-10) if normalised else rows

    def encoder(rows: Tensor, draws: list[Tensor] | None) -> tuple[list[Tensor], list[Tensor], Tensor]:
        z = [rows if draws is None else rows + std[0] * draws[0]]
        pre, h = [rows], z[0]
        for layer in range(1, top + 1):
            pre.append(h @ weights[layer - 1])
            z.append(norm(pre[-1]) if draws is None else norm(pre[-1]) + std[layer] * draws[layer])
            h = z[-1] + beta[layer - 1]
            h = functional.relu(h) if layer < top else model.gamma * h
        return z, pre, h

    _, _, logits = encoder(labelled, [n[:rows_l] for n in noise])
    costs = [functional.cross_entropy(logits, labels)]
    if not model.weighted:
        return costs
    z_noisy, _, logits_u = encoder(x, [n[rows_l:] for n in noise])
    z_clean, pre, _ = encoder(x, None)
    above = functional.softmax(logits_u, 1)
    denoising = {}
    for layer in range(top, model.lowest - 1, -1):
        u = norm(above)
        a = model.a[str(layer)]
        mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        v = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
        estimate = (z_noisy[layer] - mu) * v + mu
        target = estimate
        if layer and normalised:
            m, s = pre[layer].mean(0), pre[layer].var(0, unbiased=False)
            target = (estimate - m) / torch.sqrt(s + 1e-10)
        if layer:
            above = estimate @ model.V[str(layer - 1)] if layer > model.lowest else above
        denoising[layer] = ((z_clean[layer] - target) ** 2).sum(1).mean() / target.shape[1]
    return costs + [denoising[layer] for layer in model.weighted]


@pytest.mark.parametrize("normalised", [True, False], ids=["batch_norm", "none"])
@pytest.mark.parametrize("denoising", ["[10, 1, 0.1, 0.1]", "[0, 0, 0, 2]", "[50, 0, 0, 0]", "[0, 0, 0, 0]"])
def test_costs_and_gradients_equal_the_plain_published_step(denoising, normalised):
    settings = f"model.denoising={denoising}", f"model.batch_norm={str(normalised).lower()}", "data.labels=30"
    bench = Bench(small_spec("ladder", *settings), torch.float64)
    model, (labelled, labels, x) = bench.model, bench.batch()
    # Away from the initial values, where ẑ is 0 and most gradients vanish.
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    draws = bench.draws()
    rows = len(labelled) + len(x) * bool(model.weighted)
    assert len(labelled) == 30
    noise = [draws.normal(rows, *shape) for shape in model.shapes]
    std = [bench.knobs()[f"noise.std.{layer}"] for layer in range(model.top + 1)]
    expected = torch.stack(reference_costs(model, labelled, labels, x, noise, std, normalised))
    actual = model.costs(labelled, labels, x, bench.draws(), bench.knobs())
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-12)
    weights = torch.linspace(1, 2, len(actual), dtype=torch.float64)
    parameters = list(model.parameters())
    gradients = [torch.autograd.grad(c @ weights, parameters, allow_unused=True) for c in (actual, expected)]
    for mine, theirs in zip(*gradients, strict=True):
        assert (mine is None) == (theirs is None)
        if mine is not None:
            torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-10)


def test_golden_values_at_step_0():
    bench = Bench(small_spec("ladder"), torch.float64)
    x = bench.batch()[2]
    costs = bench.costs()
    # With ẑ = 0, the cost at the input is the mean square of the pixels, and above it 1 + mean(m² / v).
    torch.testing.assert_close(costs[1], x.square().mean(), rtol=1e-12, atol=0)
    h = x
    for layer in range(1, bench.model.top + 1):
        pre = h @ bench.model.W[str(layer - 1)]
        ratio = pre.mean(0).square() / pre.var(0, unbiased=False)
        # The top layer's rows are few and its units fewer, but the identity is exact everywhere.
        torch.testing.assert_close(costs[1 + layer], 1 + ratio.mean(), rtol=1e-8, atol=0)
        h = torch.relu(functional.batch_norm(pre, None, None, training=True, eps=1e-10))


def test_denoising_costs_reach_neither_decoder_weights_nor_slopes_at_step_0():
    # ẑ starts at 0, so below the top u is 0, too: only what adds to ẑ without u can move (a1, a5, a6 and a10).
    bench = Bench(small_spec("ladder"))
    named = dict(bench.model.named_parameters())
    gradients = torch.autograd.grad(bench.costs()[1:].sum(), list(named.values()), allow_unused=True)
    for name, gradient in zip(named, gradients, strict=True):
        if name.startswith("V."):
            assert gradient.abs().max() == 0, name
        if name.startswith("a.") and name != f"a.{bench.model.top}":
            assert {i + 1 for i in range(10) if gradient[i].abs().max() > 0} == {1, 5, 6, 10}, name


def test_parameter_count_of_the_published_network():
    model = Ladder(load_recipe("ladder-mnist-100"), inputs(1, 28, 28), torch.float32)
    assert sum(p.numel() for p in model.parameters()) == 3_105_710


def test_labelled_and_unlabelled_rows_have_batch_statistics_of_their_own():
    bench = Bench(small_spec("ladder"))
    labelled, labels, x = bench.batch()
    before = bench.model.costs(labelled, labels, x, bench.draws(), bench.knobs())
    other_labelled = bench.model.costs(labelled * 3 + 1, labels, x, bench.draws(), bench.knobs())
    other_unlabelled = bench.model.costs(labelled, labels, x * 3 + 1, bench.draws(), bench.knobs())
    torch.testing.assert_close(other_labelled[1:], before[1:], rtol=0, atol=0)
    torch.testing.assert_close(other_unlabelled[0], before[0], rtol=0, atol=0)


def test_gradients_flow_through_the_clean_targets_and_their_statistics():
    # Without noise and decoder, only the clean path can move the encoder's weights through a denoising cost.
    bench = Bench(small_spec("ladder"))
    with torch.no_grad():
        for a in bench.model.a.values():
            a.zero_()
    costs = bench.costs()
    (gradient,) = torch.autograd.grad(costs[2], [bench.model.W["0"]])
    assert gradient.abs().max() > 0


def test_the_input_is_not_normalised_so_blank_border_pixels_do_no_harm():
    bench = Bench(small_spec("ladder"))
    labelled, labels, x = bench.batch()
    x[:, 0] = 0  # zero variance
    assert torch.isfinite(bench.model.costs(labelled, labels, x, bench.draws(), bench.knobs())).all()


@pytest.mark.parametrize("statistics", ["labelled", "training"])
def test_evaluation_statistics_come_from_clean_rows_alone_of_the_images_that_the_spec_names(statistics):
    bench = Bench(small_spec("ladder", f"model.statistics={statistics}"), torch.float64)
    model, steps = bench.model, range(bench.batches.epoch_steps)
    labelled = [b.double() for b in bench.batches.labelled_batches()]
    training = [bench.batch(step) for step in steps]
    bench.batches.labelled_batches = lambda: labelled  # type: ignore[method-assign]
    bench.batches.at = lambda step: training[step]  # type: ignore[method-assign]
    values = model.evaluate(_Double(bench.data.test), bench.batches, 1)
    # By hand: torch's batch normalisation with momentum None averages batch means and unbiased variances.
    norms = [torch.nn.BatchNorm1d(w, eps=1e-10, momentum=None, affine=False).double() for (w,) in model.shapes[1:]]

    def clean(rows: Tensor) -> Tensor:
        for layer, norm in enumerate(norms):
            rows = norm(rows @ model.W[str(layer)]) + model.beta[str(layer)]
            rows = torch.relu(rows) if layer + 1 < model.top else model.gamma * rows
        return rows

    for batch in labelled if statistics == "labelled" else [x for _, _, x in training]:
        clean(batch)
    for norm in norms:
        norm.eval()
    test = bench.data.test
    logits = clean(test.rows(slice(None)).double())
    assert values["error_percent"].value == pytest.approx(
        100 * (logits.argmax(1) != test.labels).double().mean().item(), abs=1e-4
    )
    assert values["cross_entropy"].value == pytest.approx(
        torch.nn.functional.cross_entropy(logits, test.labels).item(), rel=1e-6
    )


class _Double:
    def __init__(self, images):
        self.pixels, self.labels, self.device, self._images = images.pixels, images.labels, images.device, images

    def __len__(self):
        return len(self.labels)

    def rows(self, index):
        return self._images.rows(index).double()


def test_sixteen_images_are_overfitted():
    spec = small_spec("ladder", "noise.on=off", "data.labels=20", "optimizer.lr=0.01")
    bench = Bench(spec)
    step = Step(
        bench.model, Adam(dict(bench.model.named_parameters()), spec.optimizer), bench.controls, bench.batches, 1, CPU
    )
    row = torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))
    for i in range(300):
        step(i, row)
    assert row[1] < 0.03  # labelled cross-entropy of 20 images
