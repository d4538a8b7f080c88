"""The layers: what each costs, on a scale of its own, and whether it lives; of models without such, the first terms."""

from __future__ import annotations

import math

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.chart import Line, Look, draw_chart, draw_curve
from laddertop.tui.draw.numbers import number, setting, thousands
from laddertop.tui.draw.text import fit
from laddertop.tui.watch.cost_terms import term_rows
from laddertop.tui.watch.layer_rows import LayerRow, layer_rows

NAME, NUMBER = 9, 8
"""Columns of the layer's name and of each number."""


class Layers(Panel):
    """Which layer learns and which doesn't."""

    def picture(self, height: int, width: int) -> Cells:
        """A curve for each layer, the top layer first; or, of a model without layers of its own, a chart per term."""
        layers = layer_rows(self.view)
        return self._layers(layers, height, width) if layers else self._charts(height, width)

    def _layers(self, layers: list[LayerRow], height: int, width: int) -> Cells:
        what = "denoising cost" if layers[0].cost.term.name.startswith("denoise.") else "cost"
        what = "KL in nats" if layers[0].cost.term.name.startswith("kl.") else what
        lit = any(row.layer in self.view.lit_layers for row in layers)
        cells = titled(height, width, "layers", f"{what}, each on its own scale", self.chosen, lit)
        noisy = any(math.isfinite(row.noise) for row in layers)
        x_noise, x_weight = width - 1, width - 1 - NUMBER * noisy
        x_cost = x_weight - NUMBER
        at_curve = 2 + NAME
        wide = x_cost - NUMBER - 1 - at_curve
        cells.put(1, 1, "layer", Ink.DIM)
        told = [e.step for e in self.view.state.evaluations if e.layers]
        if wide >= 20:
            cells.put(1, at_curve, f"units active at {thousands(told[-1])}" if told else "", Ink.DIM)
        cells.right(1, x_cost, "cost", Ink.DIM)
        cells.right(1, x_weight, "λ" if what == "denoising cost" else "weight", Ink.DIM)
        cells.right(1, x_noise, "σ" if noisy else "", Ink.DIM)
        each = min(max((height - 2) // len(layers), 1), 4)
        shown = layers[: max(height - 2, 0) // each]
        if len(shown) < len(layers) and shown:
            cells.right(0, width - 1, f" {len(layers) - len(shown)} more below ", Ink.WARN)
        for y, row in zip(range(2, height, each), shown, strict=False):
            self._layer(cells, row, y, each, (at_curve, wide), (x_cost, x_weight, x_noise))
        return cells

    def _layer(
        self, cells: Cells, row: LayerRow, y: int, each: int, curve: tuple[int, int], ends: tuple[int, int, int]
    ) -> None:
        """One layer in `each` rows from row y on."""
        at_curve, wide = curve
        cost = row.cost
        bad = not math.isfinite(cost.raw) and cost.trained and bool(self.view.latest)
        ink = Ink.BAD if bad else Ink.WARN if self.view.stale() else Ink.TEXT
        x = cells.put(y, 1, str(row.layer), Ink.WARN if row.layer in self.view.lit_layers else Ink.STRONG) + 1
        cells.put(y, x, fit(row.name if each > 1 or row.activity is None else _active(row), at_curve - x - 1), Ink.DIM)
        if each > 1:
            cells.put(y + 1, 1, fit(_active(row), NAME), Ink.WARN if row.trouble else Ink.DIM)
        # What is said of a layer stands below its numbers, and where there is no room there, over the curve's end.
        words = "   ".join(word for word in (row.trouble, row.changed) if word) if each > 1 else row.trouble
        if wide >= 4:
            cells.paste(y, at_curve, draw_curve(min(each, 3), wide, cost.binned, self.ascii_only))
        if each > 1:
            words = fit(words, cells.width - at_curve - 2)
            if words:
                cells.right(y + 1, cells.width - 1, f" {words}", Ink.WARN if row.trouble else Ink.MARK)
        elif words and wide >= len(words) + 2:
            cells.right(y, at_curve + wide, f" {words}", Ink.WARN)
        cells.right(y, ends[0], "rests" if not cost.trained else number(cost.raw) if self.view.latest else "–", ink)
        cells.right(y, ends[1], setting(cost.weight) if math.isfinite(cost.weight) else "–", Ink.DIM)
        cells.right(y, ends[2], setting(row.noise) if math.isfinite(row.noise) else "", Ink.DIM)

    def _charts(self, height: int, width: int) -> Cells:
        terms = [row for row in term_rows(self.view) if row.binned.filled.any()]
        if not terms:
            return titled(height, width, "layers", "", self.chosen)
        title = " and ".join(row.term.label for row in terms[:2])
        cells = titled(height, width, fit(title, width - 8), "", self.chosen)
        shown = terms[: 2 if height >= 12 else 1]
        each = (height - 1) // len(shown)
        axis = self.view.curves.wanted.axis
        for i, row in enumerate(shown):
            chart = draw_chart(each, width, [Line(row.binned)], axis, Look(ascii_only=self.ascii_only))
            y = 1 + i * each
            cells.paste(y, 0, chart)
            value = f" {row.term.label} {number(row.raw)} "
            cells.right(y, width - 1, value, Ink.TEXT if math.isfinite(row.raw) else Ink.BAD)
            unit = f" {row.term.unit} "
            if width > len(unit) + 20 and each >= 5:
                cells.right(y + 1, width - 1, unit, Ink.DIM)
        return cells


def _active(row: LayerRow) -> str:
    """How many units are active, of how many, as far as that is known."""
    if row.activity is not None:
        return f"{row.activity.active}/{row.activity.units}"
    return str(row.units) if row.units else ""
