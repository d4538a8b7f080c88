"""A panel is there once it stands in the table: composed, laid out, reached by tab, remembered and told by the help."""

from __future__ import annotations

import pytest

from laddertop.tui.dashboard import arrangement, panels
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.screens import run
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.draw.cells import Cells
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import opened


class Steps(Panel):
    """How far the run is."""

    def picture(self, height: int, width: int) -> Cells:
        """One row."""
        cells = titled(height, width, "progress", "", self.chosen)
        cells.put(1, 1, f"it has come to {self.view.step}")
        return cells


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 24), (90, 50)])
async def test_a_panel_that_is_added_is_reached_by_tab_at_every_size(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    every = {**run.PANELS, "progress": panels.About(Steps, 0.0, "progress")}
    for module in (run, arrangement):
        monkeypatch.setattr(module, "PANELS", every)
        monkeypatch.setattr(module, "MIDDLE", (*panels.MIDDLE, "progress"))
    async with opened(engine.run.path, size) as pilot:
        await pilot.press("shift+tab")
        await until(pilot, lambda: "[progress]" in screen_text(pilot.app), "the panel")
        assert "it has come to 2000" in screen_text(pilot.app)
    async with opened(engine.run.path, size) as pilot:
        await until(pilot, lambda: "[progress]" in screen_text(pilot.app), "the panel, remembered")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
        await pilot.press("end")
        await until(pilot, lambda: "progress." in screen_text(pilot.app), "its name in the help")
