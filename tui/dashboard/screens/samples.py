"""The samples screen: the fixed test items large, and how they came to look so over the training."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.events import Click

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
        "what was done to the run, ↻ a resume. The error is the absolute difference of input and reconstruction. A "
        "click on the line goes there."
    )
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("esc", "back"),
        ("←→", "scrub"),
        ("↑↓", "items"),
        ("+-", "zoom"),
        ("v", "drawing"),
        ("c", "colour"),
        ("end", "newest"),
        ("2-4", "model"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "scrub(-1)", "earlier samples"),
        Binding("right", "scrub(1)", "later samples"),
        Binding("shift+left", "scrub(-10)", "ten earlier"),
        Binding("shift+right", "scrub(10)", "ten later"),
        Binding("home", "scrub(-1000000)", "the first samples"),
        Binding("end", "scrub(1000000)", "the newest samples, and whatever comes"),
        Binding("up", "items(-1)", "the items before these"),
        Binding("down", "items(1)", "the items after these"),
        Binding("plus,equals_sign", "zoom(1)", "larger images, fewer items"),
        Binding("minus", "zoom(-1)", "smaller images, more items"),
        Binding("c", "colour", "colour images in colour, or in their luminance"),
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

    def action_scrub(self, by: int) -> None:
        """Earlier or later samples."""
        self.model.go(by)
        self.changed()

    def action_items(self, by: int) -> None:
        """Other items."""
        panel = self.query_one(Samples)
        items = max((len(rows) for rows in self.view.images.values()), default=1)
        panel.first = min(max(panel.first + by * panel.at_once, 0), max(items - 1, 0))
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

    def on_click(self, event: Click) -> None:
        """The samples nearest to a step of the line."""
        line = self.query_one(Timeline)
        if line.region.contains(event.screen_x, event.screen_y):
            self.model.go_to(line.step_at(event.screen_x - line.region.x))
            self.changed()
