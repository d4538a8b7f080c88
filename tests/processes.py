"""The command line as its users start it, real processes in a folder of their own, for the tests of it."""

from __future__ import annotations

import compileall
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from laddertop.journal.events import Event, EventReader, RunStarted
from laddertop.journal.folder import RunFolder, list_runs
from laddertop.tui.cli.main import main
from tests import PATIENCE
from tests.terminal import Terminal

ROOT = Path(__file__).parents[1]


def compile_sources() -> None:
    """Leaves the compiled form of all that laddertop is made of beside it, as an installation does.

    Where PYTHONDONTWRITEBYTECODE is set, each of hundreds of processes would compile some hundred modules first.
    """
    for folder in ("laddertop", "journal", "tui", "engine"):
        compileall.compile_dir(ROOT / folder, quiet=2)


COMMAND = [sys.executable, "-P", "-m", "laddertop.tui.cli.main"]
"""What the installed `laddertop` does: it never looks for modules in the working folder."""

TINY = """
about = "A ladder network that is small enough to be trained in a test."
steps = 600
seed = 3
device = "cpu"
precision = "fp32"
compile = "off"

[data]
name = "digits"
labels = 100
batch = 50
labelled_batch = 50

[model]
kind = "ladder"
widths = [16]
denoising = [10, 1, 0.1]

[warmup]
on = true
steps = 300

[checkpoint]
every = 200
keep = 9

[evaluate]
every = 300

[samples]
every = 0
items = 4
"""


def typed(*words: str) -> subprocess.CompletedProcess[str]:
    """What a command line prints and its exit status, run in this process; raises what comes over its border."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace") for _ in range(2)]
    with (
        pytest.MonkeyPatch.context() as patch,
        mock.patch.dict(os.environ),  # what a command trusts, or exports while it trains, is over with it
        contextlib.redirect_stdout(streams[0]),
        contextlib.redirect_stderr(streams[1]),
    ):
        patch.setattr(sys, "argv", ["laddertop", *words])
        patch.setattr(sys, "stdin", io.StringIO())
        try:
            main()
            status: object = None
        except SystemExit as end:
            status = end.code
    printed = []
    for stream in streams:
        stream.flush()
        printed.append(stream.buffer.getvalue().decode())  # type: ignore[attr-defined]
    assert status is None or isinstance(status, int), status
    return subprocess.CompletedProcess(words, status or 0, *printed)


class Laddertop:
    """`laddertop` in real processes, all of them in one working folder."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.runs = cwd / "checkpoints"
        (cwd / "tiny.toml").write_text(TINY)
        # Somebody else's module of the same name, which must never be taken for ours.
        (cwd / "engine.py").write_text("raise SystemExit('this is not the engine of laddertop')")
        # One thread each: several engines share the cores of the test machine.
        self.chosen = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'site'}", "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        # What a dashboard of the user remembers is nothing to a test.
        self.chosen["XDG_CACHE_HOME"] = str(cwd / ".cache")
        self.environment = {**os.environ, **self.chosen}
        self.environment.pop("LADDERTOP_RUNS", None)

    def __call__(self, *words: str, timeout: float = PATIENCE, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        return subprocess.run(
            [*COMMAND, *words],
            cwd=self.cwd,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def here(self, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one command in this process, by the same border, with engines in processes of their own where it
        starts any: fast, where the life of the command itself is no matter."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.cwd)
            patch.delenv("LADDERTOP_RUNS", raising=False)
            for name, value in {**self.chosen, **variables}.items():
                patch.setenv(name, value)
            return typed(*words)

    def json(self, *words: str) -> Any:
        """The JSON that a command prints, which must succeed; run in this process."""
        done = self.here(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout, parse_constant=pytest.fail)

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Starts one command. SIGINT reaches it even when the tests run in the background of a shell."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [*COMMAND, *words],
            cwd=self.cwd,
            text=True,
            **{
                "env": self.environment,
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                **options,
            },
        )

    def in_terminal(self, *words: str, columns: int = 150, rows: int = 45) -> Terminal:
        """Starts one command in a terminal of its own."""
        return Terminal([*COMMAND, *words], self.cwd, self.environment, columns, rows)

    def kill_engines(self) -> None:
        """Ends what engines are still at work, as those that a test which failed left behind."""
        for run in list_runs(self.runs):
            with contextlib.suppress(OSError, ValueError):  # it may be gone, and runs may be damaged
                started = [event for event in self.events(run.name) if isinstance(event, RunStarted)]
                if started and run.engine_alive():
                    os.kill(started[-1].pid, signal.SIGKILL)

    def run_folder(self, name: str) -> RunFolder:
        """One of its runs."""
        return RunFolder(self.runs / name)

    def events(self, name: str) -> list[Event]:
        """What happened in one of its runs."""
        return EventReader(self.runs / name / "events.jsonl").read_all()

    def checkpoint(self, name: str, step: int) -> Path:
        """The checkpoint of a step of one of its runs."""
        (file,) = (self.runs / name).glob(f"step-{step:09d}-*.ckpt")
        return file

    def size(self, name: str, segment: int = 1) -> int:
        """Bytes of metrics that a segment of a run has."""
        file = self.runs / name / f"metrics-{segment:04d}.bin"
        return file.stat().st_size if file.exists() else 0


def pause(waited: float) -> float:
    """Seconds until one looks again for what one has waited for so long: who waits long takes no cores from others."""
    return min(0.01 + waited / 20, 0.1)


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value of a condition; fails when there is none in time."""
    began = time.monotonic()
    while not (value := what()):
        waited = time.monotonic() - began
        assert waited < seconds, "waited in vain"
        time.sleep(pause(waited))
    return value
