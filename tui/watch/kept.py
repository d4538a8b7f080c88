"""What was read of runs that are over, kept in the user's cache from one start to the next: to read hundreds of them
takes a while. Whoever keeps it also keeps what tells whether a run has changed since."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

from laddertop.journal.files import keep_for_user, user_cache

WORTH_KEEPING = 20
"""Runs that are over and were not known from an earlier start, for it to be worth keeping what was read."""


def recall(runs: Path, kind: str, form: int) -> list[dict[str, Any]]:
    """What was kept of the runs in the folder `runs`, if it has this form; empty when nothing was, or it is damaged.

    `kind` names what is kept, and `form` changes with what that is made of.
    """
    try:
        found = json.loads(_file(runs, kind).read_bytes())
        kept = found["runs"] if found["format"] == form else []
        return kept if isinstance(kept, list) and all(isinstance(one, dict) for one in kept) else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []


def keep(runs: Path, kind: str, form: int, kept: list[dict[str, Any]]) -> None:
    """Keeps this of runs that are over. A cache that can't be written is no reason to disturb anybody."""
    try:
        keep_for_user(_file(runs, kind), json.dumps({"format": form, "runs": kept}).encode())
    except OSError:
        return


def _file(runs: Path, kind: str) -> Path:
    return user_cache() / kind / f"{sha256(os.fsencode(runs.absolute())).hexdigest()[:16]}.json"
