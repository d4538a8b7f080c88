"""The layers screen: what each layer costs, lets through and does with test items, newest or at a checkpoint."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.layout import Place
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.screens.model_screen import ALL, OF_CHECKPOINTS, ModelScreen
from laddertop.tui.dashboard.views.layers import USE, LayersView
from laddertop.tui.dashboard.widgets.layer_details import LayerMap, LayerSide
from laddertop.tui.dashboard.widgets.layer_list import LayerList
from laddertop.tui.steer.asking import Asking
from laddertop.tui.watch.run_view import RunView


class LayersScreen(ModelScreen):
    """Which layer is trained, and which is dead."""

    HEADING: ClassVar[str] = "layers"
    NOTES: ClassVar[str] = (
        "Cost, λ and σ are those of the newest step, whatever checkpoint is asked; the rest is what the model answers "
        "about test items without noise. A layer that is trained answers to classes in patterns of its own: its "
        "map falls into groups. A unit is active when its variance over the items is above 0.01. The gate is ∂ẑ/∂z~, "
        "how much of its lateral signal a layer of a ladder network lets through, mean over items and units: near 1 it "
        "copies, near 0 it trusts what comes from above. Small histograms show roots of the counts."
    )
    MOUSE: ClassVar[tuple[tuple[str, str], ...]] = (
        ("hover", "on the map: the nearest item"),
        ("click", "on the list: chooses a layer"),
        ("wheel", "on the list: the layer above or below"),
    )
    HINTS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("back", "everywhere.back"),
        ("layer", "layers.up", "layers.down"),
        ("histogram", "layers.side"),
        ("checkpoint", "model.older", "model.newer"),
        ("latent", "model.latent"),
        ("explore", "model.explore"),
        ("samples", "model.samples"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("layers.up", "layer(-1)"),
        bind("layers.down", "layer(1)"),
        bind("layers.side", "side"),
        *OF_CHECKPOINTS,
        *ALL,
    ]

    def __init__(self, view: RunView, asking: Asking, plain: bool = False) -> None:
        super().__init__(view, asking, plain)
        self.model = LayersView(view, asking)
        self._rows = 0
        self._newest = -1

    def panels(self) -> list[Panel]:
        """The list above, the chosen layer below."""
        return [
            LayerList(self.view, self.model, id="list"),
            LayerSide(self.view, self.model, id="side"),
            LayerMap(self.view, self.model, id="map"),
        ]

    def places(self, width: int, height: int) -> dict[str, Place]:
        """The list takes what it needs up to half of the screen."""
        self._rows = LayerList.rows_needed(self.model)
        upper = min(self._rows, max(height // 2, 5))
        left = width * 2 // 5
        return {
            "list": Place(0, 0, width, upper),
            "side": Place(0, upper, left, height - upper),
            "map": Place(left + 1, upper, width - left - 1, height - upper),
        }

    def use(self) -> str:
        """The layers."""
        return USE

    def question(self) -> None:
        """Ask for the layers; an answer may tell of more of them than there was room for."""
        self.model.question()
        if LayerList.rows_needed(self.model) != self._rows:
            self._arrange()

    def moved(self) -> bool:
        """The costs of a training go on."""
        before, self._newest = self._newest, self.view.step
        return before != self._newest

    def idle(self, action: str) -> bool:
        """The list has costs without an answer, too."""
        return len(self.model.layers()) < 2 if action.startswith("layer") else super().idle(action)

    def action_layer(self, by: int) -> None:
        """Another layer."""
        self.model.choose(by)
        self.changed()

    def action_side(self) -> None:
        """Another histogram."""
        self.model.next_side()
        self.changed()

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """The layer under the mouse."""
        if isinstance(message.panel, LayerList):
            self.model.choose_at(message.panel.place_at(message.row))
            self.changed()

    def on_panel_turned(self, message: Panel.Turned) -> None:
        """Through the layers."""
        if isinstance(message.panel, LayerList):
            self.action_layer(-1 if message.up else 1)
