"""How a user left the run screen, by the kind of model: kept in the user's cache, never in a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from laddertop.journal.files import keep_for_user, kept_for_user, user_cache
from laddertop.tui.draw.axis import UNITS, Unit
from laddertop.tui.draw.scale import KINDS, PARTS, Bounds, Kind, Part, bounds_of


@dataclass
class Remembered:
    """What is remembered of the run screen."""

    pinned: list[str] = field(default_factory=list)
    """Names of charts; empty: the first ones."""
    kinds: dict[str, Kind] = field(default_factory=dict)
    """Kind of the y axis by name of chart, where it is not the usual one."""
    bounds: dict[str, Bounds] = field(default_factory=dict)
    """Those of the y axis by name of chart, where they are set."""
    focus: str = ""
    """Name of the chart that the keys are about; empty: the first."""
    part: Part = "settled"
    """Which values the y axes have to hold."""
    unit: Unit = "step"
    log_x: bool = False
    decay: float = 0.98
    """Of the moving averages."""
    chosen: str = "cost"
    """The panel that tab arrived at."""
    maximised: bool = False
    grid: bool = False
    """Whether all pinned charts are shown at once."""


def recall(kind: str) -> Remembered:
    """How the screen was left for a kind of model; the usual screen when it never was, or the file is damaged."""
    known = kept_for_user(_file()).get(kind, {})
    usual = Remembered()
    for name in (f.name for f in fields(Remembered)):
        value = known.get(name) if isinstance(known, dict) else None
        if type(value) is type(getattr(usual, name)):
            setattr(usual, name, value)
    usual.pinned = [chart for chart in usual.pinned if isinstance(chart, str) and chart.split()]
    usual.kinds = {chart: axis for chart, axis in usual.kinds.items() if axis in KINDS}
    usual.bounds = {chart: bounds for chart, found in usual.bounds.items() if (bounds := _bounds(found))}
    usual.part = usual.part if usual.part in PARTS else PARTS[0]
    usual.unit = usual.unit if usual.unit in UNITS else UNITS[0]
    return usual


def _bounds(found: object) -> Bounds | None:
    """Bounds as they were kept; None where that is not what they are."""
    try:
        return bounds_of(" ".join(map(str, found))) if isinstance(found, list) else None
    except ValueError:
        return None


def remember(kind: str, screen: Remembered) -> None:
    """Keep how the screen is left. Raises OSError when the cache can't be written."""
    everything = kept_for_user(_file()) | {kind: asdict(screen)}
    keep_for_user(_file(), json.dumps(everything, indent=1).encode())


def _file() -> Path:
    return user_cache() / "run-screen.json"
