"""Files of a user: what is kept between runs, writing a small one so that nobody ever sees half of it, and locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from laddertop.journal import inside, lease

TRIES = 20
"""How often somebody tries to take a lock before it counts as another's."""
LEASED = b"no locks here: who holds this is in the lease beside it\n"
"""What stands in a file that is locked where there are no locks, for machines that know locks nevertheless."""


def user_cache() -> Path:
    """What laddertop keeps for a user between runs: in $XDG_CACHE_HOME, else in ~/.cache."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "laddertop"
    except RuntimeError:  # this user has no home: a place that can't be written to, which nobody minds
        return Path("/nonexistent/.cache/laddertop")


def keep_for_user(path: Path, data: bytes) -> None:
    """Writes a file of the user's cache, and makes its folders, for the user alone. Raises OSError when it can't."""
    for folder in (user_cache().parent, user_cache(), path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_atomically(path, data)


def kept_for_user(path: Path) -> dict[str, object]:
    """The JSON object in a file of the user's cache; empty where there is none, or none that can be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes `data` under a temporary name beside `path` and renames it; nobody ever sees half of it.

    Raises OSError when the disk does not take it; then `path` is as it was.
    """
    inside.write(path.parent, path.name, data, mode=mode)


def held(path: Path) -> bool:
    """Whether a process holds the lock on `path`, or where there are no locks a lease, on this host or another one that
    shares the disk."""
    if (tried := _tried(path)) is None:
        return False
    got, file = tried
    return got is False or (_leased(file, got) and lease.holder(path) is not None)


def knows_locks(path: Path) -> bool:
    """Whether the file system of `path` knows locks; the file is made if need be."""
    descriptor = inside.open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
    try:
        return _try(descriptor, fcntl.LOCK_SH) is not None
    finally:
        os.close(descriptor)


class Lock:
    """The lock on a file, which the system lets go of however the process dies; where there are no locks, a lease."""

    def __init__(self, path: Path) -> None:
        """Opens `path`, which is made if need be. Raises as `inside.open_file` does."""
        self._path = path
        self._lease: lease.Lease | None = None
        self._descriptor = inside.open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
        # Who can open a file can lock it, and so keep an engine out.
        with contextlib.suppress(PermissionError):
            os.fchmod(self._descriptor, 0o600)

    def take(self, before: Lock | None = None) -> bool:
        """Whether this process holds it from now on; false: another one does. A lease of `before` does not count.

        Raises OSError when a lease can't be written.
        """
        for _ in range(TRIES):
            got = _try(self._descriptor, fcntl.LOCK_EX)
            if got is None:
                self._lease = lease.take(self._path, before._lease if before else None)
                if self._lease:
                    with contextlib.suppress(OSError):
                        os.pwrite(self._descriptor, LEASED, 0)
                    return True
            elif got and not (_leased(os.fstat(self._descriptor), got) and lease.holder(self._path)):
                return True
            elif got:
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            # Who asks whether a lock is held holds it for a moment; of two who want a lease both may step back.
            time.sleep(random.uniform(0.02, 0.08))
        return False

    def lost(self) -> str:
        """What became of the file behind our back, in words; empty where it is the one that is locked."""
        ours = os.fstat(self._descriptor)
        gone = inside.missing(self._path.parent, self._path.name, (ours.st_dev, ours.st_ino))
        return gone or (self._lease.lost() if self._lease else "")

    def again(self) -> bool:
        """Takes the lock on what lies there now instead; false: another process has it.

        Raises as `inside.open_file` does; then the lock on the file that is gone is still held.
        """
        there = Lock(self._path)
        if not there.take(self):
            there.close()
            return False
        self.close()
        self._descriptor, self._lease = there._descriptor, there._lease
        return True

    def close(self) -> None:
        """Lets go of it."""
        if self._lease:
            self._lease.give_up()
        os.close(self._descriptor)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[Lock | None]:
    """Holds the lock on `path`. None: another process has it."""
    held_here = Lock(path)
    try:
        yield held_here if held_here.take() else None
    finally:
        held_here.close()


@contextlib.contextmanager
def flag(path: Path) -> Iterator[None]:
    """Holds the lock on `path`, a file that is there, as far as it can be held, or marks it as executable where there
    are no locks; writes nothing, so it needs no room."""
    with contextlib.ExitStack() as opened:
        with contextlib.suppress(OSError, ValueError):
            descriptor = inside.open_file(path.parent, path.name)
            opened.callback(os.close, descriptor)
            for _ in range(TRIES):
                if (got := _try(descriptor, fcntl.LOCK_EX)) is not False:
                    break
                time.sleep(0.05)
            if got is None:
                opened.callback(_mark, descriptor, 0o600)
                _mark(descriptor, 0o700)
        yield


def raised(path: Path) -> bool:
    """Whether a process holds the flag `path`; where there are no locks one that was killed may have left it."""
    if (tried := _tried(path)) is None:
        return False
    got, file = tried
    return bool(file.st_mode & 0o100) if got is None else not got


def _mark(descriptor: int, mode: int) -> None:
    with contextlib.suppress(OSError):
        os.fchmod(descriptor, mode)


def _leased(file: os.stat_result, got: bool | None) -> bool:
    """Whether there may be leases beside a file: there are no locks, or none for somebody who says so in it."""
    return got is None or file.st_size > 0


def _tried(path: Path) -> tuple[bool | None, os.stat_result] | None:
    """Whether the lock on `path` could be shared for a moment, as `_try` tells it, and what the file is; None: there
    is no file."""
    try:
        descriptor = inside.open_file(path.parent, path.name)
    except FileNotFoundError:
        return None
    try:
        return _try(descriptor, fcntl.LOCK_SH), os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _try(descriptor: int, how: int) -> bool | None:
    """Whether a lock could be taken; None where there are no locks."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
            return None
        raise
    return True
