"""Asking a run's model something: of its engine while it trains, else of a process that answers from a checkpoint."""

from __future__ import annotations

import subprocess
import time

from laddertop.journal.explore import Answer, AnyQuestion, answer_to, ask, still_waiting, withdraw
from laddertop.journal.folder import RunFolder
from laddertop.tui.steer.engine_process import EngineError, command, environment, for_an_engine

_STARTS = 2
"""How often a process that answers is started for one question; one that dies twice dies of the question."""

PICTURED = ("sample", "denoise", "inpaint", "interpolate", "traverse", "manifold", "field")
"""What a user asks for by name, as a command or on the screen; screens ask for the other kinds by themselves."""

CHECK = 0.5
"""Seconds between two looks at whether anybody is there to answer."""


class Asked:
    """A question on its way."""

    def __init__(
        self,
        run: RunFolder,
        question: AnyQuestion,
        checkpoint: int | None = None,
        process: subprocess.Popen[bytes] | None = None,
    ) -> None:
        """Asks the run, or its checkpoint of a step, and starts a process that answers where none is at work; `process`
        is one that an earlier question started.

        Raises EngineError when the question can't be written.
        """
        self._run, self._checkpoint, self._kind = for_an_engine(run), checkpoint, question.kind
        try:
            self._id = ask(run.path, question, checkpoint)
        except OSError as error:
            raise EngineError(
                f"nothing can be asked of {run.name}: a question is a file in its folder, and that can't be written to "
                f"({error.strerror}); copy {run.path} to a folder of your own and name that with --runs"
            ) from None
        self.process = process
        """The process that answers, where this front end started one."""
        self._starts = 0
        self._check = 0.0
        self._ensure_somebody_answers()

    def poll(self) -> Answer | None:
        """The answer, once; None while there is none.

        Raises ValueError in one sentence when the question can't be answered, EngineError when nobody is left to.
        """
        answer = answer_to(self._run.path, self._id)
        if answer is None and time.monotonic() >= self._check:
            if still_waiting(self._run.path, self._id):
                self._ensure_somebody_answers()
            elif (answer := answer_to(self._run.path, self._id)) is None:
                raise EngineError(f"the question is gone, unanswered: ask again; {self._run.console_path} may say more")
        if answer is not None and answer.head.problem:
            can = [] if self._kind in answer.head.able else [kind for kind in answer.head.able if kind in PICTURED]
            raise ValueError(answer.head.problem + (f"; ask it to {' or '.join(can)}" if can else ""))
        return answer

    def withdraw(self) -> None:
        """Gives up waiting."""
        withdraw(self._run.path, self._id)

    def _ensure_somebody_answers(self) -> None:
        self._check = time.monotonic() + CHECK
        if self.process is not None and self.process.poll() is None:
            return
        if self._run.explorer_alive() or (self._checkpoint is None and self._run.engine_alive()):
            return
        if self._starts == _STARTS:
            self.withdraw()
            raise EngineError(f"the process that answers died; what it said last is in {self._run.console_path}")
        self._starts += 1
        with self._run.console() as console:
            self.process = subprocess.Popen(
                command("explore", str(self._run.path.absolute())),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment(),
            )


def answered(run: RunFolder, question: AnyQuestion, timeout: float, checkpoint: int | None = None) -> Answer:
    """Asks the run, or its checkpoint of a step, and waits for the answer.

    Raises ValueError in one sentence when the question can't be answered, EngineError when nobody answers in time.
    """
    asked = Asked(run, question, checkpoint)
    deadline = time.monotonic() + timeout
    try:
        while time.monotonic() < deadline:
            if answer := asked.poll():
                return answer
            time.sleep(0.02)
    finally:
        asked.withdraw()
    raise EngineError(f"no answer within {timeout:g} s: the engine is busy; ask again, or wait longer with --timeout")
