"""The generated points of the plane: where they lie, and that the mixture is the one whose parameters are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.data import load
from laddertop.engine.data.points import MIXTURE, NOISE, points
from laddertop.journal.sections import POINTS, DataSpec
from tests.engine.conftest import CPU


@pytest.mark.parametrize("name", POINTS)
def test_points_are_real_valued_rows_of_two_the_same_at_every_load(name: str) -> None:
    data, again = load(DataSpec(name=name), CPU), load(DataSpec(name=name), CPU)
    rows = data.training.rows(slice(0, 100))
    assert (rows.dtype, rows.shape) == (torch.float32, (100, 2))
    assert torch.equal(data.training.pixels, again.training.pixels)
    assert data.points
    assert (data.height, data.width, data.channels) == (1, 2, 1)
    assert len(torch.unique(torch.cat([data.training.pixels, data.test.pixels]), dim=0)) == 12_000
    assert sorted(set(data.training.labels.tolist())) == list(range(data.classes))
    # Both coordinates are of the order of 1, and rows are copies: who changes them harms no data.
    assert (data.training.pixels.std(0) > 0.3).all()
    assert data.training.pixels.abs().max() < 2.2
    rows.fill_(9)
    assert data.training.pixels.max() < 9


def test_points_lie_on_their_curve_up_to_the_noise() -> None:
    x, label, *_ = points("circles")
    radius = np.linalg.norm(x, axis=1) - np.where(label, 0.5, 1)
    # Across a circle the noise is one-dimensional; curvature adds NOISE²/2r to the mean.
    assert radius.std() == pytest.approx(NOISE, rel=0.05)
    assert abs(radius.mean()) < 4 * NOISE**2
    x, label, *_ = points("moons")
    centre = np.where(label[:, None], [0.5, 0.25], [-0.5, -0.25])
    assert (np.linalg.norm(x - centre, axis=1) - 1).std() == pytest.approx(NOISE, rel=0.05)
    assert ((x - centre)[:, 1] * np.where(label, -1, 1)).min() > -4 * NOISE
    x, *_ = points("swiss_roll")
    # On the curve the radius is t/10 and the angle is t modulo a turn.
    off = (10 * np.linalg.norm(x, axis=1) - np.arctan2(x[:, 1], x[:, 0]) + np.pi) % (2 * np.pi) - np.pi
    assert np.percentile(np.abs(off), 99) < 10 * 4 * NOISE
    x, arm, *_ = points("spiral")
    radius = np.linalg.norm(x, axis=1)
    outer = radius > 0.3
    turn = 3 * np.pi * radius / 1.2 - np.arctan2(x[:, 1], x[:, 0]) + np.pi * arm
    off = (turn[outer] + np.pi) % (2 * np.pi) - np.pi
    assert np.percentile(np.abs(off), 99) < 4 * NOISE * (3 * np.pi / 1.2 + 1 / 0.3)


def test_the_mixture_has_the_parameters_that_it_names() -> None:
    x, component, *_ = points("mixture")
    assert MIXTURE.weights.sum() == pytest.approx(1)
    for k, (weight, mean, covariance) in enumerate(zip(*MIXTURE, strict=True)):
        mine = x[component == k].astype(np.float64)
        n = len(mine)
        # Within four standard errors each.
        assert abs(n / len(x) - weight) < 4 * np.sqrt(weight * (1 - weight) / len(x))
        assert (np.abs(mine.mean(0) - mean) < 4 * np.sqrt(np.diag(covariance) / n)).all()
        variances = np.outer(np.diag(covariance), np.diag(covariance))
        assert (np.abs(np.cov(mine.T) - covariance) < 4 * np.sqrt((variances + covariance**2) / n)).all()


def test_points_can_not_be_binarised() -> None:
    with pytest.raises(ValueError, match="no probabilities"):
        DataSpec(name="moons", binarise="dynamic")
