"""The last words of an engine that is gone: the end of what it and its libraries printed."""

from __future__ import annotations

from laddertop.journal.folder import RunFolder

LINES = 4
"""How many are shown at most."""
LOOK_BACK = 1 << 12
"""Bytes of the console that are searched for them."""


def last_words(run: RunFolder) -> list[str]:
    """The last lines of a run's console that are not empty; none where there is no console."""
    try:
        with run.console_path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(file.tell() - LOOK_BACK, 0))
            lines = file.read().decode(errors="replace").split("\n")
    except OSError:
        return []
    return [line.rstrip() for line in lines if line.strip()][-LINES:]


def why_gone(lines: list[str]) -> str:
    """Those lines as the reason why an engine is gone that gave none itself."""
    return "\n".join(["its console ends:", *lines]) if lines else "its console is empty"
