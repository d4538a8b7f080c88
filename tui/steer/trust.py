"""What is looked at and not driven: everything with --read-only; and a run that somebody else owns or can write to,
until the user says --trust.

What a run holds decides which files an engine reads, and what it does with the machine.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
from collections.abc import Iterator

from laddertop.journal.folder import RunFolder
from laddertop.journal.ours import FORMS

ONLY_LOOKS = "this dashboard only looks: it was opened with --read-only"
"""Why a key does nothing that would change something."""

_OTHERS_GET_IN = stat.S_IXGRP | stat.S_IXOTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def driven(run: RunFolder, trust: bool) -> RunFolder:
    """The run, to be driven or written to. Raises ValueError when it is not the user's alone and `trust` is false, and
    OSError when its folder can't be read."""
    if not trust and (why := stranger(run)):
        raise ValueError(why)
    return run


def stranger(run: RunFolder) -> str:
    """Why a run is only looked at, in a sentence; empty when it is the user's own and nobody else can write to it.

    Nobody gets into a folder whose mode is 0700, as new ones are: that costs one look. Raises OSError.
    """
    try:
        folder = os.stat(run.path)
    except FileNotFoundError:
        return ""  # who reads it says better what is not there
    if folder.st_uid != os.geteuid():
        return _sentence(run, f"it belongs to {_user(folder.st_uid)}")
    if not folder.st_mode & (_OTHERS_GET_IN | _OTHERS_WRITE):
        return ""
    for place, found in ((str(run.path), folder), *_inside(str(run.path))):
        if found.st_uid != folder.st_uid:
            return _sentence(run, f"{place} belongs to {_user(found.st_uid)}")
        if found.st_mode & _OTHERS_WRITE:
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            return _sentence(run, f"others can write to {place} (mode {mode}; `chmod -R go-w {run.path}` ends that)")
    return ""


def _inside(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """What is in a run's folder and in the folders in it, but for links, which nobody follows."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # an engine at work removes files
                if not entry.is_symlink():
                    yield entry.path, entry.stat(follow_symlinks=False)
                if entry.name in FORMS and entry.is_dir(follow_symlinks=False):
                    yield from _inside(entry.path)


def _sentence(run: RunFolder, why: str) -> str:
    return f"{run.name} is looked at and not driven: {why}; --trust drives it all the same"


def _user(number: int) -> str:
    try:
        return f"{pwd.getpwuid(number).pw_name} (user {number})"
    except KeyError:
        return f"user {number}"
