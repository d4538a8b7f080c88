"""The keys of the runs screen, what its last row and its help say."""

from __future__ import annotations

from textual.binding import BindingType

from laddertop.tui.dashboard.grammar import EVERYWHERE, bind

KEYS: list[BindingType] = [
    bind("list.open", "open"),
    bind("list.new", "app.new_run"),
    bind("list.resume", "resume"),
    bind("list.fork", "fork"),
    bind("list.mark", "mark"),
    bind("list.compare", "compare"),
    bind("list.replay", "replay"),
    bind("list.search", "search"),
    bind("list.order", "order(1)"),
    bind("list.reverse", "reverse"),
    bind("list.rename", "rename"),
    bind("list.note", "note"),
    bind("list.archive", "archive"),
    bind("list.archived", "show_archived"),
    bind("list.delete", "delete"),
    bind("list.pin", "pin"),
    *EVERYWHERE,
]
"""What the screen binds."""
CHANGING = ("app.new_run", "resume", "fork", "rename", "note", "archive", "delete", "pin")
"""Actions that change something, which a dashboard that only looks does not."""

HINTS = (
    ("open", "list.open", False),
    ("new", "list.new", True),
    ("fork", "list.fork", False),
    ("mark", "list.mark", False),
    ("compare", "list.compare", False),
    ("search", "list.search", False),
    ("leave", "everywhere.close", True),
    ("help", "everywhere.help", True),
)
"""A word and the name of its key, and whether they do something where there is no run."""

NOTES = (
    "The search looks at name, recipe, state and note of a run, with tag:word among those words of the note that "
    "begin with #; several words must all be there. A ▸ is a sweep, which stands in the place of its runs unless "
    "something is searched: ✓ are finished, ■ pruned, ✗ failed, ● running, ◌ waiting, ‖ left by a worker that is gone; "
    "one with ▲ is pinned. Marked runs bear a ◆, archived ones, where they are shown, a ›. "
    "The small curve is the total cost since the newest start, on a logarithmic axis of its own. A run that is being "
    "trained can't be renamed, archived or deleted."
)
MOUSE = (
    ("click", "on a run: chooses it; once more: opens it"),
    ("wheel", "on the list: up and down"),
    ("hover", "on the samples: which item it is"),
)
