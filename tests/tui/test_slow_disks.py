"""A disk that takes its time holds up no key: what needs one is done in a thread, and the screen says what."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import laddertop.tui.dashboard.manners
import laddertop.tui.dashboard.screens.new
import laddertop.tui.dashboard.screens.run
import laddertop.tui.dashboard.starting
import laddertop.tui.steer.steering
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.ask import Choose
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.runs import RunsView
from laddertop.tui.dashboard.widgets.machine import MachineLine
from laddertop.tui.steer import keeping
from tests import PATIENCE
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


class Slow:
    """A function that takes until it is let go."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.entered.set()
        assert self.go.wait(PATIENCE)
        return self.function(*args, **kwargs)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run that ended, with a checkpoint."""
    with PlayedEngine.new(tmp_path / "runs", "vae-mnist", "ended", steps=100) as engine:
        engine.train(50)
        engine.checkpoint(b"weights")
        engine.end("stopped")
        return engine.run.path


async def keys_are_answered(pilot: Any, until: Until) -> None:
    """The help opens, and closes again."""
    await pilot.press("question_mark")
    await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(pilot.app.screen, Help), "the screen below")


async def test_a_fork_that_copies_a_large_checkpoint(run: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(keeping.fork)
    monkeypatch.setattr(laddertop.tui.dashboard.starting, "fork", slow)
    app = LaddertopApp(run.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "■ stopped" in screen_text(app), "the run")
        await pilot.press("f")
        await until(pilot, lambda: isinstance(app.screen, Choose), "the checkpoints")
        await pilot.press("enter")
        await until(pilot, slow.entered.is_set, "the copy")
        await until(pilot, lambda: "copying the checkpoint of step 50 of ended" in screen_text(app), "the sentence")
        await keys_are_answered(pilot, until)
        # Who has gone on to something else meanwhile is left there, and told.
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen), "the form")
        slow.go.set()
        await until(pilot, lambda: len(list(run.parent.iterdir())) == 2, "the new run")
        await pilot.pause(0.5)
        assert isinstance(app.screen, NewRunScreen)


@pytest.mark.parametrize(
    ("module", "name", "key"),
    [
        (laddertop.tui.steer.steering, "put", "n"),
        (laddertop.tui.dashboard.screens.run, "remember", "k"),
        (laddertop.tui.dashboard.manners, "keep_for_user", "ctrl+t"),
    ],
)
async def test_what_a_key_writes(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch, module: Any, name: str, key: str
) -> None:
    slow = Slow(getattr(module, name))
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(50)
        app = LaddertopApp(tmp_path, engine.run.path)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "● training" in screen_text(app), "the run")
            monkeypatch.setattr(module, name, slow)
            await pilot.press(key)
            await until(pilot, slow.entered.is_set, "the writing")
            await keys_are_answered(pilot, until)
            slow.go.set()


@pytest.mark.parametrize(
    ("deed", "keys", "told"),
    [
        ("delete", ["x", "enter"], "deleting ended"),
        ("rename", ["E", "end", "2", "enter"], "renaming ended"),
        ("archive", ["a"], "archiving ended"),
        ("write_note", ["N", "n", "enter"], "keeping the note about ended"),
    ],
)
async def test_what_is_done_with_whole_runs(
    run: Path, until: Until, monkeypatch: pytest.MonkeyPatch, deed: str, keys: list[str], told: str
) -> None:
    slow = Slow(getattr(keeping, deed))
    monkeypatch.setattr(keeping, deed, slow)
    app = LaddertopApp(run.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "■ stopped" in screen_text(app), "the run")
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        await until(pilot, slow.entered.is_set, "the deed")
        await until(pilot, lambda: told in screen_text(app), "the sentence")
        await keys_are_answered(pilot, until)
        slow.go.set()
        await until(pilot, lambda: told not in screen_text(app), "the end")


async def test_an_event_file_that_can_not_be_read_to_its_end(run: Path, until: Until) -> None:
    app = LaddertopApp(run.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "■ stopped" in screen_text(app), "the run")
        events = (run / "events.jsonl").read_bytes()
        (run / "events.jsonl").unlink()
        os.mkfifo(run / "events.jsonl")  # a reader waits until somebody writes
        try:
            for key in ("f", "R", "p", "enter"):
                await pilot.press(key)
            await keys_are_answered(pilot, until)
        finally:
            fifo, spare = run / "events.jsonl", run / "spare"
            spare.write_bytes(events)
            # Those that wait are let go; those that come later find a file.
            descriptor = os.open(fifo, os.O_RDWR)
            spare.rename(fifo)
            time.sleep(0.2)
            os.close(descriptor)


async def test_a_new_run_is_made(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow(laddertop.tui.dashboard.screens.new.create_run)
    monkeypatch.setattr(laddertop.tui.dashboard.screens.new, "create_run", slow)
    app = LaddertopApp(tmp_path / "runs", form=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "the form")
        await pilot.press("ctrl+s", "ctrl+s", "ctrl+s")
        await until(pilot, slow.entered.is_set, "the folder")
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")
        slow.go.set()
        await until(pilot, lambda: bool(list((tmp_path / "runs").glob("*"))), "the run")
        # Three presses are one run.
        assert len(list((tmp_path / "runs").iterdir())) == 1


async def test_one_look_at_a_time_however_often_something_is_done(
    run: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most, looks = 0, 0, 0
    look = RunsView.look

    def slow(self: RunsView) -> list[RunRow]:
        nonlocal at_once, most, looks
        at_once, looks = at_once + 1, looks + 1
        most = max(most, at_once)
        time.sleep(0.3)
        try:
            return look(self)
        finally:
            at_once -= 1

    monkeypatch.setattr(RunsView, "look", slow)
    app = LaddertopApp(run.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "■ stopped" in screen_text(app), "the run")
        await pilot.press("A")
        for _ in range(4):
            await pilot.press("a")
            await pilot.pause(0.05)
        seen = looks
        await until(pilot, lambda: looks > seen + 2, "more looks")
    assert most == 1


async def test_one_look_at_the_machine_at_a_time(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        assert isinstance(app.screen, LiveScreen)
        sensors, at_once, most = app.screen.query_one(MachineLine)._sensors, 0, 0
        look = sensors.look

        def slow(pid: int | None) -> Any:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            time.sleep(0.5)
            try:
                return look(pid)
            finally:
                at_once -= 1

        monkeypatch.setattr(sensors, "look", slow)
        for _ in range(5):
            await pilot.press("M")
            await pilot.pause(0.1)
        await until(pilot, lambda: "machine" in screen_text(app) and "looking" not in screen_text(app), "the line")
    assert most == 1
