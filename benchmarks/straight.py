"""Straight, uncompiled training steps as one writes them first: the reference that a faster step is measured against.

Each is a function without arguments that takes one step on a fixed batch. The ladder network makes three passes through
the encoder, with torch's modules, noise from `randn_like` and `torch.optim.Adam`; the VAE is the usual minimal one.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

WIDTHS = (784, 1000, 500, 250, 250, 250, 10)
WEIGHTS = (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1)


class _Ladder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        pairs = list(itertools.pairwise(WIDTHS))
        self.up = nn.ModuleList([nn.Linear(a, b, bias=False) for a, b in pairs])
        self.down = nn.ModuleList([nn.Linear(b, a, bias=False) for a, b in pairs])
        self.beta = nn.ParameterList([torch.zeros(b) for _, b in pairs])
        self.gamma = nn.Parameter(torch.ones(10))
        self.a = nn.ParameterList([torch.zeros(10, w).index_fill_(0, torch.tensor([1, 6]), 1.0) for w in WIDTHS])

    def encode(self, x: Tensor, std: float) -> tuple[list[Tensor], list[tuple[Tensor, Tensor]], Tensor]:
        z, statistics = [x + std * torch.randn_like(x)], [(x, x)]
        h = z[0]
        for layer, (linear, beta) in enumerate(zip(self.up, self.beta, strict=True), 1):
            pre = linear(h)
            mean, variance = pre.mean(0), pre.var(0, unbiased=False)
            normalised = (pre - mean) / torch.sqrt(variance + 1e-10)
            z.append(normalised + std * torch.randn_like(pre))
            statistics.append((mean, variance))
            h = self.gamma * (z[-1] + beta) if layer == len(self.up) else torch.relu(z[-1] + beta)
        return z, statistics, h

    def forward(self, labelled: Tensor, labels: Tensor, x: Tensor) -> Tensor:
        _, _, logits = self.encode(labelled, 0.3)
        noisy, _, top = self.encode(x, 0.3)
        clean, statistics, _ = self.encode(x, 0.0)
        cost = functional.cross_entropy(logits, labels)
        above = torch.softmax(top, 1)
        for layer in range(len(self.up), -1, -1):
            mean, variance = above.mean(0), above.var(0, unbiased=False)
            u, a = (above - mean) / torch.sqrt(variance + 1e-10), self.a[layer]
            mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
            v = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
            estimate = (noisy[layer] - mu) * v + mu
            target = estimate
            if layer:
                mean, variance = statistics[layer]
                target = (estimate - mean) / torch.sqrt(variance + 1e-10)
                above = self.down[layer - 1](estimate)
            cost = cost + WEIGHTS[layer] * functional.mse_loss(target, clean[layer])
        return cost


def ladder(labelled: Tensor, labels: Tensor, x: Tensor) -> Callable[[], None]:
    """The published ladder network."""
    model = _Ladder()
    return _stepper(model, lambda: model(labelled, labels, x), lr=0.002)


class _Vae(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.mean, self.log_variance = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
        self.back, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.relu(self.hidden(x))
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
        image = torch.sigmoid(self.out(torch.relu(self.back(z))))
        reconstruction = functional.binary_cross_entropy(image, x, reduction="sum")
        kl = -0.5 * torch.sum(1 + log_variance - mean.square() - log_variance.exp())
        return (reconstruction + kl) / len(x)


def vae(x: Tensor) -> Callable[[], None]:
    """The VAE 784-400-20-400-784."""
    model = _Vae()
    return _stepper(model, lambda: model(x), lr=0.001)


def _stepper(model: nn.Module, cost: Callable[[], Tensor], lr: float) -> Callable[[], None]:
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def step() -> None:
        optimizer.zero_grad()
        cost().backward()
        optimizer.step()

    return step
