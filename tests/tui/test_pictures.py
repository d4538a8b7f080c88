"""The screens as pictures: a change here is a change that users see. See picture.py for how to accept one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from laddertop.journal.commands import send
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.views.machine import Sensors
from laddertop.tui.watch.event_line import ME
from tests.tui.conftest import Until
from tests.tui.picture import check_picture, screen_text
from tests.tui.played import PlayedEngine


def played(runs: Path, recipe: str, name: str, seconds_ago: float = -60.0) -> PlayedEngine:
    """A run in which things happened: an intervention, a gap of NaN, samples, an evaluation.

    The newest of them is a minute ahead, so that it is not stale on a machine that is slow to draw it.
    """
    engine = PlayedEngine.new(runs, recipe, name).__enter__()
    engine.keep_time(time.time() - seconds_ago - 12_000 / engine.rate)
    os.utime(engine.run.path / "spec.json", (time.time() - 9000,) * 2)
    engine.sample()
    engine.train(6000)
    send(engine.run.path, 1, "set", {"noise": 0.0}, by=ME)
    engine.answer()
    engine.train(2000)
    engine.train(300, nan=True)
    engine.train(1700)
    send(engine.run.path, 1, "set", {"noise": 1.0}, by="ann@box (command line)")
    engine.answer()
    engine.train(2000)
    engine.sample()
    engine.evaluate(2.345)
    engine.checkpoint()
    return engine


@pytest.mark.parametrize(
    ("name", "recipe", "size", "keys", "plain"),
    [
        ("ladder-80x24", "ladder-mnist-100", (80, 24), [], False),
        ("ladder-80x24-layers", "ladder-mnist-100", (80, 24), ["tab", "tab"], False),
        ("ladder-80x24-samples", "ladder-mnist-100", (80, 24), ["tab", "tab", "tab"], False),
        ("ladder-80x24-ascii", "ladder-mnist-100", (80, 24), [], True),
        ("ladder-120x40", "ladder-mnist-100", (120, 40), [], False),
        ("ladder-200x50", "ladder-mnist-100", (200, 50), [], False),
        ("vae-120x40", "vae-mnist", (120, 40), [], False),
        ("dae-80x24", "dae-mnist", (80, 24), [], False),
    ],
)
async def test_the_run_screen_looks_as_it_did(
    tmp_path: Path, until: Until, name: str, recipe: str, size: tuple[int, int], keys: list[str], plain: bool
) -> None:
    engine = played(tmp_path, recipe, "2026-11-23-run-7f3a")
    try:
        app = LaddertopApp(tmp_path, engine.run.path, plain=plain)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: "step 12 000" in screen_text(app), "the newest step")
            await pilot.press(*keys)
            await check_picture(pilot, name)
    finally:
        engine.__exit__(None, None, None)


async def test_a_crashed_run_looks_as_it_did(tmp_path: Path, until: Until) -> None:
    engine = played(tmp_path, "ladder-mnist-100", "2026-11-23-run-7f3a", seconds_ago=1000)
    engine.__exit__(None, None, None)
    engine.run.console_path.write_text("torch.OutOfMemoryError: CUDA out of memory\n")
    app = LaddertopApp(tmp_path, engine.run.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✗ crashed" in screen_text(app) and "12 000" in screen_text(app), "the state")
        await check_picture(pilot, "crashed-80x24")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_list_of_runs_looks_as_it_did(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = played(Path("checkpoints"), "ladder-mnist-100", "2026-11-23-run-7f3a")
    try:
        app = LaddertopApp(Path("checkpoints"))
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: "● training" in screen_text(app), "the run")
            await check_picture(pilot, f"runs-{size[0]}x{size[1]}")
    finally:
        engine.__exit__(None, None, None)


async def test_the_form_looks_as_it_did(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LADDERTOP_RUNS", str(tmp_path))
    monkeypatch.setattr(os, "cpu_count", lambda: 4)  # the form's guess depends on them
    monkeypatch.setattr(Sensors, "_gpus", lambda _: [])
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "a guess" in screen_text(app), "the form")
        await check_picture(pilot, "form-80x24")


async def test_a_comparison_looks_as_it_did(tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for recipe, name in (("ladder-mnist-100", "full"), ("bottom-mnist-100", "bottom")):
        engine = played(Path("checkpoints"), recipe, name)
        engine.end("stopped")  # one that trains is silent once this test takes long
        engine.__exit__(None, None, None)
    app = LaddertopApp(Path("checkpoints"))
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: screen_text(app).count("■ stopped") == 2, "the runs")
        await pilot.press("space", "down", "space", "c")
        await until(pilot, lambda: screen_text(app).count("error 2.3") == 2, "the table")
        await check_picture(pilot, "compare-120x40")
        await pilot.resize_terminal(80, 24)
        await pilot.press("left", *["shift+left"] * 2)
        await until(pilot, lambda: "▲step " in screen_text(app), "the cursor")
        await check_picture(pilot, "compare-80x24-cursor")


async def test_a_replay_looks_as_it_did(tmp_path: Path, until: Until) -> None:
    engine = played(tmp_path, "ladder-mnist-100", "2026-11-23-run-7f3a", seconds_ago=1000)
    engine.end()
    engine.__exit__(None, None, None)
    app = LaddertopApp(tmp_path, engine.run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("space", "8")
        await until(
            pilot, lambda: "‖ replay" in screen_text(app) and "noise off → applied" in screen_text(app), "it stands"
        )
        await check_picture(pilot, "replay-120x40")
