"""One grammar of keys: what a key means on one screen it means on every screen that listens to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.binding import Binding
from textual.screen import Screen

from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.knob_keys import key_of, taken, usable_keys
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.screens.sweep import SweepScreen
from laddertop.tui.dashboard.screens.too_small import TooSmall
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine, knob
from tests.tui.test_steering import inbox

SCREENS = [RunsScreen, LiveScreen, ReplayScreen, CompareScreen, SweepScreen, *MODEL_SCREENS.values()]
GRAMMAR = {
    "escape": ("back", {"app.back"}),
    "q": ("leave the screen", {"app.close"}),
    "d": ("leave the dashboard", {"app.leave"}),
    "r": ("all runs", {"app.runs"}),
    "question_mark": ("help", {"help"}),
    "f1": ("help", {"help"}),
    "ctrl+p": ("palette", {"app.command_palette"}),
    "plus": ("zoom in", {"zoom"}),
    "equals_sign": ("zoom in", {"zoom"}),
    "minus": ("zoom out", {"zoom"}),
    "comma": ("earlier", {"pan", "checkpoint"}),
    "full_stop": ("later", {"pan", "checkpoint"}),
    "up": ("the one above", {"charts", "scroll", "layer", "unit", "items", "arrow", "move"}),
    "down": ("the one below", {"charts", "scroll", "layer", "unit", "items", "arrow", "move"}),
    "t": ("next curve", {"charts", "next_curve", "plots"}),
    "T": ("previous curve", {"charts", "next_curve"}),
    "slash": ("look for", {"choose_charts", "choose_curve", "search"}),
    "l": ("y axis", {"charts", "next_kind"}),
    "v": ("how images are drawn", {"next_mode"}),
    "tab": ("next part of the screen", {"choose", "task", "strip"}),
    "R": ("resume", {"resume"}),
    "f": ("fork", {"fork"}),
    "N": ("a note", {"note"}),
}
"""What each key means, and the actions that are this on one screen or another. Other letters are a screen's own."""


def bound(kind: type) -> dict[str, str]:
    """The action of each key of a screen, without what is handed to it."""
    bindings = [binding for binding in kind.BINDINGS if isinstance(binding, Binding)]  # type: ignore[attr-defined]
    return {key: binding.action.partition("(")[0] for binding in bindings for key in binding.key.split(",")}


@pytest.mark.parametrize("kind", [*SCREENS, RunsTable])
def test_a_key_of_the_grammar_means_one_thing_on_every_screen(kind: type) -> None:
    for key, action in bound(kind).items():
        assert key not in GRAMMAR or action in GRAMMAR[key][1], f"{key} is to mean: {GRAMMAR[key][0]}"


@pytest.mark.parametrize("kind", SCREENS)
def test_every_screen_can_be_gone_back_from_left_and_asked_for_help(kind: type[Screen[None]]) -> None:
    assert {"escape", "q", "d", "r", "question_mark", "f1", "ctrl+p"} <= bound(kind).keys()


def test_who_can_not_see_the_screen_can_leave() -> None:
    assert set(bound(TooSmall)) == {"d", "q"}


def test_no_knob_gets_a_key_that_zooms_and_an_older_journal_that_declares_one_has_others() -> None:
    assert {"+", "-", "=", "/", " ", "?"} <= taken()
    old = {one.name: one for one in (knob("noise.std.0", 0.3, "σ", "-+"), knob("noise.std.1", 0.3, "σ", "-+"))}
    assert usable_keys(old) == {"noise.std": "<>"}
    assert key_of("+", old) is None
    turned = key_of(">", old)
    assert turned is not None
    assert (turned.group, turned.up) == ("noise.std", True)


async def test_plus_and_minus_zoom_and_send_nothing(engine: PlayedEngine, until: Until) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        screen = app.screen
        assert isinstance(screen, LiveScreen)
        await pilot.press("plus")
        assert screen.view.x.shown == "end"
        await pilot.press("minus", "minus")
        assert screen.view.x.shown == "whole"
        assert inbox(engine.run.path) == []


async def test_q_and_escape_lead_to_where_a_screen_was_opened_from_and_marks_stay(tmp_path: Path, until: Until) -> None:
    for name in ("one", "two", "three"):
        with PlayedEngine.new(tmp_path, "vae-mnist", name) as engine:
            engine.train(100)
            engine.end("stopped")
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "three" in screen_text(app) and "■ stopped" in screen_text(app), "the list")
        runs = app.screen
        await pilot.press("space", "space", "s")
        await until(pilot, lambda: "2 marked" in screen_text(app), "the marks")
        for key in ("escape", "q", "r"):
            await pilot.press("c")
            await until(pilot, lambda: isinstance(app.screen, CompareScreen), "the comparison")
            await pilot.press(key)
            await until(pilot, lambda: app.screen is runs, "the list as it was")
            assert "3 by name, 2 marked" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen), "a run")
        run = app.screen
        for key in ("escape", "q"):
            await pilot.press("5")
            await until(pilot, lambda: isinstance(app.screen, MODEL_SCREENS["samples"]), "its samples")
            await pilot.press(key)
            await until(pilot, lambda: app.screen is run, "the run")
        await pilot.press("left", "escape")
        assert app.screen is run, "a cursor is what lies on top"
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is runs, "the list")
        await pilot.press("escape")
        await until(pilot, lambda: "nothing lies behind the list of runs; q leaves" in screen_text(app), "the sentence")
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running


async def test_escape_from_the_run_that_the_dashboard_was_opened_with_shows_the_list(
    engine: PlayedEngine, until: Until
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: isinstance(app.screen, LiveScreen), "the run")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")


async def test_a_list_below_another_screen_looks_at_nothing_until_it_is_seen_again(
    engine: PlayedEngine, until: Until
) -> None:
    app = LaddertopApp(engine.run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the list")
        runs = app.screen
        assert isinstance(runs, RunsScreen)
        looks: list[int] = []
        look = runs._view.look
        runs._view.look = lambda: looks.append(1) or look()  # type: ignore[method-assign,func-returns-value]
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, LiveScreen), "the run")
        await pilot.pause(0.3)
        looks.clear()
        await pilot.pause(0.5)
        assert looks == []
        engine.evaluate(7.77)
        await pilot.press("q")
        await until(pilot, lambda: "7.77" in screen_text(app), "what is new")
