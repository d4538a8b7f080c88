"""How the dashboard behaves towards its terminal: real processes in real pseudo-terminals."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import PATIENCE
from tests.tui.played import PlayedEngine

ROOT = Path(__file__).parents[2]
OPEN = (
    "import sys; from pathlib import Path; from laddertop.tui.dashboard.program import open_app;"
    " sys.exit(open_app(*map(Path, sys.argv[1:])))"
)
WHERE = b"\x1b[6n"
"""Asks a terminal where its cursor is, which it answers once it has shown what came before."""


class Terminal:
    """A dashboard with a list of runs, or with a run, in a pseudo-terminal."""

    def __init__(self, *paths: Path) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", OPEN, *map(str, paths)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "COLUMNS": "80", "LINES": "24"},
            start_new_session=True,
        )
        os.close(slave)
        self.output = b""

    def read_until(self, wanted: bytes, seconds: float = PATIENCE) -> None:
        """Takes up what is drawn until `wanted` appears."""
        end = time.monotonic() + seconds
        while wanted not in self.output:
            assert time.monotonic() < end, f"no {wanted!r} in {self.output[-2000:]!r}"
            if select.select([self.master], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.output += os.read(self.master, 65536)

    def drain(self) -> bytes:
        """Takes up the rest."""
        with contextlib.suppress(OSError):
            while select.select([self.master], [], [], 0.2)[0]:
                self.output += os.read(self.master, 65536)
        return self.output

    def close(self) -> None:
        """Ends the dashboard whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(OSError):
            os.close(self.master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal(tmp_path)
    yield opened
    opened.close()


def is_tidy(output: bytes) -> bool:
    """Whether the terminal is as it was: main screen, cursor shown, mouse released."""
    return all(output.rfind(back) > output.rfind(there) for there, back in _PAIRS)


_PAIRS = ((b"\x1b[?1049h", b"\x1b[?1049l"), (b"\x1b[?25l", b"\x1b[?25h"), (b"\x1b[?1000h", b"\x1b[?1000l"))


def test_q_leaves_a_tidy_terminal_with_status_0(terminal: Terminal) -> None:
    terminal.read_until(b"no runs here yet")
    os.write(terminal.master, b"q")
    terminal.read_until(b"\x1b[?1049l")
    assert terminal.process.wait(PATIENCE) == 0
    assert is_tidy(terminal.drain())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_tidy_terminal_and_says_which(terminal: Terminal, number: signal.Signals) -> None:
    terminal.read_until(b"no runs here yet")
    terminal.process.send_signal(number)
    terminal.read_until(b"\x1b[?1049l")
    assert terminal.process.wait(PATIENCE) == 128 + number
    assert is_tidy(terminal.drain())


def test_a_terminal_that_is_gone_ends_the_dashboard(terminal: Terminal) -> None:
    terminal.read_until(b"no runs here yet")
    os.close(terminal.master)
    assert terminal.process.wait(PATIENCE) == 128 + signal.SIGHUP


def test_a_terminal_that_nobody_reads_can_be_left(terminal: Terminal) -> None:
    terminal.read_until(b"no runs here yet")
    # Each of these asks for a full repaint; nobody takes the output any more.
    for _ in range(200):
        os.write(terminal.master, b"?\x1b")
        time.sleep(0.005)
    terminal.process.terminate()
    assert terminal.process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_a_frame_waits_until_the_terminal_has_shown_the_one_before(engine: PlayedEngine) -> None:
    terminal = Terminal(engine.run.path.parent, engine.run.path)
    try:
        terminal.read_until(WHERE)
        terminal.drain()
        for _ in range(3):
            before = terminal.output.count(WHERE)
            engine.train(100)
            time.sleep(0.8)
            assert terminal.drain().count(WHERE) == before, "a frame that the terminal was not ready for"
            os.write(terminal.master, b"\x1b[1;1R")
            terminal.output = b""
            terminal.read_until(WHERE)
            assert 0 <= terminal.output.find(b"\x1b[1;") < terminal.output.find(WHERE), (
                "the status bar in the first row, then the question"
            )
            terminal.drain()
    finally:
        terminal.close()


def run_without_terminal(runs: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(runs)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_without_a_terminal_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    done = run_without_terminal(tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "needs a terminal, and standard input is none" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_dumb_terminal_gets_a_sentence_and_no_escapes(tmp_path: Path, term: str) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", OPEN, str(tmp_path)],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=ROOT,
        env={**os.environ, "TERM": term, "PYTHONPATH": str(ROOT)},
    )
    assert process.wait(PATIENCE) == 2
    output = os.read(master, 4096)
    os.close(slave)
    os.close(master)
    assert b"can't" in output
    assert b"\x1b" not in output


def test_the_dashboard_never_imports_torch_and_engines_keep_their_threads(tmp_path: Path) -> None:
    code = (
        "import os, sys; from laddertop.tui.dashboard.program import load; load();"
        " print('torch' in sys.modules, os.environ.get('OPENBLAS_NUM_THREADS'))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"} | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False None\n"


def test_the_list_of_runs_waits_too_and_shows_then_what_keys_did_meanwhile(engine: PlayedEngine) -> None:
    with PlayedEngine.new(engine.run.path.parent, name="newest") as newest:
        newest.train(10)
        terminal = Terminal(engine.run.path.parent)
        try:
            terminal.read_until(WHERE)
            terminal.drain()
            for _ in range(3):
                before = len(terminal.output)
                engine.train(3000)
                os.write(terminal.master, b"S")
                time.sleep(1.4)
                assert len(terminal.drain()) == before, "a frame that the terminal was not ready for"
                os.write(terminal.master, b"\x1b[1;1R")
                terminal.output = b""
                terminal.read_until(WHERE)
                assert re.search(rb"\x1b\[3;[1-4]H", terminal.output), (
                    "the first run's whole row: the list is turned round"
                )
                terminal.drain()
        finally:
            terminal.close()
