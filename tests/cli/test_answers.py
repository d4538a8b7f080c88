"""What the command line makes of the answers of an engine that refuses or leaves, played with the journal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Literal

import pytest

from journal.commands import Command, pending
from journal.events import Commanded, EventWriter, RunStarted
from journal.folder import RunFolder, create_run
from journal.spec import load_recipe
from tests.processes import Laddertop


class PlayedEngine(threading.Thread):
    """Holds a run as an engine does, and refuses the first command or leaves without a word."""

    def __init__(self, run: RunFolder, does: Literal["refuse", "leave"]) -> None:
        super().__init__(daemon=True)
        self._run, self._does = run, does
        self._over = threading.Event()
        self.ready = threading.Event()

    def run(self) -> None:
        """Until it has left, or is told to."""
        with self._run.engine_lock(), EventWriter(self._run.events_path) as events:
            events.append(
                RunStarted(
                    step=0,
                    segment=1,
                    pid=1,
                    host="box",
                    device="cpu",
                    precision="fp32",
                    compiled=False,
                    threads=1,
                    versions={},
                    resumed_from=None,
                    steps=9,
                    epoch_steps=3,
                    terms=[],
                    knobs=[],
                )
            )
            self.ready.set()
            while not self._over.wait(0.01):
                for path, command in pending(self._run.path):
                    assert isinstance(command, Command)
                    if self._does == "leave":
                        return
                    events.append(
                        Commanded(
                            step=7,
                            id=command.id,
                            by=command.by,
                            action=command.action,
                            outcome="refused",
                            reason="no disk \x1b[2J",
                        )
                    )
                    path.unlink()

    def leave(self) -> None:
        """Ends it."""
        self._over.set()
        self.join()


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
    done = laddertop("checkpoint", engine)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "laddertop: refused at step 7: no disk \N{REPLACEMENT CHARACTER}[2J\n"
    done = laddertop("checkpoint", engine, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["outcome"], told["step"], told["action"], told["result"]) == ("refused", 7, "checkpoint", None)


@pytest.mark.parametrize("engine", ["leave"], indirect=True)
def test_an_engine_that_is_gone_before_it_answers_is_not_waited_for(laddertop: Laddertop, engine: str) -> None:
    done = laddertop("pause", engine, timeout=20)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"laddertop: the engine of {engine} is gone: crashed\n"
