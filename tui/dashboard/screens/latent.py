"""The latent screen: a map of the codes, the posterior against the prior, traversal and interpolation decoded live."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.layout import Place
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.screens.model_screen import ALL, OF_CHECKPOINTS, ModelScreen
from laddertop.tui.dashboard.views.latent import BETWEEN, CODES, MANIFOLD, ORIGIN, WALK, LatentView
from laddertop.tui.dashboard.widgets.latent_images import Decoded, Strips
from laddertop.tui.dashboard.widgets.latent_manifold import ManifoldPlane, lines_in
from laddertop.tui.dashboard.widgets.latent_map import LatentMap
from laddertop.tui.dashboard.widgets.latent_units import LatentUnits
from laddertop.tui.steer.asking import Asking
from laddertop.tui.watch.run_view import RunView

_LINES_OF_POINTS = 30
"""Points of a manifold of points, across and up."""


class LatentScreen(ModelScreen):
    """Where the items lie in the latent space, and what lies between them."""

    HEADING: ClassVar[str] = "latent"
    NOTES: ClassVar[str] = (
        "The map shows deterministic codes, of a VAE the means of its posteriors; PCA says what share of the variance "
        "each axis holds. The bars show each unit's mean ± standard deviation over the items, of a VAE those of draws "
        "from the posteriors, the aggregate posterior: where it differs from the prior, samples from the prior fall "
        "into gaps. Units are sorted by how much their codes vary; orange ones hardly do: they are not used. ▼ is the "
        "value in the code that is decoded. The manifold is the plane of a code of two units, decoded on a grid, of a "
        "VAE at quantiles of the prior: every image stands for as much of it."
    )
    MOUSE: ClassVar[tuple[tuple[str, str], ...]] = (
        ("hover", "on the map: the nearest item; on the units: which one; on images: what they are decoded from"),
        ("click", "on the map: the nearest item becomes A, with the right button B; on the units: chooses one"),
        ("click", "on the manifold: A's code becomes that of the image"),
        ("wheel", "on the units: the one above or below"),
    )
    HINTS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("back", "everywhere.back"),
        ("value", "latent.lower", "latent.raise"),
        ("unit", "latent.up", "latent.down"),
        ("item", "latent.previous-item", "latent.next-item"),
        ("to B", "latent.other"),
        ("axes", "latent.axes"),
        ("manifold", "latent.manifold"),
        ("restore", "latent.restore"),
        ("strip", "latent.strip"),
        ("checkpoint", "model.older", "model.newer"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("latent.lower", "turn(-1)"),
        bind("latent.raise", "turn(1)"),
        bind("latent.far-lower", "turn(-5)"),
        bind("latent.far-raise", "turn(5)"),
        bind("latent.up", "unit(-1)"),
        bind("latent.down", "unit(1)"),
        bind("latent.restore", "restore"),
        bind("latent.previous-item", "item(-1)"),
        bind("latent.next-item", "item(1)"),
        bind("latent.other", "other"),
        bind("latent.swap", "swap"),
        bind("latent.axes", "axes"),
        bind("latent.manifold", "manifold"),
        bind("latent.strip", "strip", priority=True),
        *OF_CHECKPOINTS,
        *ALL,
    ]

    def __init__(self, view: RunView, asking: Asking, plain: bool = False) -> None:
        super().__init__(view, asking, plain)
        self.model = LatentView(view, asking)
        self._lines = 2

    def panels(self) -> list[Panel]:
        """Map or manifold, units, the decoded code, the rows of images."""
        return [
            LatentMap(self.view, self.model, id="map"),
            ManifoldPlane(self.view, self.model, id="manifold"),
            LatentUnits(self.view, self.model, id="units"),
            Decoded(self.view, self.model, id="decoded"),
            Strips(self.view, self.model, id="strips"),
        ]

    def places(self, width: int, height: int) -> dict[str, Place]:
        """The map on the left; the decoded code has a panel of its own where the screen is wide and high."""
        below = min(max(height * 2 // 5, 8), 18) if height >= 26 else 8
        upper = height - below
        wide = width >= 110 and upper >= 12
        right = 30 if wide else 0
        units = 36 if wide else min(max(width * 2 // 5, 30), 40)
        left = width - right - units - (2 if wide else 1)
        places = {
            "manifold" if self.model.manifold else "map": Place(0, 0, left, upper),
            "units": Place(left + 1, 0, units, upper),
            "strips": Place(0, upper, width, below),
        }
        if wide:
            places["decoded"] = Place(width - right, 0, right, upper)
        self.query_one(Strips).with_code = not wide
        self._lines = lines_in(upper, left)
        return places

    def use(self) -> str:
        """What the newest key was about, as far as it is not answered; else the map."""
        return next((use for use in (WALK, BETWEEN, MANIFOLD) if self.asking.waiting(use) is not None), CODES)

    def refreshed(self) -> tuple[str, ...]:
        """All of it."""
        return CODES, WALK, ORIGIN, BETWEEN, *([MANIFOLD] if self.model.manifold else [])

    def question(self) -> None:
        """Ask for map and images."""
        for panel in self.query(Panel):
            if isinstance(panel, Decoded | Strips | ManifoldPlane):
                panel.mode = self.mode
        width, _ = self.room
        images = 9 if width >= 110 else 5 if width < 90 else 7
        points = self.view.spec.data.points
        self.model.question(100 if points else images, _LINES_OF_POINTS if points else self._lines)

    def idle(self, action: str) -> bool:
        """Without a way back from the codes there is a map, and nothing to decode."""
        return super().idle(action) or self.model.idle(action)

    def action_turn(self, by: int) -> None:
        """Change the chosen unit."""
        self.model.turn(by)
        self.changed()

    def action_unit(self, by: int) -> None:
        """Choose another unit."""
        self.model.choose(by)
        self.changed()

    def action_restore(self) -> None:
        """The item's own code."""
        self.model.restore()
        self.changed()

    def action_item(self, by: int) -> None:
        """Another item."""
        self.model.go_to(self.model.item + by)
        self.changed()

    def action_other(self) -> None:
        """A is B too."""
        self.model.other = self.model.item
        self.changed()

    def action_swap(self) -> None:
        """A and B change places."""
        self.model.item, self.model.other = self.model.other, self.model.item
        self.model.restore()
        self.changed()

    def action_axes(self) -> None:
        """Other axes."""
        self.model.axes = "first" if self.model.axes == "pca" else "pca"
        self.changed()

    def action_manifold(self) -> None:
        """Manifold or map, where the code has two units."""
        if not self.idle("manifold"):
            self.model.manifold = not self.model.manifold
            self._arrange()
            self.changed()

    def action_strip(self) -> None:
        """The other row of images."""
        self.model.between = not self.model.between
        self.changed()

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """The item or the unit under the mouse."""
        match message.panel:
            case LatentMap() as map if (item := map.item_at(message.row, message.column)) is not None:
                if message.other:
                    self.model.other = item
                else:
                    self.model.go_to(item)
                self.changed()
            case ManifoldPlane() as plane if (code := plane.code_at(message.row, message.column)) is not None:
                self.model.lie_at(code)
                self.changed()
            case LatentUnits() as units if (unit := units.unit_at(message.row)) is not None:
                self.model.take(unit)
                self.changed()

    def on_panel_turned(self, message: Panel.Turned) -> None:
        """Through the units."""
        if isinstance(message.panel, LatentUnits):
            self.action_unit(-1 if message.up else 1)
