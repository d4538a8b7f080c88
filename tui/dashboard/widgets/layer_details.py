"""The chosen layer: a histogram of what its units do, and a map of its activations."""

from __future__ import annotations

import numpy as np

from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.views.layers import SIDES, Layer, LayersView
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.histogram import draw_histogram
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.plane import Plane, item_in_words, plane_of, put_classes, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.watch.run_view import RunView


class LayerSide(Panel):
    """Activations, or what differs from unit to unit."""

    def __init__(self, view: RunView, layers: LayersView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._layers = layers

    def picture(self, height: int, width: int) -> Cells:
        """A histogram with its numbers in words below."""
        layer, side = self._layers.chosen(), self._layers.side
        cells = titled(height, width, f"{layer.title if layer else ''} {side}", "roots of counts")
        if layer is None or height < 5:
            return cells
        if side == SIDES[0]:
            found = _activations(layer)
        elif side == SIDES[1]:
            found = _of_units(layer.variance)
        else:
            found = _of_units(layer.gate)
        if found is None:
            # Before an answer nobody knows what the layer lacks; the source line below says what is waited for.
            words = _lack(layer, side) if self._layers.classes() is not None else ""
            cells.paste(1, 0, sentence(height - 1, width, words))
            return cells
        counts, edges, words = found
        cells.paste(1, 1, draw_histogram(height - 2, width - 3, counts, edges, roots=True))
        cells.put(height - 1, 1, _first_parts(words, width - 2), Ink.DIM)
        return cells


class LayerMap(Panel):
    """The principal axes of the activations, each item as the digit of its class."""

    def __init__(self, view: RunView, layers: LayersView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._layers = layers
        self._plane: Plane | None = None

    def told(self, row: int, column: int) -> str:
        """The nearest item."""
        layer, classes = self._layers.chosen(), self._layers.classes()
        if self._plane is None or layer is None or layer.pca is None or classes is None:
            return ""
        item = self._plane.nearest(layer.pca, row - 1, column - 1)
        return "" if item is None else item_in_words(item, classes)

    def picture(self, height: int, width: int) -> Cells:
        """The map."""
        layer, classes = self._layers.chosen(), self._layers.classes()
        name = layer.title if layer else ""
        cells = self.titled(height, width, f"{name} principal axes", "by class")
        self._plane = None
        if layer is None or layer.pca is None or classes is None:
            words = f"{name} has no representation to map" if layer and self._layers.classes() is not None else ""
            cells.paste(1, 0, sentence(height - 1, width, words))
            return cells
        if not np.ptp(layer.pca):
            cells.paste(
                1, 0, sentence(height - 1, width, f"{name} is the same for every item: it tells nothing", Ink.WARN)
            )
            return cells
        inner = Cells(height - 1, width - 2)
        self._plane = plane = plane_of(layer.pca, height - 1, width - 2)
        if len(np.unique(classes)) > 1:
            put_classes(inner, plane, layer.pca, classes)
        else:
            put_dots(inner, plane, layer.pca, Ink.CURVE, self.ascii_only)
        cells.paste(1, 1, inner)
        return cells


def _activations(layer: Layer) -> tuple[np.ndarray, np.ndarray, str] | None:
    if layer.counts is None or layer.edges is None:
        return None
    if not layer.edges[-1] > layer.edges[0]:
        return None
    middle = (layer.edges[:-1] + layer.edges[1:]) / 2
    share = layer.counts / layer.counts.sum()
    mean = float((share * middle).sum())
    std = float(np.sqrt((share * (middle - mean) ** 2).sum()))
    zero = float(share[int(np.searchsorted(layer.edges, 0, "right")) - 1]) if layer.edges[0] <= 0 else 0.0
    words = f"mean {number(mean)} sd {number(std)}, {100 * zero:.0f} % at 0"
    return layer.counts, layer.edges, words


def _of_units(values: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, str] | None:
    if values is None or not np.ptp(values) > 0:
        return None
    counts, edges = np.histogram(values, 40)
    low, high, mean = (number(float(value)) for value in (values.min(), values.max(), values.mean()))
    return counts, edges, f"{low} … {high}, mean {mean}"


def _first_parts(words: str, width: int) -> str:
    """As many parts as stand whole in the width."""
    while len(words) > width and ", " in words:
        words = words.rpartition(", ")[0]
    return words[:width]


def _lack(layer: Layer, side: str) -> str:
    if side == SIDES[2] and layer.gate is None:
        return "this layer has no lateral connection that could be a gate"
    if layer.variance is None:
        return f"{layer.title} has no representation of its own"
    return "the same for every unit"
