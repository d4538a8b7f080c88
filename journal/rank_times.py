"""How evenly the ranks of a run share its work, by how long each takes for its own part of a step."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

EVEN = 1.05
"""In medians, the slowest rank up to which they share the work evenly."""


def slowest_of(seconds: Sequence[float]) -> tuple[int, float]:
    """The slowest rank, and how many times the median of all it takes."""
    slowest = max(range(len(seconds)), key=seconds.__getitem__)
    return slowest, seconds[slowest] / max(statistics.median(seconds), 1e-9)
