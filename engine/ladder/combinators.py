"""Denoising functions ẑ = g(z~, u), which join the lateral and the vertical signal of a ladder network, unit by unit.

Sources: Rasmus et al. 2015 (arXiv:1507.02672, v1 and v2) and the code of its authors; Pezeshki et al. 2016
(arXiv:1511.06430), who call them combinators; Rasmus, Raiko & Valpola 2014 (arXiv:1412.7210) for the three kinds of
lateral connection. A function's parameters are the rows of one tensor, with one value per unit, or per channel.

Shape letters: B rows, D units (or C channels, H, W), P parameters of a unit. z~ and u are [B, D] or [B, C, H, W], the
parameters [P, D] or [P, C, 1, 1].
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from laddertop.journal.models import LadderSection

LEAK = 0.1
"""Slope of the leaky ReLU of the multilayer perceptrons below 0."""


def gauss(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """Gaussian: ẑ = (z~ - μ)·v + μ, with μ and v functions of u (Rasmus et al. 2015 v2, eq. 2); a [10, …]."""
    mu, v = _mean_and_weight(u, a)
    return (z_noisy - mu) * v + mu


def gauss_stable(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """The Gaussian with a sigmoid on v: `gauss_stable_v` of the code of Rasmus et al.; a [10, …]."""
    mu, v = _mean_and_weight(u, a)
    return (z_noisy - mu) * torch.sigmoid(v) + mu


def gated_gauss(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """The Gaussian with μ as in `gauss` and v = s(w6·u + w7): GatedGauss of Pezeshki et al. 2016; a [7, …]."""
    mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
    return (z_noisy - mu) * torch.sigmoid(a[5] * u + a[6]) + mu


def _mean_and_weight(u: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.sigmoid
    mu = a[0] * s(a[1] * u + a[2]) + a[3] * u + a[4]
    v = a[5] * s(a[6] * u + a[7]) + a[8] * u + a[9]
    return mu, v


def sig(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """Vanilla: a1 + a2·z~ + a3·u + a4·z~u + b1·s(c1 + c2·z~ + c3·u + c4·z~u) (Rasmus et al. 2015 v1); a [9, …]."""
    zu = z_noisy * u
    inside = a[5] + a[6] * z_noisy + a[7] * u + a[8] * zu
    return a[0] + a[1] * z_noisy + a[2] * u + a[3] * zu + a[4] * torch.sigmoid(inside)


def no_mult(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """`sig` without its terms in z~u: `comparison_g2`, NoMult; a [7, …]."""
    inside = a[4] + a[5] * z_noisy + a[6] * u
    return a[0] + a[1] * z_noisy + a[2] * u + a[3] * torch.sigmoid(inside)


def no_sig(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """`sig` without its sigmoid: a1 + a2·z~ + a3·u + a4·z~u; `comparison_g3`, NoSig; a [4, …]."""
    return a[0] + a[1] * z_noisy + a[2] * u + a[3] * (z_noisy * u)


def linear(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """a1 + a2·z~ + a3·u: Linear of Pezeshki et al., the additive connection of arXiv:1412.7210; a [3, …]."""
    return a[0] + a[1] * z_noisy + a[2] * u


def separate(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """f(z~) + f(u), f(q) = w2·s(b1 + w1·q) + w3·q, and b2: `comparison_g4`, in which both f share b1; a [8, …].

    The rows are b1, b2, then w1, w2, w3 of z~ and of u.
    """
    lateral = a[3] * torch.sigmoid(a[0] + a[2] * z_noisy) + a[4] * z_noisy
    return lateral + a[6] * torch.sigmoid(a[0] + a[5] * u) + a[7] * u + a[1]


def modulated(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """a1 + a2·z~·s(a3·u + a4) + a5·u: the lateral signal gated from above (after arXiv:1412.7210); a [5, …].

    With the gate held open it is `linear`, the additive connection. The form is ours: the paper's is not at hand.
    """
    return a[0] + a[1] * (z_noisy * torch.sigmoid(a[2] * u + a[3])) + a[4] * u


def no_lateral(z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
    """`sig` without z~: a1 + a2·u + b1·s(c1 + c2·u); NoLateral of Pezeshki et al.; a [5, …]."""
    return a[0] + a[1] * u + a[2] * torch.sigmoid(a[3] + a[4] * u)


def mlp(z_noisy: Tensor, u: Tensor, a: Tensor, hidden: list[int], augmented: bool) -> Tensor:
    """A small perceptron per unit on (u, z~), or (u, z~, z~u) where augmented; leaky ReLU, linear output.

    (Pezeshki et al. 2016, section 3: MLP and AMLP.) The rows of a [P, …] are, layer by layer and unit by unit of it,
    the bias and the weights.
    """
    rows = iter(a.unbind())
    signals = [u, z_noisy, z_noisy * u] if augmented else [u, z_noisy]
    for layer, width in enumerate([*hidden, 1]):
        if layer > 0:
            signals = [torch.maximum(signal, LEAK * signal) for signal in signals]
        signals = [_affine(next(rows), [next(rows) for _ in signals], signals) for _ in range(width)]
    return signals[0]


def _affine(bias: Tensor, weights: list[Tensor], signals: list[Tensor]) -> Tensor:
    for weight, signal in zip(weights, signals, strict=True):
        bias = bias + weight * signal
    return bias


class _Formula(NamedTuple):
    function: Callable[[Tensor, Tensor, Tensor], Tensor]
    parameters: int
    ones: tuple[int, ...]
    """Rows that start at 1; the others start at 0."""
    reversed: tuple[int, ...] | None = None
    """Rows that start at 1 where the weights of z~ start at 0 and those of u at 1 (RevInit)."""


_FORMULAS = {
    "gauss": _Formula(gauss, 10, (1, 6)),
    "gauss_stable": _Formula(gauss_stable, 10, (1, 6)),
    "gated_gauss": _Formula(gated_gauss, 7, (1, 5)),
    "sig": _Formula(sig, 9, (1, 4, 6), (2, 4, 7)),
    "no_mult": _Formula(no_mult, 7, (1, 3, 5), (2, 3, 6)),
    "no_sig": _Formula(no_sig, 4, (1,), (2,)),
    "linear": _Formula(linear, 3, (1,), (2,)),
    "separate": _Formula(separate, 8, (2, 3, 5, 6)),
    "modulated": _Formula(modulated, 5, (1, 2)),
    "no_lateral": _Formula(no_lateral, 5, (2,), (1, 2, 4)),
}


class Combinator:
    """The denoising function of a spec: call it with z~, u and its parameters."""

    def __init__(self, spec: LadderSection) -> None:
        self._init, self._std, self._hidden = spec.combinator_init, spec.combinator_std, spec.combinator_hidden
        self._shared = spec.combinator_shared
        self._perceptron = spec.combinator in ("mlp", "amlp")
        self.function: Callable[[Tensor, Tensor, Tensor], Tensor]
        if self._perceptron:
            augmented = spec.combinator == "amlp"
            sizes = [3 if augmented else 2, *self._hidden, 1]
            self.parameters = sum((below + 1) * above for below, above in itertools.pairwise(sizes))
            """How many each unit has."""
            self.function = partial(mlp, hidden=self._hidden, augmented=augmented)
            self._ones: tuple[int, ...] = ()
            self._biases = _bias_rows(sizes)
        else:
            formula = _FORMULAS[spec.combinator]
            self.function, self.parameters = formula.function, formula.parameters
            self._ones, self._biases = formula.ones, []
            if self._init == "reversed":
                assert formula.reversed, "the spec allows no other"
                self._ones = formula.reversed

    def __call__(self, z_noisy: Tensor, u: Tensor, a: Tensor) -> Tensor:
        """ẑ, of the shape of z~ and u."""
        return self.function(z_noisy, u, a)

    def initial(self, width: int, random: np.random.RandomState) -> nn.Parameter:
        """Initial parameters of `width` units [P, width]: the published zeros and ones, or N(0, std²).

        Perceptrons start at N(0, std²) with biases 0. Where units share them, [P, 1].
        """
        if self._shared:
            width = 1
        if self._perceptron or self._init == "random":
            values = self._std * random.randn(self.parameters, width)
            values[self._biases] = 0
        else:
            values = np.zeros((self.parameters, width))
            values[list(self._ones)] = 1
        return nn.Parameter(torch.from_numpy(values.astype(np.float32)))


def _bias_rows(sizes: list[int]) -> list[int]:
    rows, at = [], 0
    for below, above in itertools.pairwise(sizes):
        rows += [at + i * (below + 1) for i in range(above)]
        at += (below + 1) * above
    return rows
