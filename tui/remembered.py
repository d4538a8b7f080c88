"""How a user left the run screen, by the kind of model: kept in the user's cache, never in a run."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from journal.files import user_cache, write_atomically
from tui.draw.axis import Unit
from tui.draw.scale import Kind


class Remembered(BaseModel):
    """What is remembered of the run screen."""

    model_config = ConfigDict(extra="ignore")

    pinned: list[str] = []
    """Names of charts; empty: the first ones."""
    kinds: dict[str, Kind] = {}
    """Kind of the y axis by name of chart, where it is not the usual one."""
    unit: Unit = "step"
    log_x: bool = False
    decay: float | None = None
    """Of the moving averages; None: the usual one."""
    chosen: str = "cost"
    """The panel that tab arrived at."""
    maximised: bool = False
    grid: bool = False
    """Whether all pinned charts are shown at once."""


def _file() -> Path:
    return user_cache() / "run-screen.json"


def recall(kind: str) -> Remembered:
    """How the screen was left for a kind of model; the usual screen when it never was, or the file is damaged."""
    try:
        return Remembered.model_validate(json.loads(_file().read_bytes()).get(kind, {}))
    except (OSError, ValueError, AttributeError, ValidationError):
        return Remembered()


def remember(kind: str, screen: Remembered) -> None:
    """Keep how the screen is left. A cache that can't be written is no reason to disturb anybody."""
    try:
        everything = json.loads(_file().read_bytes())
        everything = everything if isinstance(everything, dict) else {}
    except (OSError, ValueError):
        everything = {}
    everything[kind] = screen.model_dump()
    try:
        os.makedirs(_file().parent, exist_ok=True)
        write_atomically(_file(), json.dumps(everything, indent=1).encode())
    except OSError:
        return
