"""The keys that a run screen names are those that do something now; what is cut is cut whole."""

from __future__ import annotations

import time
from pathlib import Path

from laddertop.tui.dashboard.widgets.knobs import Knobs
from laddertop.tui.dashboard.widgets.layer_details import _first_parts
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.draw.text import whole_parts
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


def named(eyes: Eyes, width: int) -> str:
    return Knobs(eyes.view, id="knobs").picture(6, width).text()


def test_a_run_at_work_names_the_keys_that_steer_it_and_the_screens_that_look_into_it(eyes: Eyes) -> None:
    for width in (80, 120):
        words = named(eyes, width)
        for key in ("n noise", "space pause", "u undo", "c save", "2-5 model", "d detach", "? help"):
            assert key in words, key
        assert "R resume" not in words


def test_a_run_that_is_over_names_no_key_that_needs_its_engine(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.end("stopped")
    engine.__exit__(None, None, None)
    eyes.look()
    words = named(eyes, 80)
    assert not any(key in words for key in ("n noise", "space pause", "u undo", "c save", "S stop"))
    for key in ("noise ● on", "R resume", "f fork", "2-5 model", "r runs", "d detach", "? help"):
        assert key in words, key


def test_a_finished_run_can_not_be_resumed_and_says_no_such_key(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.end("finished")
    engine.__exit__(None, None, None)
    eyes.look()
    words = named(eyes, 80)
    assert "R resume" not in words
    assert "f fork" in words


def test_who_only_looks_is_told_how_to_leave_and_how_to_get_help(eyes: Eyes) -> None:
    eyes.view.steerable = False
    words = named(eyes, 80)
    assert not any(key in words for key in ("n noise", "space", "u undo", "c save", "R resume"))
    assert "d detach" in words
    assert "? help" in words


def test_a_long_name_loses_its_day_before_what_tells_it_apart(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "ladder-mnist-100", "2026-11-23-ladder-digits-7f3a") as engine:
        engine.keep_time(time.time())
        engine.train(100)
        status = StatusBar(Eyes(engine.run).view, id="status")
        assert status.picture(1, 80).text().startswith(" ladder-digits-7f3a  ●")
        assert status.picture(1, 120).text().startswith(" 2026-11-23-ladder-digits-7f3a  ●")


def test_when_a_training_is_over_is_told_on_a_narrow_screen_too(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "ladder-mnist-100", "2026-11-23-ladder-digits-7f3a") as engine:
        engine.keep_time(time.time())
        engine.train(100)
        status = StatusBar(Eyes(engine.run).view, id="status")
        assert "  ETA " in status.picture(1, 80).text()
        assert "step/s   ETA " in status.picture(1, 120).text()


def test_a_line_loses_whole_parts_and_never_the_first_effect() -> None:
    line = "you: noise off → applied   cost 1.06±0.42 → 0.418±0.094   denoising 4 h64 0.2 → 0.1"
    assert whole_parts(line, 70) == "you: noise off → applied   cost 1.06±0.42 → 0.418±0.094"
    assert whole_parts(line, len(line)) == line
    assert whole_parts(line, 40) == "you: noise off → applied   cost 1.06±0.…"


def test_numbers_below_a_histogram_are_whole_or_left_out() -> None:
    assert _first_parts("mean 0.00138 sd 0.320, 35 % at 0", 30) == "mean 0.00138 sd 0.320"
    assert _first_parts("mean 0.00138 sd 0.320, 35 % at 0", 32) == "mean 0.00138 sd 0.320, 35 % at 0"
