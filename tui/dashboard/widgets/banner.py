"""What is wrong with the run, since when, and which keys help, while it is; and why a run is only looked at.

Several kinds of findings share one line.
"""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.run_keys import KEYS
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.trouble import Help, Trouble, told

NAME_OF = {entry.does: entry.name for entry in KEYS}
"""The name of every action of the run screen."""
ADVICE = "looking.findings"
"""The name of the key that shows findings whole."""
AT_MOST = 3
"""Kinds of findings that their line names."""
LEAST = 4
"""Rows that it may take on any screen; on a higher one up to a third."""


class Banner(Panel):
    """The troubles of a run, the worst first."""

    helps = True
    """Whether the screen has the keys that help; all have the one for advice."""

    def least_rows(self, width: int, height: int) -> int:
        """As many as the words take, so far as the screen has room for them."""
        return min(len(_rows(self.view, width, self.helps)), max(height // 3, LEAST))

    def picture(self, height: int, width: int) -> Cells:
        """A row with name, time and keys of each trouble, and what it is behind that or below it."""
        cells = Cells(height, width)
        rows = _rows(self.view, width, self.helps)
        for y, row in enumerate(rows[:height]):
            for x, text, ink in row:
                cells.put(y, x, text, ink)
        if len(rows) > height:
            left = len(rows) - height
            cells.right(height - 1, width - 1, f"  {left} more {'row' if left == 1 else 'rows'} ", Ink.WARN)
        return cells


class _Part(NamedTuple):
    """A piece of a row."""

    x: int
    text: str
    ink: Ink


def _rows(view: RunView, width: int, helps: bool) -> list[list[_Part]]:
    strangers = wrap(f"▲ {view.stranger}", max(width - 2, 20)) if view.stranger else []
    wrong = told(view)
    found = [one for one in wrong if one.found]
    rows = []
    for one in wrong:
        if not one.found or len(found) == 1:
            rows += _about(one, _keys(view, one, helps), width)
        elif one is found[0]:
            rows.append(_in_a_line(found, _keys(view, one, helps), width))
    return [*rows, *([_Part(1 + 2 * bool(y), line, Ink.WARN)] for y, line in enumerate(strangers))]


def _about(trouble: Trouble, hints: list[tuple[str, str]], width: int) -> list[list[_Part]]:
    head = [_Part(1, f"{trouble.sign} {trouble.name}", trouble.ink)]
    end = 1 + len(head[0].text)
    since = trouble.since_when
    keys, wide = _at_the_right(hints)
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


def _in_a_line(found: list[Trouble], keys: list[tuple[str, str]], width: int) -> list[_Part]:
    """Several kinds of findings, with as much of them as there is room for; the key shows them whole."""
    for shown, detail, hints in (
        (AT_MOST, 2, keys),
        (AT_MOST, 1, keys),
        (AT_MOST, 1, keys[-1:]),
        (AT_MOST, 0, keys[-1:]),
        (AT_MOST - 1, 0, keys[-1:]),
        (1, 0, keys[-1:]),
    ):
        row, x = list[_Part](), 1
        for one in found[:shown]:
            row.append(_Part(x, _named(one, detail), one.ink))
            x += len(row[-1].text) + 3
        if len(found) > shown:
            row.append(_Part(x, f"+{len(found) - shown}", Ink.DIM))
            x += len(row[-1].text) + 3
        right, wide = _at_the_right(hints)
        if x + wide < width:
            break
    return [*row, *(part._replace(x=width - 1 - wide + part.x) for part in right)]


def _named(one: Trouble, detail: int) -> str:
    """A finding in the line of several: its name, where it is, and since when."""
    words = [one.sign, one.name, *filter(None, [one.where] if detail else [])]
    return " ".join([*words, f"since {thousands(one.step)}"] if detail > 1 else words)


def _keys(view: RunView, trouble: Trouble, helps: bool) -> list[tuple[str, str]]:
    """The keys that help, each with what it does, where there are any; of a finding the last one shows it whole."""
    pairs = [(_key(view, help), help.words) for help in trouble.helps if view.steerable and helps]
    return [(key, words) for key, words in pairs if key] + ([(sign(ADVICE), "advice")] if trouble.found else [])


def _at_the_right(keys: list[tuple[str, str]]) -> tuple[list[_Part], int]:
    """Keys as they stand side by side, and the columns that they take."""
    parts, x = list[_Part](), 0
    for key, words in keys:
        parts += [_Part(x, key, Ink.KEY), _Part(x + len(key) + 1, words, Ink.STRONG)]
        x += len(key) + 1 + len(words) + 3
    return parts, max(x - 3, 0)


def _key(view: RunView, help: Help) -> str:
    return sign(NAME_OF[help.does]) if help.does else usable_keys(view.state.knobs).get(help.knob, "")
