"""The layers of a model: cost, weight, noise and gate of each, and what its units do with test items. No textual here.

Shape letters: N items, U units, L bins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from laddertop.journal.explore import Layers
from laddertop.tui.steer.asking import Asking, Got
from laddertop.tui.watch.cost_terms import TermRow, term_rows
from laddertop.tui.watch.layer_life import layer_title
from laddertop.tui.watch.run_view import RunView

USE = "layers"
"""The use under which the layers are asked for."""
ACTIVE = 0.01
"""Variance over the items above which a unit counts as active (Burda et al. 2015)."""
ITEMS = 500
"""Test items that are looked at."""
SIDES = ("activations", "variance of units", "gate of units")
"""What can be shown of the chosen layer beside its map."""


@dataclass
class Layer:
    """One layer; what is not known, or not there in this model, is None."""

    name: str
    number: int
    cost: TermRow | None = None
    noise: float | None = None
    """σ in the newest step."""
    gate: np.ndarray | None = None
    """How much of the lateral signal each unit lets through, mean over the items [U]."""
    counts: np.ndarray | None = None
    """Activations of all units over the items [L], between `edges` [L + 1]."""
    edges: np.ndarray | None = None
    variance: np.ndarray | None = None
    """Over the items [U]."""
    pca: np.ndarray | None = None
    """Activations along the two directions of largest variance [N, 2]."""

    @property
    def title(self) -> str:
        """What people call it, by its number from the input up."""
        return layer_title(self.number) + (f" {self.name}" if self.name in ("x", "y") else "")

    @property
    def units(self) -> int | None:
        """How many units, as far as the model has told."""
        known = self.variance if self.variance is not None else self.gate
        return None if known is None else len(known)

    @property
    def active(self) -> int | None:
        """How many units are active."""
        return None if self.variance is None else int((self.variance > ACTIVE).sum())


class LayersView:
    """The layers and which of them is chosen."""

    def __init__(self, view: RunView, asking: Asking) -> None:
        self.view, self.asking = view, asking
        self.side = SIDES[0]
        """What is shown of the chosen layer."""
        self._chosen: str | None = None

    def question(self) -> None:
        """Ask what is to be known."""
        self.asking.want(USE, Layers(rows=ITEMS))

    def layers(self) -> list[Layer]:
        """Every layer that has a cost or a representation, top first."""
        got = self.asking.got.get(USE)
        arrays = got.arrays if got else {}
        names = [str(name) for name in arrays["layers"]] if got else []
        gates = [name.removeprefix("gate/") for name in arrays if name.startswith("gate/")]
        found = {number: Layer(name, number) for number, name in enumerate(names, 1)}
        if "x" in gates:
            found[0] = Layer("x", 0)
        if "y" in gates:
            found[len(names) + 1] = Layer("y", len(names) + 1)
        for row in term_rows(self.view):
            if (declared := row.term.layer) is not None:
                number = declared.index
                layer = found.setdefault(number, Layer(declared.code or declared.name, number))
                layer.cost = row
        for layer in found.values():
            noise = f"noise.std.{layer.number}"
            if noise in self.view.state.knobs:
                layer.noise = self.view.latest.get(noise, self.view.state.knobs[noise].value)
            layer.gate = arrays.get(f"gate/{layer.name}")
            layer.counts, layer.edges = arrays.get(f"counts/{layer.name}"), arrays.get(f"edges/{layer.name}")
            layer.variance, layer.pca = arrays.get(f"variance/{layer.name}"), arrays.get(f"pca/{layer.name}")
        return [found[number] for number in sorted(found, reverse=True)]

    def classes(self) -> np.ndarray | None:
        """Classes of the items [N]."""
        got: Got | None = self.asking.got.get(USE)
        return got.arrays["classes"] if got else None

    def chosen(self) -> Layer | None:
        """The layer that is looked at: unless chosen, the topmost representation."""
        layers = self.layers()
        known = [layer for layer in layers if layer.counts is not None]
        named = [layer for layer in layers if layer.name == self._chosen]
        return next(iter([*named, *known, *layers]), None)

    def choose(self, by: int) -> None:
        """The next layer below, or above."""
        layers, now = self.layers(), self.chosen()
        if now is not None:
            at = [layer.name for layer in layers].index(now.name)
            self._chosen = layers[min(max(at + by, 0), len(layers) - 1)].name

    def choose_at(self, place: int) -> None:
        """The layer in a place of the list, counted from the top."""
        layers = self.layers()
        if 0 <= place < len(layers):
            self._chosen = layers[place].name

    def next_side(self) -> None:
        """Something else of the chosen layer."""
        self.side = SIDES[(SIDES.index(self.side) + 1) % len(SIDES)]
