"""Whether a folder is a run of ours and holds nothing else: only then is it renamed, put away or removed."""

from __future__ import annotations

import os
import re
from pathlib import Path

from laddertop.journal.folder import RunFolder
from laddertop.journal.lease import FORM

_CHECKPOINT = r"(step-[0-9]{1,20}(-[0-9a-f]{8})?|origin)\.ckpt(\.keep)?"
_FILES = (
    rf"{_CHECKPOINT}|metrics-[0-9]{{4,}}\.(bin|overview|sums)|(spec|metrics|origin|labelled)\.json|events\.jsonl|console\.log|model\.py"
    rf"|(engine|explorer|waiting)\.lock|(engine|explorer)\.{FORM}|note\.txt|archived"
)
FORMS = {
    "": _FILES,
    "commands": r"[\w-][\w.-]{0,100}\.json",
    "explore": r"[0-9]{20}-[0-9a-f]{6}\.(json|npz)",
    "samples": r"step-[0-9]{1,20}\.npz",
}
"""The forms of the names in a run's folder and in the folders in it; a half written file has a dot before its name and
eight characters behind it."""


def check_ours(run: RunFolder) -> None:
    """Raises ValueError, which says what is there, when the folder is a link, no run, or holds what is not of a run."""
    if run.path.is_symlink():
        raise ValueError(f"{run.path} is a link to {os.readlink(run.path)}; name the folder itself")
    run.spec  # noqa: B018
    for inner in FORMS:
        if foreign := _foreign(run.path, inner):
            more = f" and {len(foreign) - 3} more" if len(foreign) > 3 else ""
            raise ValueError(
                f"{run.path} holds what is not of a run: {', '.join(foreign[:3])}{more}; take it out first"
            )


def _foreign(folder: Path, inner: str) -> list[str]:
    """What is in a folder of a run, or in one of the folders in it, and has no name of ours, sorted."""
    place = folder / inner
    if inner and (not place.is_dir() or place.is_symlink()):
        return []
    form = re.compile(rf"{FORMS[inner]}|\.({FORMS[inner]})\.\w{{8}}", re.ASCII)
    with os.scandir(place) as entries:
        found = [
            entry.name
            for entry in entries
            if not (form.fullmatch(entry.name) or (not inner and entry.name in FORMS))
            or (entry.is_dir(follow_symlinks=False) and (inner or entry.name not in FORMS))
        ]
    return sorted(f"{inner}/{name}" if inner else name for name in found)
