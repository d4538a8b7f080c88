"""The lines of the event file: each ends in a checksum of itself, or in a mark where a crash cut it off."""

from __future__ import annotations

import re
import zlib

CANCELLED = b"\x18"
"""Ends a line that a crash cut off (CAN, which JSON does not hold): it was never there, and is no damage."""

_SUM = re.compile(rb',"sum":"([0-9a-f]{8})"\}')
_LONG = 18
"""Bytes of what a line ends in."""


def with_sum(line: bytes) -> bytes:
    """A JSON object, whose last key then is `sum`: the CRC-32 of all before it, as eight hexadecimal digits."""
    return b'%b,"sum":"%08x"}' % (line[:-1], zlib.crc32(line[:-1]))


def sum_fits(line: bytes) -> bool:
    """Whether a line is as it was written; true of lines of before, which have no checksum."""
    said = _SUM.fullmatch(line, len(line) - _LONG)
    return said is None or int(said[1], 16) == zlib.crc32(line[:-_LONG])


def unreadable(lines: int) -> str:
    """What to tell people of lines of an event file that could not be read."""
    return f"{lines} {'line' if lines == 1 else 'lines'} of events.jsonl could not be read"
