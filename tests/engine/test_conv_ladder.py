"""Convolutional ladder networks: their layers by explicit loops, a whole step written out plainly, published shapes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from laddertop.engine.ladder.layers import Conv, Dense, GlobalMeanPool, MaxPool
from laddertop.engine.models.conv_ladder import ConvLadder
from laddertop.engine.parts.layers import normalise, normalise_with_statistics
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench, inputs
from tests.kinds import small_spec


def correlate(x: np.ndarray, w: np.ndarray, pad: int) -> np.ndarray:
    """out[b, o, i, j] = Σ w[o, c, k, l] · x[b, c, i + k - pad, j + l - pad], zeros around."""
    size = w.shape[2]
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = x.shape[2] - size + 1, x.shape[3] - size + 1
    out = np.zeros((len(x), len(w), height, width))
    for i in range(height):
        for j in range(width):
            out[:, :, i, j] = np.einsum("bckl,ockl->bo", x[:, :, i : i + size, j : j + size], w)
    return out


@pytest.mark.parametrize("full", [False, True])
def test_a_convolution_goes_up_in_one_border_mode_and_down_in_the_other(full):
    layer, random = Conv((2, 5, 6), 3, 3, full), np.random.RandomState(0)
    assert layer.shape == ((3, 7, 8) if full else (3, 3, 4))
    up, down = (w(random, torch.float32).detach().double() for w in (layer.weight_up, layer.weight_down))
    x, z = torch.randn(4, 2, 5, 6, dtype=torch.float64), torch.randn(4, *layer.shape, dtype=torch.float64)
    np.testing.assert_allclose(layer.up(x, up), correlate(x.numpy(), up.numpy(), 2 * full), atol=1e-12)
    np.testing.assert_allclose(layer.down(z, down), correlate(z.numpy(), down.numpy(), 2 * (not full)), atol=1e-12)
    assert layer.down(z, down).shape == x.shape


def test_the_way_down_from_maps_smaller_than_the_kernel_is_the_full_convolution_in_values_and_gradients():
    torch.manual_seed(0)
    layer = Conv((2, 9, 8), 3, 7, False)
    weight = torch.randn(2, 3, 7, 7, dtype=torch.float64, requires_grad=True)
    z = torch.randn(4, 3, 3, 2, dtype=torch.float64, requires_grad=True)
    actual, expected = layer.down(z, weight), functional.conv2d(z, weight, padding=6)
    np.testing.assert_allclose(actual.detach(), correlate(z.detach().numpy(), weight.detach().numpy(), 6), atol=1e-13)
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-13)
    toward = torch.randn_like(expected)
    mine, theirs = (torch.autograd.grad((maps * toward).sum(), [z, weight]) for maps in (actual, expected))
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-13)
    half = layer.down(z.detach().float(), weight.detach().bfloat16())
    assert half.dtype is torch.float32


def test_weights_of_a_convolution_have_the_variance_one_over_fan_in():
    weight = Conv((20, 9, 9), 50, 5, False).weight_up(np.random.RandomState(0), torch.float32)
    assert weight.abs().max() <= (3 / 500) ** 0.5
    assert weight.var().item() == pytest.approx(1 / 500, rel=0.02)


def test_pooling_rounds_up_and_un_pooling_copies_to_the_window():
    layer, x = MaxPool((1, 5, 3), 2), torch.randn(2, 1, 5, 3)
    assert layer.shape == (1, 3, 2)
    pooled = layer.up(x, None)
    assert pooled.shape == (2, *layer.shape)
    for i in range(3):
        for j in range(2):
            window = x[:, 0, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].flatten(1)
            assert torch.equal(pooled[:, 0, i, j], window.amax(1))
    back = layer.down(pooled, None)
    assert back.shape == x.shape
    assert all(torch.equal(back[:, 0, i, j], pooled[:, 0, i // 2, j // 2]) for i in range(5) for j in range(3))


def test_global_mean_pooling_scales_by_width_and_root_3_and_copies_back():
    layer, x = GlobalMeanPool((2, 3, 3)), torch.randn(4, 2, 3, 3)
    torch.testing.assert_close(layer.up(x, None)[:, :, 0, 0], x.flatten(2).sum(2) / 9 * 3 * 3**0.5)
    back = layer.down(torch.tensor([1.0, 2.0]).view(1, 2, 1, 1), None)
    assert back.shape == (1, 2, 3, 3)
    assert back[0, 0].eq(1).all()
    assert back[0, 1].eq(2).all()


def test_a_fully_connected_layer_flattens_maps_and_comes_back_flat():
    layer, random = Dense((2, 3, 3), 4), np.random.RandomState(0)
    x, z = torch.randn(5, 2, 3, 3), torch.randn(5, 4)
    up, down = layer.weight_up(random, torch.float32), layer.weight_down(random, torch.float32)
    torch.testing.assert_close(layer.up(x, up), x.flatten(1) @ up)
    torch.testing.assert_close(layer.down(z, down), z @ down)


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 2, 5)])
def test_normalisation_is_torchs_and_its_gradients_flow_through_the_statistics(shape):
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    expected = functional.batch_norm(x, None, None, training=True, eps=1e-10)
    torch.testing.assert_close(normalise(x), expected)
    z, mean, scale = normalise_with_statistics(x)
    torch.testing.assert_close(z, expected)
    flat = x.transpose(0, 1).flatten(1)
    torch.testing.assert_close(mean, flat.mean(1))
    torch.testing.assert_close(scale, 1 / (flat.var(1, unbiased=False) + 1e-10).sqrt())
    assert torch.autograd.gradcheck(normalise, (x,))
    assert torch.autograd.gradcheck(normalise_with_statistics, (x,))


def reference_costs(model: ConvLadder, labelled: Tensor, labels: Tensor, x: Tensor, noise: list[Tensor], std: Tensor):
    """A step of convf:4:3 - maxpool:2 - convv:6:3 - convv:10:1 - globalmeanpool, every layer written out.

    noise[l] are the standard normal draws of layer l for labelled, then unlabelled rows.
    """
    W, V, beta = (list(part.values()) for part in (model.W, model.V, model.beta))

    def norm(rows: Tensor) -> Tensor:
        return functional.batch_norm(rows, None, None, training=True, eps=1e-10)

    def relu(z: Tensor, bias: Tensor) -> Tensor:
        return functional.relu(z + bias.view(1, -1, 1, 1))

    def encoder(rows: Tensor, draws: list[Tensor] | None) -> tuple[list[Tensor], list[Tensor], Tensor]:
        def corrupt(layer: int, z: Tensor) -> Tensor:
            return z if draws is None else z + std * draws[layer].view(z.shape)

        image = rows.view(-1, 1, 8, 8)
        z0 = corrupt(0, image)
        pre1 = functional.conv2d(z0, W[0], padding=2)
        z1 = corrupt(1, norm(pre1))
        pre2 = functional.max_pool2d(relu(z1, beta[0]), 2)
        z2 = corrupt(2, norm(pre2))  # no bias, no activation
        pre3 = functional.conv2d(z2, W[1])
        z3 = corrupt(3, norm(pre3))
        pre4 = functional.conv2d(relu(z3, beta[1]), W[2])
        z4 = corrupt(4, norm(pre4))
        pre5 = relu(z4, beta[2]).mean((2, 3), keepdim=True) * 3 * 3**0.5
        z5 = corrupt(5, norm(pre5))
        logits = model.gamma * (z5.flatten(1) + beta[3])
        return [z0, z1, z2, z3, z4, z5], [image, pre1, pre2, pre3, pre4, pre5], logits

    def g(z: Tensor, u: Tensor, a: Tensor) -> Tensor:
        a = a.view(10, 1, -1, *[1] * (u.dim() - 2))
        mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
        return (z - mu) * (a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]) + mu

    rows = len(labelled)
    _, _, logits = encoder(labelled, [n[:rows] for n in noise])
    z, _, unlabelled_logits = encoder(x, [n[rows:] for n in noise])
    clean, pre, _ = encoder(x, None)
    hat5 = g(z[5].flatten(1), norm(functional.softmax(unlabelled_logits, 1)), model.a["5"]).view(-1, 10, 1, 1)
    hat4 = g(z[4], norm(hat5.expand(-1, 10, 3, 3)), model.a["4"])
    hat3 = g(z[3], norm(functional.conv2d(hat4, V[2])), model.a["3"])
    hat2 = g(z[2], norm(functional.conv2d(hat3, V[1], padding=2)), model.a["2"])
    hat1 = g(z[1], norm(hat2.repeat_interleave(2, 2).repeat_interleave(2, 3)), model.a["1"])
    hat0 = g(z[0], norm(functional.conv2d(hat1, V[0])), model.a["0"])
    costs = [functional.cross_entropy(logits, labels), (hat0 - clean[0]).square().mean()]
    for layer, hat in enumerate([hat1, hat2, hat3, hat4, hat5], 1):
        mean = pre[layer].mean((0, 2, 3), keepdim=True)
        deviation = (pre[layer].var((0, 2, 3), unbiased=False, keepdim=True) + 1e-10).sqrt()
        costs.append(((hat - mean) / deviation - clean[layer]).square().mean())
    return torch.stack(costs)


def test_costs_and_gradients_equal_a_step_written_out():
    bench = Bench(small_spec("conv_ladder", "data.labels=30"), torch.float64)
    model, (labelled, labels, x) = bench.model, bench.batch()
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    draws = bench.draws()
    noise = [torch.cat([draws.normal(n, *shape) for n in (len(labelled), len(x))]) for shape in model.shapes]
    expected = reference_costs(model, labelled, labels, x, noise, bench.knobs()["noise.std.0"])
    actual = bench.costs()
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-12)
    weights = torch.linspace(1, 2, len(actual), dtype=torch.float64)
    mine, theirs = (torch.autograd.grad(c @ weights, list(model.parameters())) for c in (actual, expected))
    torch.testing.assert_close(mine, theirs, rtol=1e-7, atol=1e-10)


def test_golden_values_at_step_0():
    bench = Bench(small_spec("conv_ladder"), torch.float64)
    x = bench.batch()[2]
    costs = bench.costs()
    torch.testing.assert_close(costs[1], x.square().mean(), rtol=1e-12, atol=0)
    pre = functional.conv2d(x.view(-1, 1, 8, 8), bench.model.W["0"], padding=2)
    ratio = pre.mean((0, 2, 3)).square() / pre.var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(costs[2], 1 + ratio.mean(), rtol=1e-8, atol=0)


def network(recipe: str, *settings: str, image: tuple[int, int, int] = (1, 28, 28)) -> ConvLadder:
    return ConvLadder(override(load_recipe(recipe), settings), inputs(*image), torch.float32)


def test_the_published_networks_have_the_published_sizes():
    small = network("conv-small-gamma-mnist-100")
    assert [shape[-1] for shape in small.shapes] == [28, 32, 16, 14, 16, 8, 6, 6, 1, 10]
    assert [term.name for term in small.terms] == ["class", "denoise.9"]
    fc = network("conv-fc-mnist-100")
    assert fc.shapes == [(1, 28, 28), (1000, 3, 3), (500, 3, 3), *[(250, 3, 3)] * 3, (10, 3, 3), (10, 1, 1)]
    # One denoising function per channel: the input has one alone.
    assert [a.shape[1] for a in fc.a.values()] == [1, 1000, 500, 250, 250, 250, 10, 10]
    # No bias after pooling, but at the softmax, which is a pooling here.
    assert [len(beta) for beta in small.beta.values()] == [32, 64, 64, 128, 10, 10]


def test_only_the_γ_models_top_is_decoded():
    small = network("conv-small-gamma-mnist-100")
    assert not small.V
    assert list(small.a) == ["9"]


def test_the_leaky_network_without_scale_has_no_γ_and_a_slope_of_a_tenth():
    bench = Bench(small_spec("conv_ladder", "model.activation=leaky_relu", "model.top_scale=off"))
    assert bench.model.gamma is None
    below = bench.model._activation(1, torch.full((1, 4, 1, 1), -2.0))
    torch.testing.assert_close(below, torch.full((1, 4, 1, 1), -0.2))


@pytest.mark.parametrize(
    ("architecture", "complaint"),
    [
        ('["convv:10:3"]', "the top layer has 6760 units, mnist has 10 classes"),
        ('["convv:10:30"]', "convv:10:30 is larger than the maps below, 28×28"),
        ('["fc:20", "maxpool:2"]', "maxpool:2 needs maps, and the layer below has 20 units"),
    ],
)
def test_layers_that_do_not_fit_are_named(architecture, complaint):
    count = architecture.count('"') // 2 + 1
    with pytest.raises(ValueError, match=complaint):
        network("conv-fc-mnist-100", f"model.architecture={architecture}", f"model.denoising={[1] * count}")


def test_a_layer_that_is_none_is_refused_by_the_spec():
    with pytest.raises(ValueError, match=r"model\.architecture"):
        override(load_recipe("conv-fc-mnist-100"), ['model.architecture=["conv:10:3"]', "model.denoising=[1, 1]"])


def test_evaluation_statistics_are_per_channel_with_the_variance_corrected_for_the_rows():
    bench = Bench(small_spec("conv_ladder", "data.labels=20"))
    bench.model.settle(bench.batches)
    (batch,) = bench.batches.labelled_batches()
    with torch.no_grad():
        pre = functional.conv2d(batch.view(-1, 1, 8, 8), bench.model.W["0"], padding=2)
    mean, variance, count = bench.model._clean._sums["z1"]
    assert count == 1
    torch.testing.assert_close(mean, pre.mean((0, 2, 3)))
    torch.testing.assert_close(variance, pre.var((0, 2, 3), unbiased=False) * 20 / 19)


def test_conv_large_rounds_its_poolings_up():
    recipe = load_recipe("conv-large-gamma-cifar10")
    large = ConvLadder(recipe, inputs(3, 32, 32), torch.float32)
    assert [shape[-1] for shape in large.shapes] == [32, 30, 32, 34, 17, 15, 17, 15, 8, 6, 6, 6, 1]
    assert (large.leaky, large.gamma, large.weights[-1]) == (True, None, 4)
    assert (recipe.data.whiten, recipe.data.labels, recipe.data.batch, recipe.data.labelled_batch) == (
        True,
        4000,
        100,
        100,
    )
