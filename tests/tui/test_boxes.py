"""What lies over a screen looks and listens alike: a frame with its title and its keys, enter takes, esc goes back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import OptionList

from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_banner import save
from tests.tui.test_steering import inbox

DASHBOARD = Path(__file__).parents[2] / "tui" / "dashboard"
IN_RUN = {
    "Keys of the run screen": ["question_mark"],
    "Interventions, newest first": ["i"],
    "Charts": ["slash"],
    "a note for the event log": ["N"],
    "learning rate, from 0 to 10": ["ctrl+p", *"lr", "wait for it", "down", "up", "enter"],
    "send played back to a checkpoint": ["Z"],
    "stop played?": ["S"],
}
IN_LIST = {
    "Keys of the runs screen": ["question_mark"],
    "another name for played": ["E"],
    "a note about played": ["N"],
    "fork played from a checkpoint": ["f"],
    "delete played?": ["x"],
}
"""The title of every box of a screen, and the keys that open it there."""


@pytest.fixture
def saved(engine: PlayedEngine) -> PlayedEngine:
    save(engine)
    return engine


def test_every_box_is_made_in_one_place() -> None:
    modal = [file.name for file in DASHBOARD.rglob("*.py") if "ModalScreen" in file.read_text(encoding="utf-8")]
    assert modal == ["box.py"]


@pytest.mark.parametrize("size", [(60, 15), (80, 24)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", [LiveScreen, RunsScreen])
async def test_every_box_has_its_title_and_its_keys_in_its_frame_and_esc_changes_nothing(
    saved: PlayedEngine, until: Until, screen: type[LiveScreen | RunsScreen], size: tuple[int, int]
) -> None:
    run = saved.run.path
    boxes = IN_RUN if screen is LiveScreen else IN_LIST
    app = LaddertopApp(run.parent, run if screen is LiveScreen else None)
    async with app.run_test(size=size) as pilot:
        text = lambda: screen_text(app)  # noqa: E731
        await until(pilot, lambda: "● training" in text(), "the run")
        for title, keys in boxes.items():
            for key in keys:
                if key == "wait for it":
                    await until(pilot, lambda: "asks for another" in text(), "the entry")
                else:
                    await pilot.press(key)
            await until(pilot, lambda: isinstance(app.screen, Box), title)
            await pilot.pause()
            lines = text().splitlines()
            (top,) = [y for y, line in enumerate(lines) if re.search(rf"┌─ {re.escape(title)}[^│]* ─*┐", line)]
            (bottom,) = [y for y, line in enumerate(lines) if re.search(r"└─ .*esc back ─*┘", line)]
            assert top < bottom
            assert not re.search("[▔▊]", "".join(lines[top:bottom])), "a frame in the frame"
            if "↑↓ scroll" not in lines[bottom]:
                assert re.search(r"enter \w+", lines[bottom]), lines[bottom]
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, screen), "the screen below")
        assert inbox(run) == []
        assert sorted(path.name for path in run.parent.iterdir() if not path.name.startswith(".")) == ["played"]
        assert not (run / "note.txt").exists()


@pytest.mark.parametrize("paper", ["dark", "light"])
@pytest.mark.parametrize("keys", [["ctrl+p"], ["slash"], ["Z"]], ids=["palette", "charts", "checkpoints"])
async def test_what_is_chosen_in_a_box_stands_on_a_ground_of_its_own(
    saved: PlayedEngine, until: Until, keys: list[str], paper: Paper
) -> None:
    app = LaddertopApp(saved.run.path.parent, saved.run.path, paper=paper)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, Box) and bool(app.screen.query(OptionList)), "the box")
        await pilot.pause()
        options = app.screen.query_one(OptionList)
        # The first option is the chosen one.
        grounds = [strip._segments[0].style for strip in (options.render_line(0), options.render_line(1))]
        chosen, other = (style.bgcolor for style in grounds if style is not None)
        assert chosen != other
