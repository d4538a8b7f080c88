"""The dashboard steps back behind the training: its threads run at a lower priority, the engines it starts do not."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

NICE = 5
"""Steps by which the dashboard's threads give way."""

P = ParamSpec("P")
T = TypeVar("T")


class FullPriority:
    """Calls functions at the priority that the process had before the dashboard stepped back.

    On Linux a priority belongs to a thread, and a process takes that of the thread that starts it, which it could
    never raise again. Elsewhere it belongs to the process, so nobody steps back there.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._thread.submit(int).result()  # the thread is there before anybody steps back

    def step_back(self) -> None:
        """Lowers the priority of this thread and of those that it starts from now on."""
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, 0, min(os.getpriority(os.PRIO_PROCESS, 0) + NICE, 19))

    def __call__(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns or raises."""
        return self._thread.submit(function, *args, **kwargs).result()
