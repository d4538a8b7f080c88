"""The comparison: every curve of up to eight runs, which are told apart on small screens and without colours."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from rich.color import Color
from textual.containers import VerticalScroll

from laddertop.journal.events import Evaluated
from laddertop.journal.value import Value
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.palette import PAPERS, THEMES, Colours, style
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.draw.axis import UNITS
from laddertop.tui.draw.chart import INKS
from laddertop.tui.draw.x_view import XView
from laddertop.tui.watch.chart_choice import curve_names
from laddertop.tui.watch.comparison import curves, evaluations, look, names, open_runs
from laddertop.tui.watch.history import THROUGHPUT
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

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
        app.push_screen(CompareScreen(open_runs([one.run for one in runs])))
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


def test_every_curve_that_the_charts_of_a_run_show_can_be_overlaid(different: list[PlayedEngine]) -> None:
    runs = open_runs([one.run for one in different])
    look(runs)
    known = [curve.name for curve in names(runs)]
    for one in runs:
        assert {curve.name for curve in curve_names(one.state)} <= set(known)
    assert {"total", "denoise.0", "kl", "grad_norm", THROUGHPUT, "evaluated.error_percent", "lr", "beta"} <= set(known)
    for name, unit in itertools.product(known, UNITS):
        _, found = curves(runs, name, XView(unit=unit))
        for one, curve in zip(runs, found, strict=True):
            has = name in [own.name for own in curve_names(one.state)]
            smooth = curve.binned.smooth
            assert np.isfinite(smooth).any() == has, (name, unit)
            newest = {THROUGHPUT: 600.0, "evaluated.error_percent": -1.234e-9, "lr": one.spec.optimizer.lr}.get(name)
            if has and newest is not None:
                assert smooth[np.isfinite(smooth)][-1] == pytest.approx(newest, rel=0.01)


@pytest.mark.parametrize(("better", "best"), [("lower", [0, 1]), ("higher", [2]), ("none", [])])
def test_the_best_run_is_the_one_whose_headline_is_better_as_declared(
    tmp_path: Path, better: Literal["lower", "higher", "none"], best: list[int]
) -> None:
    with ExitStack() as stack:
        made = [stack.enter_context(PlayedEngine.new(tmp_path, "ladder-mnist-100", f"run-{n}")) for n in range(4)]
        for one, number in zip(made, (3.0, 3.0, 4.0), strict=False):
            values = {
                "cost": Value(value=-number, unit="nats"),
                "score": Value(value=number, unit="points", better=better, headline=True),
            }
            one._events.append(Evaluated(step=0, split="test", values=values, seconds=1))
        runs = open_runs([one.run for one in made])
        look(runs)
        rows = [row for row in evaluations(runs) if len(row.runs) == 1]
    assert [row.runs[0] for row in rows if row.best] == best
    assert [next(iter(row.values), None) for row in rows] == ["score", "score", "score", None]


async def test_a_curve_is_chosen_by_its_name(different: list[PlayedEngine], until: Until) -> None:
    app = LaddertopApp(different[0].run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        app.push_screen(CompareScreen(open_runs([one.run for one in different])))
        await until(pilot, lambda: "3 runs: total cost" in screen_text(app), "the total")
        await pilot.press("T")
        await until(pilot, lambda: "3 runs: beta" in screen_text(app), "the last curve")
        assert "by step, linear" in screen_text(app)
        await pilot.press("slash", "down", "enter")
        await until(pilot, lambda: "3 runs: labelled cross-entropy, nats" in screen_text(app), "the second")


def linear(entry: int) -> np.ndarray:
    """The red, green and blue light of an entry of the terminal's palette."""
    light = np.array(Color.from_ansi(entry).get_truecolor()) / 255
    return np.asarray(np.where(light <= 0.04045, light / 12.92, ((light + 0.055) / 1.055) ** 2.4))


def lab(light: np.ndarray) -> np.ndarray:
    """CIE L*a*b*, in which a distance of 2 is seen beside each other, and 10 at a glance."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(to_xyz @ np.clip(light, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


SEEN = {
    "all": np.eye(3),
    "without red": np.array([[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]]),
    "without green": np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]]),
}
"""What eyes make of linear light, after Viénot, Brettel and Mollon (1999)."""


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("theme", THEMES)
def test_eight_runs_have_colours_that_are_told_apart(theme: str, paper: Paper) -> None:
    assert len(INKS) == 8
    entries = [style(ink, Colours("256", theme, paper)).color.number for ink in INKS]  # type: ignore[union-attr]
    for eyes in SEEN if theme == "colour-blind" else ["all"]:
        seen = [lab(SEEN[eyes] @ linear(entry)) for entry in entries if entry is not None]
        apart = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
        assert apart >= (18 if theme == "colour-blind" else 30), (theme, paper, eyes, apart)
