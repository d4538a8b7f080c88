"""The samples of the run screen: as large as there is room for, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laddertop.tui.dashboard.views.runs import RunsView
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from laddertop.tui.dashboard.widgets.samples import Samples, fitting_grid, with_error
from tests.starts import start
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


@pytest.mark.parametrize(
    ("kinds", "height", "width", "least"),
    [(4, 17, 59, 0.55), (3, 17, 59, 0.55), (4, 11, 80, 0.55), (4, 30, 123, 0.55), (5, 17, 59, 0.35)],
)
def test_digits_of_8_by_8_pixels_fill_the_panel(kinds: int, height: int, width: int, least: float) -> None:
    grid = fitting_grid(kinds, 10, 8, height - 2, width)
    items = grid.across * grid.down
    assert items
    assert items * kinds * grid.width * grid.height >= least * (height - 2) * width, grid
    assert (2 * grid.width) % 8 == 0


def test_images_that_were_not_corrupted_are_not_called_so() -> None:
    clean = np.zeros((4, 8, 8), np.uint8)
    noisy = clean.copy()
    noisy[2, 3, 3] = 9
    assert list(with_error({"input": clean, "corrupted": clean.copy(), "reconstruction": clean})) == [
        "input",
        "reconstruction",
        "error",
    ]
    assert "corrupted" in with_error({"input": clean, "corrupted": noisy, "reconstruction": clean})


def test_after_a_way_back_the_samples_are_those_of_steps_that_are_part_of_the_run(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(50)
        engine.sample(3)
        eyes = Eyes(engine.run)
        engine.train(50)
        engine.sample(4)
        assert (eyes.look().images_step, len(eyes.view.images["input"])) == (100, 4)
        for first, shown in ((70, (50, 3)), (20, (0, 0))):
            engine.record(start(step=first, segment=1, resumed_from=first, rolled_back=True))
            assert (eyes.look().images_step, len(eyes.view.images.get("input", []))) == shown
    panel = Samples(eyes.view, id="samples")
    assert "no samples" in panel.picture(9, 80).text()


def test_where_there_are_no_samples_the_panel_says_why(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(50)
        panel = Samples(Eyes(engine.run).view, id="samples")
        assert "no samples yet: the first are taken before the first step" in " ".join(
            panel.picture(9, 80).text().split()
        )
        engine.end("stopped")
    panel.view = Eyes(engine.run).view
    assert "no samples were recorded" in panel.picture(9, 80).text()


@pytest.mark.parametrize("width", [80, 120, 200])
def test_the_reason_of_a_damaged_run_stands_whole_and_nothing_is_written_over_it(tmp_path: Path, width: int) -> None:
    with PlayedEngine.new(tmp_path, name="broken") as engine:
        (engine.run.path / "metrics.json").write_text("{")
    rows = RunsView(tmp_path).look()
    table = RunsTable(id="table")
    table._rows = rows
    line = table._picture(6, width).text().splitlines()[1]
    reason = rows[0].problem
    told = line[line.index(reason[:10]) :]
    assert told == reason or (told.endswith("…") and reason.startswith(told[:-1]))
