"""Gradient descent with momentum, in the form of the code of Bengio et al. 2013 (github.com/yaoli/GSN)."""

from __future__ import annotations

import torch
from torch import Tensor

from laddertop.engine.training.optim import Adam, gradient_norm, norm_divisor
from laddertop.journal.sections import OptimizerSpec


class Sgd(Adam):
    """m ← β₁·m + (1 - β₁)·gradient, weights ← weights - lr·m. Adam's first moment is this m; the second stays 0."""

    @torch.no_grad()
    def step(self, gradients: list[Tensor], lr: Tensor, clip: Tensor, scalars: Tensor) -> Tensor:
        """One update; returns the norm of all gradients, unclipped. `lr` and `clip` are scalar tensors, `scalars` is
        not used.
        """
        gradients = [gradient.float() for gradient in gradients]
        norm = gradient_norm(gradients)
        scaled = list(torch._foreach_div(gradients, norm_divisor(norm, clip)))
        if each := self._spec.clip_each:
            scaled = [gradient.clamp(-each, each) for gradient in scaled]
        torch._foreach_lerp_(self.first, scaled, 1 - self._spec.beta1)
        torch._foreach_sub_(self.masters, torch._foreach_mul(self.first, lr))
        for parameter, master in self._rounded:
            parameter.copy_(master)
        return norm

    def step_for_compiler(self, gradients: list[Tensor], lr: Tensor, clip: Tensor, scalars: Tensor) -> Tensor:
        """The same update."""
        return self.step(gradients, lr, clip, scalars)


def make_optimizer(parameters: dict[str, Tensor], spec: OptimizerSpec) -> Adam:
    """The optimizer that the spec names."""
    return (Sgd if spec.kind == "sgd" else Adam)(parameters, spec)
