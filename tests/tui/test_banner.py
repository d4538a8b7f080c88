"""What is wrong with a run stands in a banner that stays until it is over, says since when, and names the keys."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from laddertop.journal.commands import Command, send
from laddertop.journal.events import Activity, Checkpointed, Evaluated, Event, EventWriter, Logged, RunEnded
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.layout import arrange
from laddertop.tui.dashboard.panels import MIDDLE
from laddertop.tui.dashboard.run_keys import KEYS
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.widgets.banner import Banner
from laddertop.tui.dashboard.widgets.layers import Layers
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.dashboard.widgets.terms import Terms
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.numbers import clock
from laddertop.tui.watch.event_line import ME
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.trouble import RESUME, ROLL_BACK, UNDO, troubles
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

DIVERGED = "the cost is a thousand times what it was: `laddertop rollback played --step 2000` goes back"


def banner(view: RunView, width: int = 120, height: int = 40) -> str:
    """What the banner shows on a screen of that size; empty where it has no row."""
    panel = Banner(view, id="banner")
    rows = panel.least_rows(width, height)
    return panel.picture(rows, width).text() if rows else ""


def record(engine: PlayedEngine, event: Event) -> None:
    engine._events.append(event)


def save(engine: PlayedEngine, diverged: bool = False) -> None:
    """A checkpoint whose file is there."""
    file = f"step-{engine.step:09d}.ckpt"
    (engine.run.path / file).touch()
    saved = Checkpointed(step=engine.step, file=file, sha256="0" * 64, bytes=1, reason="schedule", diverged=diverged)
    record(engine, saved)


def diverge(engine: PlayedEngine, sound_until: int, *, nan: bool = False) -> None:
    """As an engine says it, some steps after the last sound one."""
    engine.train(20, nan=nan)
    record(engine, Logged(step=engine.step, level="error", text=DIVERGED, diverged=True, sound_until=sound_until))


def test_a_run_with_which_nothing_is_wrong_has_no_banner_and_a_green_header(eyes: Eyes) -> None:
    assert troubles(eyes.view) == []
    assert banner(eyes.view) == ""
    cells = StatusBar(eyes.view, id="status").picture(1, 120)
    assert Ink.GOOD in cells.inks[0]


def test_a_finite_divergence_names_the_way_back_the_undo_and_since_when(engine: PlayedEngine, eyes: Eyes) -> None:
    save(engine)
    send(engine.run.path, 1, "set", {"lr": 10.0}, by=ME)
    engine.answer()
    diverge(engine, 2000)
    save(engine, diverged=True)
    view = eyes.look()
    (found,) = troubles(view)
    assert [help.does for help in found.helps] == [ROLL_BACK, UNDO]
    text = banner(view)
    assert text.startswith(" ✗ diverged")
    assert f"since step 2 020, {clock(view.state.diverged.time)}" in text  # type: ignore[union-attr]
    assert "Z back to 2 000   u undo" in text, "what was saved after it diverged is no way back"
    assert "over a thousand times what it was" in text
    cells = StatusBar(view, id="status").picture(1, 120)
    assert "training" in cells.text()
    assert Ink.GOOD not in cells.inks[0]
    record(engine, Logged(step=engine.step, level="info", text="the cost is back where it was", diverged=False))
    assert "diverged" not in banner(eyes.look()), "what is over goes"


def test_a_cost_that_is_no_number_is_not_finite_and_a_run_that_ends_with_it_does_not_read_finished(
    engine: PlayedEngine, eyes: Eyes
) -> None:
    save(engine)
    engine.train(30, nan=True)
    view = eyes.look()
    assert "✗ not finite  the cost is no longer finite   since step 2 001" in banner(view), "also of an older engine"
    assert "Z back to 2 000" in banner(view)
    engine.end()
    engine.__exit__(None, None, None)
    view = eyes.look()
    assert "finished" not in StatusBar(view, id="status").picture(1, 120).text()
    assert "✗ not finite" in StatusBar(view, id="status").picture(1, 120).text()


def test_a_run_that_ended_diverged_goes_back_or_resumes(engine: PlayedEngine, eyes: Eyes) -> None:
    save(engine)
    diverge(engine, 2000, nan=True)
    engine.end("diverged", DIVERGED)
    engine.__exit__(None, None, None)
    assert "Z back to 2 000   R resume" in banner(eyes.look())
    assert "✗ diverged" in StatusBar(eyes.view, id="status").picture(1, 120).text()


def test_where_nothing_was_saved_the_way_back_is_the_beginning(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.checkpoint()  # whose file was removed
    diverge(engine, 2000)
    assert "Z begin again" in banner(eyes.look())


def test_the_whole_reason_of_a_failed_start_stands_there_wrapped(tmp_path: Path) -> None:
    reason = " ".join(f"word{i}" for i in range(60)) + " in /a/folder/that/is/not/there"
    run = create_run(tmp_path, load_recipe("ladder-digits"), "failed")
    with EventWriter(run.events_path) as events:
        events.append(RunEnded(step=0, reason="failed", detail=reason))
    view = Eyes(run).view
    text = banner(view, 80, 24)
    assert " ".join(text.split()).count(reason) == 1
    assert "R try again" in text
    assert text.startswith(" ✗ failed")


def test_an_engine_that_died_without_a_word_leaves_the_end_of_its_console(engine: PlayedEngine, eyes: Eyes) -> None:
    save(engine)
    engine.train(10)
    engine.run.console_path.write_text("first\n\nRuntimeError: the last but one\nCUDA error: the last\n")
    engine.__exit__(None, None, None)
    text = banner(eyes.look())
    assert text.startswith(" ✗ crashed")
    assert "RuntimeError: the last but one\n   CUDA error: the last" in text
    assert "R resume   Z back to 2 000" in text


def test_a_start_that_compiles_says_for_how_long_and_shows_no_number_that_is_none(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.keep_time(time.time())
        eyes = Eyes(engine.run)
        started = eyes.view.state.started
        assert started is not None
        eyes.view.state.started = started.model_copy(update={"time": time.time() - 75})
        text = banner(eyes.view)
        assert text.startswith(" ▲ compiling")
        assert "for 1 min 15 s: the first step waits for the compiler" in " ".join(text.split())
        for panel in (Terms(eyes.view, id="terms"), Layers(eyes.view, id="layers")):
            cells = panel.picture(20, 90)
            assert "nan" not in cells.text()
            assert not (cells.inks == Ink.BAD).any()
        engine.train(1)
        assert banner(eyes.look()) == ""


def test_an_engine_that_is_silent_is_told_with_its_process(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.keep_time(time.time() - 60)
    view = eyes.view
    view._newest = time.time() - 60
    text = banner(view)
    assert text.startswith(" ▲ engine silent")
    assert "process 4242 on box" in text
    engine.keep_time(time.time())
    engine.train(1)
    assert banner(eyes.look()) == ""


def test_a_disk_without_room_for_a_checkpoint_is_told_until_there_is_room(engine: PlayedEngine, eyes: Eyes) -> None:
    disk = os.statvfs(engine.run.path)
    record(
        engine,
        Checkpointed(
            step=2000,
            file="step-000002000.ckpt",
            sha256="0" * 64,
            bytes=disk.f_blocks * disk.f_frsize + 1,
            reason="schedule",
        ),
    )
    text = banner(eyes.look())
    assert text.startswith(" ✗ disk full")
    assert "a checkpoint takes" in text
    record(engine, Checkpointed(step=2000, file="step-000002000.ckpt", sha256="0" * 64, bytes=1, reason="schedule"))
    assert banner(eyes.look()) == ""


def test_layers_that_tell_nothing_are_named_with_the_warm_up_until_they_come_alive(tmp_path: Path) -> None:
    spec = override(load_recipe("vae-mnist"), ["warmup.of=kl"])
    with PlayedEngine(create_run(tmp_path, spec, "played")) as engine:
        engine.keep_time(time.time())
        engine.train(1000)

        def evaluated(active: int) -> None:
            layers = {"z1": Activity(units=8, active=active, sd=0.02), "z2": Activity(units=16, active=9, sd=0.6)}
            values = {"negative_elbo": Value(value=90.0, unit="nats")}
            record(engine, Evaluated(step=engine.step, split="test", values=values, seconds=0.1, layers=layers))

        evaluated(0)
        engine.train(500)
        evaluated(0)
        eyes = Eyes(engine.run)
        text = banner(eyes.view)
        assert text.startswith(" ▲ posterior collapse  ")
        assert "layer 1 tells nothing: 0 of 8 units active at 1 500" in text
        assert "since step 1 000" in text
        assert "w warm-up   ! advice" in text
        evaluated(3)
        assert banner(eyes.look()) == ""


@pytest.mark.parametrize("deed", [RESUME, ROLL_BACK, UNDO])
def test_what_helps_is_what_a_key_of_the_run_screen_does(deed: str) -> None:
    assert [entry.does for entry in KEYS].count(deed) == 1


@pytest.mark.parametrize("size", [(60, 15), (80, 24), (120, 40), (200, 50)])
def test_the_banner_takes_its_rows_from_the_middle_and_only_while_it_has_any(size: tuple[int, int]) -> None:
    least = {"banner": 0, "knobs": 3, "terms": 8}
    without = arrange(*size, MIDDLE, least, "cost", False)
    withal = arrange(*size, MIDDLE, least | {"banner": 3}, "cost", False)
    assert "banner" not in without
    assert withal["banner"] == (0, 1, size[0], 3)
    assert {name: without[name] for name in ("status", "knobs", "events")} == {
        name: withal[name] for name in ("status", "knobs", "events")
    }
    assert min(withal[name].y for name in MIDDLE if name in withal) == 4


async def test_below_the_list_of_runs_stands_the_whole_reason_of_the_one_that_failed(
    tmp_path: Path, until: Until
) -> None:
    reason = " ".join(f"word{i}" for i in range(40))
    run = create_run(tmp_path, load_recipe("ladder-digits"), "failed")
    with EventWriter(run.events_path) as events:
        events.append(RunEnded(step=0, reason="failed", detail=reason))
    gone = create_run(tmp_path, load_recipe("ladder-digits"), "gone")
    gone.console_path.write_text("Killed by the last line\n")
    os.utime(gone.path / "spec.json", (1e9, 1e9))
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: reason in " ".join(screen_text(app).split()), "the whole reason")
        await pilot.press("down")
        await until(pilot, lambda: "Killed by the last line" in screen_text(app), "the end of the console")


async def test_the_banner_comes_and_goes_on_the_screen_and_z_stands_on_the_way_back(
    engine: PlayedEngine, until: Until
) -> None:
    save(engine)
    engine.train(100)
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "step  2 100" in screen_text(app), "the newest step")
        diverge(engine, 2100)
        save(engine, diverged=True)
        await until(pilot, lambda: "✗ diverged" in screen_text(app), "the banner")
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen_text(app).splitlines()[1].startswith(" ✗ diverged")
        await pilot.press("2")
        await until(pilot, lambda: app.screen is not screen and "✗ diverged" in screen_text(app), "it stands there too")
        await pilot.press("escape", "Z")
        await until(pilot, lambda: "enter take it" in screen_text(app), "the checkpoints")
        await pilot.press("enter")
        asked: list[Command] = []
        await until(pilot, lambda: bool(asked.extend(engine.answer()) or asked), "the command")
        assert [(command.action, command.changes) for command in asked] == [("rollback", {"step": 2000})]
        record(engine, Logged(step=engine.step, level="info", text="the cost is back", diverged=False))
        await until(pilot, lambda: "✗ diverged" not in screen_text(app), "it goes")
