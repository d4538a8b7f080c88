"""Where compiled steps are kept: code, which must come from nobody else. No torch here.

Torch takes a folder in /tmp that everybody can name, and takes it as soon as its compiler is imported; so the folder is
named before anything of torch is.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from laddertop.journal.files import user_cache

INDUCTOR, TRITON = "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"
"""The variables that torch and Triton look into; what a user has set there stays."""


def name_cache() -> None:
    """Names the folders in the user's cache where compiled steps are found again: minutes become seconds."""
    compiled = os.environ.setdefault(INDUCTOR, str(user_cache() / "compiled"))
    os.environ.setdefault(TRITON, str(Path(compiled) / "triton"))


def cache_problem() -> str:
    """Makes these folders, for the user alone; why they can't be used, in one sentence, empty when they can."""
    for variable in (INDUCTOR, TRITON):
        folder = Path(os.environ[variable])
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = folder.stat()
        except OSError as error:
            return f"the cache of compiled steps, {folder}, can't be made: {error.strerror}"
        if found.st_uid != os.geteuid():
            return f"the cache of compiled steps, {folder}, belongs to somebody else; set {variable} to one of yours"
        if stat.S_IMODE(found.st_mode) & 0o022:
            return f"others can write to the cache of compiled steps, {folder}; remove it, it is made again"
        folder.chmod(0o700)
    return ""
