"""Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), in float32 whatever the precision of the weights.

A weight in bfloat16 has a float32 master here; the step updates the master and rounds it into the weight.
torch.optim is left aside: making one of its optimizers imports the compiler, which takes longer than `import torch`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from laddertop.journal.sections import OptimizerSpec


class Adam:
    """Masters and moments of every parameter, and the step that uses them."""

    def __init__(self, parameters: dict[str, Tensor], spec: OptimizerSpec) -> None:
        """Moments start at 0; a float32 parameter is its own master."""
        self.parameters = list(parameters.values())
        self._names = list(parameters)
        self._spec = spec
        self.masters = [p if p.dtype is torch.float32 else p.detach().float() for p in self.parameters]
        self.first = [torch.zeros_like(p) for p in self.masters]
        self.second = [torch.zeros_like(p) for p in self.masters]
        self._rounded = [(p, m) for p, m in zip(self.parameters, self.masters, strict=True) if p is not m]

    @torch.no_grad()
    def step(self, gradients: list[Tensor], lr: Tensor, clip: Tensor, scalars: Tensor) -> Tensor:
        """One update by torch's fused kernel, with `scalars` [3] as from `scalars`; returns the norm of all gradients,
        unclipped.

        `lr` and `clip` are scalar tensors; gradients are scaled down to the norm `clip` where that is above 0, and each
        element is then cut to the spec's `clip_each` where that is.
        """
        gradients = _widened(gradients)
        norm = gradient_norm(gradients)
        divisor, each = norm_divisor(norm, clip), self._spec.clip_each
        if each:
            gradients = [(gradient / divisor).clamp(-each, each) for gradient in gradients]
            divisor = torch.ones_like(norm)
        torch._fused_adam_(
            self.masters,
            gradients,
            self.first,
            self.second,
            [],
            [scalars[0]] * len(gradients),  # the kernel wants a counter per parameter
            lr=lr,
            beta1=self._spec.beta1,
            beta2=self._spec.beta2,
            weight_decay=0.0,
            eps=self._spec.eps,
            amsgrad=False,
            maximize=False,
            grad_scale=divisor,
            found_inf=None,
        )
        self.round()
        return norm

    def round(self) -> None:
        """Rounds the masters into the parameters."""
        _copy(self._rounded)

    def scalars(self, count: int, lr: float) -> tuple[float, float, float]:
        """Of update number `count` (from 1): `count`, and the learning rate and ε with both bias corrections in them.

        lr·m̂/(√v̂ + ε) = lr·s·m/(√v + ε·√(1 - β₂ᵗ)) with s = √(1 - β₂ᵗ)/(1 - β₁ᵗ) (Kingma & Ba 2015, end of section 2).
        """
        root = math.sqrt(1 - self._spec.beta2**count)
        return count, lr * root / (1 - self._spec.beta1**count), self._spec.eps * root

    @torch.no_grad()
    def step_for_compiler(self, gradients: list[Tensor], lr: Tensor, clip: Tensor, scalars: Tensor) -> Tensor:
        """The same update written out, so that the compiler makes one pass of it; the learning rate of `scalars`
        counts.
        """
        norm = gradient_norm(gradients)
        factor = 1.0 / norm_divisor(norm, clip)
        rate, eps = scalars[1], scalars[2]
        beta1, beta2 = self._spec.beta1, self._spec.beta2
        for i, gradient in enumerate(gradients):
            g = gradient.float() * factor
            if self._spec.clip_each:
                g = g.clamp(-self._spec.clip_each, self._spec.clip_each)
            first = self.first[i] + (1 - beta1) * (g - self.first[i])
            second = self.second[i] + (1 - beta2) * (g * g - self.second[i])
            master = self.masters[i] - rate * first / (second.sqrt() + eps)
            self.first[i].copy_(first)
            self.second[i].copy_(second)
            self.masters[i].copy_(master)
            if self.parameters[i] is not self.masters[i]:
                self.parameters[i].copy_(master)
        return norm

    def part(self, names: Sequence[str]) -> Adam:
        """Adam for some of the parameters only; it shares their masters and moments."""
        part = copy.copy(self)
        chosen = [self._names.index(name) for name in names]
        part._names = list(names)
        part.parameters, part.masters, part.first, part.second = (
            [tensors[i] for i in chosen] for tensors in (self.parameters, self.masters, self.first, self.second)
        )
        part._rounded = [(p, m) for p, m in zip(part.parameters, part.masters, strict=True) if p is not m]
        return part

    def forget(self) -> None:
        """Sets the moments to 0, as before the first update."""
        for moment in [*self.first, *self.second]:
            moment.zero_()

    def finite(self) -> bool:
        """Whether every weight is a finite number; waits for the device."""
        return all(bool(torch.isfinite(master).all()) for master in self.masters)

    def state(self) -> dict[str, dict[str, Tensor]]:
        """What a checkpoint needs, by parameter: the weights in float32 as `model`, and both moments."""
        return {
            "model": dict(zip(self._names, self.masters, strict=True)),
            "first": dict(zip(self._names, self.first, strict=True)),
            "second": dict(zip(self._names, self.second, strict=True)),
        }

    @torch.no_grad()
    def load(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Takes up the state of a checkpoint, and rounds the masters into the parameters.

        Raises ValueError or KeyError when it is that of another model.
        """
        for part, mine in self.state().items():
            for name, tensor in mine.items():
                if state[part][name].shape != tensor.shape:
                    raise ValueError(f"{name} has another shape")
                tensor.copy_(state[part][name])
        self.round()


def _widened(gradients: list[Tensor]) -> list[Tensor]:
    """The gradients in float32."""
    wide = [g if g.dtype is torch.float32 else torch.empty_like(g, dtype=torch.float32) for g in gradients]
    _copy([(w, g) for w, g in zip(wide, gradients, strict=True) if w is not g])
    return wide


def _copy(pairs: list[tuple[Tensor, Tensor]]) -> None:
    """Copies the second of each pair into the first, rounded or widened; on a CUDA device all in one launch."""
    if pairs:
        torch._foreach_copy_([to for to, _ in pairs], [source for _, source in pairs])


def gradient_norm(gradients: list[Tensor]) -> Tensor:
    """The norm over all gradients together."""
    if torch.compiler.is_compiling():
        return torch.stack([gradient.float().square().sum() for gradient in gradients]).sum().sqrt()
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    return norm


def norm_divisor(norm: Tensor, clip: Tensor) -> Tensor:
    """What the gradients are divided by: norm / clip where that is above 1 and there is a clip."""
    return torch.where(clip > 0, norm / clip, torch.ones_like(norm)).clamp_min(1.0)
