"""The last words of an engine that is gone: the end of what it and its libraries printed."""

from __future__ import annotations

from laddertop.journal.folder import RunFolder

LINES = 4
"""How many are shown at most."""


def last_words(run: RunFolder) -> list[str]:
    """The last lines of a run's console that are not empty; none where there is no console."""
    try:
        return run.last_printed()[-LINES:]
    except (ValueError, OSError):
        return []


def why_gone(lines: list[str]) -> str:
    """Those lines as the reason why an engine is gone that gave none itself."""
    return "\n".join(["its console ends:", *lines]) if lines else "its console is empty"
