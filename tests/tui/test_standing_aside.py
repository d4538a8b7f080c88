"""The dashboard under a shell: it stands aside and comes back, and says where things stand when it is left."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from tests import PATIENCE
from tests.terminal import Terminal as Screen
from tests.tui.played import PlayedEngine
from tests.tui.test_manners import OPEN, ROOT, Terminal, is_tidy


def under_a_shell(*paths: Path) -> tuple[Screen, str]:
    """An interactive shell, and the command that opens a dashboard in it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PS1": "shell> ", "XDG_CACHE_HOME": str(paths[0] / ".cache")}
    shell = Screen(["bash", "--norc", "--noprofile", "-i"], ROOT, environment, 100, 30)
    shell.wait_for(lambda lines: any("shell>" in line for line in lines))
    return shell, f"{shlex.join([sys.executable, '-c', OPEN, *map(str, paths)])}\r"


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_the_dashboard_up_again(engine: PlayedEngine) -> None:
    shell, command = under_a_shell(engine.run.path.parent, engine.run.path)
    with shell:
        shell.press(command)
        shell.wait_for(lambda lines: any("● training" in line for line in lines))
        shell.press("\x1a")
        shell.wait_for(lambda lines: any("Stopped" in line for line in lines))
        shell.press("clear; stty -a | grep -o ' echo '; echo well\r")
        shell.wait_for(lambda lines: "well" in lines and " echo" in lines)
        shell.press("clear; fg\r")
        shell.wait_for(lambda lines: "● training" in lines[0] and any("total cost" in line for line in lines))
        shell.press("?")
        shell.wait_for(lambda lines: any("Keys of the run screen" in line for line in lines))
        shell.press("\x1b")
        shell.wait_for(lambda lines: not any("Keys of the run screen" in line for line in lines))
        shell.press("d")
        shell.wait_for(lambda lines: "back to it: laddertop attach played" in " ".join(lines))
        shell.press("echo status $?\r")
        shell.wait_for(lambda lines: "status 0" in lines)


def test_without_a_shell_that_could_take_it_up_again_ctrl_z_stops_nothing(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        terminal.read_until(b"no runs here yet")
        os.write(terminal.master, b"\x1a")
        terminal.read_until(b"no shell waits for this dashboard")
        os.write(terminal.master, b"q")
        assert terminal.process.wait(PATIENCE) == 0
    finally:
        terminal.close()


def test_a_quit_signal_leaves_a_tidy_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        terminal.read_until(b"no runs here yet")
        terminal.process.send_signal(signal.SIGQUIT)
        terminal.read_until(b"\x1b[?1049l")
        assert terminal.process.wait(PATIENCE) == 128 + signal.SIGQUIT
        assert is_tidy(terminal.drain())
    finally:
        terminal.close()


@pytest.mark.parametrize("key", [b"d", b"q", b"\x03"])
def test_who_leaves_a_run_is_told_where_it_stands_and_how_to_come_back(engine: PlayedEngine, key: bytes) -> None:
    terminal = Terminal(engine.run.path.parent, engine.run.path)
    try:
        terminal.read_until("● training".encode())
        os.write(terminal.master, key)
        assert terminal.process.wait(PATIENCE) == 0
        given_back, _, after = terminal.drain().rpartition(b"\x1b[?1049l")
        assert given_back
        folder = engine.run.path.parent
        line = f"played: training, step 2 000 of 90 000\r\nback to it: laddertop attach played --runs {folder}"
        assert after.decode().rstrip().endswith(f"l{line}"), "the last of all, the command whole in a line"
    finally:
        terminal.close()


def test_who_leaves_the_list_is_told_of_what_goes_on(engine: PlayedEngine, tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist", "other") as other:
        other.keep_time(time.time())
        other.train(10)
        terminal = Terminal(tmp_path)
        try:
            terminal.read_until(b"other")
            terminal.read_until("● training".encode())
            os.write(terminal.master, b"q")
            assert terminal.process.wait(PATIENCE) == 0
            assert f"2 runs go on\r\nback to them: laddertop open --runs {tmp_path}" in terminal.drain().decode()
        finally:
            terminal.close()
