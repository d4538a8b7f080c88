"""The knobs with their keys and values, and the keys of the actions."""

from __future__ import annotations

import math
from typing import NamedTuple

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import percent, setting
from laddertop.tui.watch.run_view import KnobRow, RunView
from laddertop.tui.watch.wording import knob_value

GAP = 3
_ACTS = {
    "space": "pause", "c": "save", "e": "evaluate", "s": "sample", "u": "undo", "R": "resume", "f": "fork",
    "i": "interventions", "2-5": "model", "g": "charts", "/": "choose", "↑↓←→": "zoom, cursor", "tab": "panel",
    "S": "stop", "r": "runs", "d": "detach", "?": "help",
}  # fmt: skip
_BY_WEIGHT = (
    "space", "d", "?", "R", "g", "u", "c", "2-5", "tab", "r", "e", "f", "i", "S", "↑↓←→", "s", "/",
)  # fmt: skip
"""The keys of the actions, the most important first."""
_NEEDS_ENGINE = {"space", "c", "e", "s", "u", "S"}
_NEEDS_NONE = {"R", "f", "i"}
"""The keys that are named only while an engine is at work in the run, and only while none is."""


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
        return len(self.key) + 1 + len(self.name) + (1 + self.width if self.width else 0)


class Knobs(Panel):
    """What can be turned, where it stands, and what is still under way."""

    def __init__(self, view: RunView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.ruled = True

    @staticmethod
    def rows_needed(view: RunView, width: int, ruled: bool) -> int:
        """Rows that show everything."""
        return ruled + max((row for row, _, _ in _flow(_items(view, width), width)), default=0) + 1

    def picture(self, height: int, width: int) -> Cells:
        """Entries flow from left to right into as many rows as it takes."""
        cells = titled(height, width, "knobs") if self.ruled else Cells(height, width)
        for row, x, item in _flow(_items(self.view, width), width):
            y = row + self.ruled
            x = cells.put(y, x, item.key, Ink.KEY) + 1
            x = cells.put(y, x, item.name, Ink.TEXT if item.width else Ink.DIM) + 1
            cells.put(y, x, item.value, item.ink)
        return cells


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
    knobs = view.knobs()
    turn = []
    if "noise" in knobs:
        turn.append(_switch("n", "noise", knobs["noise"]))
    if levels := [knobs[k.name] for k in view.noise_knobs()]:
        turn.append(_number("-+", "σ" if levels[0].knob.name.startswith("noise.std") else "level", levels))
    if "warmup" in knobs:
        factor = knobs["warmup"].effective
        on = bool(knobs["warmup"].knob.value) and factor < 1
        turn.append(_switch("w", "warm-up", knobs["warmup"], percent(factor) or "0 %" if on else ""))
        hold = knobs.get("warmup.hold")
        if hold is not None and (on or hold.knob.value or hold.pending is not None):
            turn.append(_switch("h", "hold", hold))
    if "beta" in knobs:
        turn.append(_number("bB", "β", [knobs["beta"]]))
    if "lr" in knobs:
        turn.append(_number("[]", "lr", [knobs["lr"]], 12))
    status = view.status()
    over = status in ("finished", "stopped", "failed", "crashed")
    names = _ACTS | {"space": "continue" if status == "paused" else "pause"}
    hidden = set(_NEEDS_ENGINE if over else _NEEDS_NONE)
    if over or not view.steerable:
        # Knobs to look at: no key turns them.
        turn = [item._replace(key="") for item in turn]
    if not view.steerable:
        hidden = {*_NEEDS_ENGINE, "R", "f", "2-5"}
    if status == "finished":
        hidden.add("R")
    every = [Item(key, name) for key, name in names.items() if key not in hidden]
    # What matters least goes first where there is no room for all; help names every key.
    kept: list[str] = []
    for key in _BY_WEIGHT:
        if key not in hidden and 1 + sum(item.columns + 2 for item in every if item.key in (*kept, key)) - 2 <= width:
            kept.append(key)
    acts = [item for item in every if item.key in kept]
    return [turn, acts] if turn else [acts]


def _switch(key: str, name: str, row: KnobRow, more: str = "") -> Item:
    now = "● on" if row.knob.value else "○ off"
    if row.pending is not None:
        return Item(key, name, f"{now}→{knob_value(row.knob, row.pending)}?", Ink.WARN, 8)
    if row.refused:
        return Item(key, name, f"{now} ✗", Ink.BAD, 8)
    return Item(key, name, f"{now} {more}", Ink.GOOD if row.knob.value else Ink.TEXT, 8)


def _number(key: str, name: str, rows: list[KnobRow], width: int = 12) -> Item:
    now = _span([row.knob.value for row in rows])
    if pending := [row.pending for row in rows if row.pending is not None]:
        asked = _span([float(p) for p in pending if not isinstance(p, str)])
        return Item(key, name, f"{now}→{asked}?", Ink.WARN, width)
    if any(row.refused for row in rows):
        return Item(key, name, f"{now} ✗", Ink.BAD, width)
    # A schedule or a switch makes the value that acts another one than the value that is set.
    if any(not math.isclose(row.effective, row.knob.value, rel_tol=1e-4, abs_tol=1e-9) for row in rows):
        now += f" ({_span([float(f'{row.effective:.2g}') for row in rows])})"
    return Item(key, name, now, Ink.TEXT, width)


def _span(values: list[float]) -> str:
    """One value, or the ends of several."""
    if not values:
        return "–"
    low, high = min(values), max(values)
    return setting(low) if low == high else f"{setting(low)}–{setting(high)}"
