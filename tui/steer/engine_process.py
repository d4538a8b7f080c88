"""Starting an engine as a process of its own, and following what the journal says about it from then on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import laddertop
from laddertop.journal.checkpoints import to_resume, unrecorded
from laddertop.journal.events import Event, EventReader
from laddertop.journal.folder import RunFolder
from laddertop.journal.own_model import OwnModelSection, code_of
from laddertop.journal.settings import held
from laddertop.journal.start import NOT_BEGUN
from laddertop.journal.state import RunState

PACKAGES = Path(laddertop.__file__).resolve().parents[1]
"""The folder that the package is imported from."""


WAITS = "the disk of the run folder takes nothing: the training waits, and goes on once it does"
"""What is said where a disk holds an engine up."""


class EngineError(Exception):
    """The engine could not do what it was asked; says why, for people."""

    exit_status = 1
    """What a command that fails of it exits with."""


class NotBegunError(EngineError):
    """The engine could not begin a new run, so there is nothing to keep of it."""


class NoEngineError(EngineError):
    """No engine is at work in the run."""

    exit_status = 3


@contextlib.contextmanager
def removed_unless_begun(run: RunFolder) -> Iterator[None]:
    """Removes a new run again when its engine could not begin it; the error that says so goes on."""
    try:
        yield
    except NotBegunError:
        shutil.rmtree(run.path)
        raise


def command(*words: str) -> list[str]:
    """The command line of an engine: never from the current folder, which may hold packages of the same names."""
    return [sys.executable, "-P", "-m", "laddertop.engine", *words]


def environment() -> dict[str, str]:
    """The environment of an engine, in which it finds its packages wherever it starts."""
    paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def for_an_engine(run: RunFolder) -> RunFolder:
    """The run, to be trained or asked by an engine. Raises ValueError when it is of a loop of somebody's own, which no
    engine knows, when its model is code that is not to be run unasked, or when it can't be read."""
    model = run.spec.model
    if isinstance(model, OwnModelSection) and model.path is not None:
        code_of(model, run.path)
    if not model.ours:
        raise ValueError(
            f"{run.name} is trained by a loop of its own, and only that knows its model; to go on with it start its "
            "program again, with resume=True"
        )
    return run


class EngineProcess:
    """An engine that this process started; it lives in a session of its own, so it outlives the terminal."""

    def __init__(
        self, run: RunFolder, *, foreground: bool = False, back_to: int | None = None, ranks: int | None = None
    ) -> None:
        """Starts an engine that trains `run`, or goes on from its newest checkpoint or the one of step `back_to`, with
        so many ranks, or as many as it had.

        A foreground engine stops when this process is gone, however it died. Raises ValueError when an engine is at
        work in the run already or when there is no checkpoint to go on from, OSError when no process can be started.
        """
        if run.engine_alive():
            raise ValueError(
                f"an engine is training {run.name} already{run.engine_elsewhere()}; watch it with "
                f"`laddertop attach {run.name}`"
            )
        self.run = for_an_engine(run)
        """The run it trains."""
        self.reader = EventReader(run.events_path)
        """Has read what happened before; goes on with what this engine reports."""
        self.state = RunState().apply_all(self.reader.read_all())
        """Where the run stands, up to the last `news()`."""
        # Whether what no event names can be gone on from, the engine finds out.
        if back_to is None and not unrecorded(run, self.state):
            to_resume(run, self.state)
        self._segment_before = self.state.segment
        self._ended_before = self.state.ended
        words = ["train", str(run.path.absolute()), *(["--foreground"] if foreground else [])]
        words += ["--back-to", str(back_to)] if back_to is not None else []
        ranks = ranks or (self.state.started.ranks if self.state.started else 1)
        words += ["--nproc", str(ranks)] if ranks > 1 else []
        begins = time.time()
        with run.console() as console:
            self._console_start = console.seek(0, 2)
            self.process = subprocess.Popen(
                command(*words),
                stdin=subprocess.PIPE if foreground else subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment(),
            )
        if folder := held("tensorboard").value:
            self._beside("export.live", os.path.abspath(str(folder)))
        if held("on-finding").value:
            self._beside("export.on_finding", str(begins))
        if run.spec.policy.babysat:
            self._beside("steer.babysitter", str(begins))

    def _beside(self, module: str, word: str) -> None:
        """Starts a program of laddertop.tui that follows the run, with a word more."""
        words = ["-P", "-m", f"laddertop.tui.{module}", str(self.run.path.absolute()), word]
        subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=environment(),
        )

    @property
    def started(self) -> bool:
        """Whether this engine has reported that it started."""
        return self.state.segment > self._segment_before

    @property
    def ended_on_purpose(self) -> bool:
        """Whether this engine has reported its end."""
        return self.state.ended is not None and self.state.ended is not self._ended_before

    def news(self) -> list[Event]:
        """What happened since the last call."""
        events = self.reader.read_all()
        self.state.apply_all(events)
        return events

    def wait_until_started(self, say: Callable[[str], None]) -> None:
        """Returns once the engine has reported that it started; raises EngineError when it ended instead.

        `say` is told, once, that the engine waits for the disk.
        """
        waits = False
        while True:
            if not waits and (waits := self.run.engine_waits()):
                say(WAITS)
            gone = self.process.poll() is not None
            self.news()
            if self.started:
                return
            if gone:
                raise self.failure()
            time.sleep(0.02)

    def failure(self, hint: str = "") -> EngineError:
        """The error that tells why the engine is gone, with a `hint` behind."""
        kind = NotBegunError if self.process.returncode == NOT_BEGUN else EngineError
        return kind(self.obituary() + hint)

    def obituary(self) -> str:
        """Why the engine is gone, in the words of its RunEnded or else with the end of its console."""
        if self.ended_on_purpose and self.state.ended is not None:
            return self.state.ended.detail or self.state.ended.reason
        status = self.process.returncode
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        words = "".join(self.run.last_printed(self._console_start)[-1:]).strip().removeprefix("laddertop: ")
        if not words:
            return f"the engine died without a word ({how})"
        return f"the engine died ({how}): {words}; all of it is in {self.run.console_path}"
