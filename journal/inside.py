"""The files of a run's folder, and nothing beyond it.

A run may come from a stranger, and what lies in its folder may be a link to somewhere else. So every file in it is
opened by its name below a handle of the folder, and nothing on the way is followed: a link, a pipe or a device in the
place of a file, and a link in the place of a folder, are refused in a sentence that names them. The folder itself is
where the user says, link or not. What is made is for its user alone, whatever the umask.

A `name` is relative to the folder, its parts separated by slashes. ValueError: something else lies there than ours;
OSError: the disk, as ever, with the whole path.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SMALL = 16 << 20
"""Bytes of a file that is small by nature: a spec, a command, a question, the names of columns."""

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Errors of a disk that has no room, for now."""


def open_file(folder: Path | str, name: str, flags: int = os.O_RDONLY) -> int:
    """A descriptor of the plain file `name` in `folder`; never waits for a pipe.

    What is written into a file in place must have no second name, which would lie outside.
    """
    flags |= os.O_NONBLOCK
    if "/" in name:
        with _place(folder, name) as (at, last):
            descriptor = _open(at, last, flags, f"{folder}/{name}")
    else:
        # Nothing lies between the folder and the file: it needs no handle on the way.
        descriptor = _open(None, f"{folder}/{_named(name)}", flags, f"{folder}/{name}")
    found = os.fstat(descriptor)
    problem = ""
    if not stat.S_ISREG(found.st_mode):
        problem = "is no plain file"
    elif flags & os.O_APPEND and found.st_nlink > 1:
        problem = "has a second name, a hard link: what is written to it would be written there, too"
    if problem:
        os.close(descriptor)
        raise ValueError(f"{folder}/{name} {problem}")
    return descriptor


def reading(folder: Path | str, name: str) -> BinaryIO:
    """The plain file `name` in `folder`, opened for reading."""
    return os.fdopen(open_file(folder, name), "rb")


def appending(folder: Path | str, name: str) -> BinaryIO:
    """The plain file `name` in `folder`, made if need be, opened for appending and for reading."""
    return os.fdopen(open_file(folder, name, os.O_RDWR | os.O_APPEND | os.O_CREAT), "a+b")


class Appender:
    """The plain file `name` in `folder`, made if need be, to which records are appended; readers see them at once.

    What the disk does not take is kept and goes first the next time, from the byte on where it stopped: nothing is
    torn, lost or written twice.
    """

    def __init__(self, folder: Path | str, name: str, *, new: bool = False) -> None:
        """`new` raises FileExistsError when there is such a file. Raises as `open_file` does."""
        self._folder, self._name = folder, name
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | (os.O_EXCL if new else 0)
        self._file = os.fdopen(open_file(folder, name, flags), "ab", buffering=0)
        self._left = b""
        self._durable = False
        self._unsure = False
        """Whether the disk failed to say that it holds what was written; Linux does not ask it for that again."""
        found = os.fstat(self._file.fileno())
        self._identity, self._size = (found.st_dev, found.st_ino), found.st_size

    def add(self, data: bytes, *, durable: bool = False) -> None:
        """Takes up `data`, which the next `flush` writes; `durable` has it wait for the disk, too."""
        self._left += data
        self._durable = self._durable or durable

    def flush(self) -> None:
        """Writes what the disk has not taken so far. Raises OSError when the disk does not take all of it."""
        try:
            while self._left:
                written = self._file.write(self._left)
                self._left = self._left[written:]
                self._size += written
            if self._durable:
                self._unsure = True
                os.fsync(self._file.fileno())
                sync_folder(self._folder)
                self._durable = self._unsure = False
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{self._folder}/{self._name}") from None

    def lost(self) -> str:
        """What became of the file behind the back of who writes to it, in words; empty where it is in order."""
        found = look(self._folder, self._name)
        cut = f"{self._name} was cut" if found and found.st_size < self._size else ""
        return missing(self._folder, self._name, self._identity) or cut

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def missing(folder: Path | str, name: str, identity: tuple[int, int]) -> str:
    """Whether the file `name` in `folder` is another one than that of `identity`, its device and number, or none, in
    words; empty where it is the same one."""
    try:
        found = os.stat(f"{folder}/{name}", follow_symlinks=False)
    except FileNotFoundError:
        # A folder that was moved keeps its files.
        return f"{name} was removed" if os.path.isdir(folder) else ""
    except OSError:
        return ""  # who writes there is told
    return f"{name} was replaced" if (found.st_dev, found.st_ino) != identity else ""


def sync_folder(folder: Path | str) -> None:
    """Waits until the disk knows the names in `folder`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path | str, name: str, at_most: int = SMALL) -> bytes:
    """What the file `name` in `folder` holds. Raises ValueError when it holds more than `at_most` bytes."""
    file = open_file(folder, name)
    try:
        # As much as is there now: room for more than that would cost more than the reading.
        size = os.fstat(file).st_size
        if size > at_most:
            raise ValueError(f"{folder}/{name} is too large for what it is: more than {at_most >> 20} MiB")
        data = os.read(file, size)
        while len(data) < size and (more := os.read(file, size - len(data))):
            data += more
        return data
    finally:
        os.close(file)


def write(folder: Path | str, name: str, data: bytes, *, durable: bool = False, mode: int = 0o600) -> None:
    """Writes `data` under a temporary name beside `name` and renames it; `durable` also waits for the disk.

    Raises OSError when the disk does not take it; then `name` is as it was.
    """
    with _place(folder, name) as (at, last):
        temporary = f".{last}.{secrets.token_hex(4)}"
        descriptor = _open(at, temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, f"{folder}/{name}")
        try:
            with os.fdopen(descriptor, "wb") as file:
                os.fchmod(descriptor, mode)
                file.write(data)
                if durable:
                    file.flush()
                    os.fsync(descriptor)
            os.replace(temporary, last, src_dir_fd=at, dst_dir_fd=at)
        except BaseException:
            os.unlink(temporary, dir_fd=at)
            raise
        if durable:
            os.fsync(at)


def remove(folder: Path | str, name: str) -> None:
    """Removes the file `name` from `folder`, or the link itself that stands there; nothing if there is none."""
    with contextlib.suppress(FileNotFoundError), _place(folder, name) as (at, last):
        os.unlink(last, dir_fd=at)


def touch(folder: Path | str, name: str) -> None:
    """An empty file `name` in `folder`, if there is none."""
    os.close(open_file(folder, name, os.O_WRONLY | os.O_CREAT))


def renew(folder: Path | str, name: str) -> bool:
    """Makes the file `name` in `folder` as if written now; false when there is none."""
    try:
        with _place(folder, name) as (at, last):
            os.utime(last, dir_fd=at, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def make_folder(folder: Path | str, name: str) -> None:
    """The folder `name` in `folder`, if it is not there."""
    with _place(folder, name) as (at, last):
        try:
            os.mkdir(last, 0o700, dir_fd=at)
            os.chmod(last, 0o700, dir_fd=at)
        except FileExistsError:
            os.close(_open(at, last, os.O_RDONLY | os.O_DIRECTORY, f"{folder}/{name}"))


def look(folder: Path | str, name: str) -> os.stat_result | None:
    """What the plain file `name` in `folder` looks like from outside; None when there is none, or something else."""
    try:
        if "/" in name:
            with _place(folder, name) as (at, last):
                found = os.stat(last, dir_fd=at, follow_symlinks=False)
        else:
            found = os.lstat(f"{folder}/{_named(name)}")
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def names(folder: Path | str, inner: str, form: re.Pattern[str]) -> list[str]:
    """The sorted names of the given form in `folder`, or in a folder `inner` of it, that are no folders.

    Raises FileNotFoundError when there is no such folder.
    """
    with _place(folder, f"{inner}/-" if inner else "-") as (at, _), os.scandir(at) as entries:
        return sorted(e.name for e in entries if form.fullmatch(e.name) and not e.is_dir(follow_symlinks=False))


@contextlib.contextmanager
def _place(folder: Path | str, name: str) -> Iterator[tuple[int, str]]:
    """A handle of the folder that holds `name`, and the last part of the name."""
    *above, last = _named(name).split("/")
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    shown = str(folder)
    try:
        for part in above:
            shown += f"/{part}"
            inner = _open(at, part, os.O_RDONLY | os.O_DIRECTORY, shown)
            os.close(at)
            at = inner
        yield at, last
    except OSError as error:
        if error.errno is None:
            raise
        # Below a handle the system knows a part of the path only.
        raise OSError(error.errno, error.strerror, f"{folder}/{name}") from None
    finally:
        os.close(at)


def _named(name: str) -> str:
    if not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise ValueError(f"{name!r} names nothing in the folder of a run")
    return name


def _open(at: int | None, name: str, flags: int, shown: str) -> int:
    try:
        return os.open(name, flags | os.O_NOFOLLOW, 0o600, dir_fd=at)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.EISDIR):
            raise ValueError(f"{shown} is no plain file") from None
        # A link is one error in the place of a file, another in that of a folder, and on some systems a third one.
        if error.errno == errno.ENOTDIR and at is None:
            raise  # the folder itself is none
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            link = os.path.islink(shown)
            raise ValueError(f"{shown} is {_A_LINK if link else 'no folder'}") from None
        raise


_A_LINK = "a link, and nothing is followed out of the folder of a run"
