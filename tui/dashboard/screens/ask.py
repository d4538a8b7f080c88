"""A question that is answered with a line of text, and one that is answered by choosing from a list."""

from __future__ import annotations

import asyncio
import time
from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from laddertop.journal.events import Checkpointed, EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState
from laddertop.tui.draw.numbers import ago, size, thousands
from laddertop.tui.draw.text import harmless
from laddertop.tui.watch.wording import measure

_CSS = """
    {0} {{ align: center middle; background: transparent; }}
    {0} > Vertical, {0} > Static, {0} > Input, {0} > OptionList {{ width: 76; max-width: 100%; }}
    {0} > Static {{ height: auto; padding: 0 1; border: none; background: $background; }}
    {0} > Input {{ height: 3; background: $background; }}
    {0} > OptionList {{ height: auto; max-height: 70%; background: $background; }}
"""


def in_a_line(saved: Checkpointed, state: RunState) -> str:
    """A checkpoint with what it was worth: the newest evaluation up to its step."""
    words = f"step {thousands(saved.step):>9}  {size(saved.bytes):>7}  {ago(time.time() - saved.time):>6}  "
    evaluated = [e for e in state.evaluations if e.values and e.step <= saved.step]
    values = evaluated[-1].values if evaluated else {}
    return words + ", ".join(measure(name, value.value) for name, value in list(values.items())[:1])


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
    number = await app.push_screen_wait(Choose(f"{question} a checkpoint:", lines, at))
    return None if number is None else steps[number]


class AskLine(ModalScreen[str | None]):
    """Asks for a line of text; None when the user thinks better of it."""

    DEFAULT_CSS = _CSS.format("AskLine")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave it as it is")]

    def __init__(self, question: str, value: str = "") -> None:
        super().__init__()
        self._question, self._value = question, value

    def compose(self) -> ComposeResult:
        """The question and a field."""
        yield Static(f"{harmless(self._question)}   enter takes it, esc leaves it", markup=False)
        yield Input(self._value, select_on_focus=False)

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Close with what was typed."""
        self.dismiss(event.value)


class Choose(ModalScreen[int | None]):
    """Asks for one of several; the answer is its number, None when the user thinks better of it."""

    DEFAULT_CSS = _CSS.format("Choose")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "none of them")]

    def __init__(self, question: str, options: list[str], at: int = 0) -> None:
        """Asks `question`; the cursor stands on option number `at`."""
        super().__init__()
        self._question, self._options, self._at = question, options, at

    def compose(self) -> ComposeResult:
        """The question and the list."""
        yield Static(f"{harmless(self._question)}   enter takes one, esc none", markup=False)
        yield OptionList(*(Option(harmless(text)) for text in self._options), markup=False)

    def on_mount(self) -> None:
        """The cursor to its place."""
        self.query_one(OptionList).highlighted = self._at

    @on(OptionList.OptionSelected)
    def take(self, event: OptionList.OptionSelected) -> None:
        """Close with the choice."""
        self.dismiss(event.option_index)
