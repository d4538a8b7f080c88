"""Denoising functions against formulas written out for one unit of one row in plain float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from laddertop.engine.ladder.combinators import Combinator
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench
from tests.kinds import small_spec


def combinator(*settings: str) -> Combinator:
    spec = override(load_recipe("ladder-digits"), [f"model.{setting}" for setting in settings])
    return Combinator(spec.model)


def s(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def leaky(x: float) -> float:
    return x if x > 0 else 0.1 * x


def gauss(z, u, a, gate=lambda v: v):
    mu = a[1] * s(a[2] * u + a[3]) + a[4] * u + a[5]
    return (z - mu) * gate(a[6] * s(a[7] * u + a[8]) + a[9] * u + a[10]) + mu


def gated_gauss(z, u, a):
    mu = a[1] * s(a[2] * u + a[3]) + a[4] * u + a[5]
    v = s(a[6] * u + a[7])
    return z * v + mu * (1 - v)


def sig(z, u, a):
    inside = a[6] + a[7] * z + a[8] * u + a[9] * z * u
    return a[1] + a[2] * z + a[3] * u + a[4] * z * u + a[5] * s(inside)


def perceptron(inputs, hidden, a):
    # a is 0, then bias and weights of every unit, layer by layer.
    at = 1
    for layer, width in enumerate([*hidden, 1]):
        outputs = []
        for _ in range(width):
            outputs.append(a[at] + sum(w * x for w, x in zip(a[at + 1 :], inputs, strict=False)))
            at += 1 + len(inputs)
        inputs = outputs if layer == len(hidden) else [leaky(x) for x in outputs]
    return inputs[0]


FORMULAS = {
    "gauss": (10, gauss),
    "gauss_stable": (10, lambda z, u, a: gauss(z, u, a, s)),
    "gated_gauss": (7, gated_gauss),
    "sig": (9, sig),
    "no_mult": (7, lambda z, u, a: sig(z, u, [0, a[1], a[2], a[3], 0, a[4], a[5], a[6], a[7], 0])),
    "no_sig": (4, lambda z, u, a: sig(z, u, [0, a[1], a[2], a[3], a[4], 0, 0, 0, 0, 0])),
    "linear": (3, lambda z, u, a: sig(z, u, [0, a[1], a[2], a[3], 0, 0, 0, 0, 0, 0])),
    "no_lateral": (5, lambda z, u, a: sig(z, u, [0, a[1], 0, a[2], 0, a[3], a[4], 0, a[5], 0])),
    "separate": (
        8,
        lambda z, u, a: a[4] * s(a[1] + a[3] * z) + a[5] * z + a[7] * s(a[1] + a[6] * u) + a[8] * u + a[2],
    ),
    "modulated": (5, lambda z, u, a: a[1] + a[2] * z * s(a[3] * u + a[4]) + a[5] * u),
}
PERCEPTRONS = {
    ("mlp", (4,)): 17,
    ("amlp", (4,)): 21,
    ("amlp", (2, 2)): 17,
    ("amlp", (2, 2, 2)): 23,
    ("mlp", (2, 2, 2)): 21,
}
EVERY = [((name,), *FORMULAS[name]) for name in FORMULAS] + [
    (
        (kind, hidden),
        count,
        lambda z, u, a, kind=kind, hidden=hidden: perceptron([u, z] + [z * u] * (kind == "amlp"), hidden, a),
    )
    for (kind, hidden), count in PERCEPTRONS.items()
]


def of(name: tuple) -> Combinator:
    return combinator(f"combinator={name[0]}", *[f"combinator_hidden={list(h)}" for h in name[1:]])


@pytest.mark.parametrize(("name", "count", "formula"), EVERY, ids=[str(one[0]) for one in EVERY])
def test_a_denoising_function_is_its_formula_unit_by_unit(name, count, formula):
    g, random = of(name), np.random.RandomState(0)
    assert g.parameters == count
    z, u, a = random.randn(3, 4), random.randn(3, 4), random.randn(count, 4)
    actual = g(torch.from_numpy(z), torch.from_numpy(u), torch.from_numpy(a))
    expected = [[formula(z[i, j], u[i, j], [0, *a[:, j]]) for j in range(4)] for i in range(3)]
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-13)
    # Channels: the same numbers for every place of an image.
    maps = [torch.from_numpy(part).view(3, 2, 2, 1) for part in (z, u)]
    channels = g(*maps, torch.from_numpy(a)[:, :2, None, None])
    assert channels[1, 1, 0, 0].item() == pytest.approx(formula(z[1, 2], u[1, 2], [0, *a[:, 1]]))


@pytest.mark.parametrize(("name", "count", "formula"), EVERY, ids=[str(one[0]) for one in EVERY])
def test_the_gradients_of_a_denoising_function_are_right(name, count, formula):
    g, random = of(name), torch.Generator().manual_seed(1)
    inputs = [torch.randn(n, 3, dtype=torch.float64, generator=random).requires_grad_() for n in (4, 4, count)]
    assert torch.autograd.gradcheck(g, inputs)


@pytest.mark.parametrize(
    ("name", "starts_as"),
    [
        ("gauss", lambda z, u: 0 * z),
        ("gauss_stable", lambda z, u: z / 2),
        ("gated_gauss", lambda z, u: z * torch.sigmoid(u)),
        ("sig", lambda z, u: z + torch.sigmoid(z)),
        ("no_mult", lambda z, u: z + torch.sigmoid(z)),
        ("no_sig", lambda z, u: z),
        ("linear", lambda z, u: z),
        ("separate", lambda z, u: torch.sigmoid(z) + torch.sigmoid(u)),
        ("modulated", lambda z, u: z * torch.sigmoid(u)),
        ("no_lateral", lambda z, u: torch.full_like(z, 0.5)),
    ],
)
def test_a_denoising_function_starts_as_published(name, starts_as):
    g = of((name,))
    z, u = torch.randn(5, 3), torch.randn(5, 3)
    with torch.no_grad():
        torch.testing.assert_close(g(z, u, g.initial(3, np.random.RandomState(0))), starts_as(z, u))


def test_reversed_the_lateral_weights_start_at_0_and_the_vertical_at_1():
    z, u = torch.randn(5, 3), torch.randn(5, 3)
    for name, expected in (("sig", u + torch.sigmoid(u)), ("linear", u), ("no_mult", u + torch.sigmoid(u))):
        g = combinator(f"combinator={name}", "combinator_init=reversed")
        with torch.no_grad():
            torch.testing.assert_close(g(z, u, g.initial(3, np.random.RandomState(0))), expected)
    with pytest.raises(ValueError, match="reversed goes with"):
        combinator("combinator=gauss", "combinator_init=reversed")


def test_random_parameters_have_the_wanted_spread_and_perceptrons_no_bias():
    random = combinator("combinator=sig", "combinator_init=random", "combinator_std=0.5").initial(
        4000, np.random.RandomState(0)
    )
    assert random.shape == (9, 4000)
    torch.testing.assert_close(random.std(1), torch.full((9,), 0.5), rtol=0.05, atol=0)
    perceptron = of(("amlp", (2, 2))).initial(4000, np.random.RandomState(0))
    # Units of 1 + 3, 1 + 3, 1 + 2, 1 + 2 and 1 + 2 parameters.
    biases = [0, 4, 8, 11, 14]
    assert (perceptron[biases] == 0).all()
    weights = torch.stack([row for i, row in enumerate(perceptron) if i not in biases])
    torch.testing.assert_close(weights.std(1), torch.full((12,), 0.1), rtol=0.05, atol=0)


def test_only_the_units_own_parameters_move_it():
    g = of(("amlp", (4,)))
    a = torch.randn(g.parameters, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(g(torch.randn(5, 3), torch.randn(5, 3), a)[:, 1].sum(), a)
    assert (gradient[:, 1] != 0).any()
    assert (gradient[:, [0, 2]] == 0).all()


def test_units_that_share_their_parameters_are_one_function_with_the_sum_of_their_gradients():
    g = combinator("combinator=amlp", "combinator_hidden=[4]", "combinator_shared=on")
    shared = g.initial(3, np.random.RandomState(0))
    assert shared.shape == (g.parameters, 1)
    z, u = torch.randn(5, 3), torch.randn(5, 3)
    apart = shared.detach().expand(-1, 3).clone().requires_grad_()
    together, one_by_one = g(z, u, shared), g(z, u, apart)
    torch.testing.assert_close(together, one_by_one)
    (whole,), (parts,) = torch.autograd.grad(together.sum(), shared), torch.autograd.grad(one_by_one.sum(), apart)
    torch.testing.assert_close(whole, parts.sum(1, keepdim=True))


def test_the_default_draws_the_weights_that_it_always_drew():
    plain, other = Bench(small_spec("ladder")), Bench(small_spec("ladder", "model.combinator=amlp"))
    for name, weight in plain.model.named_parameters():
        if not name.startswith("a."):
            assert torch.equal(weight, dict(other.model.named_parameters())[name]), name
