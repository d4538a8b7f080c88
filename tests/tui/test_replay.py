"""A run played again: what an attached dashboard saw at any moment."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from textual.binding import Binding

from laddertop.journal.commands import send
from laddertop.journal.events import EventReader, EventWriter, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.run_keys import NOW, STEERING
from laddertop.tui.dashboard.screens.commands import Commanding
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.replay import ReplayBar, ReplayScreen
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.watch.history import Wanted
from laddertop.tui.watch.replay import Past, PastView, PastWatcher
from laddertop.tui.watch.watcher import News
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

BEGAN = 1_700_000_000.0


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """600 steps a second: 1200 steps with the noise off from 600 on, killed; a day later on from step 900 to 1800."""
    with PlayedEngine.new(tmp_path, steps=1800) as first:
        first.keep_time(BEGAN)
        first.train(600)
        send(first.run.path, 1, "set", {"noise": 0.0}, by="ann@box (dashboard)")
        first.answer()
        first.train(600)
        folder = first.run
    second = PlayedEngine(folder, steps=1800, first=900, segment=2)
    second.keep_time(BEGAN + 86400)
    with second:
        second.train(900)
        second.evaluate(1.5)
        second.end()
    return folder


def seen(run: RunFolder, past: Past) -> PastView:
    """The view of a dashboard that is attached at the moment."""
    view, watcher = PastView(run), PastWatcher(run, past)
    watcher.playing = False
    view.apply(watcher.look())
    view.apply(watcher.look(view.wanted()))
    return view


def test_a_moment_shows_what_was_recorded_up_to_it_and_nothing_later(run: RunFolder) -> None:
    past = Past(run)
    past.go(0.5)
    view = seen(run, past)
    assert (view.step, view.status()) == (300, "training")
    assert view.state.knobs["noise"].value == 1
    assert not view.markers
    past.go(1.5)
    view = seen(run, past)
    assert (view.step, view.state.knobs["noise"].value) == (900, 0)
    assert [marker.step for marker in view.markers] == [600]
    past.go(past.length)
    view = seen(run, past)
    assert (view.step, view.status(), view.state.segment) == (1800, "finished", 2)


def test_steps_that_a_resume_threw_away_are_there_until_the_resume(run: RunFolder) -> None:
    past = Past(run)
    past.go(1.999)
    assert seen(run, past).step in (1199, 1200)
    past.go(past.length - 1.4)
    view = seen(run, past)
    assert 900 < view.step < 1200
    assert view.curves.gone.filled.any()


def test_the_day_between_two_starts_is_not_played(run: RunFolder) -> None:
    past = Past(run)
    assert past.length < 10
    moments = []
    for at in np.linspace(0, past.length, 50):
        past.go(float(at))
        moments.append(past.moment)
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] > 86400


def test_one_step_on_and_one_back_is_where_it_was(run: RunFolder) -> None:
    past = Past(run)
    past.go(0.7)
    before = seen(run, past).step
    past.step(1)
    assert seen(run, past).step == before + 1
    past.step(-1)
    assert seen(run, past).step == before
    past.go(0)
    past.step(-1)
    assert seen(run, past).step == 1
    past.go(past.length)
    past.step(1)
    assert seen(run, past).step == 1800


def test_a_run_without_records_can_not_be_played(tmp_path: Path) -> None:
    engine = PlayedEngine.new(tmp_path)
    with pytest.raises(ValueError, match="nothing to play again"):
        Past(engine.run)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("playing", [True, False])
def test_place_speed_and_whether_it_plays_are_whole_however_long_they_are(
    run: RunFolder, width: int, playing: bool
) -> None:
    bar = ReplayBar(PastView(run), id="replay")
    bar.past = Past(run)
    bar.watcher = PastWatcher(run, bar.past)
    bar.watcher.playing = playing
    space = "space pause" if playing else "space play"
    long = [(21.0, "21 s"), (86399.0, "23 h 59 min"), (99 * 86400.0 + 82800, "99 d 23 h")]
    for speed, told in ((1.0, "×1"), (1 / 16, "×0.0625"), (2.0**19, "×524 288"), (2.0**20, "×1.05e6")):
        for length, whole in long:
            for at, place in long:
                if at > length:
                    continue
                bar.watcher.speed, bar.past.at, bar.past.length = speed, at, length
                line = bar.picture(1, width).text().rstrip()
                assert line.startswith(f" {'▶' if playing else '‖'} replay {told}  "), line
                _, middle, after = line.partition(f" {place} of {whole}")
                assert middle, line
                hints = [space, "[ ] seek", "n b step", "< > speed"]
                named = after.split("  ")[1:]
                assert named == hints[: len(named)], line


async def test_the_bar_is_the_last_row_and_the_first_says_replay_at_every_size(run: RunFolder, until: Until) -> None:
    app = LaddertopApp(run.path.parent, run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("space", "3")
        for width, height in ((120, 40), (80, 24), (60, 15), (200, 60)):
            await pilot.resize_terminal(width, height)
            await until(
                pilot,
                lambda h=height: (
                    len(rows := screen_text(app).splitlines()) == h
                    and "●" in rows[0]
                    and rows[-1].startswith(" ‖ replay ×1  ━━")
                ),
                f"the bar at {width}×{height}",
            )
            first, *_, last = screen_text(app).splitlines()
            assert "  replay  " in first
            assert " of 6 s  space play  [ ] seek" in last
            assert "? help" in screen_text(app)
            assert "read-only" not in screen_text(app)


async def test_the_screen_plays_seeks_and_asks_nothing_of_the_run(run: RunFolder, until: Until) -> None:
    app = LaddertopApp(run.path.parent, run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        await pilot.press("space", "3")
        await until(pilot, lambda: "‖ replay" in screen_text(app) and screen.view.step > 900, "standing")
        middle = screen.view.step
        await pilot.press("n")
        await until(pilot, lambda: screen.view.step == middle + 1, "one step on")
        await pilot.press("1")
        await until(pilot, lambda: screen.view.step < 600 and not screen.view.markers, "back, before the intervention")
        assert "noise ● on" in screen_text(app)
        await pilot.press(*[">"] * 3, "space")
        await until(pilot, lambda: "✓ finished" in screen_text(app), "the end")
        await until(pilot, lambda: "‖ replay" in screen_text(app), "it stands")
        await pilot.press(*["<"] * 5, "space")
        await until(pilot, lambda: "▶ replay" in screen_text(app), "from the beginning")


async def test_a_look_that_was_under_way_when_the_user_went_back_shows_nothing_of_later(
    run: RunFolder, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, slow = PastWatcher.look, threading.Event()

    def slowly(self: PastWatcher, wanted: Wanted | None = None) -> News:
        news = look(self, wanted)
        if slow.is_set():
            time.sleep(0.5)
        return news

    monkeypatch.setattr(PastWatcher, "look", slowly)
    app = LaddertopApp(run.path.parent, run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        await pilot.press("space", "1")
        await until(pilot, lambda: 0 < screen.view.step < 600, "the beginning")
        slow.set()
        await pilot.press("9")
        await pilot.pause(0.3)
        await pilot.press("1")
        slow.clear()
        await pilot.pause(1.5)
        assert screen.view.step < 600
        assert not screen.view.markers
        assert len(screen.view.state.starts) == 1


async def test_every_key_of_a_run_leaves_the_folder_of_a_replay_as_it_is(run: RunFolder, until: Until) -> None:
    before = {file: file.stat().st_mtime_ns for file in run.path.rglob("*")}
    keys = [b.key.split(",")[0] for b in LiveScreen.BINDINGS if isinstance(b, Binding) and "app." not in b.action]
    keys += [*"nwhyYbB<>", "left_curly_bracket"]  # those of the knobs
    app = LaddertopApp(run.path.parent, run.path, replay=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "replay" in screen_text(app), "the replay")
        for key in keys:
            await pilot.press(key)
            if app.screen.is_modal:
                await pilot.press("escape")
        screen = app.screen
        assert isinstance(screen, ReplayScreen)
        # Nor is there anything else that could ask, by whatever key or word of the palette.
        assert not isinstance(screen, Commanding)
        for binding in (key.binding() for key in (*STEERING, *NOW)):
            assert isinstance(binding, Binding)
            assert not hasattr(screen, f"action_{binding.action.partition('(')[0]}"), binding.action
        for name in ("steering", "asking", "ask"):
            assert not hasattr(screen, name)
    assert {file: file.stat().st_mtime_ns for file in run.path.rglob("*")} == before


def test_the_time_left_of_a_replay_is_that_to_its_own_end(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.keep_time(time.time() - 2)
        first = next(e for e in EventReader(engine.run.events_path).read_all() if isinstance(e, RunStarted))
        with EventWriter(engine.run.events_path) as events:
            events.append(first.model_copy(update={"until": 1800, "time": time.time() - 2}))
        engine.train(1200)
        view = Eyes(engine.run).view
        assert view.seconds_left() == pytest.approx(1.0, rel=0.05)
        bar = StatusBar(view, id="status").picture(1, 120).text()
    assert "step 1 200 / 1 800" in bar
    assert "90 000" not in bar
