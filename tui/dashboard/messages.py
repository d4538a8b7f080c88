"""What the parts of the dashboard tell each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from textual.message import Message

from laddertop.journal.folder import RunFolder

if TYPE_CHECKING:
    from textual.binding import Binding

    from laddertop.tui.dashboard.background import Paper
    from laddertop.tui.watch.watcher import News


@runtime_checkable
class Telling(Protocol):
    """A screen that has a line for what the dashboard says."""

    def tell(self, text: str) -> None:
        """Say it."""


@runtime_checkable
class Acknowledging(Protocol):
    """A screen that waits for the terminal before it draws again."""

    def acknowledge(self) -> None:
        """The terminal has shown the last frame."""


@runtime_checkable
class Ending(Protocol):
    """A screen on which something may be under way that the key for going back ends first."""

    def end_under_way(self) -> bool:
        """End it; whether there was something."""


@runtime_checkable
class Copying(Protocol):
    """A screen that has something to copy."""

    def copied(self) -> str:
        """What is read on it now, in a line."""


@runtime_checkable
class Listing(Protocol):
    """A screen some of whose keys do nothing at times."""

    def at_hand(self) -> list[Binding]:
        """Those that do something now."""


@runtime_checkable
class Leaving(Protocol):
    """A screen that leaves a line on the terminal when the dashboard is left from it."""

    def farewell(self) -> str:
        """The line; empty where there is nothing to say."""


@runtime_checkable
class Guided(Protocol):
    """A screen that a lesson may lead to."""

    def place(self) -> str:
        """What the lesson calls it."""


class PaperTold(Message):
    """The terminal has told its background."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        super().__init__()


class Shown(Message):
    """A screen shows what it is about: keys find something that they mean."""


class Looked(Message):
    """The watcher has looked at the run folder."""

    def __init__(self, run: RunFolder, news: News) -> None:
        self.run = run
        self.news = news
        super().__init__()


class Failed(Message):
    """The watcher could not look."""

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__()


class Pointed(Message):
    """The mouse is over a position of the charts' x axis, or over none any more."""

    def __init__(self, position: float | None) -> None:
        self.position = position
        super().__init__()


class Placed(Message):
    """The user wants the cursor of the charts at a position."""

    def __init__(self, position: float) -> None:
        self.position = position
        super().__init__()


class Zoomed(Message):
    """The user wants to see more of the charts' x axis, or less."""

    def __init__(self, factor: float) -> None:
        self.factor = factor
        super().__init__()


class SizesKnown(Message):
    """More is known of how large runs are."""


class OpenRun(Message):
    """The user wants to see a run."""

    def __init__(self, run: RunFolder, replay: bool = False, over: bool = False) -> None:
        self.run = run
        self.replay = replay
        """Whether it is played again from its first step."""
        self.over = over
        """Whether the screen that it is opened from lies below it."""
        super().__init__()


class CompareRuns(Message):
    """The user wants to see runs beside each other."""

    def __init__(self, runs: list[RunFolder]) -> None:
        self.runs = runs
        super().__init__()


class ForkRun(Message):
    """The user wants a new run that goes on from a checkpoint of this one."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        super().__init__()


class StartEngine(Message):
    """The user wants an engine for a run: a new one, one to resume, or one to send back."""

    def __init__(self, run: RunFolder, back_to: int | None = None) -> None:
        self.run = run
        self.back_to = back_to
        """Step of the checkpoint that it goes on from; none: the newest, or the beginning."""
        super().__init__()
