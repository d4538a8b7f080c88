"""The rows of runs that are over, as they are kept from one start of the dashboard to the next. A run whose files have
changed since is read again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.views.run_row import Files, Measured, Over, RowReader
from laddertop.tui.watch import kept

KIND, FORMAT = "runs", 7
"""How they are kept; the format changes with what a row is made of."""
FIELDS = ("recipe", "step", "steps", "origin", "differs", "why", "sampled")
"""Of a row, what is kept as it is."""


def recall(runs: Path) -> list[RowReader]:
    """The runs in the folder `runs` as they were kept; none when none were, or one of them is damaged."""
    try:
        return [_unpacked(runs, one) for one in kept.recall(runs, KIND, FORMAT)]
    except (ValueError, KeyError, TypeError):
        return []


def keep(runs: Path, readers: Iterable[RowReader]) -> None:
    """Keep these runs, if they are over."""
    kept.keep(runs, KIND, FORMAT, [_packed(reader) for reader in readers if reader.over is not None])


def _packed(reader: RowReader) -> dict[str, Any]:
    row = reader.row
    trend = b64encode(row.trend.astype("<f4").tobytes()).decode()
    fields = {name: getattr(row, name) for name in FIELDS}
    return fields | {
        "name": row.name,
        "identity": reader.identity,
        "over": reader.over,
        "checked": reader.checked,
        "evaluation": row.evaluation,
        "trend": trend,
    }


def _unpacked(runs: Path, one: dict[str, Any]) -> RowReader:
    """Raises ValueError, KeyError or TypeError when it is damaged."""
    reader = RowReader(RunFolder(runs / one["name"]), tuple(one["identity"]))
    status, files = one["over"]
    reader.over, reader.checked = Over(status, Files(*files)), bool(one["checked"])
    row = reader.row
    for name in FIELDS:
        setattr(row, name, one[name])
    row.evaluation = Measured(*one["evaluation"]) if one["evaluation"] else None
    row.trend = np.frombuffer(b64decode(one["trend"]), "<f4")
    return reader
