"""The terminal before textual has it: whether the dashboard can open there, and what it shows while that is loaded."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator


def terminal_problem() -> str | None:
    """Why the dashboard can't open here, in a sentence; None when it can."""
    hint = "`laddertop train RECIPE` trains without it and `laddertop show RUN` tells where a run stands"
    for stream, name in ((sys.__stdin__, "standard input"), (sys.__stderr__, "standard error")):
        if stream is None or not stream.isatty():
            return f"the dashboard needs a terminal, and {name} is none; {hint}"
    term = os.environ.get("TERM", "")
    if term in ("", "dumb"):
        kind = f"TERM={term}" if term else "TERM is not set, so the terminal"
        return f"the dashboard needs a terminal that can move its cursor, and {kind} can't; {hint}"
    return None


def pixels_problem() -> str | None:
    """Why images can't be drawn in pixels here, in a sentence; None when the terminal may be able to."""
    if os.environ.get("TMUX"):
        return "--pixels: tmux passes no images on; open the dashboard outside of it, or without --pixels"
    if os.environ.get("NO_COLOR") or not speaks_unicode():
        return "--pixels: images take colours and Unicode, and this terminal has none; open it without --pixels"
    return None


def asks_for_background() -> bool:
    """Whether the colours depend on the terminal's background, and it can be asked: a bare console's is black."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "linux"


def speaks_unicode() -> bool:
    """Whether the terminal takes more than ASCII: its encoding says so, and it is not a bare console."""
    encoding = (getattr(sys.__stderr__, "encoding", "") or "").lower().replace("-", "")
    return encoding.startswith("utf") and os.environ.get("TERM") != "linux"


@contextlib.contextmanager
def first_frame(text: str) -> Iterator[None]:
    """A line of text on the screen that textual then draws over; an error inside finds the terminal as it was."""
    if terminal_problem() is not None:
        yield
        return
    line = "".join(c if c.isprintable() else "?" for c in f"laddertop   {text}")[
        : shutil.get_terminal_size().columns - 2
    ]
    _write(f"\x1b[?1049h\x1b[?25l\x1b[2J\x1b[1;2H{line}")
    try:
        yield
    except BaseException:
        _write("\x1b[?25h\x1b[?1049l")
        raise


def _write(text: str) -> None:
    # Where textual draws, too.
    sys.__stderr__.write(text)  # type: ignore[union-attr]
    sys.__stderr__.flush()  # type: ignore[union-attr]
