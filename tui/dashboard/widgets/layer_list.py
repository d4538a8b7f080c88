"""The layers in a list: cost and its curve, weight, noise, lateral gate, active units, activations in small."""

from __future__ import annotations

import math

import numpy as np

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.views.layers import Layer, LayersView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.histogram import columns_of
from laddertop.tui.draw.numbers import number, setting
from laddertop.tui.draw.scale import scale_for
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.draw.spark import draw_sparkline
from laddertop.tui.draw.text import fit
from laddertop.tui.watch.run_view import RunView

_LEVELS = " ▁▂▃▄▅▆▇█"
HEAD = 2
"""Rows above the first layer."""


class LayerList(Panel):
    """One row for each layer, top first."""

    def __init__(self, view: RunView, layers: LayersView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._layers = layers
        self._first = 0
        """The layer in the first row."""

    def place_at(self, row: int) -> int:
        """Which layer, counted from the top one, a row of the panel shows; -1 for its head."""
        return row - HEAD + self._first if row >= HEAD else -1

    @staticmethod
    def rows_needed(layers: LayersView) -> int:
        """Rows that show everything."""
        return HEAD + max(len(layers.layers()), 1)

    def picture(self, height: int, width: int) -> Cells:
        """The list; what this model does not have takes no column."""
        classes = self._layers.classes()
        about = "" if classes is None else f"{len(classes)} test items without noise"
        cells = titled(height, width, "layers", about)
        layers, chosen = self._layers.layers(), self._layers.chosen()
        if not layers:
            cells.paste(1, 0, sentence(height - 1, width, "no layer is known yet"))
            return cells
        stale = self.view.stale()
        costs = [layer.cost.binned for layer in layers if layer.cost]
        scale = scale_for(costs, "log") if costs else None
        gates = any(layer.gate is not None for layer in layers)
        noise = any(layer.noise is not None for layer in layers)
        x = max(len(layer.title) for layer in layers) + 3
        places = {"units": (x := x + 6)}
        if costs:
            places["cost"] = (x := x + 9)
            spark = x + 1
            x += 22 if width >= 110 else 0
            places["λ" if gates else "weight"] = (x := x + 8)
        if noise:
            places["σ"] = (x := x + 8)
        if gates:
            places["gate"] = (x := x + 9)
        places["active"] = (x := x + 11)
        for name, end in places.items():
            cells.right(1, end, name, Ink.DIM)
        small = x + 3
        if width - small > 12:
            cells.put(1, small, "activations", Ink.DIM)
        # A list that does not fit moves so that the chosen layer is in it.
        room = height - HEAD
        at = next((i for i, layer in enumerate(layers) if chosen and layer.name == chosen.name), 0)
        first = self._first = min(max(at - room + 1, 0), max(len(layers) - room, 0))
        for y, layer in enumerate(layers[first : first + room], HEAD):
            here = chosen is not None and layer.name == chosen.name
            cells.put(y, 1, f"{'›' if here else ' '}{layer.title}", Ink.KEY if here else Ink.STRONG)
            if layer.units is not None:
                cells.right(y, places["units"], str(layer.units), Ink.DIM)
            if layer.cost is not None:
                raw = layer.cost.raw
                ink = Ink.BAD if not math.isfinite(raw) else Ink.WARN if stale else Ink.TEXT
                cells.right(y, places["cost"], number(raw) if layer.cost.trained else "rests", ink)
                if width >= 110:
                    cells.paste(y, spark, draw_sparkline(1, 20, layer.cost.binned, scale))
                weight = places.get("λ", places.get("weight", 0))
                cells.right(y, weight, setting(layer.cost.weight), Ink.DIM)
            if layer.noise is not None:
                cells.right(y, places["σ"], setting(layer.noise), Ink.DIM)
            if layer.gate is not None:
                cells.right(y, places["gate"], number(float(layer.gate.mean())), Ink.TEXT)
            if layer.active is not None:
                dead = layer.units and layer.active < layer.units / 2
                cells.right(y, places["active"], f"{layer.active}/{layer.units}", Ink.WARN if dead else Ink.TEXT)
            if layer.counts is not None and width - small > 12:
                cells.put(y, small, _small(layer, min(width - small - 2, 40)), Ink.CURVE)
        if first + room < len(layers):
            cells.put(height - 1, width - 8, fit("more ↓", 7), Ink.DIM)
        return cells


def _small(layer: Layer, width: int) -> str:
    """The histogram in one row; roots of the counts, so that tails stay visible."""
    assert layer.counts is not None
    assert layer.edges is not None
    low, high = float(layer.edges[0]), float(layer.edges[-1])
    if not high > low:
        return f"all {number(low)}"
    shares = np.sqrt(columns_of(layer.counts, layer.edges, low, high, width))
    return "".join(_LEVELS[math.ceil(s)] for s in shares / max(float(shares.max()), 1e-12) * 8)
