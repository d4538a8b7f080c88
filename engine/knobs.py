"""Declarations of knobs, the two kinds there are."""

from __future__ import annotations

from laddertop.journal.events import Knob


def switch(name: str, label: str, on: bool, help: str) -> Knob:
    """A knob that is on or off."""
    return Knob(name=name, label=label, kind="switch", unit="", low=0, high=1, factor=None, help=help, value=float(on))


def number(name: str, label: str, unit: str, low: float, high: float, value: float, factor: float, help: str) -> Knob:
    """A knob with bounds; a key press multiplies it by `factor`."""
    return Knob(
        name=name, label=label, kind="number", unit=unit, low=low, high=high, factor=factor, help=help, value=value
    )
