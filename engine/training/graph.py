"""Work on a CUDA device that is recorded once as a graph and launched as a whole from then on.

Launching a kernel takes the host several microseconds, longer than the device needs for most kernels of small models. A
graph launches all of them at once. It reads and writes the memory of its recording every time: what changes from launch
to launch, such as a knob, is a tensor that is written before.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

import torch
from torch import Tensor

STRAIGHT = 3
"""Calls before the recording. They compile, load kernels and make handles, which a recording must not."""


class Graph:
    """Calls a function that returns a tensor, at first straight, then as a graph; the results are the same bits."""

    def __init__(self, function: Callable[[], Tensor]) -> None:
        """`function` must do the same to the same tensors every time, and never wait for the device."""
        self._function = function
        self._straight = 0
        self._graph: torch.cuda.CUDAGraph | None = None

    def __call__(self) -> Tensor:
        """What the function returns; the next call may write over it."""
        if self._straight < STRAIGHT:
            self._straight += 1
            return self._function()
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            # A graph of an earlier training that is collected during the recording would spoil it.
            gc.collect()
            gc.disable()
            try:
                with torch.cuda.graph(self._graph):  # records and computes nothing
                    self._result = self._function()
            finally:
                gc.enable()
        self._graph.replay()
        return self._result
