"""M2: both of its bounds and the cost by a plain account in numpy, image by image and class by class."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, distributions

from laddertop.engine.models.m2 import M2
from laddertop.engine.randomness import Draws, RowDraws, Stream
from tests.engine.conftest import CPU, Bench
from tests.engine.test_every_kind import nudge
from tests.engine.training import gradients_are_right
from tests.kinds import small_spec

FEW = ("data.labels=20", "data.batch=4", "data.labelled_batch=3")

Floats = np.ndarray[Any, np.dtype[np.float64]]


def bench(*settings: str) -> Bench:
    """A small one in float64, away from the initial values, where what depends on the class is next to nothing."""
    made = Bench(small_spec("m2", *FEW, *settings), torch.float64)
    nudge(made)
    return made


class Plain:
    """The same model for a single image, written out with numpy."""

    def __init__(self, model: M2) -> None:
        self.p = {name: value.detach().numpy() for name, value in model.named_parameters()}
        self.classes = model.classes

    def dense(self, name: str, rows: Floats) -> Floats:
        layers = sum(key.startswith(f"{name}.weights.") for key in self.p)
        for layer in range(layers):
            rows = rows @ self.p[f"{name}.weights.{layer}"] + self.p[f"{name}.biases.{layer}"]
            if layer < layers - 1:
                rows = np.log1p(np.exp(rows))
        return rows

    def joint(self, name: str, rows: Floats, y: int) -> Floats:
        # Both inputs side by side, the class as one of C numbers.
        given = np.concatenate([rows, np.eye(self.classes)[y]])
        first = np.concatenate([self.p[f"{name}.weight"], self.p[f"{name}.of_class"]])
        return self.dense(f"{name}.above", np.log1p(np.exp(given @ first + self.p[f"{name}.bias"])))

    def q_y(self, x: Floats) -> Floats:
        logits = self.dense("classifier", x)
        return np.exp(logits) / np.exp(logits).sum()

    def likelihood(self, x: Floats, y: int, z: Floats) -> float:
        """log p(x|y,z)."""
        means = 1 / (1 + np.exp(-self.joint("decoder", z, y)))
        return float((x * np.log(means) + (1 - x) * np.log(1 - means)).sum())

    def labelled(self, x: Floats, y: int, noise: Floats) -> float:
        """L(x, y) (eq. 6)."""
        mean, log_variance = np.split(self.joint("encoder", x, y), 2)
        variance = np.exp(log_variance)
        z = mean + np.sqrt(variance) * noise
        kl = 0.5 * (variance + mean**2 - 1 - np.log(variance)).sum()
        return float(-self.likelihood(x, y, z) - math.log(1 / self.classes) + kl)

    def unlabelled(self, x: Floats, noise: Floats) -> float:
        """U(x) (eq. 7), with the noise [C, Z] of every class."""
        q = self.q_y(x)
        inferred = sum(q[y] * self.labelled(x, y, noise[y]) for y in range(self.classes))
        return float(inferred + (q * np.log(q)).sum())


def binary(rows: Tensor, drawn: Draws) -> Floats:
    """Black and white images, as a step draws them."""
    return (drawn.uniform(*rows.shape) < rows).double().numpy()


@pytest.mark.parametrize("settings", [(), ("model.hidden=[7, 6]",)])
def test_the_cost_is_that_of_the_paper_image_by_image_divided_by_their_number(settings: tuple[str, ...]) -> None:
    made = bench(*settings)
    model, plain = made.model, Plain(made.model)  # type: ignore[arg-type]
    labelled, labels, x = made.batch()
    drawn = made.draws()
    known, others = binary(labelled, drawn), binary(x, drawn)
    of_known = drawn.normal(len(known), model.latent).numpy()
    bounds = [plain.labelled(*each) for each in zip(known, labels.tolist(), of_known, strict=True)]
    of_others = drawn.normal(len(others), 10, model.latent).numpy()
    unlabelled = [plain.unlabelled(*each) for each in zip(others, of_others, strict=True)]
    told = [-math.log(plain.q_y(one)[y]) for one, y in zip(known, labels.tolist(), strict=True)]

    costs = made.costs().detach().numpy()
    images, with_labels = 1437, 20
    together = (with_labels * np.mean(bounds) + (images - with_labels) * np.mean(unlabelled)) / images
    assert costs[:3].sum() == pytest.approx(together, rel=1e-9)
    assert costs[3] == pytest.approx(np.mean(told), rel=1e-9)
    squares = sum((value**2).sum() for name, value in plain.p.items() if value.ndim == 2)
    assert costs[4] == pytest.approx(squares / 2 / images, rel=1e-9)
    weights = {term.name: term.weight for term in model.terms}
    assert weights == {"reconstruction": None, "kl": "beta", "kl_y": None, "class": "alpha", "weights": None}
    assert made.knobs()["alpha"] == pytest.approx(0.1), "α = 0.1·N of a cost that is not divided by N"


def test_the_unlabelled_bound_is_one_and_of_a_certain_class_it_is_the_labelled_one() -> None:
    made = bench()
    model = made.model
    x = made.batch()[2].round()
    with torch.no_grad():
        logits = model.decoder(torch.randn(300, 1, model.latent).double(), torch.eye(10).double())
        seen = distributions.Bernoulli(logits=logits).log_prob(x[0]).sum(-1)
        bound = sum(model.unlabelled(x[:1].expand(100, -1), RowDraws(1, Stream.EXPLORE, CPU)))
    assert bound.mean() > math.log(seen.numel()) - seen.flatten().logsumexp(0) + 0.001

    with torch.no_grad():
        model.classifier.weights[-1].zero_()
        model.classifier.biases[-1].copy_(50.0 * model.one_hot(torch.tensor([3]))[0])
    drawn = made.draws()
    unlabelled = torch.stack(model.unlabelled(x, drawn)).sum(0)
    noise = made.draws().normal(len(x), 10, model.latent)[:, 3]
    labelled = sum(model.parts(x, model.one_hot(torch.full((len(x),), 3)), noise))
    torch.testing.assert_close(unlabelled, labelled + math.log(10))


def test_with_all_labels_no_image_is_without_one() -> None:
    made = bench("data.labels=all")
    labelled, labels, x = made.batch()
    costs = made.model.costs(labelled, labels, x, made.draws(), made.knobs())
    other = made.model.costs(labelled, labels, 1 - x, made.draws(), made.knobs())
    torch.testing.assert_close(costs, other, rtol=0, atol=0)


def test_gradients_by_gradcheck() -> None:
    assert gradients_are_right(bench("model.hidden=[4, 3]", "model.latent=2", "data.batch=2", "data.binarise=none"))


def test_what_is_told_of_test_images_is_the_bound_and_the_error_of_the_classifier() -> None:
    made = bench("data.binarise=none")
    values = made.model.float().evaluate(made.data.test, made.batches, 1)
    parts = [values[name].value for name in ("reconstruction", "kl", "kl_y")]
    assert values["negative_elbo"].value == pytest.approx(sum(parts), rel=1e-6)
    test = made.data.test
    x = test.rows(slice(None))
    told = made.model.classify(x)
    wrong = (told.argmax(1) != test.labels).double().mean().item()
    assert values["error_percent"].value == pytest.approx(100 * wrong)
    assert values["error_percent"].headline
    right = told[torch.arange(len(x)), test.labels]
    assert values["cross_entropy"].value == pytest.approx(-right.log().mean().item(), rel=1e-5)
    assert values["kl_y"].value == pytest.approx((told * (10 * told).log()).sum(1).mean().item(), rel=1e-4)
    plain = Plain(made.model)  # type: ignore[arg-type]
    random = np.random.RandomState(0)
    expected = [plain.unlabelled(image, random.randn(10, 5)) for image in x[:40].double().numpy()]
    drawn = Draws(torch.from_numpy(np.random.RandomState(0).randn(40 * 50)).float(), torch.empty(0))
    found = torch.stack(made.model.unlabelled(x[:40], drawn)).sum(0)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)


def test_samples_are_of_the_classes_in_turn() -> None:
    made = bench()
    model = made.model.float()
    x = model.generate(23, RowDraws(5, Stream.EXPLORE, CPU))
    fewer = model.generate(12, RowDraws(5, Stream.EXPLORE, CPU))
    torch.testing.assert_close(fewer, x[:12])
    z = RowDraws(5, Stream.EXPLORE, CPU).normal(23, model.latent)
    of_three = torch.sigmoid(model.decoder(z[13:14], model.one_hot(torch.tensor([3]))))
    torch.testing.assert_close(x[13:14], of_three.detach())
    assert model.reconstruct(x[:10], RowDraws(5, Stream.EXPLORE, CPU), {})["prior"].shape == (10, 64)


def test_points_of_the_plane_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="an m2 draws black and white pixels"):
        small_spec("m2", "data.name=moons", "data.labels=10", "data.binarise=none")
