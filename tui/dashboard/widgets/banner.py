"""What is wrong with the run, since when, and which keys help, while it is; and why a run is only looked at."""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.run_keys import KEYS
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.trouble import Help, Trouble, troubles

NAME_OF = {entry.does: entry.name for entry in KEYS}
"""The name of every action of the run screen."""
LEAST = 4
"""Rows that it may take on any screen; on a higher one up to a third."""


class Banner(Panel):
    """The troubles of a run, the worst first."""

    def least_rows(self, width: int, height: int) -> int:
        """As many as the words take, so far as the screen has room for them."""
        return min(len(_rows(self.view, width)), max(height // 3, LEAST))

    def picture(self, height: int, width: int) -> Cells:
        """A row with name, time and keys of each trouble, and what it is behind that or below it."""
        cells = Cells(height, width)
        rows = _rows(self.view, width)
        for y, row in enumerate(rows[:height]):
            for x, text, ink in row:
                cells.put(y, x, text, ink)
        if len(rows) > height:
            cells.right(height - 1, width - 1, f"  {len(rows) - height} more rows ", Ink.WARN)
        return cells


class _Part(NamedTuple):
    """A piece of a row."""

    x: int
    text: str
    ink: Ink


def _rows(view: RunView, width: int) -> list[list[_Part]]:
    strangers = wrap(f"▲ {view.stranger}", max(width - 2, 20)) if view.stranger else []
    return [
        *(row for trouble in troubles(view) for row in _about(view, trouble, width)),
        *([_Part(1 + 2 * bool(y), line, Ink.WARN)] for y, line in enumerate(strangers)),
    ]


def _about(view: RunView, trouble: Trouble, width: int) -> list[list[_Part]]:
    head = [_Part(1, f"{trouble.sign} {trouble.name}", trouble.ink)]
    end = 1 + len(head[0].text)
    since = trouble.since_when
    keys: list[_Part] = []
    for help in trouble.helps if view.steerable else ():
        if key := _key(view, help):
            x = keys[-1].x + len(keys[-1].text) + 3 if keys else 0
            keys += [_Part(x, key, Ink.KEY), _Part(x + len(key) + 1, help.words, Ink.STRONG)]
    wide = keys[-1].x + len(keys[-1].text) if keys else 0
    what = [piece for line in trouble.what.split("\n") for piece in wrap(line, max(width - 5, 20)) or [""]]
    if len(what) == 1 and end + 2 + len(what[0]) + 3 + len(since) + 3 + wide < width:
        # All of it in one row.
        head.append(_Part(end + 2, what.pop(), Ink.TEXT))
        end = head[-1].x + len(head[-1].text) + 1
    if end + 2 + len(since) + 3 + wide < width:
        head.append(_Part(end + 2, since, Ink.DIM))
    else:
        what[-1:] = wrap(f"{what[-1]} {since}" if what else since, max(width - 5, 20))
    at = width - 1 - wide
    return [
        [*head, *(part._replace(x=at + part.x) for part in keys)],
        *([_Part(3, line, Ink.TEXT)] for line in what),
    ]


def _key(view: RunView, help: Help) -> str:
    return sign(NAME_OF[help.does]) if help.does else usable_keys(view.state.knobs).get(help.knob, "")
