"""What the screens ask of a run's model, and what came back: by the name of each use the newest answer, what it is
about, and what is still waited for. No textual here.

`look` reads and writes files and may start a process; it is called in a thread, so that no key waits for a disk. All
else is called where the screens are, and `take` hands over what `look` found.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from laddertop.journal.explore import AnyQuestion, Head
from laddertop.journal.folder import RunFolder
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.steer.engine_process import EngineError
from laddertop.tui.steer.explorer import Asked

FRESH = 3.0
"""Seconds after which a model that goes on training is asked again."""
SHARE = 20.0
"""How many times as long as it took to answer passes before it is asked again."""


class Got(NamedTuple):
    """An answer with its question."""

    question: AnyQuestion
    head: Head
    arrays: Mapping[str, np.ndarray]
    at: float
    """When it came, in seconds of the monotonic clock."""


@dataclass(eq=False)
class _Wish:
    """What a use wants to know, of which state. A newer one takes its place; what is found for an older is dropped."""

    question: AnyQuestion
    checkpoint: int | None
    asked: bool = False
    """Whether it is no longer to be asked."""


class _OnItsWay(NamedTuple):
    wish: _Wish
    asked: Asked
    since: float


class Asking:
    """The questions of all screens that show one run."""

    def __init__(self, run: RunFolder) -> None:
        self.checkpoint: int | None = None
        """Step of the checkpoint that is asked; None: the training, or the newest checkpoint."""
        self.got: dict[str, Got] = {}
        """The newest answer by use."""
        self.problems: dict[str, str] = {}
        """Why the newest question of a use has no answer."""
        self.allowed = True
        """Whether anything may be asked: a question is a file in the run's folder, and may start a process."""
        self._run = run
        self._wanted: dict[str, _Wish] = {}
        self._under_way: dict[str, _OnItsWay] = {}
        self._arrived: list[tuple[str, _Wish, Got | str]] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def ask(self, use: str, question: AnyQuestion) -> None:
        """Ask from the next look on, in place of that use's question before; nothing where it is not allowed."""
        if not self.allowed:
            return
        self._wanted[use] = _Wish(question, self.checkpoint)
        self.problems.pop(use, None)

    def want(self, use: str, question: AnyQuestion) -> None:
        """Ask, unless that is what was asked last."""
        wish = self._wanted.get(use)
        if wish is None or wish.question != question:
            self.ask(use, question)

    def go_to(self, checkpoint: int | None) -> None:
        """Ask everything again of another checkpoint, or of the newest state."""
        self.checkpoint = checkpoint
        self._wanted = {use: _Wish(wish.question, checkpoint) for use, wish in self._wanted.items()}
        self.problems.clear()

    def refresh(self, uses: tuple[str, ...], step: int, alive: bool) -> None:
        """Ask again what was answered a while ago of a training that is further now."""
        for use in uses:
            got = self.got.get(use)
            if got is None or self.waiting(use) is not None or self.checkpoint is not None or not alive:
                continue
            if got.head.step < step and time.monotonic() - got.at > max(FRESH, SHARE * got.head.seconds):
                self._wanted[use] = _Wish(self._wanted[use].question, None)

    def waiting(self, use: str) -> float | None:
        """Seconds since the question whose answer is not taken up yet; None when nothing is waited for."""
        wish = self._wanted.get(use)
        if wish is not None and (not wish.asked or any(arrived is wish for _, arrived, _ in self._arrived)):
            return 0.0
        waited = self._under_way.get(use)
        return None if waited is None else time.monotonic() - waited.since

    def mute(self, use: str) -> bool:
        """Whether nothing can be shown: nothing may be asked, or it is refused and nothing was answered yet."""
        return not self.allowed or (not self.got and use in self.problems)

    def able(self, kind: str) -> bool | None:
        """Whether the model can be asked a kind of question; None while no answer has told."""
        heads = [got.head for got in self.got.values()]
        return kind in heads[-1].able if heads else None

    def source(self, use: str, step: int, alive: bool) -> tuple[str, Ink]:
        """Where the answer that is shown comes from, what is waited for, or why there is none, in a line."""
        if not self.allowed:
            return "read-only: the model is not asked, as a question would be a file in the run's folder", Ink.WARN
        if problem := self.problems.get(use):
            return problem, Ink.BAD
        waiting = self.waiting(use)
        wait = ""
        if waiting is not None and waiting > 0.3:
            started = self._process is not None and self._process.poll() is None
            whom = (
                "the process that answers" if started and (self.checkpoint is not None or not alive) else "the engine"
            )
            wait = f"waiting for {whom}, {waiting:.0f} s"
        got = self.got.get(use)
        if got is None:
            return wait or ("asking the model" if waiting is not None else "nothing asked yet"), Ink.WARN
        head = got.head
        words = f"answer of step {thousands(head.step)}, " + (
            "from the training" if not head.checkpoint else head.checkpoint
        )
        behind = step - head.step
        if behind > 0:
            steps = "1 step" if behind == 1 else f"{thousands(behind)} steps"
            words += f", {steps} " + ("ago" if self.checkpoint is None else "before the newest")
        if wait:
            words += f" · stale: {wait}"
        return words, Ink.WARN if wait else Ink.DIM

    def look(self) -> None:
        """Ask what is new, and read what was answered. In a thread."""
        with self._lock:
            self._look()

    def take(self) -> bool:
        """Take up what the looks have found; whether there was anything."""
        arrived, self._arrived = self._arrived, []
        news = [(use, found) for use, wish, found in arrived if self._wanted.get(use) is wish]
        for use, found in news:
            if isinstance(found, Got):
                self.got.pop(use, None)
                self.got[use] = found
                self.problems.pop(use, None)
            else:
                self.problems[use] = found
        return bool(news)

    def _look(self) -> None:
        for use, wish in [] if self._closed else list(self._wanted.items()):
            if wish.asked:
                continue
            if (before := self._under_way.pop(use, None)) is not None:
                before.asked.withdraw()
            try:
                asked = Asked(self._run, wish.question, wish.checkpoint, self._process)
            except (ValueError, OSError, EngineError) as error:
                self._arrived.append((use, wish, f"the question can't be asked: {error}"))
            else:
                self._under_way[use] = _OnItsWay(wish, asked, time.monotonic())
                self._process = asked.process or self._process
            wish.asked = True
        for use, waited in list(self._under_way.items()):
            try:
                answer = waited.asked.poll()
            except (ValueError, OSError, EngineError) as error:
                self._arrived.append((use, waited.wish, str(error)))
                self._under_way.pop(use)
                continue
            self._process = waited.asked.process or self._process
            if answer is not None:
                got = Got(waited.wish.question, answer.head, answer.arrays, time.monotonic())
                self._arrived.append((use, waited.wish, got))
                del self._under_way[use]

    def close(self) -> None:
        """Takes back what nobody waits for any more, and ends the process that was started to answer."""
        self._closed = True
        with self._lock:
            for waited in self._under_way.values():
                waited.asked.withdraw()
            self._under_way.clear()
            if self._process is not None:
                self._process.kill()
                self._process.wait()
