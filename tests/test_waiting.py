"""What a user waits for is told by the banner while it lasts: a compiler, and an engine that says nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from tests.processes import Laddertop, wait_for
from tests.test_end_to_end import shows

SECONDS = re.compile(r"for (?:(\d+) min )?(\d+) s: the first step waits for the compiler")


def waited(lines: list[str]) -> int:
    """Seconds that the banner says the first step has waited for the compiler; -1 where it says nothing of it."""
    found = SECONDS.search(" ".join(" ".join(lines).split()))
    return 60 * int(found[1] or 0) + int(found[2]) if found else -1


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_a_cold_start_tells_how_long_it_compiles_and_a_stopped_engine_that_it_is_silent(tmp_path: Path) -> None:
    laddertop = Laddertop(tmp_path)
    laddertop.environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "c")}
    settings = ("--set", "compile=on", "--set", "samples.every=0", "--steps", "100000000")
    done = laddertop("train", "tiny.toml", "--name", "cold", "--detach", *settings)
    assert done.returncode == 0, done.stderr
    try:
        with laddertop.in_terminal("attach", "cold", columns=80, rows=24) as dashboard:
            dashboard.wait_for(lambda lines: waited(lines) >= 0)
            first = waited(dashboard.lines)
            assert shows(dashboard.lines, "▲ compiling"), dashboard.lines
            assert not any(re.search(r"\bnan\b", line) for line in dashboard.lines)
            dashboard.wait_for(lambda lines: waited(lines) > first + 1)
            dashboard.wait_for(lambda lines: not shows(lines, "▲ compiling"))
            dashboard.wait_for(lambda lines: shows(lines, "step/s"))
            wait_for(lambda: laddertop.size("cold") > 0)
            engine = laddertop.json("show", "cold")["pid"]
            os.kill(engine, signal.SIGSTOP)
            try:
                dashboard.wait_for(lambda lines: shows(lines, "▲ engine silent"))
                said = " ".join(" ".join(dashboard.lines).split())
                assert f"process {engine} on " in said
                assert "no word from the engine for " in said
                assert shows(dashboard.lines, "stale")
            finally:
                os.kill(engine, signal.SIGCONT)
            dashboard.wait_for(lambda lines: not shows(lines, "▲ engine silent"))
            dashboard.press("d")
            assert dashboard.ended() == 0
    finally:
        laddertop("stop", "cold")
