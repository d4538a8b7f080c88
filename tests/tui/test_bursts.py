"""Keys that come in one burst do what they do when they are typed one by one: each acts on what was typed before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key
from textual.keys import _character_to_key

from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.run import RunScreen
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import inbox, opened


def burst(app: App[None], *keys: str) -> None:
    """What a terminal sends at once reaches the app before any of it is taken up."""
    for key in keys:
        name = key if len(key) > 1 else _character_to_key(key)
        app.post_message(Key(name, {"enter": "\r", "space": " "}.get(key, key if len(key) == 1 else None)))


@pytest.fixture
def others(engine: PlayedEngine) -> Iterator[Path]:
    """A folder with three runs, of which the newest has another name than the one that is looked for."""
    with PlayedEngine.new(engine.run.path.parent, name="two") as two:
        two.train(10)
        with PlayedEngine.new(engine.run.path.parent, name="newest") as newest:
            newest.train(10)
            yield engine.run.path.parent


async def test_enter_opens_the_run_that_the_search_leaves(others: Path, until: Until) -> None:
    app = LaddertopApp(others)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "3 by newest" in screen_text(app), "the list")
        burst(app, "/", *"two", "enter", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "a run")
        assert isinstance(app.screen, RunScreen)
        assert app.screen.view.run.name == "two"


async def test_a_mark_and_a_note_are_of_the_run_that_they_were_typed_for(others: Path, until: Until) -> None:
    app = LaddertopApp(others)
    async with app.run_test(size=(160, 30)) as pilot:
        await until(pilot, lambda: "3 by newest" in screen_text(app), "the list")
        burst(app, "/", *"two", "enter", "N", *"fancy, on x", "enter", "escape", "space")
        await until(pilot, lambda: bool(re.search(r"◆ two .* fancy, on x", screen_text(app))), "mark and note")
        assert "3 by newest, 1 marked" in screen_text(app)


async def test_the_form_starts_the_recipe_that_the_filter_leaves(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(
        NewRunScreen, "action_start", lambda form: started.append((form._recipe, form._draft and form._draft.recipe))
    )
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "type to filter" in screen_text(app), "the form")
        burst(app, *"dae-sw", "ctrl+s")
        await until(pilot, lambda: bool(started), "the start")
    assert started == [("dae-swissroll", "dae-swissroll")]


async def test_enter_in_the_chart_chooser_takes_what_the_filter_leaves(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "[] lr 0.002" in screen_text(pilot.app), "the run")
        burst(pilot.app, "/", *"grad_norm", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.charts.focus_on == "grad_norm", "the chart")


async def test_the_palette_asks_for_the_value_that_is_typed_behind_a_name(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "[] lr 0.002" in screen_text(pilot.app), "the run")
        burst(pilot.app, "ctrl+p", *"lr", "enter", "ctrl+u", *"0.003", "enter")
        await until(pilot, lambda: bool(inbox(engine.run.path)), "the command")
        assert [(c.action, c.changes) for c in inbox(engine.run.path)] == [("set", {"lr": 0.003})]


async def test_a_note_in_one_burst_turns_no_knob(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "[] lr 0.002" in screen_text(pilot.app), "the run")
        burst(pilot.app, "N", *"now wins", "enter", "c")
        await until(pilot, lambda: len(inbox(engine.run.path)) == 2, "note and checkpoint")
        assert [(c.action, c.note) for c in inbox(engine.run.path)] == [("annotate", "now wins"), ("checkpoint", "")]
        assert isinstance(pilot.app.screen, LiveScreen)
