"""Files of a user: what is kept between runs, writing a small one so that nobody ever sees half of it, and locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from laddertop.journal import inside


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


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Writes `data` under a temporary name beside `path` and renames it; nobody ever sees half of it.

    Raises OSError when the disk does not take it; then `path` is as it was.
    """
    inside.write(path.parent, path.name, data, mode=mode)


def held(path: Path) -> bool:
    """Whether a process holds the lock on `path`, on this host or another one that shares the disk; where there are no
    locks, on this host alone."""
    try:
        descriptor = inside.open_file(path.parent, path.name)
    except FileNotFoundError:
        return False
    try:
        got = _try(descriptor, fcntl.LOCK_SH)
        return _named_process_lives(descriptor) if got is None else not got
    finally:
        os.close(descriptor)


def knows_locks(path: Path) -> bool:
    """Whether the file system of `path` knows locks; the file is made if need be."""
    descriptor = inside.open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
    try:
        return _try(descriptor, fcntl.LOCK_SH) is not None
    finally:
        os.close(descriptor)


class Lock:
    """The lock on a file, which the system lets go of however the process dies.

    Where there are no locks the file names this process instead, which keeps out those of this host.
    """

    def __init__(self, path: Path) -> None:
        """Opens `path`, which is made if need be. Raises as `inside.open_file` does."""
        self._path = path
        self._descriptor = inside.open_file(path.parent, path.name, os.O_RDWR | os.O_CREAT)
        # Who can open a file can lock it, and so keep an engine out.
        with contextlib.suppress(PermissionError):
            os.fchmod(self._descriptor, 0o600)

    def take(self) -> bool:
        """Whether this process holds it from now on; false: another one does."""
        return _locked(self._descriptor)

    def lost(self) -> str:
        """What became of the file behind our back, in words; empty where it is the one that is locked."""
        ours = os.fstat(self._descriptor)
        return inside.missing(self._path.parent, self._path.name, (ours.st_dev, ours.st_ino))

    def again(self) -> bool:
        """Takes the lock on what lies there now instead; false: another process has it.

        Raises as `inside.open_file` does; then the lock on the file that is gone is still held.
        """
        there = Lock(self._path)
        if not there.take():
            there.close()
            return False
        self.close()
        self._descriptor = there._descriptor
        return True

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._descriptor)

    def leave(self) -> None:
        """Names no process any more, where the file named this one."""
        os.ftruncate(self._descriptor, 0)


@contextlib.contextmanager
def lock(path: Path) -> Iterator[Lock | None]:
    """Holds the lock on `path`. None: another process has it."""
    held_here = Lock(path)
    try:
        if held_here.take():
            yield held_here
            held_here.leave()
        else:
            yield None
    finally:
        held_here.close()


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
        got = _try(descriptor, fcntl.LOCK_EX)
        if got is None and not _named_process_lives(descriptor):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _process(os.getpid()).encode(), 0)
            return True
        if got:
            return True
        time.sleep(0.05)
    return False


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


def _named_process_lives(descriptor: int) -> bool:
    """Whether the file names a process of this host that is still the same one."""
    named = os.pread(descriptor, 1000, 0).decode(errors="replace")
    pid = named.split(" ")[0]
    return pid.isdecimal() and len(pid) < 10 and named == _process(int(pid))


def _process(pid: int) -> str:
    """A name of a process that no later one has: its number, its host and when it was started; empty: it is gone.

    Where the system does not say when, a process that was given the number anew counts as the same.
    """
    try:
        started = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        if os.path.isdir("/proc/self"):
            return ""
        started = "-"
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return ""
        except PermissionError:
            pass
    return f"{pid} {os.uname().nodename} {started}"
