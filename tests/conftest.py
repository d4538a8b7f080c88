"""What the tests of several folders share."""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests import warm
from tests.processes import Laddertop, compile_sources

TALLY = "tally"

os.environ["XDG_CONFIG_HOME"] = "/nonexistent/config"
"""No test depends on the settings of whoever runs it."""

os.environ |= warm.THREADS
subprocess.Popen = warm.Popen  # type: ignore[misc]

Tally = Callable[[str, int, int], None]
"""Takes what was done in words, how often, and how many of these times something was lost."""


def pytest_xdist_auto_num_workers() -> int:
    """Two workers more than cores: tests of real processes and terminals mostly wait."""
    return (os.cpu_count() or 1) + 2


def pytest_configure(config: pytest.Config) -> None:
    """Compiles the sources once, before the workers start, and has a process that forks engines for all of them."""
    if not hasattr(config, "workerinput"):
        compile_sources()
        with contextlib.ExitStack() as stack:
            stack.enter_context(warm.forks())
            config.add_cleanup(stack.pop_all().close)


def pytest_collection_finish() -> None:
    """Spares every collection of garbage the millions of objects that all modules of tests are."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def laddertop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laddertop]:
    """The command line in a new folder, shared by the tests of a module; no engine of theirs outlives them."""
    command_line = Laddertop(tmp_path_factory.mktemp("work"))
    yield command_line
    command_line.kill_engines()


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Tally:
    """Counts what a test did to the program, for the table at the end: what was done, how often, what was lost.

    To be called before the test insists that nothing was, so that a loss is in the table, too.
    """

    def count(what: str, times: int, lost: int) -> None:
        record_property(TALLY, (what, times, lost))

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the table of all that was counted."""
    done: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, counted in report.user_properties if report.when == "call" else ():
            if name == TALLY:
                what, times, losses = counted
                done[what] += times
                lost[what] += losses
    if not done:
        return
    width = max(map(len, done))
    terminalreporter.section("what was done, how often, what was lost")
    for what, times in done.items():
        terminalreporter.write_line(f"{what:{width}} {times:8} {lost[what]:6}")
    terminalreporter.write_line(f"{'together':{width}} {done.total():8} {lost.total():6}")
