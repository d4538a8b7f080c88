"""What is done with whole runs on the runs screen: search, order, rename, note, archive, delete, fork."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.commands import send
from laddertop.journal.folder import RunFolder, list_runs
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from laddertop.tui.draw.spark import trend
from laddertop.tui.steer.keeping import write_note
from tests.processes import Laddertop
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """Three runs that ended: `best` the oldest, `half` with a note, `young` the newest."""
    for age, (name, recipe, steps, error) in enumerate(
        [("young", "vae-mnist", 100, 30.0), ("half", "ladder-mnist-100", 50, 20.0), ("best", "vae-mnist", 100, 10.0)]
    ):
        with PlayedEngine.new(tmp_path, recipe, name, steps=100) as engine:
            engine.train(steps)
            engine.evaluate(error)
            engine.end("finished" if steps == 100 else "stopped")
        os.utime(engine.run.path / "spec.json", (time.time() - 1000 * (age + 1),) * 2)
    write_note(RunFolder(tmp_path / "half"), "cut short")
    return tmp_path


def names(app: LaddertopApp) -> list[str]:
    """The runs as they stand on the screen."""
    return [row.name for row in app.screen.query_one(RunsTable)._rows]


async def test_runs_are_ordered_and_searched(runs: Path, until: Until) -> None:
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: names(app) == ["young", "half", "best"], "newest first")
        await pilot.press("down", "s")
        assert names(app) == ["best", "half", "young"]
        assert app.screen.query_one(RunsTable).selected.name == "half"  # type: ignore[union-attr]
        await pilot.press("S")
        assert names(app) == ["young", "half", "best"]
        await pilot.press("s", "s", "s", "S", "s")
        await until(pilot, lambda: "3 by best" in screen_text(app), "the order")
        # The error of a ladder network and the bound of a VAE are different things; each is told by its name.
        assert names(app) == ["half", "best", "young"]
        await pilot.press("slash", *"vae fin")
        await until(pilot, lambda: names(app) == ["best", "young"], "those that fit")
        assert "2 of 3" in screen_text(app)
        await pilot.press("enter", "escape")
        await until(pilot, lambda: len(names(app)) == 3, "all of them")
        await pilot.press("slash", *"short")
        await until(pilot, lambda: names(app) == ["half"], "a word of the note")
        await pilot.press("x")
        assert app.screen.query_one("#search").has_focus
        await until(pilot, lambda: "no run fits" in screen_text(app), "the sentence")


async def test_a_run_is_renamed_noted_archived_and_deleted(runs: Path, until: Until) -> None:
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: len(names(app)) == 3, "the runs")
        await pilot.press("E", "end", *"-est", "enter")
        await until(pilot, lambda: "young-est" in names(app) and (runs / "young-est").is_dir(), "the new name")
        assert app.screen.query_one(RunsTable).selected.name == "young-est"  # type: ignore[union-attr]
        await pilot.press("N", *"[bold]mine", "enter")
        await until(pilot, lambda: "[bold]mine" in screen_text(app), "the note")
        await pilot.press("a")
        await until(pilot, lambda: names(app) == ["half", "best"], "it is away")
        await pilot.press("A")
        await until(pilot, lambda: "› young-est" in screen_text(app), "archived runs too")
        await pilot.press("home", "x", "escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "no")
        assert (runs / "young-est").is_dir()
        await pilot.press("x")
        await until(pilot, lambda: "delete young-est?" in screen_text(app), "the question")
        await pilot.press("enter")
        await until(pilot, lambda: names(app) == ["half", "best"], "it is gone")
        assert sorted(path.name for path in runs.iterdir()) == ["best", "half"]


async def test_the_cursor_goes_to_a_renamed_run_that_a_look_missed_unless_somebody_moves_it(
    runs: Path, until: Until
) -> None:
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: len(names(app)) == 3, "the runs")
        table = app.screen.query_one(RunsTable)
        every = list(table._rows)
        for moves, stands_on in ((0, "young"), (1, "best")):
            table.take(every[1:])  # as a look finds them while the first one gets its name
            table.choose(every[0].run.path)
            if moves:
                table.action_move(moves)
            table.take(every)
            assert table.selected is not None
            assert table.selected.name == stands_on


async def test_a_run_that_is_trained_is_not_deleted(runs: Path, until: Until) -> None:
    app = LaddertopApp(runs)
    with PlayedEngine.new(runs, "vae-mnist", "live") as engine:
        engine.train(10)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "live" in names(app), "the run")
            await pilot.press("home", "x", "enter")
            await until(pilot, lambda: "an engine is training live; stop it first" in screen_text(app), "why not")
            assert (runs / "live").is_dir()


@pytest.fixture(scope="module")
def trained(laddertop: Laddertop) -> Path:
    """The folder of a run that has finished, with checkpoints of the steps 20, 40 and 60."""
    words = ("train", "tiny.toml", "--name", "first", "--steps", "60", "--set", "checkpoint.every=20")
    assert laddertop(*words).returncode == 0
    return laddertop.runs


async def test_a_fork_is_made_from_the_checkpoint_that_is_chosen(
    tmp_path: Path, trained: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    laddertop = Laddertop(tmp_path)
    shutil.copytree(trained, laddertop.runs)
    app = LaddertopApp(laddertop.runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "✓ finished" in screen_text(app), "the run")
        await pilot.press("f")
        await until(pilot, lambda: "fork first from a checkpoint" in screen_text(app), "the checkpoints")
        assert [line.split("step")[1].split()[0] for line in screen_text(app).splitlines() if " kB " in line] == [
            "60",
            "40",
            "20",
        ]
        await pilot.press("enter")
        await until(pilot, lambda: "nothing is left to train" in screen_text(app), "no steps after the last")
        await pilot.press("f", "down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.view.state.ended is not None, "the end")
        assert screen.view.state.starts[0].resumed_from == 40
    assert {run.name for run in list_runs(laddertop.runs)} > {"first"}
    assert laddertop.json("show", screen.view.run.name)["origin"] == {"kind": "fork", "run": "first", "step": 40}


async def test_a_live_run_goes_back_to_the_checkpoint_that_is_chosen(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    laddertop = Laddertop(tmp_path)
    words = ("--steps", "100000000", "--set", "checkpoint.every=0", "--name", "live", "--detach")
    assert laddertop.here("train", "tiny.toml", *words).returncode == 0
    saved = laddertop.json("checkpoint", "live")["step"]
    run = laddertop.run_folder("live")
    app = LaddertopApp(laddertop.runs, run.path)
    try:
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "● training" in screen_text(app), "the run")
            await pilot.press("Z")
            await until(pilot, lambda: "send live back to a checkpoint" in screen_text(app), "the checkpoints")
            await pilot.press("enter")
            screen = app.screen
            assert isinstance(screen, RunScreen)
            await until(pilot, lambda: screen.view.state.segment == 2, "the second start")
            assert screen.view.state.starts[1].resumed_from == saved
            assert "goes back" not in screen_text(app)
            await until(pilot, lambda: f"you: back to step {saved} → applied" in screen_text(app), "the outcome")
    finally:
        send(run.path, 2, "stop", by="test")


async def test_a_roll_back_is_pending_until_the_engine_has_answered_and_may_be_refused(
    engine: PlayedEngine, until: Until
) -> None:
    engine.checkpoint()
    (engine.run.path / "step-000002000.ckpt").write_bytes(b"weights")
    engine.train(100)
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        await pilot.press("Z")
        await until(pilot, lambda: "back to a checkpoint" in screen_text(app), "the checkpoints")
        await pilot.press("enter")
        await until(pilot, lambda: "pending: back to step 2 000" in screen_text(app), "that it is asked")
        assert "goes back" not in screen_text(app)
        # The played engine knows no step to go back to.
        engine.answer()
        await until(pilot, lambda: "you: back to step 2 000 → refused" in screen_text(app), "the refusal")


async def test_why_no_engine_started_is_told_on_the_screen_the_user_is_on(
    tmp_path: Path, trained: Path, until: Until
) -> None:
    runs = shutil.copytree(trained, tmp_path / "runs")
    spec = runs / "first" / "spec.json"
    spec.write_text(spec.read_text().replace('"device": "cpu"', '"device": "cuda:99"'))
    app = LaddertopApp(runs)
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: "✓ finished" in screen_text(app), "the run")
        await pilot.press("f")
        await until(pilot, lambda: "fork first from a checkpoint" in screen_text(app), "the checkpoints")
        await pilot.press("down", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")
        await until(pilot, lambda: "no training of" in screen_text(app), "the reason")


def test_a_small_curve_shows_what_is_no_number() -> None:
    assert trend(np.array([1.0, 10.0, 100.0]), 9) == "▁▅█"
    assert trend(np.array([4.0, np.nan, 1.0]), 3) == "█×▁"
    assert trend(np.array([np.nan, np.inf]), 3) == "××"
    assert trend(np.array([2.0, 2.0]), 3) == "▁▁"
    assert trend(np.array([]), 3) == ""
    assert len(trend(np.linspace(-1, 1, 64), 9)) == 9


async def test_a_list_that_comes_while_the_dashboard_leaves_is_no_error(runs: Path, until: Until) -> None:
    app = LaddertopApp(runs, runs / "best")
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
        app.exit()
        await app.action_back()
        await asyncio.sleep(0.5)
