"""What was read of runs that are over, kept in the user's cache from one start of the dashboard to the next: to read
hundreds of them takes a while. A run whose files have changed since is read again."""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.files import keep_for_user, user_cache
from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.views.run_row import Files, Measured, Over, RowReader

FORMAT = 7
"""Changes with what is kept; a file of another format is as good as none."""
FIELDS = ("recipe", "step", "steps", "origin", "differs", "why", "sampled")
"""Of a row, what is kept as it is."""


def recall(runs: Path) -> list[RowReader]:
    """The runs in the folder `runs` as they were kept; none when none were, or the file is damaged."""
    try:
        found = json.loads(_file(runs).read_bytes())
        return [_unpacked(runs, one) for one in found["runs"]] if found["format"] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def keep(runs: Path, readers: Iterable[RowReader]) -> None:
    """Keep these runs, if they are over. A cache that can't be written is no reason to disturb anybody."""
    kept = {"format": FORMAT, "runs": [_packed(reader) for reader in readers if reader.over is not None]}
    try:
        keep_for_user(_file(runs), json.dumps(kept).encode())
    except OSError:
        return


def _file(runs: Path) -> Path:
    return user_cache() / "runs" / f"{sha256(os.fsencode(runs.absolute())).hexdigest()[:16]}.json"


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


def _unpacked(runs: Path, kept: dict[str, Any]) -> RowReader:
    """Raises ValueError, KeyError or TypeError when it is damaged."""
    reader = RowReader(RunFolder(runs / kept["name"]), tuple(kept["identity"]))
    status, files = kept["over"]
    reader.over, reader.checked = Over(status, Files(*files)), bool(kept["checked"])
    row = reader.row
    for name in FIELDS:
        setattr(row, name, kept[name])
    row.evaluation = Measured(*kept["evaluation"]) if kept["evaluation"] else None
    row.trend = np.frombuffer(b64decode(kept["trend"]), "<f4")
    return reader
