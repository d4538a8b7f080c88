"""A terminal that is too small for the dashboard is told so in one way, whatever the dashboard shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import laddertop.tui.dashboard.screens.model_screen
from laddertop.tui.dashboard.app import LaddertopApp
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

SCREENS: dict[str, tuple[str, list[str], str]] = {
    "runs": ("runs", [], "● training"),
    "form": ("form", [], "✓ ready"),
    "compare": ("runs", ["space", "down", "space", "c"], "2 runs: total cost"),
    "run": ("run", [], "noise ● on"),
    "replay": ("replay", [], "replay ×"),
    "layers": ("run", ["2"], "layer 6 y principal axes"),
    "latent": ("run", ["3"], "─ traversal ─"),
    "explore": ("run", ["4"], "esc back"),
    "samples": ("run", ["5"], "esc back"),
    "interventions": ("run", ["i"], "Interventions"),
    "help": ("run", ["question_mark"], "Keys of the run screen"),
    "charts": ("run", ["slash"], "ctrl+o all in one"),
    "question": ("run", ["N"], "a note for the event log"),
}
"""By screen: how the dashboard opens, the keys from there, and what is on it at 60 × 15."""


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[PlayedEngine]]:
    """Two runs that are trained."""
    with ExitStack() as stack:
        made = [stack.enter_context(PlayedEngine.new(tmp_path, name=name)) for name in ("one", "two")]
        for one in made:
            one.keep_time(time.time() - 1)
            one.sample()
            one.train(500)
        yield made


@pytest.mark.parametrize("name", SCREENS)
async def test_every_screen_says_that_it_is_too_small_and_comes_back(
    runs: list[PlayedEngine], until: Until, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laddertop.tui.dashboard.screens.model_screen, "QUICK", 0.5)  # no model answers here
    opens, keys, shows = SCREENS[name]
    run = runs[0].run.path
    app = LaddertopApp(
        run.parent, None if opens in ("runs", "form") else run, opens == "form", replay=opens == "replay"
    )
    async with app.run_test(size=(60, 15)) as pilot:
        first = {"runs": "● training", "form": "✓ ready", "run": "noise ● on", "replay": "replay ×"}[opens]
        await until(pilot, lambda: first in screen_text(app), "the first screen")
        await pilot.press(*keys)
        await until(pilot, lambda: shows in screen_text(app), "the screen")
        for width, height in ((20, 5), (59, 40)):
            await pilot.resize_terminal(width, height)
            sentence = f"too small: have {width}×{height}, need 60×15"
            await until(pilot, lambda s=sentence: screen_text(app).split() == s.split(), "the sentence alone")
        await pilot.press("n")  # what can't be seen gets no keys
        await pilot.resize_terminal(60, 15)
        await until(pilot, lambda: shows in screen_text(app), "the screen again")
    assert [one.answer() for one in runs] == [[], []]


async def test_a_dashboard_that_opens_in_a_terminal_too_small_is_whole_once_it_is_larger(
    runs: list[PlayedEngine], until: Until
) -> None:
    app = LaddertopApp(runs[0].run.path.parent, runs[0].run.path)
    async with app.run_test(size=(50, 12)) as pilot:
        await until(pilot, lambda: "too small: have 50×12, need 60×15" in screen_text(app), "the sentence")
        for size in ((1, 1), (20, 5), (80, 24)):
            await pilot.resize_terminal(*size)
        await until(pilot, lambda: "noise ● on" in screen_text(app) and "total cost" in screen_text(app), "the run")
