"""How long a run will take on a CPU on which none was trained yet: the multiply-adds of its steps over a speed.

On one thread of a CPU with AVX512-BF16, 25 runs of 23 recipes went at 14 to 70 billion multiply-adds a second, compiled
or not, in float32 or bfloat16; that is the range.
"""

from __future__ import annotations

import os

from laddertop.journal.sizes import Sizes
from laddertop.journal.spec import Spec
from laddertop.journal.start import planned_steps

FASTEST, SLOWEST = 70e9, 14e9
"""Multiply-adds a second of one thread, over all measured runs."""
OVERHEAD = 0.005
"""Seconds that a step takes at most beside its products, uncompiled: a ladder network of six layers on the digits."""
THREADS = 4
"""Threads that a step can use at most, as far as is known."""


def guessed_from_sizes(spec: Spec, sizes: Sizes) -> tuple[float, float]:
    """Between how many seconds the steps of a run take."""
    steps = planned_steps(spec)
    work = sizes.multiply_adds(steps)
    threads = spec.threads or os.cpu_count() or 1
    return steps * work / (FASTEST * min(threads, THREADS)), steps * (work / SLOWEST + OVERHEAD)
