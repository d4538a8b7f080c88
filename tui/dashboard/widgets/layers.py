"""The layers: denoising cost per layer of a ladder network; reconstruction and KL of other models as charts."""

from __future__ import annotations

import math

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.chart import Line, Look, draw_chart
from laddertop.tui.draw.numbers import number, setting, tick
from laddertop.tui.draw.scale import scale_for
from laddertop.tui.draw.spark import draw_sparkline
from laddertop.tui.draw.text import fit
from laddertop.tui.watch.cost_terms import LayerRow, layer_rows, term_rows


class Layers(Panel):
    """Which layer learns and which doesn't."""

    def picture(self, height: int, width: int) -> Cells:
        """Top layer first, all on one log scale; or one chart per term."""
        layers = layer_rows(self.view)
        return self._ladder(layers, height, width) if layers else self._charts(height, width)

    def _ladder(self, layers: list[LayerRow], height: int, width: int) -> Cells:
        cells = titled(height, width, "layers", "denoising cost, one log scale", self.chosen)
        scale = scale_for([row.binned for row in layers], "log")
        x_cost, x_weight, x_noise = width - 18, width - 10, width - 1
        x_units = 8
        spark_width = x_cost - 8 - x_units - 2
        y = 1
        cells.put(y, 1, "l", Ink.DIM)
        cells.right(y, x_units, "units", Ink.DIM)
        if scale is not None and spark_width >= 24:
            kind = "log " if scale.kind == "log" else ""
            cells.put(y, x_units + 2, f"{kind}{tick(scale.low)} … {tick(scale.high)}", Ink.DIM)
        cells.right(y, x_cost, "cost", Ink.DIM)
        cells.right(y, x_weight, "λ", Ink.DIM)
        cells.right(y, x_noise, "σ", Ink.DIM)
        each = min(max((height - 2) // len(layers), 1), 4)
        tall = max(each - 1, 1)
        stale = self.view.stale()
        for row in layers[: (height - 2) // each]:
            y += each
            ink = Ink.BAD if not math.isfinite(row.cost) else Ink.WARN if stale else Ink.TEXT
            cells.put(y, 1, str(row.layer), Ink.STRONG)
            cells.right(y, x_units, str(row.units or row.name), Ink.DIM)
            if spark_width >= 4:
                spark = draw_sparkline(tall, spark_width, row.binned, scale)
                cells.paste(y - tall + 1, x_units + 2, spark)
            cells.right(y, x_cost, number(row.cost), ink)
            cells.right(y, x_weight, setting(row.weight) if math.isfinite(row.weight) else "–", Ink.DIM)
            cells.right(y, x_noise, setting(row.noise) if math.isfinite(row.noise) else "–", Ink.DIM)
        return cells

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
