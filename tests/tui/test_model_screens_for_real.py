"""Looking into a run that has finished: a real process answers from its checkpoint, and ends with the dashboard."""

from __future__ import annotations

import os

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.live import LiveScreen
from tests.processes import Laddertop
from tests.tui.conftest import Until
from tests.tui.picture import screen_text


async def test_a_finished_run_is_explored_by_a_process_that_ends_with_the_dashboard(
    laddertop: Laddertop, until: Until
) -> None:
    settings = ("model.hidden=[16]", "compile=off", "threads=1", "checkpoint.every=0")
    words = ["train", "dae-mnist", "--data=digits", "--device=cpu", "--steps=50", "--name=finished"]
    done = laddertop(*words, *(f"--set={s}" for s in settings))
    assert done.returncode == 0, done.stderr
    run: RunFolder = laddertop.run_folder("finished")
    app = LaddertopApp(run.path.parent, run.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, LiveScreen) and app.screen.view.state.started is not None, "the run"
        )
        assert isinstance(app.screen, LiveScreen)
        live = app.screen
        await pilot.press("4")
        await until(pilot, lambda: "answer of step 50, step-000000050-" in screen_text(app), "the answer")
        asking = live._asking
        assert asking is not None
        assert "error, root mean square" in screen_text(app)
        process = asking._process
        assert process is not None
        assert process.poll() is None
        # The same process serves the other screens; what this model can't do is a sentence.
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "a dae model learns no classes" in screen_text(app), "the sentence")
        await pilot.press("2")
        await until(pilot, lambda: "layer 1 principal axes" in screen_text(app), "the layers")
        assert asking._process is process
    assert process.poll() is not None
    assert not run.explorer_alive()
    assert os.listdir(run.path / "explore") == []
