"""What the dashboard says of a warm-up that waits before it rises, of a run that the engine itself trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.journal.folder import create_run
from laddertop.tui.dashboard.widgets.knobs import Knobs
from laddertop.tui.watch.cost_terms import warmup_in_words
from tests.kinds import small_spec
from tests.trainings import loop_here
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        (3, "warm-up 0 % of noise, rises after 4 steps"),
        (6, "warm-up 10 % of noise, full at step 15"),
    ],
)
def test_a_warm_up_that_waits_is_not_said_to_rise(steps: int, words: str, tmp_path: Path) -> None:
    settings = ["warmup.on=on", "warmup.after=4", "warmup.steps=10", f"steps={steps}", "evaluate.every=0"]
    run = create_run(tmp_path, small_spec("ladder", *settings), "waits")
    loop_here(run)
    assert warmup_in_words(Eyes(run).view)[0] == words


def test_the_key_that_holds_the_warm_up_shows_what_it_did(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "ladder-mnist-100") as engine:
        engine.train(10)
        eyes = Eyes(engine.run)
        knobs = Knobs(eyes.view, id="knobs")
        assert "hold" not in knobs.picture(4, 120).text(), "no warm-up is on its way"
        eyes.send("set", {"warmup": 1.0})
        engine.answer()
        engine.train(10)
        eyes.look()
        assert "h hold ○ off" in knobs.picture(4, 120).text()
        eyes.send("set", {"warmup.hold": 1.0})
        assert "h hold ○ off→on?" in knobs.picture(4, 120).text()
        engine.answer()
        eyes.look()
        assert "h hold ● on" in knobs.picture(4, 120).text()
