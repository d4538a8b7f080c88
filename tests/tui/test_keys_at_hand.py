"""The last row, the help and the palette of a screen that looks into a model name the keys that do something there."""

from __future__ import annotations

import pytest
from textual.binding import Binding

from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.model_screen import ModelScreen
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.run import RunScreen
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_model_screens import KEYS, Visit, visit


def last_row(at: Visit) -> str:
    """The keys that the screen names."""
    return at.text.splitlines()[-1].strip()


@pytest.mark.parametrize("kind", MODEL_SCREENS.values())
def test_every_key_that_a_last_row_names_is_one_of_the_screen(kind: type[ModelScreen]) -> None:
    names = {binding.id for binding in kind.BINDINGS if isinstance(binding, Binding)}
    assert {name for _, *keys in kind.HINTS for name in keys} <= names


async def test_a_dashboard_that_only_looks_names_no_key_that_would_ask_the_model(
    engine: PlayedEngine, until: Until
) -> None:
    engine.sample()
    app = LaddertopApp(engine.run.path.parent, engine.run.path, read_only=True)
    rows = {
        "layers": "esc back  ↑↓ layer  3 latent  4 explore  5 samples  ? help",
        "latent": "esc back  ? help",
        "explore": "esc back  ? help",
        "samples": "esc back  ↑↓ items  +- zoom  v drawing  2-4 model  ? help",
    }
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        for name, row in rows.items():
            await pilot.press(KEYS[name])
            await until(pilot, lambda row=row: screen_text(app).splitlines()[-1].strip() == row, f"the row of {name}")
            await pilot.press("question_mark")
            await until(pilot, lambda name=name: f"Keys of the {name} screen" in screen_text(app), "the help")
            assert "an older checkpoint" not in screen_text(app)
            assert ("hover" in screen_text(app)) == (name == "samples")
            await pilot.press("escape", "escape")
            await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help")
        assert isinstance(app.screen, Help)
        assert list(app.screen._groups) == ["looking", "the model", "the mouse", "in every screen"]


async def test_a_run_that_nobody_can_answer_for_leaves_the_keys_that_may_help(
    engine: PlayedEngine, until: Until
) -> None:
    async with visit(engine, until, "explore") as at:
        await at.settle(problem="there is no checkpoint")
        assert last_row(at) == "esc back  tab task  ,. checkpoint  ? help"


async def test_a_task_names_the_keys_that_it_has(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "explore") as at:
        await at.settle()
        seen = {}
        for task in ("denoise", "fill in", "classify", "errors", "generate"):
            keys = last_row(at).removeprefix("esc back  tab task").removesuffix("  ,. checkpoint  ? help")
            seen[task] = keys.strip()
            await at.press("tab")
        assert seen == {
            "denoise": "←→ item  k kind  ↑↓ level  w draw  s seed",
            "fill in": "←→ item  k kind  space play  w draw  s seed",
            "classify": "←→ item  w draw",
            "errors": "",
            "generate": "s seed",
        }
        assert last_row(at) == "esc back  tab task  ,. checkpoint  ? help", "there is no field of images"
        await at.press("shift+tab", "shift+tab", "shift+tab", "w")
        assert "←→ item  ↑↓ level  space play  w draw" in last_row(at), "the pen goes up and down, too"


async def test_what_is_not_decoded_has_no_keys_that_change_a_code(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "latent", able=["codes", "layers"], posterior=False) as at:
        await at.settle()
        assert last_row(at) == "esc back  ↑↓ unit  [] item  p axes  ,. checkpoint  ? help"
