"""What a user wants of a dashboard: only to look, other colours, to be called or not."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Literal

import pytest
from textual.binding import Binding

from laddertop.journal.events import Evaluated, Logged, RunEnded
from laddertop.journal.value import Value
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.manners import Alerts, Kept
from laddertop.tui.dashboard.palette import PAPERS, THEMES, Colours, colours_of, style
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.chart import INKS
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


async def test_a_dashboard_that_only_looks_sends_nothing_and_says_so(engine: PlayedEngine, until: Until) -> None:
    runs = engine.run.path.parent
    (runs / "done").mkdir()
    app = LaddertopApp(runs, engine.run.path, read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "read-only" in screen_text(app), "the words in the status bar")
        for key in ("B", "u", "w", "space", "c", "e", "s", ">", "left_square_bracket", "n"):
            await pilot.press(key)
        await until(pilot, lambda: "only looks: it was opened with --read-only" in screen_text(app), "the sentence")
        await pilot.press("S", "y", "f", "Z", "R")
        assert isinstance(app.screen, RunScreen)
        assert list((engine.run.path / "commands").iterdir()) == []
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the runs")
        await until(pilot, lambda: "played" in screen_text(app) and "read-only" in screen_text(app), "the words again")
        engine.__exit__(None, None, None)
        before = sorted(runs.iterdir())
        await pilot.press("a", "R", "n", "x", "y", "N", *"words", "enter", "E", *"new", "enter")
        await until(pilot, lambda: "only looks" in screen_text(app), "the sentence")
        assert sorted(path for path in runs.iterdir() if path.name != ".cache") == [
            path for path in before if path.name != ".cache"
        ]
        assert not (engine.run.path / "note.txt").exists()
        assert not (engine.run.path / "archived").exists()


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """All that a folder holds: when it changed and how large it is, by path."""
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in [folder, *folder.rglob("*")]}


@pytest.mark.parametrize("living", [True, False])
@pytest.mark.parametrize("key", ["", "2", "3", "4", "5"])
async def test_no_screen_of_a_dashboard_that_only_looks_writes_into_a_run(
    tmp_path: Path, until: Until, key: str, living: bool
) -> None:
    """Any of its keys, with an engine at work and without one, where a question would start a process that answers."""
    runs = tmp_path / "runs"
    with PlayedEngine.new(runs) as played:
        played.sample()
        played.train(500)
        played.evaluate(3.0)
        played.checkpoint()
        (played.run.path / "step-000000500.ckpt").touch()
        if not living:
            played.__exit__(None, None, None)
        before = contents(runs)
        app = LaddertopApp(runs, played.run.path, read_only=True)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "read-only" in screen_text(app), "the run")
            await pilot.press(*key)
            looking = app.screen
            if key in ("2", "3", "4"):
                await until(pilot, lambda: "read-only: the model is not asked" in screen_text(app), "the sentence")
            bindings = [binding for binding in looking.BINDINGS if isinstance(binding, Binding)]
            leaving = ("app.", "dismiss", "help")
            keys = [b.key.split(",")[0] for b in bindings if not b.action.startswith(leaving)]
            for pressed in [*keys, *"nwhyY<>", "right_square_bracket"]:
                await pilot.press(pressed)
                while app.screen is not looking and len(app.screen_stack) > 1 + bool(key):
                    await pilot.press("escape")
            assert app.screen is looking
        assert contents(runs) == before


async def test_colours_are_changed_by_a_key_and_kept(engine: PlayedEngine, until: Until) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        await pilot.press("ctrl+t")
        await until(pilot, lambda: "colours: colour-blind, on a dark background" in screen_text(app), "the name")
        strips = app.screen._compositor.render_strips()
        shown = {part.style.color.number for strip in strips for part in strip if part.style and part.style.color}
        look = colours_of(app)
        assert look.theme == "colour-blind"
        assert style(Ink.GOOD, look).color.number in shown  # type: ignore[union-attr]
        assert style(Ink.GOOD, look._replace(theme="usual")).color.number not in shown  # type: ignore[union-attr]
    assert Kept().theme == "colour-blind"
    assert LaddertopApp(engine.run.path.parent).colours == ("colour-blind", "dark")
    assert LaddertopApp(engine.run.path.parent, paper="light").colours == ("colour-blind", "light")


@pytest.mark.parametrize("told", [None, *PAPERS])
async def test_a_key_goes_through_the_colours_for_the_background_that_the_terminal_tells_or_for_both(
    tmp_path: Path, until: Until, told: Paper | None
) -> None:
    app, seen = LaddertopApp(tmp_path, paper=told), []
    async with app.run_test(size=(80, 24)) as pilot:
        for _ in range(6):
            seen.append(app.colours)
            assert app.current_theme.dark == (app.colours[1] == "dark")
            await pilot.press("ctrl+t")
    papers = PAPERS if told is None else (told, told)
    assert seen == [(theme, paper) for paper in papers for theme in THEMES]


def luminance(entry: int) -> float:
    """Relative luminance of an entry of the 256-colour cube or its grey ramp, 0 to 1 (WCAG 2)."""
    if entry >= 232:
        parts = [8 + 10 * (entry - 232)] * 3
    else:
        entry -= 16
        parts = [(0, 95, 135, 175, 215, 255)[entry // base % 6] for base in (36, 6, 1)]
    linear = [v / 12.92 if (v := p / 255) <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(entry: int | None, paper: Paper) -> float:
    """Of an entry on black or white, 1 to 21 (WCAG 2)."""
    assert entry is not None
    light, dark = sorted([luminance(entry), float(paper == "light")], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("theme", THEMES)
def test_what_has_to_be_read_stands_out_from_its_background(theme: str, paper: Paper) -> None:
    for ink in (Ink.DIM, Ink.CURVE, Ink.MARK, Ink.GOOD, Ink.WARN, Ink.BAD, Ink.SECOND, Ink.KEY):
        colour = style(ink, Colours("256", theme, paper)).color
        assert colour is not None
        assert colour.number is not None
        least = 7 if theme == "contrast" else 4.5  # WCAG 2: AAA, and AA
        assert contrast(colour.number, paper) >= least, (theme, paper, ink.name)
    faint = style(Ink.FAINT, Colours("256", theme, paper)).color
    assert faint is not None
    assert contrast(faint.number, paper) >= 3, "what is no text"
    for number in range(10):
        colour = style(Ink.CLASSES + number, Colours("256", theme, paper)).color
        assert colour is not None
        assert contrast(colour.number, paper) >= 4.5, (paper, number)


def test_good_and_bad_differ_by_more_than_red_and_green() -> None:
    # Deuteranopes see little of the difference between red and green; blue is what is left.
    for paper in PAPERS:
        look = Colours("256", "colour-blind", paper)
        good, bad = (style(ink, look).color.number for ink in (Ink.GOOD, Ink.BAD))  # type: ignore[union-attr]
        assert (good - 16) % 6 - (bad - 16) % 6 >= 3  # type: ignore[operator]


@pytest.mark.parametrize("depth", ["16", "256"])
@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("theme", THEMES)
def test_no_two_curves_of_a_chart_have_the_same_colour(theme: str, paper: Paper, depth: Literal["16", "256"]) -> None:
    colours = {ink: style(ink, Colours(depth, theme, paper)).color for ink in INKS}
    assert len(set(colours.values())) == len(INKS), colours


def test_without_colours_nothing_is_coloured_in_any_theme() -> None:
    for theme in THEMES:
        assert all(style(ink, Colours("none", theme, "dark")).color is None for ink in Ink if ink < Ink.CLASSES)


def evaluated(error: float, at: float) -> Evaluated:
    return Evaluated(time=at, step=1, split="test", values={"error_percent": Value(value=error, unit="%")}, seconds=1)


def test_a_user_is_called_for_the_end_a_divergence_and_a_new_best_alone() -> None:
    alerts, later = Alerts(), time.time() + 1
    old = [evaluated(5, 1.0), RunEnded(time=2.0, step=3, reason="finished")]
    assert alerts.take("a", old) == [], "what was before the dashboard opened"
    assert alerts.take("a", [evaluated(6, later), evaluated(float("nan"), later)]) == []
    assert alerts.take("a", [evaluated(4, later)]) == ["a: new best, error 4.00 %"]
    assert alerts.take("b", [evaluated(3, later)]) == [], "the first of a run"
    lines = [Logged(time=later, step=7, level=level, text="no number") for level in ("info", "warning", "error")]
    assert alerts.take("a", lines) == ["a: no number"]
    assert alerts.take("a", [RunEnded(time=later, step=9, reason="stopped")]) == ["a: stopped at step 9"]


def heard(app: LaddertopApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the dashboard writes to its terminal from now on."""
    written: list[str] = []
    assert app._driver is not None
    monkeypatch.setattr(app._driver, "write", written.append)
    return written


async def test_the_bell_rings_once_and_can_be_silenced(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        written = heard(app, monkeypatch)
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        engine.keep_time(time.time() + 5)
        engine.evaluate(9.0)
        engine.evaluate(8.0)
        await until(pilot, lambda: any("new best" in text for text in written), "the call")
        assert [text for text in written if "\x07" in text] == [
            "\x07\x1b]9;laddertop: played: new best, error 8.00 %\x1b\\"
        ]
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "keeps silent" in screen_text(app), "the word")
        written.clear()
        engine.end("finished")
        await until(pilot, lambda: "finished" in screen_text(app), "the end")
        assert not any("\x07" in text for text in written)
    assert not Kept().alerts


@pytest.mark.parametrize("key", ["2", "question_mark", "slash"])
async def test_the_bell_rings_once_while_another_screen_lies_over_the_run(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        written = heard(app, monkeypatch)
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, RunScreen), "the other screen")
        engine.keep_time(time.time() + 5)
        engine.end("finished")
        await until(pilot, lambda: any("]9;" in text for text in written), "the call")
        await pilot.press("escape")
        await until(pilot, lambda: "finished" in screen_text(app), "the end, on the run screen")
        assert [text for text in written if "]9;" in text] == [
            f"\x07\x1b]9;laddertop: played: finished at step {engine.step}\x1b\\"
        ]


async def test_a_replay_calls_nobody(engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.keep_time(time.time() + 5)
    engine.end("finished")
    app = LaddertopApp(engine.run.path.parent, engine.run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        written = heard(app, monkeypatch)
        await until(pilot, lambda: "replay" in screen_text(app), "the replay")
        await pilot.press("9", *[">"] * 7, "space")
        await until(pilot, lambda: "finished" in screen_text(app), "the end")
        assert not any("\x07" in text for text in written)


@pytest.mark.parametrize(
    ("keys", "title"),
    [
        ("?", "Keys of the run screen"),
        ("2?", "Keys of the layers screen"),
        ("r?", "Keys of the runs screen"),
    ],
)
async def test_the_help_of_a_screen_names_the_keys_of_the_dashboard(
    engine: PlayedEngine, until: Until, keys: str, title: str
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 120)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        for key in keys:
            await pilot.press(key)
        await until(pilot, lambda: title in screen_text(app), "the help")
        shown = screen_text(app)
        for line in ("ctrl+c ctrl+q  leave", "ctrl+t  colours: usual", "ctrl+n  ring at an end"):
            assert line in shown


def test_a_damaged_file_of_wishes_means_the_usual(tmp_path: Path) -> None:
    for text in ("{", "[]", '{"theme": "pink", "alerts": 3}'):
        folder = tmp_path / ".cache" / "laddertop"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "dashboard.json").write_text(text)
        assert (Kept().theme, Kept().alerts) == (THEMES[0], True)


@pytest.mark.parametrize("screen", ["run", "runs", "new", "compare", "replay"])
def test_every_key_of_every_screen_has_its_line_of_help(screen: str) -> None:
    import importlib

    from textual.binding import Binding

    module = importlib.import_module(f"laddertop.tui.dashboard.screens.{screen}")
    shown = next(v for k, v in vars(module).items() if k.endswith("Screen") and v.__module__ == module.__name__)
    for binding in shown.BINDINGS:
        assert isinstance(binding, Binding)
        assert len(binding.description) >= 4
        assert re.match(r"[a-zEnS×]", binding.description)
