"""The knobs with their keys and values, and the keys of the actions."""

from __future__ import annotations

from typing import NamedTuple

from laddertop.journal.courses import is_course
from laddertop.journal.knobs import grouped
from laddertop.journal.state import OVER
from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.run_keys import Hint, at_hand
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import percent, setting
from laddertop.tui.watch.run_view import KnobRow, RunView
from laddertop.tui.watch.wording import knob_value

GAP = 3


class Item(NamedTuple):
    """One entry: its key, its name, its value with the ink of its state; `width` keeps the next one in place."""

    key: str
    name: str
    value: str = ""
    ink: Ink = Ink.TEXT
    width: int = 0

    @property
    def columns(self) -> int:
        """Columns it takes."""
        return len(self.key) + 1 + len(self.name) + (1 + max(self.width, len(self.value)) if self.width else 0)


class Knobs(Panel):
    """What can be turned, where it stands, and what is still under way."""

    def least_rows(self, width: int, height: int) -> int:
        """The entries, and a title where there is room for one."""
        return (height >= 30) + _rows(_flow(_items(self.view, width), width))

    def picture(self, height: int, width: int) -> Cells:
        """Entries flow from left to right into as many rows as it takes."""
        placed = _flow(_items(self.view, width), width)
        ruled = height > _rows(placed)
        cells = titled(height, width, "knobs") if ruled else Cells(height, width)
        for row, x, item in placed:
            y = row + ruled
            x = cells.put(y, x, item.key, Ink.KEY) + 1 if item.key else x
            x = cells.put(y, x, item.name, Ink.TEXT if item.width else Ink.DIM) + 1
            cells.put(y, x, item.value, item.ink)
        return cells


def _rows(placed: list[tuple[int, int, Item]]) -> int:
    return max((row for row, _, _ in placed), default=0) + 1


def _flow(groups: list[list[Item]], width: int) -> list[tuple[int, int, Item]]:
    """Row and column of every entry; each group begins a row."""
    placed = []
    row = -1
    for group in groups:
        row, x = row + 1, 1
        gap = GAP if 1 + sum(item.columns + GAP for item in group) - GAP <= width else 2
        for item in group:
            if x > 1 and x + item.columns > width:
                row, x = row + 1, 1
            placed.append((row, x, item))
            x += item.columns + gap
    return placed


def _items(view: RunView, width: int) -> list[list[Item]]:
    turn, acts = _knobs(view), _hints(view, width)
    return [turn, acts] if turn else [acts]


def _knobs(view: RunView) -> list[Item]:
    """Every group of knobs that has keys; a run without an engine shows how they stand, and no key."""
    rows = view.knobs()
    keys = usable_keys(view.state.knobs)
    turned = view.steerable and not _over(view)
    items = []
    for group, members in grouped(view.state.knobs).items():
        if group not in keys:
            continue
        key = keys[group] if turned else ""
        first = rows[members[0].name]
        if _nothing_to_hold(first, rows):
            continue
        if first.knob.kind == "number":
            items.append(_number(key, first.knob.short, [rows[knob.name] for knob in members]))
        else:
            # A switch with a schedule, such as the warm-up, says how far it is.
            on = bool(first.knob.value) and first.effective < 1
            items.append(_switch(key, first.knob.short, first, percent(first.effective) or "0 %" if on else ""))
    return items


def _nothing_to_hold(row: KnobRow, rows: dict[str, KnobRow]) -> bool:
    """Whether it is a switch of a schedule that is not on its way, such as the hold of a warm-up that is over."""
    schedule = rows.get(row.knob.name.rpartition(".")[0])
    if row.knob.kind == "number" or schedule is None or row.knob.value or row.pending is not None:
        return False
    return not (schedule.knob.value and schedule.effective < 1)


def _over(view: RunView) -> bool:
    return view.status() in OVER


def _hints(view: RunView, width: int) -> list[Item]:
    """The keys that do something now. What matters least goes first where there is no room for all; help has all."""
    hints = [entry.hint for entry in at_hand(view) if entry.hint]
    kept: set[Hint] = set()
    for hint in sorted(hints):
        if 1 + sum(len(one.sign) + len(one.word) + 3 for one in (*kept, hint)) - 2 <= width:
            kept.add(hint)
    words = {"pause": "continue"} if view.status() == "paused" else {}
    return [Item(hint.sign, words.get(hint.word, hint.word)) for hint in hints if hint in kept]


def _switch(key: str, name: str, row: KnobRow, more: str = "") -> Item:
    now = "● on" if row.knob.value else "○ off"
    if row.pending is not None:
        return Item(key, name, f"{now}→{knob_value(row.knob, row.pending)}?", Ink.WARN, 8)
    if row.refused:
        return Item(key, name, f"{now} ✗", Ink.BAD, 8)
    return Item(key, name, f"{now} {more}", Ink.GOOD if row.knob.value else Ink.TEXT, 8)


def _number(key: str, name: str, rows: list[KnobRow], width: int = 12) -> Item:
    # An arrow: it changes by itself.
    now = _span([row.knob.value for row in rows]) + ("↝" if any(row.knob.course for row in rows) else "")
    if pending := [row.pending for row in rows if row.pending is not None]:
        asked = "↝" if any(is_course(p) for p in pending) else _span([float(p) for p in pending])
        return Item(key, name, f"{now}→{asked}?", Ink.WARN, width)
    if any(row.refused for row in rows):
        return Item(key, name, f"{now} ✗", Ink.BAD, width)
    if any(row.otherwise for row in rows):
        now += f" ({_span([float(f'{row.effective:.2g}') for row in rows])})"
    return Item(key, name, now, Ink.TEXT, width)


def _span(values: list[float]) -> str:
    """One value, or the ends of several."""
    if not values:
        return "–"
    low, high = min(values), max(values)
    return setting(low) if low == high else f"{setting(low)}–{setting(high)}"
