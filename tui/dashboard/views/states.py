"""The sign of every state of a run, and its ink: where a run stands looks alike wherever it is told."""

from __future__ import annotations

from laddertop.tui.draw.cells import Ink

STATES = {
    "reading": ("◌", Ink.DIM),
    "starting": ("◌", Ink.WARN),
    "training": ("●", Ink.GOOD),
    "paused": ("‖", Ink.WARN),
    "finished": ("✓", Ink.TEXT),
    "stopped": ("■", Ink.DIM),
    "diverged": ("✗", Ink.BAD),
    "failed": ("✗", Ink.BAD),
    "crashed": ("✗", Ink.BAD),
    "damaged": ("✗", Ink.BAD),
}
"""In a list, where runs that are over stand back; in the order in which a list has them by state."""
ALONE = STATES | {"finished": ("✓", Ink.GOOD), "stopped": ("■", Ink.TEXT)}
"""Above one run, where none stands back."""
