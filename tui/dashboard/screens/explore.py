"""The explore screen: denoise, fill in, classify, errors, generate, and the gradient field, on items or a drawing."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType
from textual.events import MouseDown, MouseMove

from laddertop.tui.dashboard.grammar import bind
from laddertop.tui.dashboard.layout import Place
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.screens.model_screen import ALL, OF_CHECKPOINTS, ModelScreen
from laddertop.tui.dashboard.views.explore import TASKS, ExploreView
from laddertop.tui.dashboard.widgets.explore_panels import BACKGROUNDS, Result, Sheet, TaskBar, sample_size
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer.asking import Asking
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView


class ExploreScreen(ModelScreen):
    """What the model does with what it is given."""

    HEADING: ClassVar[str] = "explore"
    NOTES: ClassVar[str] = (
        "The training engine answers between two steps; without one a process of its own answers from a checkpoint, "
        "and takes some seconds to start. The title of a picture says what it answers; stale: the keys have asked for "
        "something else since. Filling in starts from noise; the pixels that are not missing are put back after each "
        "step."
    )
    MOUSE: ClassVar[tuple[tuple[str, str], ...]] = (
        ("hover", "on what was generated: which sample it is"),
        ("click", "on a task: goes to it"),
        ("drag", "on the image: draws, as the arrows do with the pen"),
    )
    HINTS: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("back", "everywhere.back"),
        ("task", "explore.next-task"),
        ("item", "explore.left", "explore.right"),
        ("kind", "explore.kind"),
        ("level", "explore.more", "explore.less"),
        ("play", "explore.play"),
        ("draw", "explore.draw"),
        ("seed", "explore.seed"),
        ("checkpoint", "model.older", "model.newer"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        bind("explore.next-task", "task(1)", priority=True),
        bind("explore.previous-task", "task(-1)", priority=True),
        bind("explore.left", "arrow(0, -1)"),
        bind("explore.right", "arrow(0, 1)"),
        bind("explore.more", "arrow(-1, 0)"),
        bind("explore.less", "arrow(1, 0)"),
        bind("explore.kind", "kind"),
        bind("explore.seed", "seed"),
        bind("explore.draw", "draw"),
        bind("explore.play", "space"),
        bind("explore.restart", "restart"),
        bind("explore.clear", "clear"),
        bind("explore.item", "item"),
        bind("explore.behind", "behind"),
        *OF_CHECKPOINTS,
        *ALL,
    ]

    def __init__(self, view: RunView, asking: Asking, plain: bool = False) -> None:
        super().__init__(view, asking, plain)
        self.model = ExploreView(view, asking)
        self._hint = ""

    def panels(self) -> list[Panel]:
        """The tasks, the sheet, the answer."""
        return [
            TaskBar(self.view, self.model, id="tasks"),
            Sheet(self.view, self.model, id="sheet"),
            Result(self.view, self.model, id="result"),
        ]

    def places(self, width: int, height: int) -> dict[str, Place]:
        """Tasks without an item give the answer the whole width."""
        places = {"tasks": Place(0, 0, width, 1)}
        if self._alone():
            return places | {"result": Place(0, 1, width, height - 1)}
        left = width // 3 + 1
        return places | {
            "sheet": Place(0, 1, left, height - 1),
            "result": Place(left + 1, 1, width - left - 1, height - 1),
        }

    def use(self) -> str:
        """The task's."""
        return self.model.use()

    def said(self) -> tuple[str, int]:
        """A hint until the next key, else where the answer comes from."""
        if self._hint:
            return self._hint, Ink.WARN
        if self.model.lacks():
            return f"this model can't; {sign('explore.next-task')} goes on to the next task", Ink.DIM
        return super().said()

    def question(self) -> None:
        """Ask for the task, for as many samples as there is room for."""
        self.query_one(Sheet).mode = self.query_one(Result).mode = self.mode
        size = self.model.size()
        height, width = sample_size(size[1] if size else 28)
        columns, rows = self.room
        room = columns // (width + 1) * ((rows - 4) // (height + 1))
        self.model.rows = min(max(room, 1), 100)
        self.model.question()

    def moved(self) -> bool:
        """The next frame of filling in."""
        return self.model.tick()

    def changed(self) -> None:
        """A key may have changed what has room."""
        self._hint = ""
        self._arrange()
        super().changed()

    def idle(self, action: str) -> bool:
        """Another task may be answered where this one is not."""
        return not self.asking.allowed if action.startswith("task") else super().idle(action) or self.model.idle(action)

    def action_task(self, by: int) -> None:
        """Another task."""
        self.model.next_task(by)
        self.changed()

    def action_arrow(self, down: int, right: int) -> None:
        """Move the pen; without it go to another item, or turn the level."""
        if self.model.pen is not None:
            self.model.move(down, right)
        elif right:
            self.model.go_to(self.model.item + right)
        else:
            self.model.turn(-down)
        self.changed()

    def action_kind(self) -> None:
        """Another corruption, or another part."""
        self.model.next_corruption()
        self.changed()

    def action_seed(self) -> None:
        """Other draws."""
        self.model.next_seed()
        self.changed()

    def action_draw(self) -> None:
        """Take the pen or put it away."""
        hint = self.model.draw()
        self.changed()
        self._hint = hint
        self.draw(everything=True)

    def action_space(self) -> None:
        """Pen down or up; or play and pause."""
        if self.model.pen is not None:
            self.model.down = not self.model.down
            self.model.move(0, 0)
        else:
            self.model.playing = not self.model.playing
        self.changed()

    def action_restart(self) -> None:
        """From the first frame."""
        self.model.restart()
        self.changed()

    def action_clear(self) -> None:
        """An empty sheet."""
        self.model.clear()
        self.changed()

    def action_item(self) -> None:
        """The test item again."""
        self.model.go_to(self.model.item)
        self.changed()

    def action_behind(self) -> None:
        """Something else behind the arrows."""
        panel = self.query_one(Result)
        panel.behind = BACKGROUNDS[(BACKGROUNDS.index(panel.behind) + 1) % len(BACKGROUNDS)]
        self.changed()

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """Another task."""
        if isinstance(message.panel, TaskBar) and (task := message.panel.task_at(message.column)) is not None:
            self.action_task(task - TASKS.index(self.model.task))

    def on_mouse_down(self, event: MouseDown) -> None:
        """Draw where the mouse is."""
        self._paint(event)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Draw along with the mouse while its button is down."""
        if event.button:
            self._paint(event)

    def _paint(self, event: MouseDown | MouseMove) -> None:
        sheet = self.query_one(Sheet)
        if not sheet.display or not sheet.region.contains(event.screen_x, event.screen_y):
            return
        pixel = sheet.pixel(event.screen_y - sheet.region.y, event.screen_x - sheet.region.x)
        if pixel is not None:
            self.model.paint(*pixel)
            self.changed()

    def _alone(self) -> bool:
        return self.model.points or self.model.task in ("errors", "generate", "field")
