"""Weights projected to norm 1 (Huang, Liu, Lang & Li 2017, *Projection based weight normalization*, arXiv:1710.02338).

After an update w ← w / ‖w‖ for the weights w that come into a unit. Where a batch normalisation follows, the network
computes the same before and after; what the norm changes is how far an update of a given length turns the weights.
"""

from __future__ import annotations

import torch

from laddertop.engine.contract import Projects
from laddertop.engine.training.optim import Adam


class Projection:
    """The projection of the weights of a model, in float32 whatever their precision, as the update is."""

    def __init__(self, model: Projects, optimizer: Adam) -> None:
        """`optimizer` has the masters of all weights that the model names."""
        incoming = model.incoming()
        self._every = model.project_every
        self._weights, self._units = optimizer.part(list(incoming)), list(incoming.values())

    def due(self, steps: int) -> bool:
        """Whether it comes after so many steps."""
        return self._every > 0 and steps % self._every == 0

    @torch.no_grad()
    def __call__(self) -> None:
        """Projects the masters, and rounds them into the weights."""
        for master, units in zip(self._weights.masters, self._units, strict=True):
            others = [axis for axis in range(master.dim()) if axis != units]
            # Several times faster on a CPU than torch's norm over rows.
            master.div_(master.square().sum(others, keepdim=True).sqrt())
        self._weights.round()
