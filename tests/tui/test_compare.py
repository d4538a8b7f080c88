"""The comparison on a small screen: one row for each run, and columns that can be told apart without colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from textual.containers import VerticalScroll

from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tui.app import LaddertopApp
from tui.screens.compare import CompareScreen

RECIPES = ("ladder-mnist-100", "bottom-mnist-100", "vae-mnist")
NAMES = [f"{recipe}-with-a-name-that-is-cut" for recipe in RECIPES]


@pytest.fixture
def different(tmp_path: Path) -> Iterator[list[PlayedEngine]]:
    """Runs that differ in so much that the tables scroll on 80 × 24."""
    with ExitStack() as stack:
        made = [stack.enter_context(PlayedEngine.new(tmp_path, *pair)) for pair in zip(RECIPES, NAMES, strict=True)]
        for one in made:
            one.train(200)
            one.evaluate(-1.234e-9)  # a number long enough for the row to be full
        yield made


async def shown(runs: list[PlayedEngine], until: Until) -> list[str]:
    """The rows of the tables as they appear, from the top one to the keys."""
    app = LaddertopApp(runs[0].run.path.parent)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(CompareScreen([one.run for one in runs]))
        await until(pilot, lambda: "the specs differ in" in screen_text(app), "the tables")
        scroll = app.screen.query_one(VerticalScroll)
        await until(pilot, lambda: scroll.show_vertical_scrollbar, "the scrollbar")
        await pilot.pause(0.2)  # the text is laid out anew beside it
        return screen_text(app).splitlines()[scroll.region.y : scroll.region.bottom]


async def test_each_run_has_one_row_beside_the_scrollbar(different: list[PlayedEngine], until: Until) -> None:
    rows = await shown(different, until)
    assert [row[1:3] for row in rows[:3]] == ["a ", "b ", "c "]
    assert rows[4].startswith(" the specs differ in")


async def test_the_columns_of_the_specs_bear_the_letters_without_colours(
    different: list[PlayedEngine], until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    rows = await shown(different, until)
    below = next(i for i, row in enumerate(rows) if "the specs differ in" in row) + 1
    assert rows[below].rstrip("▁▂▃▄▅▆▇█ ").split() == ["a", "b", "c"]
    for name, recipe in zip("abc", RECIPES, strict=True):
        assert rows[below + 1][rows[below].index(name) :].startswith(recipe[:10]), rows[below + 1]
