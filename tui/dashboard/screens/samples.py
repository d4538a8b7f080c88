"""The samples screen: the fixed test items large, and how they came to look so over the training."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.layout import Place
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.screens.model_screen import ALL, ModelScreen
from laddertop.tui.dashboard.views.samples import SamplesView
from laddertop.tui.dashboard.widgets.samples import SIZES, Samples
from laddertop.tui.dashboard.widgets.timeline import Timeline
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer.asking import Asking
from laddertop.tui.watch.run_view import RunView


class SamplesScreen(ModelScreen):
    """What the engine recorded of its fixed test items."""

    HEADING: ClassVar[str] = "samples"
    NOTES: ClassVar[str] = (
        "Each mark on the line is a sampling that the engine recorded: by its schedule, or because s was pressed. ▼ is "
        "what was done to the run, ↻ a resume. The error is the absolute difference of input and reconstruction."
    )
    MOUSE: ClassVar[tuple[tuple[str, str], ...]] = (
        ("hover", "on an image: which item it is of; on the line: which samples"),
        ("click", "on an image: its item comes first, once more: larger; on the line: the nearest samples"),
        ("wheel", "on an image: larger or smaller"),
    )
    HINTS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("back", "everywhere.back"),
        ("scrub", "samples.earlier", "samples.later"),
        ("items", "samples.up", "samples.down"),
        ("zoom", "samples.larger", "samples.smaller"),
        ("drawing", "model.drawing"),
        ("colour", "samples.colour"),
        ("newest", "samples.newest"),
        ("model", "model.layers", "model.latent", "model.explore"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("samples.earlier", "scrub(-1)"),
        bind("samples.later", "scrub(1)"),
        bind("samples.far-earlier", "scrub(-10)"),
        bind("samples.far-later", "scrub(10)"),
        bind("samples.first", "scrub(-1000000)"),
        bind("samples.newest", "scrub(1000000)"),
        bind("samples.up", "items(-1)"),
        bind("samples.down", "items(1)"),
        bind("samples.larger", "zoom(1)"),
        bind("samples.smaller", "zoom(-1)"),
        bind("samples.colour", "colour"),
        *ALL,
    ]

    def __init__(self, view: RunView, asking: Asking, plain: bool = False) -> None:
        super().__init__(view, asking, plain)
        self.model = SamplesView(view)
        self._newest = -1

    def panels(self) -> list[Panel]:
        """The images and the line of steps."""
        return [Samples(self.view, id="samples"), Timeline(self.view, self.model, id="timeline")]

    def places(self, width: int, height: int) -> dict[str, Place]:
        """The line of steps at the bottom."""
        return {"samples": Place(0, 0, width, height - 3), "timeline": Place(0, height - 3, width, 3)}

    def use(self) -> str:
        """Nothing is asked here."""
        return "samples"

    def question(self) -> None:
        """Show what is chosen."""
        panel = self.query_one(Samples)
        panel.mode, panel.sampling = self.mode, self.model.sampling()

    def look(self) -> bool:
        """Read what is chosen."""
        return self.model.load()

    def moved(self) -> bool:
        """New samples, or a training that goes on."""
        before, self._newest = self._newest, self.view.step
        return before != self._newest

    def said(self) -> tuple[str, int]:
        """Which samples these are."""
        return self.model.said(), Ink.BAD if self.model.problem else Ink.DIM

    def idle(self, action: str) -> bool:
        """Nothing is asked here; what can be done depends on what is recorded."""
        return self.model.idle(action)

    def action_scrub(self, by: int) -> None:
        """Earlier or later samples."""
        self.model.go(by)
        self.changed()

    def action_items(self, by: int) -> None:
        """Other items."""
        panel = self.query_one(Samples)
        self._go_to(panel.first + by * panel.at_once)

    def _go_to(self, item: int) -> None:
        items = max((len(rows) for rows in self.view.images.values()), default=1)
        self.query_one(Samples).first = min(max(item, 0), max(items - 1, 0))
        self.changed()

    def action_zoom(self, by: int) -> None:
        """Larger or smaller images."""
        panel = self.query_one(Samples)
        panel.zoom = min(max(panel.zoom + by, -len(SIZES)), len(SIZES))
        self.changed()

    def action_colour(self) -> None:
        """Colour or luminance."""
        panel = self.query_one(Samples)
        panel.coloured = not panel.coloured
        self.changed()

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """The samples nearest to a step of the line; an item, and once more larger."""
        match message.panel:
            case Timeline() as line:
                self.model.go_to(line.step_at(message.column))
                self.changed()
            case Samples() as images if (item := images.item_at(message.row, message.column)) is not None:
                if item == images.first:
                    self.action_zoom(1)
                else:
                    self._go_to(item)

    def on_panel_turned(self, message: Panel.Turned) -> None:
        """Larger or smaller."""
        if isinstance(message.panel, Samples):
            self.action_zoom(1 if message.up else -1)
