"""The command line as its users start it: a fresh interpreter in a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


class Laddertop:
    """`laddertop` in real processes, all of them in one working folder."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.runs = cwd / "checkpoints"
        # One thread each: several engines share the cores of the test machine.
        self.environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
        self.environment.pop("LADDERTOP_RUNS", None)

    def __call__(self, *words: str, timeout: float = 60, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "tui.cli", *words],
            cwd=self.cwd,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def start(self, *words: str, **options: object) -> subprocess.Popen[str]:
        """Starts one command. SIGINT reaches it even when the tests run in the background of a shell."""
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [sys.executable, "-m", "tui.cli", *words],
            cwd=self.cwd,
            env=self.environment,
            text=True,
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
                **options,
            },
        )


@pytest.fixture(scope="module")
def laddertop(tmp_path_factory: pytest.TempPathFactory) -> Laddertop:
    """The command line in a new folder, shared by the tests of a module."""
    return Laddertop(tmp_path_factory.mktemp("work"))
