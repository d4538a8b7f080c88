"""What the screens that look into a model share: they ask it, wait without standing still, and say what they show."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize, ScreenResume
from textual.screen import Screen

from laddertop.tui.dashboard.grammar import EVERYWHERE, bind, mouse_rows
from laddertop.tui.dashboard.layout import Place, beside, too_small
from laddertop.tui.dashboard.pace import Pace, in_sight
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.widgets.banner import Banner
from laddertop.tui.dashboard.widgets.guide import GuidePanel
from laddertop.tui.dashboard.widgets.source import KeyLine, Source
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.draw.image import usable_modes
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.learn.guide import Guide
from laddertop.tui.steer.asking import Asking
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView

QUICK, IDLE = 0.05, 0.2
"""Seconds between two looks while an answer is due, and otherwise."""

FINDINGS = "findings"
"""The result of a screen in whose place the run screen is to tell what was found."""
ALL: list[BindingType] = [
    bind("model.drawing", "next_mode"),
    bind("model.run", "dismiss(None)"),
    bind("model.layers", "dismiss('layers')"),
    bind("model.latent", "dismiss('latent')"),
    bind("model.explore", "dismiss('explore')"),
    bind("model.samples", "dismiss('samples')"),
    bind("looking.findings", f"dismiss('{FINDINGS}')"),
    *EVERYWHERE,
]
"""Keys of every such screen."""

OF_CHECKPOINTS: list[BindingType] = [
    bind("model.older", "checkpoint(-1)"),
    bind("model.newer", "checkpoint(1)"),
]
"""Keys of those that ask the model."""

_ELSEWHERE = ("app.", "dismiss", "help")
"""How the actions begin that leave a screen, or lay something over it."""


class ModelScreen(Screen[str | None]):
    """A screen on top of the run screen; its result is the name of the screen to open in its place."""

    DEFAULT_CSS = "ModelScreen { overflow: hidden; background: transparent; }"
    HEADING: ClassVar[str]
    """Name of the screen."""
    NOTES: ClassVar[str]
    """What its pictures mean."""
    MOUSE: ClassVar[tuple[tuple[str, str], ...]]
    """What is done with the mouse, and what that means here."""
    HINTS: ClassVar[tuple[tuple[str, ...], ...]]
    """What its last row names while the key does something: a word, and the names of one key or more."""

    def __init__(self, view: RunView, asking: Asking, plain: bool = False) -> None:
        """Looks into the model of a run; `plain` draws in ASCII."""
        super().__init__()
        self.view, self.asking = view, asking
        self._plain = plain
        self.guide: Guide | None = None
        """That of the lesson that the run is of."""
        self._pace = Pace(self.app)
        self.modes = usable_modes(plain, not self.app.no_color)
        self.mode = self.modes[0]

    # What the screens differ in

    def panels(self) -> list[Panel]:
        """The panels between the status bar and the last two rows."""
        raise NotImplementedError

    def places(self, width: int, height: int) -> dict[str, Place]:
        """Where the panels lie in height × width cells, by id; one without a place is hidden."""
        raise NotImplementedError

    def use(self) -> str:
        """The use whose answer the last row but one tells about."""
        raise NotImplementedError

    def refreshed(self) -> tuple[str, ...]:
        """The uses whose answers follow a training."""
        return (self.use(),)

    def question(self) -> None:
        """Ask what has to be known for what is shown; called after every key and every answer."""

    def look(self) -> bool:
        """Look at the run folder, in a thread; whether there is something of the screen's own to draw."""
        self.asking.look()
        return False

    def moved(self) -> bool:
        """Whether something is to be drawn again without an answer or a key; called a few times a second."""
        return False

    def idle(self, action: str) -> bool:
        """Whether a key of the pictures does nothing now: there are none where nothing is answered."""
        return self.asking.mute(self.use())

    # What they share

    def compose(self) -> ComposeResult:
        """The status bar, what is wrong, the panels, the source of what they show, the keys."""
        yield StatusBar(self.view, id="status")
        banner = Banner(self.view, id="banner")
        banner.helps = False
        yield banner
        yield from self.panels()
        yield Source(self.view, self.said, id="source")
        yield KeyLine(self.view, self.hints, id="keys")
        if self.guide is not None:
            yield GuidePanel(self.guide, self.view)

    @property
    def room(self) -> tuple[int, int]:
        """Columns and rows that are left by the guide of a lesson."""
        width, height = self.app.size
        return (width, height) if self.guide is None else beside(width, height)[:2]

    def place(self) -> str:
        """What a lesson calls this screen."""
        return self.HEADING

    def said(self) -> tuple[str, int]:
        """The last row but one, with its ink."""
        return self.asking.source(self.use(), self.view.step, self.view.alive)

    def at_hand(self) -> list[Binding]:
        """The keys that do something now: those that lead elsewhere always."""
        return [
            binding
            for binding in self.BINDINGS
            if isinstance(binding, Binding)
            and (binding.action.startswith(_ELSEWHERE) or not self._does_nothing(binding.action))
        ]

    def hints(self) -> list[tuple[str, str]]:
        """Those of them that the last row names, with a word each."""
        names = {binding.id for binding in self.at_hand()}
        return [(sign(*keys), word) for word, *keys in self.HINTS if keys[0] in names]

    def _does_nothing(self, action: str) -> bool:
        # Another checkpoint may answer where this one refuses.
        return not self.asking.allowed if action.startswith("checkpoint") else self.idle(action)

    def on_mount(self) -> None:
        """Begin to look."""
        for panel in self.query(Panel):
            panel.ascii_only = self._plain
        self._arrange()
        self.question()
        self._look()

    @work(exclusive=True)
    async def _look(self) -> None:
        while True:
            changed = await asyncio.to_thread(self.look)
            if not self.display:
                return
            changed = self.asking.take() or changed
            self.asking.refresh(self.refreshed(), self.view.step, self.view.alive)
            if changed:
                self.question()
            self.draw(everything=changed or self.moved())
            waiting = self.asking.waiting(self.use()) is not None
            await asyncio.sleep(QUICK if waiting else IDLE)

    def changed(self) -> None:
        """A key has changed what is to be shown."""
        self.question()
        self.draw(everything=True)

    def draw(self, everything: bool) -> None:
        """Bring the screen up to date, if the terminal has shown what was drawn before."""
        if not in_sight(self) or not self._pace.free(everything):
            return
        if self._wrong() != self.query_one(Banner).display:
            self._arrange()
        for panel in self.query(Panel):
            if panel.display and (everything or panel.id in ("status", "banner", "source", "keys")):
                panel.update()
        self._pace.drawn()

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self.draw(everything=True)

    def on_resize(self, _: Resize) -> None:
        """A new size may mean another arrangement."""
        self._arrange()

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Show what happened while another screen was on top."""
        self.draw(everything=True)

    def _wrong(self) -> bool:
        """Whether something is; here the first row of it is told, the run screen has the rest."""
        return self.query_one(Banner).least_rows(*self.room) > 0

    def _arrange(self) -> None:
        if too_small(*self.app.size):
            return
        width, height = self.room
        for guide in self.query(GuidePanel):
            guide.lie(*self.app.size)
        top = 1 + self._wrong()
        places = {
            "status": Place(0, 0, width, 1),
            **({"banner": Place(0, 1, width, 1)} if top > 1 else {}),
            "source": Place(0, height - 2, width, 1),
            "keys": Place(0, height - 1, width, 1),
            **{
                id: Place(place.x, place.y + top, place.width, place.height)
                for id, place in self.places(width, height - 2 - top).items()
            },
        }
        for panel in self.query(Panel):
            place = places.get(panel.id or "")
            panel.display = place is not None
            if place is not None:
                panel.styles.offset = (place.x, place.y)
                panel.styles.width, panel.styles.height = place.width, place.height
            panel.update()

    def action_next_mode(self) -> None:
        """Another way to draw images."""
        at = self.modes.index(self.mode)
        self.mode = self.modes[(at + 1) % len(self.modes)]
        self.changed()

    @work
    async def action_checkpoint(self, by: int) -> None:
        """Ask an older or newer checkpoint, or the newest state."""
        recorded = list(self.view.state.checkpoints)
        try:
            saved = sorted({c.step for c in await asyncio.to_thread(self.view.run.checkpoints, recorded)})
        except (ValueError, OSError):
            saved = []
        steps: list[int | None] = [*(step for step in saved if step < self.view.step), None]
        now = self.asking.checkpoint
        at = steps.index(now) if now in steps else len(steps) - 1
        self.asking.go_to(steps[min(max(at + by, 0), len(steps) - 1)])
        self.changed()

    def where(self) -> str:
        """Which state of the model is meant, for the titles."""
        return "newest" if self.asking.checkpoint is None else f"checkpoint {thousands(self.asking.checkpoint)}"

    def action_help(self) -> None:
        """The keys."""
        groups: dict[str, Iterable[BindingType]] = {"": self.at_hand()}
        if not self.idle(""):
            groups["the mouse"] = mouse_rows(self.MOUSE)
        self.app.push_screen(Help(f"Keys of the {self.HEADING} screen", groups, self.NOTES))
