"""Keys write commands, and the screen shows what the engine makes of them: messages first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from laddertop.journal.commands import Command, pending
from laddertop.tui.dashboard import aside
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.ask import Confirm
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.steer.steering import Steering
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


@asynccontextmanager
async def opened(run: Path, size: tuple[int, int] = (120, 40), plain: bool = False) -> AsyncIterator[Pilot[None]]:
    """The dashboard with a run, once it has seen it."""
    app = LaddertopApp(run.parent, run, plain=plain)
    async with app.run_test(size=size) as pilot:
        for _ in range(300):
            await pilot.pause(0.02)
            if isinstance(app.screen, RunScreen) and app.screen.view.state.started is not None:
                break
        yield pilot


def inbox(run: Path) -> list[Command]:
    aside.wait()
    return [command for _, command in pending(run) if isinstance(command, Command)]


KEYS: list[tuple[str, str, dict[str, float]]] = [
    ("n", "set", {"noise": 0.0}),
    ("w", "set", {"warmup": 1.0}),
    ("h", "set", {"warmup.hold": 1.0}),
    ("left_square_bracket", "set", {"lr": 0.001333333}),
    ("right_square_bracket", "set", {"lr": 0.002}),
    ("less_than_sign", "set", {f"noise.std.{i}": 0.2727273 for i in range(7)}),
    ("greater_than_sign", "set", {f"noise.std.{i}": 0.3 for i in range(7)}),
    ("c", "checkpoint", {}),
    ("e", "evaluate", {}),
    ("s", "sample", {}),
    ("space", "pause", {}),
    ("space", "continue", {}),
]


async def test_a_key_writes_one_command(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        for key, action, changes in KEYS:
            await pilot.press(key)
            (command,) = engine.answer()
            assert (command.action, command.changes, command.segment) == (action, changes, 1)
            assert command.by.endswith("(dashboard)")
            await until(pilot, lambda: not screen.view.pending(), "the outcome")


async def test_beta_has_keys_where_there_is_a_beta(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(100)
        async with opened(engine.run.path) as pilot:
            await pilot.press("b", "B")
            assert [c.changes for c in inbox(engine.run.path)] == [{"beta": 0.6666667}, {"beta": 1.0}]


async def test_a_toggle_is_pending_then_applied(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await until(pilot, lambda: "noise ● on" in text(), "the knob")
        await pilot.press("n")
        await until(pilot, lambda: "noise ● on→off?" in text() and "pending: noise off" in text(), "pending")
        engine.answer()
        await until(pilot, lambda: "noise ○ off" in text(), "the new value")
        assert "you: noise off → applied" in text()
        assert "pending" not in text()
        assert "noise off▼" in text() or "▼noise off" in text()


async def test_a_refusal_shows_the_engines_reason(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        screen.ask("set", {"lr": 50.0})
        engine.answer()
        await until(pilot, lambda: "lr must lie between 0 and 10, not 50" in screen_text(pilot.app), "the reason")
        assert "lr 0.002" in screen_text(pilot.app)


async def test_a_command_that_can_not_be_written_is_told_and_no_longer_awaited(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        (engine.run.path / "commands").rmdir()
        (engine.run.path / "commands").write_text("in the place of a folder")
        await pilot.press("n")
        await until(pilot, lambda: "the command could not be written" in screen_text(pilot.app), "the reason")
        assert screen.view.pending() == []
        assert "noise ● on" in screen_text(pilot.app)


async def test_pause_becomes_continue(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await pilot.press("space")
        engine.answer()
        await until(pilot, lambda: "‖ paused" in screen_text(pilot.app), "the pause")
        assert "space continue" in screen_text(pilot.app)


async def test_a_second_press_takes_the_pause_back(engine: PlayedEngine) -> None:
    async with opened(engine.run.path) as pilot:
        await pilot.press("space", "space", "space")
        assert [c.action for c in inbox(engine.run.path)] == ["pause", "continue", "pause"]


@pytest.mark.parametrize("key", ["n", "greater_than_sign", "space", "R"])
async def test_an_engine_that_is_still_starting_gets_no_command(tmp_path: Path, until: Until, key: str) -> None:
    run = PlayedEngine.new(tmp_path).run
    app = LaddertopApp(tmp_path, run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "◌ starting" in screen_text(app), "the state")
        await pilot.press(key)
        await until(pilot, lambda: "the engine is still starting" in screen_text(app), "the sentence")
    assert inbox(run.path) == []
    assert not run.console_path.exists()


async def test_stop_asks_first(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await pilot.press("S")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run screen")
        assert inbox(engine.run.path) == []
        await pilot.press("ctrl+x")
        await until(pilot, lambda: isinstance(pilot.app.screen, Confirm), "the question")
        await pilot.press("enter")
        await until(pilot, lambda: [c.action for c in inbox(engine.run.path)] == ["stop"], "the command")


async def test_without_an_engine_a_key_says_so_and_writes_nothing(engine: PlayedEngine, until: Until) -> None:
    engine.__exit__(None, None, None)
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "✗ crashed" in screen_text(pilot.app), "the state")
        assert "stale" in screen_text(pilot.app)
        await pilot.press("n")
        await until(
            pilot, lambda: "(crashed): the key changes nothing; R resumes it" in screen_text(pilot.app), "the sentence"
        )
        assert inbox(engine.run.path) == []


async def test_the_palette_sets_any_knob_to_any_value(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"lambda.3", "space", *"0.25")
        await until(pilot, lambda: "set lambda.3 to 0.25 (now 0.1)" in screen_text(pilot.app), "the suggestion")
        await pilot.press("enter")
        await until(pilot, lambda: bool(inbox(engine.run.path)), "the command")
        assert [c.changes for c in inbox(engine.run.path)] == [{"lambda.3": 0.25}]


async def test_a_note_is_left_word_for_word(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press(*"note:", "space", "left_square_bracket", *"/x", "right_square_bracket", *"[b")
        await until(pilot, lambda: "leave the note: [/x][b" in screen_text(pilot.app), "the suggestion")
        await pilot.press("enter")
        await until(pilot, lambda: bool(inbox(engine.run.path)), "the command")
        assert [(c.action, c.note) for c in inbox(engine.run.path)] == [("annotate", "[/x][b")]


async def test_the_help_names_every_key(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path, (120, 90)) as pilot:
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
        rows = [line.partition("│")[2].rpartition("│")[0] for line in screen_text(pilot.app).splitlines()]
        text = " ".join(" ".join(rows).split())
        for binding in (*LiveScreen.BINDINGS, *LaddertopApp.BINDINGS):
            assert binding.description in text  # type: ignore[union-attr]
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run screen")


async def test_tab_brings_layers_and_samples_on_a_small_screen(engine: PlayedEngine, until: Until) -> None:
    engine.sample()
    async with opened(engine.run.path, (80, 24)) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await until(pilot, lambda: "raw × weight" in text() and "denoising 6 y" in text(), "the terms")
        await pilot.press("tab", "tab")
        await until(pilot, lambda: "[layers]" in text() and "denoising" in text(), "the layers")
        await pilot.press("tab")
        await until(pilot, lambda: "[samples]" in text() and "corrupt." in text(), "the samples")
        await pilot.press("m")
        await until(pilot, lambda: "total cost" not in text(), "the samples alone")
        await pilot.press("m", "tab")
        await until(pilot, lambda: "[total cost]" in text() and "raw × weight" in text(), "the chart again")


async def test_keys_for_looking_change_what_is_shown(engine: PlayedEngine) -> None:
    engine.sample()
    async with opened(engine.run.path) as pilot:
        chart, samples = pilot.app.screen.query_one(Charts), pilot.app.screen.query_one(Samples)
        assert " log " in chart.text().splitlines()[0]
        await pilot.press("l")
        assert " linear " in chart.text().splitlines()[0]
        await pilot.press("t")
        assert "labelled cross-entropy" in chart.text().splitlines()[0]
        modes = []
        for _ in range(4):
            modes.append(samples.mode)
            await pilot.press("v")
        assert modes == ["quadrants", "half blocks", "braille", "ramp"]


async def test_d_and_q_leave_and_send_nothing(engine: PlayedEngine) -> None:
    for key in ("d", "q"):
        async with opened(engine.run.path) as pilot:
            await pilot.press(key)
            await pilot.pause()
            assert not pilot.app.is_running
            assert pilot.app.return_code == 0
    assert inbox(engine.run.path) == []


async def test_nothing_a_run_says_reaches_the_terminal_as_a_control(engine: PlayedEngine, until: Until) -> None:
    engine.log("\x1b[2J\x1b]0;owned\x07[bold red]plain[/] \u202egnp.exe")
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "[bold red]plain[/]" in screen_text(pilot.app), "the line")
        text = screen_text(pilot.app).replace("\n", "")
        assert all(c.isprintable() for c in text)


async def test_without_unicode_everything_is_ascii(engine: PlayedEngine, until: Until) -> None:
    engine.sample()
    async with opened(engine.run.path, plain=True) as pilot:
        await until(pilot, lambda: "denoising 0 x" in screen_text(pilot.app), "the terms")
        await until(pilot, lambda: "ramp" in screen_text(pilot.app), "the samples")
        lines = "".join(
            segment.text
            for widget in pilot.app.screen.query("*")
            for strip in widget.render_lines(widget.size.region)
            for segment in strip
        )
        assert lines.isascii()


async def test_without_colour_no_segment_has_any(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    engine.sample()
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "braille" in screen_text(pilot.app), "samples in braille")
        for strip in pilot.app.screen._compositor.render_strips():
            for segment in strip:
                if (style := segment.style) is None:  # what no widget covers
                    continue
                assert style.color is None or style.color.is_default, segment
                assert style.bgcolor is None or style.bgcolor.is_default, segment


def test_presses_add_up_while_the_disk_has_not_taken_the_first_one(eyes: Eyes) -> None:
    waiting: list[Callable[[], None]] = []
    steer = Steering(eyes.view, pytest.fail, lambda: None, lambda deed, failed: waiting.append(deed))
    rate = eyes.view.knobs()["lr"].knob.value
    for presses in (1, 2, 3):
        steer.turn("lr", up=True)
        eyes.look()
        assert eyes.view.knobs()["lr"].pending == pytest.approx(rate * 1.5**presses)
    for deed in waiting:
        deed()
    eyes.look()
    assert [command.changes["lr"] for command in eyes.view.pending()] == pytest.approx(
        [rate * 1.5**n for n in (1, 2, 3)]
    )
