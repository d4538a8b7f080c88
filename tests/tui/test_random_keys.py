"""Any keys in any order, on every screen of the dashboard, with the terminal changing its size: no error, ever."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.screen import Screen

from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.watch.comparison import open_runs
from laddertop.tui.watch.replay import Past
from tests.tui.played import PlayedEngine

# Without the keys that leave, start an engine, or open the palette, from which everything can be started.
KEYS = [
    *"abcefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    *"+-=[]{}.,/?<>;:!@#$%&*()_|~^'\"",
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab", "enter", "space", "f1"),
    *("backspace", "delete", "escape", "ctrl+a", "ctrl+e", "ctrl+k", "ctrl+t", "ctrl+n", "shift+left", "shift+right"),
]
SIZES = [(80, 24), (120, 40), (20, 5), (200, 50), (1, 1), (60, 15), (79, 23), (100, 30)]

SCREENS: dict[str, Callable[[Path, list[RunFolder]], Screen[None]]] = {
    "runs": lambda runs, _: RunsScreen(runs),
    "run": lambda _, found: LiveScreen(found[0]),
    "vae": lambda _, found: LiveScreen(found[1]),
    "replay": lambda _, found: ReplayScreen(found[0], Past(found[0])),
    "compare": lambda _, found: CompareScreen(open_runs(found)),
    "new": lambda runs, _: NewRunScreen(runs),
}


async def press_anything(tmp_path: Path, name: str, seed: int, keys: int) -> None:
    """Opens a screen over two runs that train, and presses keys until they are used up or the dashboard is left."""
    chosen = random.Random(f"{name} {seed}")
    with (
        PlayedEngine.new(tmp_path / "runs", "ladder-mnist-100", "one") as one,
        PlayedEngine.new(tmp_path / "runs", "vae-mnist", "two") as two,
    ):
        for engine in (one, two):
            engine.sample()
            engine.train(500)
            engine.train(50, nan=True)
            engine.evaluate(3.0)
            engine.checkpoint()
        app = LaddertopApp(tmp_path / "runs")
        pressed: list[str] = []
        async with app.run_test(size=(120, 40)) as pilot:
            await pilot.pause()
            app.switch_screen(SCREENS[name](tmp_path / "runs", [one.run, two.run]))
            await pilot.pause()
            for i in range(keys):
                if not app.is_running or app.return_code is not None:
                    break
                pressed.append(chosen.choice(KEYS))
                await pilot.press(pressed[-1])
                if i % 25 == 24:
                    one.answer()
                    two.answer()
                    one.train(20)
                    await pilot.resize_terminal(*chosen.choice(SIZES))
        # run_test raises what an error in the dashboard was; this says after which keys.
        assert app.return_code in (0, None), pressed[-20:]


@pytest.mark.parametrize("name", SCREENS)
async def test_no_key_is_an_error(tmp_path: Path, name: str) -> None:
    await press_anything(tmp_path, name, seed=1, keys=30)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", SCREENS)
async def test_a_thousand_keys_are_no_error(tmp_path: Path, name: str, seed: int) -> None:
    await press_anything(tmp_path, name, seed, keys=1000)
