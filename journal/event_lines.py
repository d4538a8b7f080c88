"""The lines of the event file: each ends in a checksum of itself, or in a mark where a crash cut it off."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from laddertop.journal import inside

CANCELLED = b"\x18"
"""Ends a line that a crash cut off (CAN, which JSON does not hold): it was never there, and is no damage."""

READ_AT_MOST = 1 << 20
"""Bytes that are read at once at most, so that a long history never blocks its reader."""
_KEY = b',"sum":"'
_LONG = len(_KEY) + len('01234567"}')
"""Bytes of what a line ends in."""


def with_sum(line: bytes) -> bytes:
    """A JSON object, whose last key then is `sum`: the CRC-32 of all before it, as eight hexadecimal digits."""
    return b'%b%b%08x"}' % (line[:-1], _KEY, zlib.crc32(line[:-1]))


def sum_fits(line: bytes) -> bool:
    """Whether a line is as it was written; true of lines of before, which have no checksum."""
    if not line.startswith(_KEY, len(line) - _LONG):
        return True
    return line[-_LONG:] == b'%b%08x"}' % (_KEY, zlib.crc32(line[:-_LONG]))


def unreadable(lines: int) -> str:
    """What to tell people of lines of an event file that could not be read."""
    return f"{lines} {'line' if lines == 1 else 'lines'} of events.jsonl could not be read"


class Lines:
    """The lines of a file that grows. One without its end is not there yet."""

    def __init__(self, path: Path) -> None:
        """Reads from the beginning of `path`, which may not exist yet."""
        self._path = path
        self._offset = 0
        self._tail = b""

    def read(self) -> Iterator[list[bytes]]:
        """Those that were not yet read, of READ_AT_MOST bytes at a time.

        Raises ValueError when the file is no plain file, OSError when it can't be read.
        """
        try:
            file = inside.open_file(self._path.parent, self._path.name)
        except FileNotFoundError:
            return
        try:
            # Room for more than is there would cost more than the reading.
            while left := max(os.fstat(file).st_size - self._offset, 0):
                data = os.pread(file, min(left, READ_AT_MOST), self._offset)
                self._offset += len(data)
                *lines, self._tail = (self._tail + data).split(b"\n")
                yield lines
        finally:
            os.close(file)
