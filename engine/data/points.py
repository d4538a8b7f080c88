"""Two-dimensional data sets, generated: thin curves with Gaussian noise around them, and a mixture of Gaussians.

They make visible what a denoising autoencoder learns, the gradient field of the density (Alain & Bengio 2014,
arXiv:1211.4246, section 4). Every set is drawn once with seed 0, so all runs see the same points; coordinates are of
the order of 1.

Shape letters: N points, K components of the mixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

TRAINING, TEST = 10_000, 2_000
"""Points of each part of a set."""

NOISE = 0.04
"""Standard deviation of the Gaussian noise around the curves, in both coordinates."""

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]
_Rows = npt.NDArray[np.float32]


class Mixture(NamedTuple):
    """A mixture of Gaussians in the plane, whose density and score are known in closed form."""

    weights: _Floats
    """Probabilities of the components [K]."""
    means: _Floats
    """[K, 2]."""
    covariances: _Floats
    """[K, 2, 2]."""


def _ellipse(long: float, short: float, degrees: float) -> _Floats:
    """Covariance [2, 2] with standard deviation `long` along a direction and `short` across it."""
    angle = np.deg2rad(degrees)
    along = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(along @ np.diag([long**2, short**2]) @ along.T)


MIXTURE = Mixture(
    weights=np.array([0.3, 0.3, 0.2, 0.2]),
    means=np.array([[-0.9, -0.6], [0.9, -0.6], [0.0, 0.9], [0.0, 0.0]]),
    covariances=np.stack(
        [_ellipse(0.3, 0.15, 30), _ellipse(0.3, 0.15, -30), _ellipse(0.4, 0.1, 0), 0.12**2 * np.eye(2)]
    ),
)
"""The set `mixture`: two ellipses, a bar above them and a disc in the middle."""


def points(name: str) -> tuple[_Rows, _Ints, _Rows, _Ints]:
    """A set by name: training points [N, 2] and their classes [N], test points and theirs.

    The class of a point is the curve, or the component of the mixture, that it comes from.
    """
    random = np.random.RandomState(0)
    drawn, labels = GENERATED[name](random, TRAINING + TEST)
    x = drawn.astype(np.float32)
    return x[:TRAINING], labels[:TRAINING], x[TRAINING:], labels[TRAINING:]


def _around(random: np.random.RandomState, x: _Floats, y: _Floats) -> _Floats:
    return np.stack([x, y], 1) + NOISE * random.randn(len(x), 2)


def _swiss_roll(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    """(t cos t, t sin t)/10 for t uniform on [1.5π, 4.5π]: one and a half turns."""
    t = 1.5 * np.pi * (1 + 2 * random.rand(count))
    return _around(random, t * np.cos(t) / 10, t * np.sin(t) / 10), np.zeros(count, np.int64)


def _spiral(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    """Two arms of one and a half turns out to radius 1.2, turned by π against each other, as dense all along."""
    arm = random.randint(2, size=count)
    share = np.sqrt(random.rand(count))  # the arc of a spiral grows as the square of its angle
    t, r = 3 * np.pi * share, 1.2 * share
    return _around(random, r * np.cos(t + np.pi * arm), r * np.sin(t + np.pi * arm)), arm.astype(np.int64)


def _moons(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    """Two interleaved half circles of radius 1, centred."""
    lower = random.randint(2, size=count)
    t = np.pi * random.rand(count)
    x = np.where(lower, 1 - np.cos(t), np.cos(t)) - 0.5
    y = np.where(lower, 0.5 - np.sin(t), np.sin(t)) - 0.25
    return _around(random, x, y), lower.astype(np.int64)


def _circles(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    """Two circles around 0 with radii 0.5 and 1."""
    inner = random.randint(2, size=count)
    t = 2 * np.pi * random.rand(count)
    r = np.where(inner, 0.5, 1.0)
    return _around(random, r * np.cos(t), r * np.sin(t)), inner.astype(np.int64)


def _mixture(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    component = random.choice(len(MIXTURE.weights), size=count, p=MIXTURE.weights)
    roots = np.linalg.cholesky(MIXTURE.covariances)[component]
    noise = random.randn(count, 2)
    return MIXTURE.means[component] + np.einsum("nij,nj->ni", roots, noise), component.astype(np.int64)


GENERATED: dict[str, Callable[[np.random.RandomState, int], tuple[_Floats, _Ints]]] = {
    "swiss_roll": _swiss_roll,
    "spiral": _spiral,
    "moons": _moons,
    "circles": _circles,
    "mixture": _mixture,
}
"""How each set is drawn, by name."""
