"""The terms of the cost: raw × weight = what each adds, and its share; schedules and evaluations in words."""

from __future__ import annotations

import math
from textwrap import wrap
from typing import NamedTuple

from laddertop.tui.dashboard.layout import terms_width
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import number, percent, setting, thousands
from laddertop.tui.draw.scale import scale_for
from laddertop.tui.draw.spark import bar, draw_sparkline
from laddertop.tui.draw.text import fit
from laddertop.tui.watch.cost_terms import TermRow, schedules_in_words, term_rows, warmup_in_words
from laddertop.tui.watch.layer_life import activities, layer_of
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import measure

RAW, WEIGHT, WEIGHTED, SHARE = 7, 4, 7, 5
"""Columns of the numbers; of the weights, which people choose, at least."""
LEAST_BAR, ACTIVE = 3, 6
"""Columns of the bar of shares at least, and of that of active units."""


class Terms(Panel):
    """Why the cost moves."""

    @staticmethod
    def rows_needed(view: RunView, width: int) -> int:
        """Rows that show everything in a panel of that width: title, terms, total, and the words below them."""
        return 3 + max(len(view.state.terms), 1) + len(_wrapped(view, width))

    def least_rows(self, width: int, height: int) -> int:
        """What is needed beside the charts."""
        return self.rows_needed(self.view, terms_width(width))

    def picture(self, height: int, width: int) -> Cells:
        """The table, then the words; numbers right-aligned in columns that don't move."""
        view = self.view
        stale = view.stale()
        rows = _ordered(term_rows(view))
        wrong = {row.term.name for row in rows if row.term.name in view.lit or layer_of(row.term) in view.lit_layers}
        cells = titled(height, width, "terms", "raw × weight = weighted, share", self.chosen, bool(wrong))
        weights = [setting(row.weight) if math.isfinite(row.weight) else "–" for row in rows]
        places = _places(width, [row.term.label for row in rows], weights)
        words = _wrapped(view, width)
        room = height - 2 - min(len(words), max(height - 2 - len(rows), 0))
        shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
        told = activities(view)
        y = 1
        scale = scale_for([row.binned for row in rows], "log") if places.curve else None
        for row, weight in zip(shown, weights, strict=False):
            bad = not math.isfinite(row.weighted)
            ink = Ink.BAD if bad else Ink.WARN if stale else Ink.TEXT
            cells.put(y, 1, fit(row.term.label, places.name), Ink.WARN if row.term.name in wrong else Ink.TEXT)
            if not row.trained:
                cells.put(y, places.raw - RAW, "not trained now: its weight is 0", Ink.DIM)
                y += 1
                continue
            if not view.latest:
                # A start that has taken no step yet has no numbers, which is no fault.
                cells.right(y, places.raw, "–", Ink.DIM)
                y += 1
                continue
            cells.right(y, places.raw, number(row.raw), ink)
            cells.put(y, places.raw + 1, "×", Ink.DIM)
            cells.right(y, places.weight, weight, Ink.DIM)
            cells.put(y, places.weight + 1, "=", Ink.DIM)
            cells.right(y, places.weighted, number(row.weighted), ink)
            cells.right(y, places.share, "watch" if row.term.watched else percent(row.share), ink)
            _bar(cells, y, places.share + 1, row.share, places.bar, Ink.CURVE)
            activity = told.get(layer_of(row.term) or 0)
            if activity is not None and places.active:
                alive = activity.active / max(activity.units, 1)
                _bar(cells, y, places.active, alive, ACTIVE, Ink.WARN if not activity.active else Ink.GOOD)
                cells.put(y, places.active + ACTIVE + 1, f"{activity.active}/{activity.units}", Ink.DIM)
            if places.curve:
                cells.paste(y, places.curve, draw_sparkline(1, min(width - places.curve - 1, 24), row.binned, scale))
            y += 1
        if len(shown) < len(rows):
            cells.put(y, 1, f"… {len(rows) - len(shown)} more", Ink.DIM)
            y += 1
        total = view.value("total")
        cells.put(y, 1, "total", Ink.STRONG)
        ink = Ink.WARN if stale else Ink.STRONG if math.isfinite(total) or not view.latest else Ink.BAD
        cells.right(y, places.weighted, number(total) if view.latest else "–", ink)
        if told and places.active:
            cells.put(y, places.active, "units active", Ink.DIM)
        y += 2 if height - y - 2 >= len(words) else 1
        left = max(height - y, 0)
        more = f"  {len(words) - left} more below" if len(words) > left else ""
        for at, (text, word_ink) in enumerate(words[:left], y):
            room = width - 2 - (len(more) if at == height - 1 else 0)
            cells.put(at, 1, fit(text, room), word_ink)
        # In the row of the total it stands before the number.
        cells.right(height - 1, width - 1 if left else places.weight, more, Ink.DIM)
        return cells


class _Places(NamedTuple):
    """Columns: the width of the names and of the share bars, where the numbers end, and where what follows begins; 0
    where there is no room for it."""

    name: int
    raw: int
    weight: int
    weighted: int
    share: int
    bar: int
    active: int
    curve: int


def _places(width: int, names: list[str], weights: list[str]) -> _Places:
    weight = max([WEIGHT, *map(len, weights)])
    fixed = RAW + 3 + weight + 3 + WEIGHTED + 2 + SHARE
    name = max(min(max(map(len, names), default=6), width - fixed - 4 - LEAST_BAR), 6)
    raw = 1 + name + 1 + RAW
    weighted = raw + 3 + weight + 3 + WEIGHTED
    share = weighted + 2 + SHARE
    bar = max(min(width - share - 2, 10), 0)
    after = share + 1 + bar + 2
    active = after if width - after >= ACTIVE + 9 else 0
    after += (ACTIVE + 11) if active else 0
    return _Places(name, raw, raw + 3 + weight, weighted, share, bar, active, after if width - after >= 12 else 0)


def _bar(cells: Cells, y: int, x: int, share: float, width: int, ink: Ink) -> None:
    filled, empty = bar(share, width)
    cells.put(y, cells.put(y, x, filled, ink), empty, Ink.FAINT)


def _ordered(rows: list[TermRow]) -> list[TermRow]:
    """The KL of every layer of a deep VAE first of all: they say which layer lives."""
    kl = [row for row in rows if row.term.name.startswith("kl.")]
    return [*kl, *(row for row in rows if row not in kl)] if len(kl) > 1 else rows


def _wrapped(view: RunView, width: int) -> list[tuple[str, Ink]]:
    """The words in lines of the panel's width; what goes on in a next line is indented."""
    room = max(width - 2, 8)
    return [(line, ink) for text, ink in _words(view) for line in wrap(text, room, subsequent_indent="  ")]


def _words(view: RunView) -> list[tuple[str, Ink]]:
    """The schedules and the evaluations, what matters most first."""
    lines = []
    if "warmup" in view.state.knobs:
        text, held = warmup_in_words(view)
        lines.append((text, Ink.WARN if held else Ink.DIM if text.startswith(("no ", "warm-up over")) else Ink.TEXT))
    if (found := view.state.headline()) is not None:
        name, value, event, best, best_event = found
        text = f"{event.split} {measure(name, value)} at {thousands(event.step)}"
        if best_event is not event and value.better != "none":
            text += f", best {number(best.value)} at {thousands(best_event.step)}"
        lines.append((text, Ink.TEXT if math.isfinite(value.value) else Ink.BAD))
    lines += [(text, Ink.TEXT if now else Ink.DIM) for text, now in schedules_in_words(view)]
    return lines
