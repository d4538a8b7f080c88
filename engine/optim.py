"""Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1) as one fused call over all parameters.

torch.optim is left aside: making one of its optimizers imports the compiler, which takes longer than `import torch`.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from journal.spec import OptimizerSpec


class Adam:
    """The moments of every parameter, and the step that uses them."""

    def __init__(self, parameters: Iterable[Tensor], spec: OptimizerSpec) -> None:
        """Moments start at 0."""
        self.parameters = list(parameters)
        self._spec = spec
        self.first = [torch.zeros_like(p) for p in self.parameters]
        self.second = [torch.zeros_like(p) for p in self.parameters]
        # The fused kernel wants a counter per parameter; they all count the same steps.
        self.counts = [torch.zeros((), device=p.device) for p in self.parameters]

    @torch.no_grad()
    def step(self, gradients: list[Tensor], lr: Tensor, scale: Tensor | None = None) -> None:
        """One update; `lr` is a scalar tensor, and the gradients are divided by `scale` when it is given."""
        torch._foreach_add_(self.counts, 1)
        torch._fused_adam_(
            self.parameters,
            gradients,
            self.first,
            self.second,
            [],
            self.counts,
            lr=lr,
            beta1=self._spec.beta1,
            beta2=self._spec.beta2,
            weight_decay=0.0,
            eps=self._spec.eps,
            amsgrad=False,
            maximize=False,
            grad_scale=scale,
            found_inf=None,
        )

    def state(self) -> dict[str, list[Tensor]]:
        """What a checkpoint needs."""
        return {"first": self.first, "second": self.second, "counts": self.counts}

    @torch.no_grad()
    def load(self, state: dict[str, list[Tensor]]) -> None:
        """Takes up the state of a checkpoint."""
        for name, mine in self.state().items():
            for tensor, saved in zip(mine, state[name], strict=True):
                tensor.copy_(saved)
