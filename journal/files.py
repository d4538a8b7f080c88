"""Files of a user: what is kept between runs, writing a small one so that nobody ever sees half of it, and locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from laddertop.journal import inside


def user_cache() -> Path:
    """What laddertop keeps for a user between runs: in $XDG_CACHE_HOME, else in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "laddertop"


def keep_for_user(path: Path, data: bytes) -> None:
    """Writes a file of the user's cache, and makes its folders, for the user alone. Raises OSError when it can't."""
    for folder in (user_cache().parent, user_cache(), path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, data)


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes `data` under a temporary name beside `path` and renames it; nobody ever sees half of it.

    Raises OSError when the disk does not take it; then `path` is as it was.
    """
    inside.write(path.parent, path.name, data, mode=mode)


def held(path: Path) -> bool:
    """Whether a process holds the lock on `path`, on this host or another one that shares the disk."""
    try:
        descriptor = inside.open_file(path.parent, path.name)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextlib.contextmanager
def lock(path: Path) -> Iterator[bool]:
    """Holds the lock on `path`; the system lets go of it however the process dies. False: another process has it."""
    descriptor = inside.open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
    try:
        # Who can open a file can lock it, and so keep an engine out.
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, 0o600)
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def flag(path: Path) -> Iterator[None]:
    """Holds the lock on `path`, a file that is there, as far as it can be held; writes nothing, so it needs no room."""
    with contextlib.ExitStack() as opened:
        with contextlib.suppress(OSError, ValueError):
            descriptor = inside.open_file(path.parent, path.name)
            opened.callback(os.close, descriptor)
            _locked(descriptor)
        yield


def _locked(descriptor: int) -> bool:
    # Who asks whether a lock is held holds it for a moment.
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)
    return False
