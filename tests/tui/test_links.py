"""A terminal that takes nothing any more, or is gone, holds no dashboard: it can be left, and it ends by itself."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import termios
import time
from collections.abc import Iterator

import psutil
import pytest

from tests import PATIENCE
from tests.tui.played import PlayedEngine
from tests.tui.test_manners import is_tidy
from tests.tui.test_terminals import OPEN, Terminal

HANGS = """
import asyncio
from laddertop.tui.dashboard.screens.run import RunScreen

async def action_help(self):
    await asyncio.sleep({seconds})
    time.sleep(10**6)

RunScreen.action_help = action_help
"""
HUNG = {"hung": HANGS.format(seconds=0), "hangs later": HANGS.format(seconds=0.3)}
"""Dashboards that hang in a key; the one goes on for a while, and takes up nothing that is typed behind that key."""
KEYS = {"comes back": b"d", "d": b"d", "ctrl+q": b"\x11", "hangs later": b"?d"}
"""By dashboard whose terminal takes nothing: what it is left with."""


def in_a_shell(more: str = "") -> list[str]:
    """A dashboard in a shell that tells its status, and keeps a hang-up to itself: no signal tells the dashboard."""
    dashboard = shlex.join([sys.executable, "-c", OPEN.format(more=more)])
    return ["bash", "-c", f"trap '' HUP; {dashboard} \"$@\"; echo status $?; read -r", "bash"]


def dashboard_in(terminal: Terminal) -> psutil.Process:
    """The process of the dashboard."""
    (dashboard,) = psutil.Process(terminal.process.pid).children()
    return dashboard


def fill(terminal: Terminal) -> None:
    """Lets the terminal take nothing more."""
    slave = os.open(terminal.name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    for _ in range(3):  # what the system takes aside meanwhile leaves room
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(slave, b"\0")
        time.sleep(0.1)
    os.close(slave)


@pytest.fixture(scope="module")
def terminals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Terminal]]:
    """Dashboards on a run that is being trained, each in a terminal of its own, that were just left; and one that is
    hung."""
    with PlayedEngine.new(tmp_path_factory.mktemp("runs")) as engine, contextlib.ExitStack() as stack:
        engine.keep_time(time.time() - 2)
        engine.train(900)
        path = engine.run.path
        opened = {
            name: stack.enter_context(Terminal(path.parent, path, command=in_a_shell(HUNG.get(name, ""))))
            for name in (*KEYS, "hung")
        }
        for terminal in opened.values():
            terminal.read_until(b" played ")
            terminal.take(0.3)
        os.write(opened["hung"].master, b"?")
        for name in KEYS:
            fill(opened[name])
        for _ in range(40):  # draws more than may wait for the terminal: then the event loop waits for it
            os.write(opened["ctrl+q"].master, b"m")
            time.sleep(0.03)
        for name, key in KEYS.items():
            os.write(opened[name].master, key)
        yield opened


def test_a_terminal_that_comes_back_gets_the_whole_goodbye(terminals: dict[str, Terminal]) -> None:
    terminal = terminals["comes back"]
    terminal.read_until(b"status 0\r\n")
    assert is_tidy(terminal.output)
    assert b"laddertop attach played" in terminal.output


@pytest.mark.parametrize("name", ["d", "ctrl+q", "hangs later"])
def test_a_terminal_that_takes_nothing_can_be_left_and_is_tidy_when_it_comes_back(
    terminals: dict[str, Terminal], name: str
) -> None:
    terminal = terminals[name]
    for dashboard in psutil.Process(terminal.process.pid).children():
        dashboard.wait(PATIENCE)
    terminal.read_until(b"status 0\r\n")
    assert is_tidy(terminal.output)
    assert termios.tcgetattr(terminal.master)[3] & termios.ECHO


def test_a_dashboard_ends_with_its_terminal_wherever_it_hangs(terminals: dict[str, Terminal]) -> None:
    dashboard = dashboard_in(terminals["hung"])
    os.close(terminals["hung"].master)
    dashboard.wait(PATIENCE)
