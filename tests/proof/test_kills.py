"""Engines are killed at random and at aimed moments, with commands between; every run comes out as one that was not."""

from __future__ import annotations

import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from laddertop.journal.commands import send
from laddertop.journal.events import Checkpointed, Commanded, EventReader, RunEnded, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override
from tests import PATIENCE
from tests.conftest import Tally
from tests.processes import Laddertop, wait_for

pytestmark = pytest.mark.stress

STEPS, WHOLE = 2500, 600
"""Of a run that is killed, and of one that is forked."""
KILLS = 6
"""Of each run: with those of forks and of the compiler a hundred together."""
SETTINGS = [f"steps={STEPS}", "checkpoint.every=150", "evaluate.every=100", "samples.every=500", "warmup.steps=1500"]
CHANGES: tuple[dict[str, float | str], ...] = ({"noise": "off"}, {"noise": "on"}, {"lr": 1e-3}, {"noise.std": 0.2})


class Victim:
    """A run whose engine is killed again and again."""

    def __init__(self, laddertop: Laddertop, name: str, seed: int, *settings: str) -> None:
        spec = override(load_recipe(str(laddertop.cwd / "tiny.toml")), [*SETTINGS, f"seed={seed}", *settings])
        self.laddertop = laddertop
        self.run: RunFolder = create_run(laddertop.runs, spec, name)
        self.random = random.Random(seed)
        self.kills = 0
        self.engine: subprocess.Popen[bytes]

    def start(self) -> None:
        """An engine begins, or goes on; of a run that was killed before its first checkpoint somebody has to say so."""
        command = [sys.executable, "-m", "laddertop.engine", "train", str(self.run.path)]
        if self.starts() and not self.saved():
            command += ["--back-to", "0"]
        with (self.run.path / "console.log").open("ab") as console:
            self.engine = subprocess.Popen(command, env=self.laddertop.environment, stdout=console, stderr=console)

    def kill(self) -> None:
        """The engine dies at once, unless it is over already."""
        if self.engine.poll() is None:
            self.engine.send_signal(signal.SIGKILL)
            self.kills += 1
        self.engine.wait(PATIENCE)

    def events(self) -> list[object]:
        """What happened."""
        return list(EventReader(self.run.events_path).read_all())

    def saved(self) -> list[Checkpointed]:
        """The checkpoints that were recorded."""
        return [event for event in self.events() if isinstance(event, Checkpointed)]

    def starts(self) -> int:
        """How often an engine began."""
        return sum(isinstance(event, RunStarted) for event in self.events())

    def until(self, what: Callable[[], object]) -> bool:
        """Waits for a moment, closely; false when the engine is over before."""
        while not what():
            if self.engine.poll() is not None:
                return False
            time.sleep(0.001)
        return True

    def command(self) -> None:
        """Somebody turns a knob."""
        changes = dict(self.random.choice(CHANGES))
        send(self.run.path, self.starts(), "set", changes, by="proof")

    @property
    def over(self) -> bool:
        """Whether the run has come to its end."""
        return any(isinstance(event, RunEnded) and event.reason == "finished" for event in self.events())

    def losses(self) -> list[str]:
        """What the run lacks, now that it is over, in words."""
        found = []
        reader = MetricsReader(self.run.path)
        reader.poll()
        if not np.array_equal(reader.steps, np.arange(1, STEPS + 1)):
            found.append("its metrics have not every step once")
        newest = self.saved()[-1]
        file = self.run.path / newest.file
        if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != newest.sha256:
            found.append("its last checkpoint is not what was recorded")
        done = self.laddertop("replay", self.run.name, "--train", "--json", "--name", f"{self.run.name}-again")
        if done.returncode or f'"steps":{STEPS}' not in done.stdout.replace(" ", ""):
            found.append(
                f"an undisturbed training with its commands differs: {done.stdout[-300:]} {done.stderr[-300:]}"
            )
        return found


def at_any_time(victim: Victim) -> None:
    time.sleep(victim.random.uniform(0, 5))


def at_its_start(victim: Victim) -> None:
    begun = victim.starts()
    if victim.random.random() < 0.5:
        victim.until(lambda: victim.starts() > begun)
    else:
        time.sleep(victim.random.uniform(0.5, 1.5))


def while_it_saves(victim: Victim) -> None:
    before = set(victim.run.path.glob(".step-*"))
    time.sleep(victim.random.uniform(0, 0.3))
    victim.until(lambda: set(victim.run.path.glob(".step-*")) - before)


def after_a_save(victim: Victim) -> None:
    before = victim.run.events_path.stat().st_size if victim.run.events_path.exists() else 0

    def saved() -> bool:
        if not victim.run.events_path.exists():
            return False
        with victim.run.events_path.open("rb") as file:
            file.seek(before)
            return b'"checkpointed"' in file.read()

    victim.until(saved)


def between_commands(victim: Victim) -> None:
    begun = victim.starts()
    victim.until(lambda: victim.starts() > begun)
    for _ in range(victim.random.randrange(1, 5)):
        victim.command()
        time.sleep(victim.random.uniform(0, 0.1))


def while_it_is_rolled_back(victim: Victim) -> None:
    begun = victim.starts()
    victim.until(lambda: victim.starts() > begun)
    if saved := victim.saved():
        step = victim.random.choice(saved[-2:]).step
        send(victim.run.path, victim.starts(), "rollback", {"step": step}, by="proof")
    time.sleep(victim.random.uniform(0, 0.3))


def while_it_evaluates(victim: Victim) -> None:
    begun = victim.starts()
    victim.until(lambda: victim.starts() > begun)
    identity = send(victim.run.path, victim.starts(), "evaluate", {}, by="proof").id
    victim.until(lambda: any(isinstance(e, Commanded) and e.id == identity for e in victim.events()))


MOMENTS = (
    at_any_time,
    at_its_start,
    while_it_saves,
    after_a_save,
    between_commands,
    while_it_evaluates,
    while_it_is_rolled_back,
)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_again_and_again_comes_out_as_one_that_was_not(
    laddertop: Laddertop, tally: Tally, moment: Callable[[Victim], None], seed: int
) -> None:
    victim = Victim(laddertop, f"{moment.__name__}-{seed}", seed)
    while not victim.over and victim.kills < KILLS:
        victim.start()
        moment(victim)
        victim.kill()
    while not victim.over:
        victim.start()
        assert victim.engine.wait(PATIENCE) == 0, (victim.run.path / "console.log").read_text()
    lost = victim.losses()
    tally(f"engine killed {moment.__name__.replace('_', ' ')}", victim.kills, len(lost))
    assert lost == []


@pytest.fixture
def whole(laddertop: Laddertop) -> Iterator[RunFolder]:
    """A run that is over, to fork from."""
    victim = Victim(laddertop, "whole", 5, f"steps={WHOLE}")
    victim.start()
    assert victim.engine.wait(PATIENCE) == 0
    yield victim.run
    shutil.rmtree(victim.run.path)


def test_a_fork_that_is_killed_is_either_none_or_goes_on_from_where_it_began(
    laddertop: Laddertop, tally: Tally, whole: RunFolder
) -> None:
    chance, kills, lost = random.Random(7), 0, []
    for number in range(10):
        name = f"fork-{number}"
        with laddertop.start("fork", whole.name, "lr=0.001", "--name", name, "--steps", str(WHOLE + 500)) as command:
            time.sleep(chance.uniform(0.2, 3.5))
            # The command and its engine, whether that has said yet that it is there or not.
            command.send_signal(signal.SIGSTOP)
            for process in (*psutil.Process(command.pid).children(recursive=True), command):
                process.kill()
            kills += 1
        if not (laddertop.runs / name).exists():
            continue
        wait_for(lambda name=name: not laddertop.run_folder(name).engine_alive())  # type: ignore[misc]
        done = laddertop("resume", name)
        told = laddertop.json("show", name)
        origin = told["origin"]
        if told["state"] != "finished" or told["step"] != WHOLE + 500 or origin["step"] != WHOLE:
            lost.append((name, done.stderr, told))
    tally("fork killed at any time", kills, len(lost))
    assert lost == []


@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_a_run_that_is_killed_while_it_compiles_leaves_nothing_that_stops_the_next(
    laddertop: Laddertop, tally: Tally, tmp_path: Path
) -> None:
    cold = {"XDG_CACHE_HOME": str(tmp_path)}
    victim = Victim(laddertop, "compiled", 3, "compile=on")
    victim.laddertop.environment |= cold
    for _ in range(KILLS):
        victim.start()
        time.sleep(victim.random.uniform(2, 12))
        victim.kill()
    victim.start()
    assert victim.engine.wait(PATIENCE) == 0
    lost = victim.losses()
    tally("engine killed while it compiles", victim.kills, len(lost))
    assert lost == []
