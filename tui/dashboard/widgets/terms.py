"""The terms of the cost: raw × weight = what each adds, and its share; schedules and evaluations in words."""

from __future__ import annotations

import math

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import number, percent, setting, thousands
from laddertop.tui.draw.scale import scale_for
from laddertop.tui.draw.spark import bar, draw_sparkline
from laddertop.tui.draw.text import fit
from laddertop.tui.watch.cost_terms import collapsed_units, schedules_in_words, term_rows, warmup_in_words
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import measure

RAW, WEIGHT, WEIGHTED, SHARE = 7, 7, 7, 5
"""Columns of the numbers."""


class Terms(Panel):
    """Why the cost moves."""

    @staticmethod
    def rows_needed(view: RunView) -> int:
        """Rows that show everything: title, terms, total, and the words below them."""
        return 3 + max(len(view.state.terms), 1) + len(_words(view))

    def picture(self, height: int, width: int) -> Cells:
        """The table, then the words; numbers right-aligned in columns that don't move."""
        view = self.view
        cells = titled(height, width, "terms", "raw × weight = weighted, share", self.chosen)
        stale = view.stale()
        fixed = RAW + 3 + WEIGHT + 3 + WEIGHTED + 2 + SHARE
        name_width = min(max(width - fixed - 2, 6), 22 if width >= 70 else 18)
        x_raw = 1 + name_width + 1 + RAW
        x_weight = x_raw + 3 + WEIGHT
        x_weighted = x_weight + 3 + WEIGHTED
        x_share = x_weighted + 2 + SHARE
        spare = width - x_share - 2
        rows = term_rows(view)
        words = _words(view)
        room = height - 2 - min(len(words), max(height - 2 - len(rows), 0))
        shown = rows if len(rows) <= room else rows[: max(room - 1, 0)]
        y = 1
        scale = scale_for([row.binned for row in rows], "log") if spare >= 24 else None
        for row in shown:
            bad = not math.isfinite(row.weighted)
            ink = Ink.BAD if bad else Ink.WARN if stale else Ink.TEXT
            cells.put(y, 1, fit(row.term.label, name_width), Ink.WARN if row.collapsed else Ink.TEXT)
            if not row.trained:
                cells.put(y, x_raw - RAW, "not trained now: its weight is 0", Ink.DIM)
                y += 1
                continue
            cells.right(y, x_raw, number(row.raw), ink)
            cells.put(y, x_raw + 1, "×", Ink.DIM)
            cells.right(y, x_weight, setting(row.weight) if math.isfinite(row.weight) else "–", Ink.DIM)
            cells.put(y, x_weight + 1, "=", Ink.DIM)
            cells.right(y, x_weighted, number(row.weighted), ink)
            cells.right(y, x_share, "watch" if row.term.watched else percent(row.share), ink)
            if spare >= 8:
                filled, empty = bar(row.share, min(spare, 10))
                at = cells.put(y, x_share + 1, filled, Ink.CURVE)
                cells.put(y, at, empty, Ink.FAINT)
            if spare >= 24:
                spark = draw_sparkline(1, min(spare - 12, 24), row.binned, scale)
                cells.paste(y, x_share + 13, spark)
            y += 1
        if len(shown) < len(rows):
            cells.put(y, 1, f"… {len(rows) - len(shown)} more", Ink.DIM)
            y += 1
        total = view.value("total")
        cells.put(y, 1, "total", Ink.STRONG)
        ink = Ink.WARN if stale else Ink.STRONG if math.isfinite(total) else Ink.BAD
        cells.right(y, x_weighted, number(total) if view.latest else "–", ink)
        y += 2 if height - y - 2 >= len(words) else 1
        left = max(height - y, 0)
        more = f"  {len(words) - left} more below" if len(words) > left else ""
        for at, (text, word_ink) in enumerate(words[:left], y):
            room = width - 2 - (len(more) if at == height - 1 else 0)
            cells.put(at, 1, fit(text, room), word_ink)
        # In the row of the total it stands before the number.
        cells.right(height - 1, width - 1 if left else x_weight, more, Ink.DIM)
        return cells


def _words(view: RunView) -> list[tuple[str, Ink]]:
    """What has collapsed, the schedules and the evaluations, what matters most first."""
    lines = [(f"{row.term.label} {row.collapsed}", Ink.WARN) for row in term_rows(view) if row.collapsed]
    if text := collapsed_units(view):
        lines.append((text, Ink.WARN))
    if "warmup" in view.state.knobs:
        text, held = warmup_in_words(view)
        lines.append((text, Ink.WARN if held else Ink.DIM if text.startswith(("no ", "warm-up over")) else Ink.TEXT))
    if (found := view.evaluation()) is not None:
        name, value, event, best, best_event = found
        text = f"{event.split} {measure(name, value.value)} at {thousands(event.step)}"
        if best_event is not event:
            text += f", best {number(best.value)} at {thousands(best_event.step)}"
        lines.append((text, Ink.TEXT if math.isfinite(value.value) else Ink.BAD))
    lines += [(text, Ink.TEXT if now else Ink.DIM) for text, now in schedules_in_words(view)]
    return lines
