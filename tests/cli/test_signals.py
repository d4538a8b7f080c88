"""A training in the foreground ends as its terminal, its user or its job scheduler ask it to, and leaves no engine.

Every situation is a real `laddertop train` with a real engine, killed for real; they start together to save time.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from laddertop.journal.commands import send
from laddertop.journal.events import RunEnded, RunStarted
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.terminal import Terminal

ENDLESS = ("train", "tiny.toml", "--steps", "100000000", "--name")
NICE = 7
NAMES = ("nohup", "orphan", "stuck", "pipe")


def ignore_hangups() -> None:
    """What nohup does, after nice."""
    os.nice(NICE)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def pause_when_under_way(laddertop: Laddertop, names: Iterable[str]) -> None:
    """Pauses each of some trainings as soon as it has taken its first steps."""
    waiting = set(names)

    def all_paused() -> bool:
        for name in [name for name in waiting if laddertop.size(name) > 1000]:
            send(laddertop.runs / name, 1, "pause", by="tests")
            waiting.remove(name)
        return not waiting

    wait_for(all_paused)


@pytest.fixture(scope="module")
def trainings(laddertop: Laddertop) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """One training per situation, past its first steps; all are paused, for the sake of the cores."""
    started = {}
    for name in NAMES:
        options = {"preexec_fn": ignore_hangups} if name == "nohup" else {}
        json = ["--json"] if name == "pipe" else []
        started[name] = laddertop.start(*ENDLESS, name, *json, **options)
    pause_when_under_way(laddertop, NAMES)
    yield started
    for name, process in started.items():
        process.kill()
        process.communicate()
        wait_for(lambda name=name: not laddertop.run_folder(name).engine_alive())


@pytest.fixture(scope="module")
def terminals(laddertop: Laddertop) -> Iterator[dict[str, Terminal]]:
    """Two trainings, each in a terminal of its own, past their first steps."""
    with laddertop.in_terminal(*ENDLESS, "typed") as typed, laddertop.in_terminal(*ENDLESS, "hung-up") as hung_up:
        wait_for(lambda: laddertop.size("typed") > 1000)
        pause_when_under_way(laddertop, ("hung-up",))
        yield {"typed": typed, "hung-up": hung_up}


def stopped_in_good_order(laddertop: Laddertop, name: str) -> RunEnded:
    """Checks that a run was saved, that its end was recorded, and that its engine is gone; returns the end."""
    assert not laddertop.run_folder(name).engine_alive()
    end = laddertop.events(name)[-1]
    assert isinstance(end, RunEnded)
    assert end.reason == "stopped"
    assert laddertop.checkpoint(name, end.step).stat().st_size
    return end


def engine_of(laddertop: Laddertop, name: str) -> int:
    """The process of a run's engine."""
    start = laddertop.events(name)[0]
    assert isinstance(start, RunStarted)
    return start.pid


@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="needs a Linux that groups processes by session")
def test_an_engine_is_as_nice_as_the_command_that_started_it(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    engine = laddertop.json("show", "nohup")["pid"]
    assert os.getpriority(os.PRIO_PROCESS, engine) == min(os.nice(0) + NICE, 19)
    assert Path(f"/proc/{engine}/autogroup").read_text().endswith(f" nice {min(os.nice(0) + NICE, 19)}\n")


def test_under_nohup_a_lost_terminal_changes_nothing(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    send(laddertop.runs / "nohup", 1, "continue", by="tests")
    trainings["nohup"].send_signal(signal.SIGHUP)
    size = laddertop.size("nohup")
    wait_for(lambda: laddertop.size("nohup") > size + 10_000)
    assert trainings["nohup"].poll() is None
    assert not isinstance(laddertop.events("nohup")[-1], RunEnded)


def test_a_sigterm_stops_the_engine_in_good_order(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    trainings["nohup"].send_signal(signal.SIGTERM)
    out, err = trainings["nohup"].communicate(timeout=PATIENCE)
    assert trainings["nohup"].returncode == 128 + signal.SIGTERM
    end = stopped_in_good_order(laddertop, "nohup")
    assert out.startswith(f"nohup: stopped at step {end.step} of 100000000")
    assert "stopping" in err


def test_a_terminal_shows_a_bar_and_an_interrupt_typed_into_it_stops_the_engine(
    laddertop: Laddertop, terminals: dict[str, Terminal]
) -> None:
    bar = terminals["typed"]
    bar.wait_for(
        lambda lines: any(re.search(r"step \d+/100000000 .* 0 % .*step/s .* left  cost \d", line) for line in lines)
    )
    assert any("typed starts on cpu, fp32, 100000000 steps" in line for line in bar.lines)
    bar.press("\x03")
    bar.wait_for(lambda lines: any(line.startswith("typed: stopped at step ") for line in lines))
    assert bar.ended() == 128 + signal.SIGINT
    end = stopped_in_good_order(laddertop, "typed")
    assert any(line.startswith(f"typed: stopped at step {end.step} of 100000000") for line in bar.lines)


def test_a_terminal_that_hangs_up_stops_the_engine_in_good_order(
    laddertop: Laddertop, terminals: dict[str, Terminal]
) -> None:
    terminals["hung-up"].hang_up()
    assert terminals["hung-up"].process.wait(PATIENCE) == 128 + signal.SIGHUP
    stopped_in_good_order(laddertop, "hung-up")


def test_when_the_command_is_killed_its_engine_stops_in_good_order(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    trainings["orphan"].kill()
    wait_for(lambda: not laddertop.run_folder("orphan").engine_alive())
    stopped_in_good_order(laddertop, "orphan")


def test_a_second_interrupt_leaves_at_once_even_when_the_engine_is_stuck(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    stuck = trainings["stuck"]
    assert stuck.stderr is not None
    engine = engine_of(laddertop, "stuck")
    os.kill(engine, signal.SIGSTOP)
    stuck.send_signal(signal.SIGINT)
    said = ""
    while "kills it at once" not in said:
        said = stuck.stderr.readline()
    assert stuck.poll() is None
    stuck.send_signal(signal.SIGINT)
    _, err = stuck.communicate(timeout=PATIENCE)
    assert stuck.returncode == 128 + signal.SIGINT
    assert not laddertop.run_folder("stuck").engine_alive()
    assert laddertop.json("show", "stuck")["state"] == "crashed"
    assert "Traceback" not in err


def test_when_nobody_reads_its_lines_any_more_the_training_stops_in_good_order(
    laddertop: Laddertop, trainings: dict[str, subprocess.Popen[str]]
) -> None:
    pipe = trainings["pipe"]
    assert pipe.stdout is not None
    pipe.stdout.close()
    send(laddertop.runs / "pipe", 1, "continue", by="tests")
    assert pipe.wait(PATIENCE) == 128 + signal.SIGPIPE
    stopped_in_good_order(laddertop, "pipe")
