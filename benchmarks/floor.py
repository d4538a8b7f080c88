"""What no step can do without: its matrix products, and one pass over parameters and optimizer state.

Shape letters: A labelled rows, B unlabelled rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch

Product = tuple[int, int, int, bool]
"""Rows, features in, features out, and whether the gradient with respect to the rows is needed."""


def ladder_products(labelled: int, rows: int) -> list[Product]:
    """The products of the published ladder network: corrupted A + B and clean B rows up, B rows down."""
    widths = (784, 1000, 500, 250, 250, 250, 10)
    pairs = list(itertools.pairwise(widths))
    up = [(labelled + 2 * rows, a, b, a != 784) for a, b in pairs]
    return up + [(rows, b, a, True) for a, b in pairs]


def vae_products(rows: int) -> list[Product]:
    """The products of the VAE 784-400-20-400-784."""
    return [(rows, 784, 400, False), (rows, 400, 40, True), (rows, 20, 400, True), (rows, 400, 784, True)]


def floor(products: list[Product], precision: torch.dtype) -> Callable[[], None]:
    """A function that makes the products forward and backward in `precision`, and one fused update in float32."""
    torch.manual_seed(0)
    calls = []
    for rows, inputs, outputs, to_rows in products:
        x, w, g = (torch.randn(*s).to(precision) for s in ((rows, inputs), (inputs, outputs), (rows, outputs)))
        calls += [(x, w), (x.t(), g)] + ([(g, w.t())] if to_rows else [])
    size = sum(inputs * outputs for _, inputs, outputs, _ in products)
    update = adam(size, torch.device("cpu"))

    def step() -> None:
        for left, right in calls:
            torch.mm(left, right)
        update()

    return step


def adam(size: int, device: torch.device) -> Callable[[], torch.Tensor]:
    """One fused update of so many parameters in float32, which gives a tensor, as what becomes a graph has to."""
    parameters, gradient, first, second = (torch.rand(size, device=device) for _ in range(4))
    count, rate = torch.ones((), device=device), torch.tensor(1e-6, device=device)

    def update() -> torch.Tensor:
        torch._fused_adam_(
            [parameters],
            [gradient],
            [first],
            [second],
            [],
            [count],
            lr=rate,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
            grad_scale=None,
            found_inf=None,
        )
        return count

    return update
