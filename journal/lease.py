"""Who holds a file where the file system knows no locks: leases, files beside it that say who and are kept young.

To take one a process writes its own, and only then looks at all others: of two that do so at the same time at least
one sees the other and steps back, whatever clocks and delays are. A lease names a process. On its own machine it counts
as long as that process lives; on another one, which can't see that, as long as the file is younger than SILENCE, by the
clock that dates files there. Nobody needs a lock to look.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from laddertop.journal import inside
from laddertop.journal.record import Record

BEAT = 10.0
"""Seconds between two signs of life of a lease."""
SILENCE = 180.0
"""Seconds without one after which it counts as left on other machines; file systems that are shared show what another
machine did up to a minute late."""
FORM = r"lease-[0-9a-f]{8}"
"""The end of the name of a lease, behind that of what it is on, without its suffix."""
_AGAIN = 30.0
"""Seconds until the clock of a file system is looked at again."""


class Holder(Record):
    """A process, under a name that no later one has."""

    host: str
    """Name of its machine, for people."""
    machine: str
    """Which start of which machine it is, and which of the spaces of process numbers there."""
    pid: int
    """Its number there."""
    started: str
    """When it was started, in the system's own count; empty where the system does not say."""

    def words(self) -> str:
        """It, for people."""
        return f"process {self.pid} on {self.host}"


class Found(NamedTuple):
    """A lease that counts."""

    holder: Holder
    """Who has it."""
    age: float | None
    """Seconds since its last sign of life; none: it is a process of this machine, which lives."""


class Lease:
    """A lease of this process, which a thread keeps young until it is given up."""

    def __init__(self, path: Path, name: str) -> None:
        self._folder, self.name = path.parent, name
        self._descriptor = inside.open_file(self._folder, name)
        found = os.fstat(self._descriptor)
        self._identity = found.st_dev, found.st_ino
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._thread.start()

    def lost(self) -> str:
        """What became of its file behind our back, in words; empty where it is there."""
        # A file system that is shared is asked anew when a file is opened, and may answer from memory otherwise.
        with contextlib.suppress(OSError, ValueError):
            os.close(inside.open_file(self._folder, self.name))
        return inside.missing(self._folder, self.name, self._identity)

    def give_up(self) -> None:
        """Removes it."""
        self._over.set()
        self._thread.join()
        os.close(self._descriptor)
        with contextlib.suppress(OSError):
            if not self.lost():
                inside.remove(self._folder, self.name)

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with contextlib.suppress(OSError):  # a disk that takes nothing now may take the next one
                os.utime(self._descriptor)


def take(path: Path, mine: Lease | None = None) -> Lease | None:
    """A lease on `path`; none: another process has one, or tries to take one just now. `mine`, which this process has
    already, does not count.

    Raises OSError when it can't be written.
    """
    name = f"{path.stem}.lease-{secrets.token_hex(4)}"
    ours = {name, mine.name} if mine else {name}
    if holder(path, ours):
        return None
    inside.write(path.parent, name, this_process().model_dump_json().encode(), durable=True)
    try:
        if holder(path, ours):
            inside.remove(path.parent, name)
            return None
        for left in {*_names(path)} - ours:
            inside.remove(path.parent, left)
        return Lease(path, name)
    except BaseException:
        inside.remove(path.parent, name)
        raise


def holder(path: Path, besides: Collection[str] = ()) -> Found | None:
    """Who has a lease on `path`, but for those of the names `besides`; none: nobody who lives."""
    for name in _names(path):
        if name not in besides and (found := _read(path, name)):
            return found
    return None


def _names(path: Path) -> list[str]:
    return inside.names(path.parent, "", re.compile(rf"{re.escape(path.stem)}\.{FORM}"))


def _read(path: Path, name: str) -> Found | None:
    try:
        who = Holder.model_validate_json(inside.read(path.parent, name, 4096))
    except (OSError, ValueError, ValidationError):  # it went meanwhile, or is none: one is written whole
        return None
    if who.machine == _machine():
        return Found(who, None) if who.started == _started(who.pid) else None
    found = inside.look(path.parent, name)
    if found is None:
        return None
    age = _clock(path) - found.st_mtime
    # None is from the future: that is how a forged one would last for ever.
    return Found(who, max(age, 0.0)) if abs(age) < SILENCE else None


def this_process() -> Holder:
    """This one."""
    return Holder(host=socket.gethostname(), machine=_machine(), pid=os.getpid(), started=_started(os.getpid()) or "")


def _machine() -> str:
    """Which start of which machine this is, and which space of process numbers: containers have their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return socket.gethostname()


def _started(pid: int) -> str | None:
    """When a process of this machine was started, in the system's own count; None: there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
    except OSError:
        if os.path.isdir("/proc/self"):
            return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return ""


_offsets: dict[int, tuple[float, float]] = {}
"""By file system: what its clock is before this machine's monotonic one, and when that was found out."""


def _clock(path: Path) -> float:
    """Now, by the clock that dates files beside `path`: another machine's, where the disk is another machine's.

    That of this machine where nothing can be written.
    """
    device, now = os.stat(path.parent).st_dev, time.monotonic()
    if device not in _offsets or now - _offsets[device][1] > _AGAIN:
        name = f".{path.name}.{secrets.token_hex(4)}"
        try:
            descriptor = inside.open_file(path.parent, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            try:
                os.utime(descriptor)
                there = os.fstat(descriptor).st_mtime
            finally:
                os.close(descriptor)
                inside.remove(path.parent, name)
        except OSError:
            there = time.time()
        _offsets[device] = there - now, now
    return now + _offsets[device][0]
