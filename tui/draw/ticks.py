"""Axis bounds and ticks at 1, 2 and 5 times powers of ten. Bounds move in steps, so a point rarely moves an axis."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right

_COARSE = (1, 2, 5)
_FINE = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)


def linear_bounds(low: float, high: float) -> tuple[float, float]:
    """The smallest interval between multiples of a 1-2-5 step, about a fifth of the span, that holds both values."""
    if low == high:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0.0, 1.0)
    step = nice((high - low) / 5)
    return _snap(math.floor(low / step + 1e-9) * step, step), _snap(math.ceil(high / step - 1e-9) * step, step)


def log_bounds(low: float, high: float) -> tuple[float, float]:
    """The smallest interval between round numbers that holds both values, which must be positive: 1, 2 and 5 times
    powers of ten, or closer ones when less than a decade is to be shown."""
    mantissas = _COARSE if high >= 10 * low else _FINE
    bottom = _round_numbers(low / 10, low, mantissas)[-1]
    top = _round_numbers(high, high * 10, mantissas)[0]
    return (bottom, top) if bottom < top else log_bounds(low * 0.9, high * 1.1)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` multiples of a 1-2-5 step within the bounds."""
    step = nice((high - low) / max(most, 1))
    while math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1 > max(most, 1):
        step = nice(step * 1.01)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [_snap(i * step, step) for i in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` ticks within positive bounds: evenly spaced numbers within a decade, else 1-2-5 where they fit,
    else decades, else every n-th decade."""
    if high < 10 * low:
        return linear_ticks(low, high, most)
    numbers = _round_numbers(low, high, _COARSE)
    if len(numbers) <= most:
        return numbers
    decades = _round_numbers(low, high, (1,))
    every = max(1, -(-len(decades) // max(most, 1)))
    return decades[::every]


def planned_end(last: int, planned: int) -> int:
    """End of the x axis: the planned run, or a half, quarter … of it that still holds `last`; doubled beyond it."""
    end = max(planned, 1)
    while end < last:
        end *= 2
    while end % 2 == 0 and end // 2 >= last and end > 64:
        end //= 2
    while end % 2 and end // 2 + 1 >= last and end > 64:
        end = end // 2 + 1
    return end


def nice(step: float) -> float:
    """The smallest of 1, 2 and 5 times powers of ten that is not below `step`."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((m * power for m in (1, 2, 5) if m * power >= step * (1 - 1e-9)), 10 * power)


def _snap(value: float, step: float) -> float:
    return round(value, max(0, 1 - math.floor(math.log10(step)))) + 0.0


def _round_numbers(low: float, high: float, mantissas: tuple[float, ...]) -> list[float]:
    """The mantissas times powers of ten that lie within the bounds."""
    first, last = math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1
    numbers = [float(f"{m}e{e}") for e in range(first, last + 1) for m in mantissas]
    return numbers[bisect_left(numbers, low * (1 - 1e-9)) : bisect_right(numbers, high * (1 + 1e-9))]
