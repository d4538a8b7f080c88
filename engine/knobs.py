"""Declarations of knobs, the two kinds there are."""

from __future__ import annotations

from laddertop.journal.events import Knob


def switch(name: str, label: str, *, short: str, on: bool, help: str, key: str = "") -> Knob:
    """A knob that is on or off; see laddertop.journal.events.Knob."""
    return Knob(
        name=name,
        label=label,
        kind="switch",
        unit="",
        low=0,
        high=1,
        factor=None,
        help=help,
        value=float(on),
        short=short,
        keys=key,
    )


def number(
    name: str,
    label: str,
    *,
    short: str,
    value: float,
    low: float = 0.0,
    high: float,
    factor: float,
    unit: str = "",
    help: str,
    keys: str = "",
) -> Knob:
    """A knob with bounds; a key press divides or multiplies it by `factor`. See laddertop.journal.events.Knob."""
    return Knob(
        name=name,
        label=label,
        kind="number",
        unit=unit,
        low=low,
        high=high,
        factor=factor,
        help=help,
        value=value,
        short=short,
        keys=keys,
    )
