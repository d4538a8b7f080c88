"""Where files go, and writing a small one so that nobody ever sees half of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def user_cache() -> Path:
    """What laddertop keeps for a user between runs: in $XDG_CACHE_HOME, else in ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "laddertop"


def plain(path: str, flags: int) -> int:
    """An opener for `open`: a pipe or a device in somebody's folder must not make its reader wait.

    Raises ValueError when `path` is no plain file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(f"{path} is no plain file")
    return descriptor


def read_plain(path: Path | str) -> bytes:
    """What a plain file holds. Raises ValueError when it is none, OSError when it can't be read."""
    with open(path, "rb", opener=plain) as file:
        return file.read()


def write_atomically(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Writes `data` to a temporary file beside `path` and renames it; `durable` also waits for the disk.

    Raises OSError when the disk does not take it; then `path` is as it was.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def held(path: Path) -> bool:
    """Whether a process holds the lock on `path`, on this host or another one that shares the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
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
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    # Who asks whether a lock is held holds it for a moment.
    for _ in range(20):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.05)
    return False
