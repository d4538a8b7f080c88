"""Where something is missing that machines usually have, it is trained all the same, and what can't be done is said."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.journal.events import Logged, RunStarted
from laddertop.journal.lease import this_process
from tests.processes import ROOT, Laddertop, wait_for
from tests.shim import shim

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>
int flock(int file, int how) {
    const char *wanted = getenv("SHIM_FLOCK");
    if (wanted) { errno = atoi(wanted); return -1; }
    return ((int (*)(int, int))dlsym(RTLD_NEXT, "flock"))(file, how);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    static unsigned calls;
    int status = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
    if (clock == CLOCK_REALTIME && getenv("SHIM_JUMPS")) now->tv_sec += calls++ / 5 % 2 ? 86400 : -86400;
    return status;
}
"""
"""A C library without locks, or whose clock jumps by two days, to and fro."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """That library."""
    return shim(tmp_path_factory.mktemp("shim"), SHIM)


@pytest.fixture(scope="module")
def lockless(laddertop: Laddertop, library: str) -> Iterator[dict[str, str]]:
    """An environment without locks, in which a training goes on."""
    variables = {"LD_PRELOAD": library, "SHIM_FLOCK": str(errno.ENOLCK)}
    done = laddertop("train", "tiny.toml", "--name", "live", "--steps", "100000000", "--detach", **variables)
    assert done.returncode == 0, done.stderr
    yield variables
    laddertop("stop", "live", **variables)  # where a test has failed


def test_without_locks_a_run_is_steered_and_a_second_engine_is_kept_out_until_the_first_is_gone(
    laddertop: Laddertop, lockless: dict[str, str]
) -> None:
    assert laddertop("show", "live", **lockless).stdout.startswith("live: training")
    assert laddertop("show", "live").stdout.startswith("live: training"), "who knows locks sees it, too"
    assert laddertop("set", "live", "noise=off", **lockless).returncode == 0
    second = laddertop("resume", "live", **lockless)
    assert second.returncode == 2
    assert "an engine is training live already" in second.stderr
    told = [event.text for event in laddertop.events("live") if isinstance(event, Logged)]
    assert any("there are no locks where this run lies: a lease file keeps other engines out" in text for text in told)
    assert laddertop("checkpoint", "live", **lockless).returncode == 0
    (pid,) = [event.pid for event in laddertop.events("live") if isinstance(event, RunStarted)]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not laddertop.run_folder("live").engine_alive())
    resumed = laddertop("resume", "live", "--detach", **lockless)
    assert resumed.returncode == 0, resumed.stderr
    stopped = laddertop("stop", "live", **lockless)
    assert stopped.returncode == 0, stopped.stderr
    assert laddertop("show", "live", **lockless).stdout.startswith("live: stopped")


def test_without_locks_a_process_that_has_the_number_of_a_dead_engine_is_none(
    laddertop: Laddertop, lockless: dict[str, str]
) -> None:
    run = laddertop.run_folder("live")
    assert not list(run.path.glob("*.lease-*"))
    reused = this_process().model_copy(update={"started": "1"})
    (run.path / "engine.lease-0123abcd").write_text(reused.model_dump_json())
    assert laddertop("archive", "live", **lockless).returncode == 0
    assert run.archived


def test_with_a_clock_that_jumps_and_no_home_no_temporary_folder_and_no_language_it_trains(
    laddertop: Laddertop, library: str
) -> None:
    nothing = {"HOME": "/proc", "TMPDIR": "/nonexistent", "LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}
    jumping = {"LD_PRELOAD": library, "SHIM_JUMPS": "1"}
    done = laddertop("train", "tiny.toml", "--name", "poor", "--steps", "20", **nothing, **jumping)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("poor: finished at step 20 of 20")
    assert "Traceback" not in done.stderr
    assert {round((event.time - time.time()) / 86400) for event in laddertop.events("poor")} <= {-1, 1}
    listed = laddertop("runs", **nothing, **jumping).stdout.splitlines()
    assert any(line.split()[:3] == ["poor", "finished", "20"] for line in listed), listed


def test_a_user_without_a_home_has_no_cache_and_no_traceback(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can be somebody whom the system does not know")
    code = "import os; from laddertop.journal.files import user_cache; os.setuid(54321); print(user_cache())"
    bare = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=bare, capture_output=True, text=True)
    assert done.stdout == "/nonexistent/.cache/laddertop\n", done.stderr
