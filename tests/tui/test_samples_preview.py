"""The list of runs shows the newest samples of the run that is chosen, where the screen is high enough."""

from __future__ import annotations

from pathlib import Path

from laddertop.tui.dashboard.app import LaddertopApp
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


def shown(app: LaddertopApp) -> str:
    """The rule over the samples; empty where there are none."""
    return next((line for line in screen_text(app).splitlines() if line.startswith("─ samples ─")), "")


async def test_the_newest_samples_of_the_chosen_run_are_shown_and_follow_its_training(
    tmp_path: Path, until: Until
) -> None:
    with PlayedEngine.new(tmp_path, "ladder-mnist-100", "none") as empty:
        empty.train(10)
        empty.end("stopped")
    with PlayedEngine.new(tmp_path, "ladder-mnist-100", "drawn") as engine:
        engine.train(100)
        engine.sample()
        app = LaddertopApp(tmp_path)
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda: "step 100" in shown(app), "the samples")
            assert "input" in screen_text(app)
            assert "drawn" in screen_text(app), "the list has room beside them"
            engine.train(200)
            engine.sample()
            await until(pilot, lambda: "step 300" in shown(app), "the newest")
            await pilot.press("down")
            await until(pilot, lambda: not shown(app), "a run without samples")
            await pilot.press("up")
            await until(pilot, lambda: "step 300" in shown(app), "back")
            await pilot.resize_terminal(80, 22)
            await until(pilot, lambda: not shown(app), "that there is no room")
            await pilot.resize_terminal(120, 40)
            await until(pilot, lambda: "step 300" in shown(app), "more room")


async def test_samples_that_can_not_be_read_disturb_nobody(engine: PlayedEngine, until: Until) -> None:
    engine.sample()
    for file in (engine.run.path / "samples").iterdir():
        file.write_bytes(b"half")
    app = LaddertopApp(engine.run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        await pilot.pause(0.3)
        assert not shown(app)
