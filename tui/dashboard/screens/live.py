"""The run screen of a run as it is now: what is seen of it, steering, and the screens that look into its model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.events import Key

from laddertop.journal.actions import Action
from laddertop.journal.folder import RunFolder
from laddertop.journal.knobs import asked_of
from laddertop.tui.dashboard import aside, farewell
from laddertop.tui.dashboard.knob_keys import KnobKey, key_of, knob_keys, taken
from laddertop.tui.dashboard.messages import ForkRun, StartEngine
from laddertop.tui.dashboard.run_keys import FIRST, KEYS, LOOKING, NOW, STEERING, at_hand
from laddertop.tui.dashboard.screens import knob_commands
from laddertop.tui.dashboard.screens.ask import AskLine, Confirm, choose_checkpoint
from laddertop.tui.dashboard.screens.commands import Command
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.widgets.event_log import EventLog
from laddertop.tui.dashboard.widgets.knobs import Knobs
from laddertop.tui.learn.beside import Beside
from laddertop.tui.learn.guide import Guide
from laddertop.tui.steer.steering import Steering
from laddertop.tui.steer.trust import ONLY_LOOKS
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.trouble import way_back
from laddertop.tui.watch.watcher import News
from laddertop.tui.watch.wording import knob_value

if TYPE_CHECKING:
    from laddertop.tui.steer.asking import Asking

LOOKS_BESIDE = 0.5
"""Seconds between two looks at the second run of a lesson."""


class LiveScreen(RunScreen, inherit_bindings=False):
    """One run, to be steered."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding() for key in KEYS]

    def __init__(
        self,
        run: RunFolder,
        plain: bool = False,
        read_only: bool = False,
        stranger: str = "",
        guide: Guide | None = None,
    ) -> None:
        """Shows `run`; `plain` draws in ASCII, with `read_only`, or for a `stranger`'s reason, no key asks anything;
        `guide` is that of the lesson that the run is of."""
        super().__init__(run, plain, guide)
        self.view.stranger = stranger
        self.view.steerable = not read_only and not stranger
        self._asking: Asking | None = None
        self._compares = self._rests = False
        self.steering = Steering(self.view, self.tell, self._sent, aside.do)

    def guide_moved(self) -> None:
        """Where the guide comes to it, the second run of its lesson is trained."""
        super().guide_moved()
        if self.guide is not None and self.guide.beside is not None and self.guide.compares and not self._compares:
            self._compares = True
            self._train_beside(self.guide.beside)

    def _guide_looks(self, guide: Guide, news: News) -> None:
        super()._guide_looks(guide, news)
        if guide.rests != self._rests and self.view.alive and self.view.state.started is not None:
            self._rests = guide.rests
            self.ask("pause" if self._rests else "continue", note="the pace of the lesson")

    @work
    async def _train_beside(self, beside: Beside) -> None:
        """Begin or go on with the second run of the lesson, and look at both."""
        try:
            if await asyncio.to_thread(beside.made):
                self.post_message(StartEngine(beside.run))
            while True:
                await asyncio.to_thread(beside.look)
                await asyncio.sleep(LOOKS_BESIDE)
        except (OSError, ValueError) as error:
            self.tell(str(error))

    def on_key(self, event: Key) -> None:
        """A key that a knob of this run declares turns it."""
        if key := key_of(event.character, self.view.state.knobs):
            event.stop()
            event.prevent_default()
            self.press(key)
        elif not self.view.state.knobs and event.is_printable and event.character not in taken():
            # Which knobs there are is not known before the engine has started.
            self.steering.ready()

    def press(self, key: KnobKey) -> None:
        """What a key of a knob does."""
        if key.up is None:
            self.steering.flip(key.group)
        else:
            self.steering.turn(key.group, key.up)

    def help_groups(self) -> dict[str, list[BindingType]]:
        """The twelve to begin with, the knobs of this run, then all others; who only looks has those that look."""
        if not self.view.steerable:
            return {**super().help_groups(), "the model": [entry.binding() for entry in NOW]}
        groups = {"the first twelve": [entry for name in FIRST for entry in KEYS if entry.name == name]}
        groups |= {
            name: [entry for entry in keys if entry.name not in FIRST]
            for name, keys in (("the training", STEERING), ("the model", NOW), ("looking", LOOKING))
        }
        found: dict[str, list[BindingType]] = {
            name: [entry.binding() for entry in keys] for name, keys in groups.items()
        }
        turns: list[BindingType] = [Binding(key.key, "", key.about) for key in knob_keys(self.view.state.knobs)]
        begin, *others = found.items()
        return dict([begin, ("the knobs of this run", turns), *others])

    def action_steer(self, deed: str, name: str | None = None, up: bool | None = None) -> None:
        """Ask something of the engine."""
        getattr(self.steering, deed)(*(word for word in (name, up) if word is not None))

    def ask(self, action: Action, changes: Mapping[str, float | str] | None = None, note: str = "") -> None:
        """Send a command to the engine, or say why not."""
        self.steering.ask(action, changes, note)

    def advise(self, finding: Finding) -> None:
        """Send its remedy to the engine."""
        self.steering.advise(finding)

    def _sent(self) -> None:
        self.query_one(Knobs).update()
        self.query_one(EventLog).update()
        self.look_soon()

    @work
    async def action_stop(self) -> None:
        """Ask, then stop."""
        if not self.steering.heard():
            return
        about = "It saves a checkpoint first, and can be resumed."
        if "checkpoint" in self.view.unable:
            about = "It has what its loop saved so far; nothing is saved at its end."
        question = Confirm(f"stop {self.view.run.name}?", "stop it", about)
        if await self.app.push_screen_wait(question):
            self.ask("stop")

    @work
    async def action_note(self) -> None:
        """Ask for a note, then leave it."""
        if not self.steering.heard():
            return
        note = await self.app.push_screen_wait(AskLine("a note for the event log of this run"))
        if note is not None and note.strip():
            self.ask("annotate", None, note.strip())

    @work
    async def ask_value(self, name: str) -> None:
        """Ask for a value of a knob, and send it, or say why it can't be."""
        if not self.steering.heard():
            return
        knob = self.view.state.knobs[name]
        question = knob.label
        if knob.kind == "number":
            question += f", from {knob.low:g} to {knob.high:g}"
            question += ", or a course such as 0..1:linear:2000" if self.view.spec.model.ours else ""
        text = await self.app.push_screen_wait(AskLine(question, knob_value(knob, knob.value)))
        if text is not None and text.strip():
            try:
                value = asked_of(knob, text.strip(), None)
            except ValueError as error:
                self.tell(str(error))
            else:
                self.ask("set", {name: value})

    def at_hand(self) -> list[Binding]:
        """The keys that do something now, without those of the knobs, which the palette has beside their values."""
        return [entry.binding() for entry in at_hand(self.view)]

    def named(self) -> list[Command]:
        """The knobs, for the palette."""
        return knob_commands.named(self)

    def meant(self, typed: str) -> list[Command]:
        """What typed text makes of the knobs."""
        return knob_commands.meant(self, typed)

    def action_resume(self) -> None:
        """Start an engine that goes on from the newest checkpoint."""
        if self.steering.ready():
            self.post_message(StartEngine(self.view.run))

    def action_fork(self) -> None:
        """A new run that goes on from a checkpoint of this one."""
        self.post_message(ForkRun(self.view.run))

    @work
    async def action_roll_back(self) -> None:
        """Send the run back to a checkpoint: its engine does it, or one that is started for that."""
        if not self.view.steerable:
            self.tell(self.view.stranger or ONLY_LOOKS)
        elif self.steering.ready():
            run = self.view.run
            try:
                step = await choose_checkpoint(self.app, run, f"send {run.name} back to", way_back(self.view))
            except (ValueError, OSError) as error:
                self.tell(str(error))
                return
            if step is not None and self.view.alive:
                self.ask("rollback", {"step": step})
            elif step is not None:
                self.post_message(StartEngine(run, step))

    def action_machine(self) -> None:
        """A line about the machine, or none."""
        self.panels.with_machine = not self.panels.with_machine
        self._arrange()

    def action_look_into(self, name: str | None) -> None:
        """Open a screen that looks into the model; when it closes, the one it names, or what was found."""
        if name is None:
            return
        from laddertop.tui.dashboard.screens.model_screen import FINDINGS
        from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS

        if name == FINDINGS:
            self.action_findings()
        else:
            screen = MODEL_SCREENS[name](self.view, self._asked(), self._plain)
            screen.guide = self.guide
            self.app.push_screen(screen, self.action_look_into)

    def answered(self) -> set[str]:
        """Of all screens that look into it."""
        return {got.question.kind for got in self._asking.got.values()} if self._asking else set()

    def _asked(self) -> Asking:
        """Who asks the model for the screens that look into it; most dashboards never open one."""
        if self._asking is None:
            from laddertop.tui.steer.asking import Asking

            self._asking = Asking(self.view.run)
            self._asking.allowed = self.view.steerable
        return self._asking

    def farewell(self) -> str:
        """Where the run stands."""
        return farewell.of_run(self.view)

    async def on_unmount(self) -> None:
        """Nobody asks the model any more."""
        if self._asking is not None:
            await asyncio.to_thread(self._asking.close)
