"""Questions: for a line of text, for one of a list, and whether to do something."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from laddertop.journal.events import Checkpointed, EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.draw.numbers import ago, size, thousands
from laddertop.tui.draw.text import harmless
from laddertop.tui.watch.wording import measure


def in_a_line(saved: Checkpointed, state: RunState) -> str:
    """A checkpoint with what it was worth: the newest evaluation up to its step."""
    words = f"step {thousands(saved.step):>9}  {size(saved.bytes):>7}  {ago(time.time() - saved.time):>6}  "
    evaluated = [e for e in state.evaluations if e.values and e.step <= saved.step]
    values = evaluated[-1].values if evaluated else {}
    return words + ", ".join(measure(name, value) for name, value in list(values.items())[:1])


async def choose_checkpoint(app: App[None], run: RunFolder, question: str, likely: int | None = None) -> int | None:
    """The step of the checkpoint that the user takes; None when they think better of it. The cursor stands on the one
    of step `likely`, else on the newest; 0 is the beginning of the run, also without a checkpoint.

    Called by a worker. Raises ValueError when there is none to take, OSError when the run can't be read.
    """

    def read() -> tuple[RunState, list[Checkpointed]]:
        state = RunState().apply_all(EventReader(run.events_path).read_all())
        return state, run.checkpoints(state.checkpoints)[::-1]

    state, saved = await asyncio.to_thread(read)
    steps, lines = [one.step for one in saved], [in_a_line(one, state) for one in saved]
    if likely == 0 and 0 not in steps:
        steps, lines = [*steps, 0], [*lines, f"step {0:>9}  the beginning: all of it again"]
    if not steps:
        raise ValueError(f"{run.name} has no checkpoint yet")
    at = steps.index(likely) if likely in steps else 0
    number = await app.push_screen_wait(Choose(f"{question} a checkpoint", lines, at))
    return None if number is None else steps[number]


class AskLine(Box[str]):
    """Asks for a line of text."""

    def __init__(self, question: str, value: str = "") -> None:
        """Asks `question`; `value` is what stands in the field at first."""
        super().__init__(question, ("enter", "take it"))
        self._value = value

    def content(self) -> Iterable[Widget]:
        """The field."""
        yield Input(self._value, select_on_focus=False, compact=True)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Close with what was typed."""
        self.dismiss(event.value)


class Choose(Box[int]):
    """Asks for one of several; the answer is its number."""

    def __init__(self, question: str, options: list[str], at: int = 0) -> None:
        """Asks `question`; the cursor stands on option number `at`."""
        super().__init__(question, ("↑↓", "choose"), ("enter", "take it"))
        self._options, self._at = options, at

    def content(self) -> Iterable[Widget]:
        """The list."""
        yield OptionList(*(Option(harmless(text)) for text in self._options), markup=False)

    def on_mount(self) -> None:
        """The cursor to its place."""
        self.query_one(OptionList).highlighted = self._at

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the choice."""
        self.dismiss(event.option_index)


class Confirm(Box[bool]):
    """Asks before something is done; the answer is whether to do it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,y", "dismiss(True)", "do it"),
        Binding("n", "dismiss(None)", "leave it"),
    ]

    def __init__(self, question: str, deed: str, about: str) -> None:
        """Asks `question`; `deed` is what enter does, in a word or two, and `about` what follows from it."""
        super().__init__(question, ("enter", deed))
        self._about = about

    def content(self) -> Iterable[Widget]:
        """What follows from it."""
        yield Static(harmless(self._about), markup=False)
