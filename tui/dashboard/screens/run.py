"""What is seen of a run: where it is, why the cost moves, whether it looks right, what was done to it.

No key here asks anything of an engine.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import Resize, ScreenResume

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard import aside
from laddertop.tui.dashboard.arrangement import Arrangement
from laddertop.tui.dashboard.grammar import MOUSE_ON_CHARTS, mouse_rows
from laddertop.tui.dashboard.messages import Failed, Guided, Looked, Shown
from laddertop.tui.dashboard.pace import Pace, in_sight
from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.panels import MIDDLE, PANELS
from laddertop.tui.dashboard.remembered import Remembered, recall, remember
from laddertop.tui.dashboard.run_keys import LOOKING, NOTES
from laddertop.tui.dashboard.screens.chart_screen import ChartScreen
from laddertop.tui.dashboard.views.findings import listed
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.dashboard.widgets.event_log import EventLog
from laddertop.tui.dashboard.widgets.guide import GuidePanel
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.draw.image import usable_modes
from laddertop.tui.draw.scale import Bounds
from laddertop.tui.draw.x_view import Extent, XView
from laddertop.tui.learn.guide import Guide
from laddertop.tui.learn.kept import keep
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.run_view import DECAYS, RunView
from laddertop.tui.watch.watcher import News, Watcher


class RunScreen(ChartScreen):
    """One run, as it is or as it was."""

    DEFAULT_CSS = "RunScreen { overflow: hidden; background: transparent; }"
    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in LOOKING]
    HELP_TITLE: ClassVar[str] = "Keys of the run screen"
    """Title of the help."""
    MOUSE: ClassVar[tuple[tuple[str, str], ...]] = (
        *MOUSE_ON_CHARTS,
        ("hover", "on the samples: which item it is"),
        ("click", "on a panel: chooses it; on a chosen one without charts: the whole screen, or back"),
    )
    """What is done with the mouse, and what that means here."""

    def __init__(self, run: RunFolder, plain: bool = False, guide: Guide | None = None) -> None:
        """Shows `run`; `plain` draws in ASCII, and `guide` is that of the lesson that the run is of."""
        super().__init__()
        self._plain = plain
        self.guide = guide
        self.view = RunView(run)
        self._watcher = Watcher(run)
        self._pace = Pace(self.app)
        self._wake = asyncio.Event()
        self.panels = Arrangement(self, guided=guide is not None)
        """Where they lie, and which is chosen."""
        self._known = Remembered()

    def read(self) -> None:
        """Reads what has to be known before anything is drawn: what is trained, and how the screen was left last.

        Called in a thread. Raises ValueError when the run can't be read.
        """
        self._known = recall(self.view.spec.model.called)
        _ = self.view.made

    def compose(self) -> ComposeResult:
        """One widget per panel; where they lie is decided when the size is known."""
        for name, about in PANELS.items():
            yield about.widget(self.view, id=name)
        if self.guide is not None:
            yield GuidePanel(self.guide, self.view)

    def on_mount(self) -> None:
        """Begin to look."""
        for panel in self.query(Panel):
            panel.ascii_only = self._plain
        self._samples.mode = self._modes()[0]
        self.charts.colourless = self.app.no_color
        self._recall()
        if self.guide is not None:
            self.guide.moved = self.guide_moved
            self.guide_moved()
        self._arrange()
        self._look()

    # What happens in the run folder

    @work(exclusive=True)
    async def _look(self) -> None:
        while self.query(Charts):  # a screen on its way out has none any more
            try:
                news = await asyncio.to_thread(self._watcher.look, self.view.wanted(self.charts.wanted()))
            except (OSError, ValueError) as error:
                self.post_message(Failed(str(error)))
                await asyncio.sleep(2)
                continue
            self.post_message(Looked(self.view.run, news))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 0.01 if news.more else self._pace.interval(self.view))
            self._wake.clear()

    def look_soon(self) -> None:
        """Look at the folder again now, as the charts want something else or an answer is due."""
        self._wake.set()

    def on_looked(self, message: Looked) -> None:
        """Take up what is new, and draw it if the terminal has shown what was drawn before."""
        news = message.news
        asked = news.curves is not None and news.curves.wanted != self.view.curves.wanted
        answered = any(
            command.id in {e.id for e in news.events if e.type == "commanded"} for command in self.view.pending()
        )
        first = self.view.state.started is None
        self.view.apply(news)
        if self.guide is not None:
            self._guide_looks(self.guide, news)
        # A screen on its way out has no panels any more.
        if not self.display:
            return
        if self.panels.outgrown():
            self._arrange()
        self._draw(hurry=asked or answered)
        self.post_message(Shown())
        if first and self.view.state.started is not None:
            self.look_soon()

    # The guide of a lesson

    def place(self) -> str:
        """What a lesson calls this screen."""
        return "run"

    def answered(self) -> set[str]:
        """The kinds of questions that the model has answered here."""
        return set()

    def _guide_looks(self, guide: Guide, news: News) -> None:
        guide.take(news)
        shown = next((s.place() for s in reversed(self.app.screen_stack) if isinstance(s, Guided)), "")
        if guide.look(self.view, shown, self.answered()):
            self.guide_moved()
        for screen in self.app.screen_stack:
            for panel in screen.query(GuidePanel):
                panel.update()

    def guide_moved(self) -> None:
        """Keep where one is in the lesson, and show what its step is about."""
        assert self.guide is not None
        aside.do(partial(keep, self.view.run, self.guide.lesson, replace(self.guide.place)))
        step = self.guide.step
        if self.guide.place.phase == "told":
            self.panels.chosen = step.look or self.panels.chosen
            self.charts.focus_on = step.chart or self.charts.focus_on
            self.panels.maximised = self.charts.grid = False
            self._arrange()

    def _draw(self, hurry: bool = False) -> None:
        if not in_sight(self) or not self._pace.free(hurry):
            return
        for panel in self.query(Panel):
            interval = PANELS[panel.id].interval if panel.id in PANELS else 0.0
            if panel.display and self._pace.due(panel.id or "", interval, hurry):
                panel.update()
        self._pace.drawn()

    def on_failed(self, message: Failed) -> None:
        """Say that the folder can't be read; the next look may go better."""
        if self.display:
            self.tell(f"the run folder can't be read: {message.problem}")

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""
        if self._pace.acknowledged():
            self._draw(hurry=True)

    # Where the panels lie

    def on_resize(self, _: Resize) -> None:
        """A new size may mean another arrangement."""
        self._arrange()

    def on_screen_resume(self, _: ScreenResume) -> None:
        """Show what happened while another screen was on top."""
        for panel in self.query(Panel):
            panel.update()

    def _arrange(self) -> None:
        self.panels.lay_out()

    def action_choose(self, by: int) -> None:
        """Go to the next panel."""
        self._choose(MIDDLE[(MIDDLE.index(self.panels.chosen) + by) % len(MIDDLE)])

    def _choose(self, name: str) -> None:
        self.panels.chosen = name
        self._changed()

    def on_panel_clicked(self, message: Panel.Clicked) -> None:
        """To the panel; once more on one that is no chart: as large as it gets, or back."""
        name = message.panel.id
        if name in MIDDLE and name != self.panels.chosen:
            self._choose(name)
        elif name in MIDDLE and name != self.charts.id:
            self.action_maximise()

    def action_maximise(self) -> None:
        """The chosen panel alone, or all of them."""
        self.panels.maximised, self.charts.grid = not self.panels.maximised, False
        self._changed()

    def action_grid(self) -> None:
        """All pinned charts, or one among the other panels."""
        self.charts.grid = self.panels.maximised = not self.charts.grid
        self.panels.chosen = MIDDLE[0]
        self._changed()

    def _changed(self) -> None:
        """The user has arranged something."""
        self._arrange()
        self.look_soon()
        self._remember()

    def _recall(self) -> None:
        known = self._known
        self.charts.as_left(known)
        self.panels.chosen = known.chosen if known.chosen in MIDDLE else MIDDLE[0]
        self.panels.maximised = known.maximised

    def _remember(self) -> None:
        now = self.charts.left(self.panels.chosen, self.panels.maximised)
        aside.do(partial(remember, self.view.spec.model.called, now))

    # Looking

    def tell(self, text: str) -> None:
        """Say something in the event line."""
        self.query_one(EventLog).say(text)

    def action_charts(self, deed: str, by: int | None = None) -> None:
        """Change the charts."""
        getattr(self.charts, deed)(*(() if by is None else (by,)))
        self.looked_otherwise()

    def action_smooth(self) -> None:
        """Another moving average."""
        self.view.decay = DECAYS[(DECAYS.index(self.view.decay) + 1) % len(DECAYS)]
        self.looked_otherwise()

    def copied(self) -> str:
        """Name, step and values of the shown charts: under the cursor, else the newest."""
        return f"{self.view.run.name} {self.charts.said()}"

    @work
    async def action_choose_charts(self) -> None:
        """Choose which charts are pinned."""
        from laddertop.tui.dashboard.screens.chart_chooser import ChartChooser

        chosen = await self.app.push_screen_wait(ChartChooser(self.view, self.charts.names()))
        if chosen is not None:
            self.charts.pinned, self.charts.focus_on = chosen.pinned, chosen.focus
            self._changed()

    def action_interventions(self) -> None:
        """Every term before and after each intervention."""
        from laddertop.tui.dashboard.screens.interventions import Interventions

        self.app.push_screen(Interventions(self.view))

    @work
    async def action_findings(self) -> None:
        """What was found, whole; send the remedy of one, or go to what shows it."""
        from laddertop.tui.dashboard.screens.findings import Findings

        if not listed(self.view):
            self.tell("nothing that goes wrong was found in this run so far")
        elif wish := await self.app.push_screen_wait(Findings(self.view)):
            if not wish.evidence:
                self.advise(wish.finding)
            elif self.charts.show_evidence(wish.finding):
                self._choose(MIDDLE[0])
            else:
                self.tell("evaluations tell it: no curve shows it")

    def advise(self, finding: Finding) -> None:
        """Nothing is sent from here."""

    def action_next_mode(self) -> None:
        """Another way to draw images."""
        self._samples.next_mode(self._modes())

    def action_help(self) -> None:
        """The keys."""
        from laddertop.tui.dashboard.screens.help import Help

        panels = f"{sign('looking.next-panel')} goes through {', '.join(PANELS[name].middle for name in MIDDLE)}."
        groups = {**self.help_groups(), "the mouse": mouse_rows(self.MOUSE)}
        self.app.push_screen(Help(self.HELP_TITLE, groups, f"{NOTES} {panels}"))

    def help_groups(self) -> dict[str, list[BindingType]]:
        """The keys that there are, by what they are about."""
        return {"looking": [entry.binding() for entry in LOOKING]}

    def _modes(self) -> tuple[str, ...]:
        return usable_modes(self._plain, not self.app.no_color)

    # Where one looks on the charts

    @property
    def charts(self) -> Charts:
        """The charts."""
        return self.query_one(Charts)

    @property
    def sight(self) -> XView:
        """That of the run."""
        return self.view.x

    @property
    def extent(self) -> Extent:
        """How far it has come."""
        return self.view.extent

    def bounds(self) -> Bounds | None:
        """Those of the chart in focus."""
        return self.charts.bounds.get(self.charts.focused())

    def bound(self, bounds: Bounds | None) -> None:
        """Those of the chart in focus."""
        self.charts.bound(bounds)
        self.looked_otherwise()

    def read_out(self) -> None:
        """In the titles of the charts, once the terminal has shown what was drawn before: a mouse moves fast."""
        if self._pace.free(hurry=True):
            self.charts.update()
            self._pace.drawn()

    def looked_elsewhere(self) -> None:
        """At once as far as it is known, and soon the rest."""
        self.charts.update()
        self.look_soon()

    def looked_otherwise(self) -> None:
        """The same, and it is remembered."""
        self.looked_elsewhere()
        self._remember()

    @property
    def _samples(self) -> Samples:
        return self.query_one(Samples)
