"""The lines of the event file: each ends in a checksum of itself, or in a mark where a crash cut it off."""

from __future__ import annotations

import zlib

CANCELLED = b"\x18"
"""Ends a line that a crash cut off (CAN, which JSON does not hold): it was never there, and is no damage."""

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
