"""What the command line makes of an engine that refuses, leaves or lets wait, played with the journal."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Literal

import pytest

from laddertop.journal.commands import Command, pending
from laddertop.journal.events import Checkpointed, Commanded, EventWriter, Logged
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe
from tests import PATIENCE
from tests.processes import Laddertop
from tests.starts import start

Does = Literal["refuse", "leave", "save twice", "compile", "deaf"]


class PlayedEngine(threading.Thread):
    """Holds a run as an engine does, and treats the first command as told.

    It refuses it, leaves without a word, saves for itself before it saves for the command, compiles for a second before
    it refuses, or is deaf.
    """

    def __init__(self, run: RunFolder, does: Does) -> None:
        super().__init__(daemon=True)
        self._run, self._does = run, does
        self._over = threading.Event()
        self.ready = threading.Event()

    def run(self) -> None:
        """Until it has left, or is told to."""
        with self._run.engine_lock(), EventWriter(self._run.events_path) as events:
            events.append(start(compiled=self._does == "compile", steps=9, epoch_steps=3))
            if self._does in ("compile", "deaf"):
                events.append(Logged(step=0, level="info", text="reading the data"))
            self.ready.set()
            while not self._over.wait(0.01):
                for path, command in pending(self._run.path):
                    assert isinstance(command, Command)
                    if self._does == "leave":
                        return
                    if self._does == "deaf":
                        continue
                    if self._does == "compile":
                        time.sleep(1)
                    if self._does == "save twice":
                        events.append(saved("schedule"))
                    events.append(
                        Commanded(
                            step=7,
                            id=command.id,
                            by=command.by,
                            action=command.action,
                            outcome="applied" if self._does == "save twice" else "refused",
                            reason="" if self._does == "save twice" else "no disk \x1b[2J",
                        )
                    )
                    if self._does == "save twice":
                        events.append(saved("command"))
                    path.unlink()

    def leave(self) -> None:
        """Ends it."""
        self._over.set()
        self.join()


def saved(reason: str) -> Checkpointed:
    """A checkpoint that was saved for this reason."""
    file = f"step-000000007-{len(reason):08x}.ckpt"
    return Checkpointed(step=7, file=file, sha256="0", bytes=2, reason=reason)


@pytest.fixture
def engine(laddertop: Laddertop, request: pytest.FixtureRequest) -> Iterator[str]:
    """A run that a played engine holds; the parameter says what it does."""
    run = create_run(laddertop.runs, load_recipe("vae-mnist"))
    engine = PlayedEngine(run, request.param)
    engine.start()
    engine.ready.wait()
    yield run.name
    engine.leave()


@pytest.mark.parametrize("engine", ["refuse"], indirect=True)
def test_a_refusal_is_said_with_its_reason_and_exits_1(laddertop: Laddertop, engine: str) -> None:
    done = laddertop.here("checkpoint", engine)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "laddertop: refused at step 7: no disk \N{REPLACEMENT CHARACTER}[2J\n"
    done = laddertop.here("checkpoint", engine, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["outcome"], told["step"], told["action"], told["result"]) == ("refused", 7, "checkpoint", None)


@pytest.mark.parametrize("engine", ["leave"], indirect=True)
def test_an_engine_that_is_gone_before_it_answers_is_not_waited_for(laddertop: Laddertop, engine: str) -> None:
    done = laddertop("pause", engine, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"laddertop: the engine of {engine} is gone: crashed\n"


@pytest.mark.parametrize("engine", ["save twice"], indirect=True)
def test_the_result_of_a_command_is_its_own_and_not_the_one_before_it(laddertop: Laddertop, engine: str) -> None:
    assert laddertop.json("checkpoint", engine)["result"]["file"] == saved("command").file


@pytest.mark.parametrize("engine", ["compile"], indirect=True)
def test_the_time_that_an_engine_compiles_is_not_waited_in_vain(laddertop: Laddertop, engine: str) -> None:
    done = laddertop.here("pause", engine, "--timeout", "0.2")
    assert "refused at step 7" in done.stderr


@pytest.mark.parametrize("engine", ["deaf"], indirect=True)
def test_an_engine_that_does_not_answer_in_time_is_explained_by_its_own_words(
    laddertop: Laddertop, engine: str
) -> None:
    done = laddertop.here("pause", engine, "--timeout", "0.2")
    assert done.returncode == 1
    assert "has not answered within 0.2 s" in done.stderr
    assert "(reading the data)" in done.stderr
