"""Walkback and GSN: the chain against a plain numpy implementation given the same draws, and filling in."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from laddertop.engine.models.walkback import BURN_IN
from laddertop.engine.randomness import Draws, Stream, draws
from laddertop.engine.training.sgd import Sgd
from laddertop.journal.sections import OptimizerSpec
from laddertop.journal.spec import load_recipe
from tests.engine.conftest import CPU, Bench
from tests.engine.training import gradients_are_right, reloaded, train
from tests.kinds import small_spec

ONE = ["model.hidden=[12]", "model.activation=sigmoid", "model.walkback=5"]
TWO = ["model.hidden=[12, 9]", "model.walkback=4"]
THREE = ["model.hidden=[12, 9, 7]", "model.walkback=3", "model.hidden_noise=0.5", "noise.salt=level"]


def plenty() -> Draws:
    """More draws than any chain here takes, the same each time, in float64."""
    one = draws((100_000, 100_000), 4, Stream.EVALUATE, 0, CPU)
    return Draws(one.normal(100_000).double(), one.uniform(100_000).double())


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


class Plain:
    """The authors' procedure, layer by layer, with draws taken in the same order as the model's."""

    def __init__(self, bench: Bench) -> None:
        spec = bench.spec
        parameters = {name: p.detach().double().numpy() for name, p in bench.model.named_parameters()}
        self.depth = len(spec.model.hidden)
        self.W = [parameters[f"W.{k}"] for k in range(self.depth)]
        self.b = [parameters[f"b.{k}"] for k in range(self.depth + 1)]
        self.act = {"sigmoid": sigmoid, "tanh": np.tanh}[spec.model.activation]
        self.sigma, self.level = spec.model.hidden_noise, spec.noise.level
        self.white = 0.5 if spec.noise.salt == "half" else self.level

    def corrupt(self, x: np.ndarray, drawn: Draws) -> np.ndarray:
        hit = drawn.uniform(*x.shape).numpy() < self.level
        return np.where(hit, drawn.uniform(*x.shape).numpy() < self.white, x)

    def chain(
        self, x: np.ndarray, transitions: int, drawn: Draws, known: np.ndarray | None = None
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Images that the transitions saw, and the pixel means that they gave; x is already corrupted."""
        hiddens = [x] + [np.zeros((len(x), len(b))) for b in self.b[1:]]
        seen, means = [], []
        for n in range(transitions):
            if n > 0:
                image = (drawn.uniform(*x.shape).numpy() < means[-1]).astype(float)
                image = self.corrupt(image, drawn)
                if known is not None:
                    image[:, known] = x[:, known]
                hiddens[0] = image
            seen.append(hiddens[0])
            for odd in (1, 0):  # all odd layers from the old even ones, then all even ones
                for k in range(1, self.depth + 1):
                    if k % 2 != odd:
                        continue
                    total = hiddens[k - 1] @ self.W[k - 1] + self.b[k]
                    if k < self.depth:
                        total = total + hiddens[k + 1] @ self.W[k].T
                    if k == 1:
                        hiddens[k] = self.act(total)
                    else:
                        total = total + self.sigma * drawn.normal(*total.shape).numpy()
                        hiddens[k] = self.act(total)
                        hiddens[k] = hiddens[k] + self.sigma * drawn.normal(*total.shape).numpy()
            means.append(sigmoid(hiddens[1] @ self.W[0].T + self.b[0]))
        return seen, means


@pytest.mark.parametrize("settings", [ONE, TWO, THREE, [*ONE, "model.walkback=1"]])
def test_costs_equal_a_plain_implementation_given_the_same_draws(settings):
    bench = Bench(small_spec("gsn", *settings), torch.float64)
    plain, drawn = Plain(bench), bench.draws()
    x = bench.batch()[2].numpy()
    _, means = plain.chain(plain.corrupt(x, drawn), bench.spec.model.walkback, drawn)
    expected = [-(x * np.log(p) + (1 - x) * np.log(1 - p)).mean() for p in means]
    np.testing.assert_allclose(bench.costs().detach().numpy(), expected, rtol=1e-6)


def test_the_cost_is_the_sum_over_the_walkback_steps():
    bench = Bench(small_spec("gsn", *TWO))
    (row,) = train(bench, 1)
    assert row["total"] == pytest.approx(sum(row[f"walkback.{n}"] for n in range(1, 5)), rel=1e-6)


@pytest.mark.parametrize("settings", [["model.hidden=[3]"], ["model.hidden=[3, 2]", "model.hidden_noise=0.5"]])
def test_gradients_by_gradcheck(settings):
    """What is drawn is constant around a point, so finite differences see no gradient through it either."""
    bench = Bench(small_spec("gsn", *settings, "data.batch=3", "model.walkback=3"), torch.float64)
    assert gradients_are_right(bench)


def test_pitfall_31_no_parzen_estimate_is_reported_or_aimed_at():
    bench = Bench(small_spec("gsn"))
    report = bench.model.report(bench.data.test, bench.batches, 1)
    assert set(report) == {"first_step", "last_step"}
    assert all("nats per pixel" in value.unit for value in report.values())
    for name in ("gsn-mnist", "dae-walkback-mnist"):
        assert "no measure of quality" in load_recipe(name).about


def test_the_recipes_have_the_published_settings():
    gsn, walkback, plain = (load_recipe(f"{name}-mnist") for name in ("gsn", "dae-walkback", "dae-nowalkback"))
    assert (gsn.model.hidden, gsn.model.activation, gsn.model.walkback) == ([1500, 1500], "tanh", 4)
    assert (gsn.model.hidden_noise, gsn.noise.kind, gsn.noise.level) == (2, "salt_and_pepper", 0.4)
    assert (gsn.optimizer.lr, gsn.optimizer.beta1, gsn.optimizer.anneal, gsn.epochs) == (0.25, 0.5, 0.995, 1000)
    assert (walkback.model.hidden, walkback.model.walkback, walkback.epochs) == ([2000], 5, 500)
    assert (plain.model.hidden, plain.model.walkback, plain.epochs) == ([2000], 1, 200)
    for spec in (walkback, plain):
        assert (spec.optimizer.kind, spec.optimizer.lr, spec.optimizer.beta1) == ("sgd", 10, 0)
        assert (spec.model.activation, spec.noise.level, spec.data.binarise) == ("sigmoid", 0.4, "threshold")


def test_images_cut_at_half_are_black_and_white():
    grey, cut = Bench(small_spec("gsn")), Bench(small_spec("gsn", "data.binarise=threshold"))
    x = grey.data.training.rows(slice(None))
    assert torch.equal(cut.data.training.rows(slice(None)), (x > 0.5).float())
    assert torch.equal(cut.data.test.rows(slice(None)), (grey.data.test.rows(slice(None)) > 0.5).float())


def test_sixteen_images_are_overfitted():
    settings = ["data.batch=16", "data.held_back=1421", "data.binarise=threshold", "noise.on=off"]
    bench = Bench(small_spec("gsn", *settings, "model.hidden=[64]", "optimizer.kind=adam", "optimizer.lr=0.01"))
    recorded = train(bench, 300)
    for n in range(1, 4):
        assert recorded[-1][f"walkback.{n}"] < 0.02 * recorded[0][f"walkback.{n}"]


def test_what_is_saved_is_what_is_loaded(tmp_path):
    bench = Bench(small_spec("gsn"))
    train(bench, 5)
    other = reloaded(bench, tmp_path)
    x = bench.data.test.rows(slice(None))
    assert torch.equal(bench.model.denoise(x), other.model.denoise(x))
    first, again = (one.model.evaluate(one.data.test, one.batches, 3) for one in (bench, other))
    assert first == again
    assert list(first) == ["last_step", "first_step"]


def test_the_hidden_noise_answers_its_knob_and_the_noise_switch():
    bench = Bench(small_spec("gsn", *TWO))
    loud = bench.costs()
    bench.controls.set({"noise.hidden": 0.1})
    bench.controls.prepare(0)
    quieter = bench.costs()
    assert not torch.equal(loud[1:], quieter[1:])
    assert torch.equal(loud[0], quieter[0])  # the noise of layer 2 reaches the image one transition later
    bench.controls.set({"noise": "off"})
    bench.controls.prepare(0)
    assert bench.knobs()["noise.hidden"] == bench.knobs()["noise.level"] == 0


@pytest.mark.parametrize(("hidden", "least"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_the_chain_is_so_long_that_the_cost_reaches_the_top_layer(hidden, least):
    settings = [f"model.hidden={[5] * hidden}", "data.batch=8"]
    bench = Bench(small_spec("gsn", *settings, f"model.walkback={least}"))
    # A parameter that the cost does not reach is an error here, as in training.
    gradients = torch.autograd.grad(bench.costs().sum(), list(bench.model.parameters()))
    assert gradients[0].abs().max() > 0
    if least > 1:
        with pytest.raises(ValueError, match=f"{hidden} hidden layers need {least} steps at least"):
            small_spec("gsn", *settings, f"model.walkback={least - 1}")


def test_without_a_second_hidden_layer_there_is_no_hidden_noise():
    assert [knob.name for knob in Bench(small_spec("gsn", *ONE)).model.knobs] == ["noise.level"]


@pytest.mark.parametrize("settings", [ONE, TWO])
def test_filling_in_equals_a_plain_implementation_and_known_pixels_never_change(settings):
    bench = Bench(small_spec("gsn", *settings), torch.float64)
    model = bench.model
    x = bench.data.test.rows(slice(0, 6)).double()
    known = torch.arange(64) % 8 >= 4
    start = torch.where(known, x, torch.rand(x.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64))

    frames = model.fill(start, known, 9, plenty())
    assert frames.shape == (9, 6, 64)
    assert (frames[:, :, known] == x[:, known]).all()
    assert not (frames[:, :, ~known] == start[:, ~known]).any()
    seen, means = Plain(bench).chain(start.numpy(), 9, plenty(), known.numpy())
    assert all((image[:, known.numpy()] == x[:, known].numpy()).all() for image in seen)
    np.testing.assert_allclose(frames[:, :, ~known].numpy(), np.stack(means)[:, :, ~known.numpy()], rtol=1e-6)


def test_samples_are_consecutive_images_of_one_chain():
    bench = Bench(small_spec("gsn", *TWO), torch.float64)
    samples = bench.model.generate(6, plenty())
    plain, same = Plain(bench), plenty()
    coins = (same.uniform(1, 64).numpy() < 0.5).astype(float)
    _, means = plain.chain(plain.corrupt(coins, same), BURN_IN + 6, same)
    np.testing.assert_allclose(samples.numpy(), np.concatenate(means[BURN_IN:]), rtol=1e-6)


def test_denoising_is_the_first_transition_with_nothing_drawn():
    bench = Bench(small_spec("gsn", *TWO), torch.float64)
    x = bench.batch()[2]
    plain = Plain(bench)
    nothing = Draws(torch.zeros(10_000, dtype=torch.float64), torch.zeros(0))
    _, (p,) = plain.chain(x.numpy(), 1, nothing)
    np.testing.assert_allclose(bench.model.denoise(x).numpy(), p, rtol=1e-9)
    codes = bench.model.codes(x)
    assert [tuple(code.shape) for code in codes.values()] == [(50, 12), (50, 9)]
    np.testing.assert_allclose(codes["hidden.1"].numpy(), np.tanh(x.numpy() @ plain.W[0] + plain.b[1]), rtol=1e-9)


def test_samples_of_a_training_show_the_first_and_the_last_step():
    bench = Bench(small_spec("gsn", *ONE))
    x = bench.data.test.rows(slice(0, 5))
    shown = bench.model.reconstruct(x, bench.draws(), bench.knobs())
    assert list(shown) == ["input", "corrupted", "reconstruction", "walkback"]
    torch.testing.assert_close(shown["reconstruction"], bench.model.denoise(shown["corrupted"]))
    assert not torch.equal(shown["walkback"], shown["reconstruction"])


# ── the optimizer of the authors ──────────────────────────────────────────────────────────────────────────────────────


def test_momentum_is_the_running_mean_of_the_gradients():
    weight, gradients = torch.tensor([1.0, -2.0]), [torch.tensor([0.5, 4.0]), torch.tensor([-1.0, 2.0])]
    sgd = Sgd({"w": weight}, OptimizerSpec(kind="sgd", lr=0.25, beta1=0.5))
    expected, mean = weight.clone().double(), torch.zeros(2).double()
    for count, gradient in enumerate(gradients, 1):
        norm = sgd.step([gradient], torch.tensor(0.25), torch.tensor(0.0), torch.tensor(sgd.scalars(count, 0.25)))
        mean = 0.5 * mean + 0.5 * gradient
        expected -= 0.25 * mean
        assert norm.item() == pytest.approx(gradient.norm().item())
    torch.testing.assert_close(weight.double(), expected)
    sgd.step([torch.full((2,), 100.0)], torch.tensor(0.25), torch.tensor(2.0), torch.zeros(3))  # clipped to the norm 2
    expected -= 0.25 * (0.5 * mean + 0.5 * math.sqrt(2))
    torch.testing.assert_close(weight.double(), expected)


def test_the_learning_rate_is_annealed_by_the_epoch():
    bench = Bench(small_spec("gsn"))
    epoch = bench.batches.epoch_steps
    rates = []
    for step in (0, epoch - 1, epoch, 10 * epoch):
        bench.controls.prepare(step)
        rates.append(bench.knobs()["lr"].item())
    assert rates == pytest.approx([0.25, 0.25, 0.25 * 0.995, 0.25 * 0.995**10])
