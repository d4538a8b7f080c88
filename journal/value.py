"""What an evaluation measures: a number, what it is a number of, and which of two is better."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from laddertop.journal.names import label_of
from laddertop.journal.record import Record


class Value(Record):
    """A measured number with its unit."""

    value: float
    """The number."""
    unit: str
    """Unit and reduction in words."""
    per_unit: list[float] | None = Field(default=None, exclude_if=lambda per_unit: per_unit is None)
    """The same of every unit of a layer, where `value` is their sum."""
    better: Literal["lower", "higher", "none"] = Field(default="lower", exclude_if=lambda better: better == "lower")
    """Which of two values speaks for a model; none: neither does."""
    headline: bool = Field(default=False, exclude_if=lambda headline: not headline)
    """Whether it is the one of its evaluation that says best how good the model is."""
    label: str = Field(default="", exclude_if=lambda label: not label)
    """What it is called, where that is more than its name in words."""

    def called(self, name: str) -> str:
        """What it is called, as the value of that name."""
        return self.label or label_of(name)

    @property
    def sign(self) -> str:
        """What stands behind its number: a per cent sign, or nothing."""
        return " %" if self.unit.startswith("%") else ""

    def beats(self, other: Value) -> bool:
        """Whether it is better than the other value of the same name; a number is better than none."""
        if math.isnan(self.value) or math.isnan(other.value) or self.better == "none":
            return math.isnan(other.value) and not math.isnan(self.value)
        return self.value < other.value if self.better == "lower" else self.value > other.value
