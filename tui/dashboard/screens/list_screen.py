"""What the screens with a table of runs share: they look at the folder again and again, draw what they found once the
terminal has shown the frame before, tell one line, and do things to what stands in the table."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import ClassVar, Generic

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.events import ScreenResume
from textual.screen import Screen
from textual.widgets import Static

from laddertop.tui.dashboard.grammar import mouse_rows
from laddertop.tui.dashboard.list_table import ListTable, Row
from laddertop.tui.dashboard.pace import Pace, in_sight
from laddertop.tui.dashboard.palette import colours_of, style
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.text import harmless

INTERVAL = 1.0
"""Seconds between two looks at the folder."""
SOON = 0.01
"""The same while there is more to be read of what is there already."""


class ListScreen(Screen[None], Generic[Row]):
    """A heading, a table, what the dashboard has to say, the keys."""

    DEFAULT_CSS = """
    ListScreen { background: transparent; }
    ListScreen > .line { height: 1; padding: 0 1; width: 100%; }
    """
    HEADING: ClassVar[str]
    """What its help is headed by."""
    NOTES: ClassVar[str]
    """What its signs mean."""
    MOUSE: ClassVar[tuple[tuple[str, str], ...]]
    """What is done with the mouse."""
    CHANGING: ClassVar[tuple[str, ...]]
    """Actions that change something, which a dashboard that only looks does not."""

    def __init__(self, refusal: str) -> None:
        """`refusal` says why nothing is changed, where nothing is."""
        super().__init__()
        self._refusal = refusal
        self._rows: list[Row] = []
        """What was found at the newest look."""
        self._wake = asyncio.Event()
        """Set where the next look must not wait."""
        self._pace = Pace(self.app)

    # What the screens differ in

    def read(self) -> list[Row]:
        """What is in the folder now; called in a thread. Raises OSError where it can't be read."""
        raise NotImplementedError

    def more(self) -> bool:
        """Whether the next look has more to read of what is there already."""
        raise NotImplementedError

    def show_rows(self, rows: list[Row], hurry: bool = True) -> None:
        """Take up what was read, and show it: at once, unless nobody is in a `hurry`."""
        raise NotImplementedError

    def put(self) -> None:
        """Bring every line of the screen up to date."""
        raise NotImplementedError

    # What they share

    def on_mount(self) -> None:
        """Begin to look."""
        self._look()

    @work
    async def _look(self) -> None:
        # The only one that looks: a view is not made for two at once.
        while True:
            self._wake.clear()
            if not in_sight(self):
                await self._wake.wait()
                continue
            try:
                rows, problem = await asyncio.to_thread(self.read), ""
            except OSError as error:
                rows, problem = self._rows, f"the folder can't be read: {error}"
            # A screen on its way out has no table any more; one that comes while the app leaves never had any.
            if not (self.display and self.children):
                return
            self.show_rows(rows, hurry=False)
            if problem:
                self.tell(problem)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), SOON if self.more() else INTERVAL)

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Look again, as what lay on top has gone."""
        self._wake.set()

    def draw(self, hurry: bool = True) -> None:
        """Bring the screen up to date, if the terminal has shown what was drawn before."""
        if in_sight(self) and self._pace.free(hurry):
            self.put()
            self._pace.drawn()

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self.draw()

    @on(ListTable.Moved)
    def on_moved(self) -> None:
        """The cursor stands on another row."""
        self.draw()

    def heading(self, title: str, *parts: tuple[str, Ink]) -> Text:
        """The first line: what is listed, that it is only looked at where it is, and what else is said of it."""
        line = Text(harmless(title), "bold", no_wrap=True, overflow="ellipsis")
        read_only = [("read-only", Ink.WARN)] if self._refusal else []
        for text, ink in (*read_only, *parts):
            line.append(f"   {text}", style(ink, colours_of(self.app)))
        return line

    def tell(self, text: str) -> None:
        """One line of the dashboard's own."""
        self.query_one("#told", Static).update(Text(harmless(text), style(Ink.WARN, colours_of(self.app))))

    def refused(self) -> bool:
        """Whether nothing is changed here, which is then told."""
        if self._refusal:
            self.tell(self._refusal)
        return bool(self._refusal)

    async def do(self, deed: Callable[[], object], done: str = "") -> bool:
        """Does something in a folder, says that it is done, or why it can't be, and looks at once; whether it is, and
        the screen still there."""
        problem = ""
        try:
            await asyncio.to_thread(deed)
        except (ValueError, OSError) as error:
            problem = str(error)
        if self.display:
            self.tell(problem or done)
        self._wake.set()
        return self.display and not problem

    def at_hand(self) -> list[Binding]:
        """The keys that do something in this dashboard."""
        keys = [b for b in self.BINDINGS if isinstance(b, Binding)]
        return [b for b in keys if not (self._refusal and b.action in self.CHANGING)]

    def action_help(self) -> None:
        """The keys."""
        groups: dict[str, Iterable[BindingType]] = {"": self.at_hand(), "the mouse": mouse_rows(self.MOUSE)}
        self.app.push_screen(Help(self.HEADING, groups, self.NOTES))
