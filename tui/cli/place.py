"""Where a command writes a file that its user named: checked before somebody works for it, and never half written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


def check_place(out: Path) -> None:
    """Raises ValueError when no file can come to be there."""
    if out.is_dir():
        raise ValueError(f"--out: {out} is a folder; name a file in it")
    if not out.parent.is_dir():
        raise ValueError(f"--out: there is no folder {out.parent}; make it, or name a file elsewhere")
    if not os.access(out.parent, os.W_OK):
        raise ValueError(f"--out: the folder {out.parent} can't be written to; name a file elsewhere")


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A name beside `out` to write to; what is there at the end takes its place, and nothing where something failed.

    Raises OSError that names `out` when the disk does not take it.
    """
    beside = out.with_name(f".{out.name[:100]}.{token_hex(4)}")
    try:
        yield beside
        os.replace(beside, out)
    except OSError as error:
        error.filename, error.filename2 = str(out), None
        raise
    finally:
        beside.unlink(missing_ok=True)
