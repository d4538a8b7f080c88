"""What the screens know of a run is what its journal says; what was asked for is kept apart until it is answered."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.commands import send
from laddertop.journal.events import Activity, Evaluated, Logged
from laddertop.journal.knobs import members
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.value import Value
from laddertop.tui.dashboard.views.runs import RunsView
from laddertop.tui.dashboard.widgets.event_log import EventLog
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.dashboard.widgets.terms import Terms
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer import steering
from laddertop.tui.watch.cost_terms import term_rows
from laddertop.tui.watch.event_line import ME
from laddertop.tui.watch.layer_rows import layer_rows
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import Watcher
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


def test_raw_times_weight_is_what_a_term_adds_and_shares_make_one(eyes: Eyes) -> None:
    rows = {row.term.name: row for row in term_rows(eyes.view)}
    assert rows["class"].weight == 1
    assert rows["denoise.0"].weight == 1000
    assert rows["denoise.0"].weighted == pytest.approx(1000 * rows["denoise.0"].raw)
    assert sum(row.share for row in rows.values()) == pytest.approx(1)
    total = sum(row.weighted for row in rows.values())
    assert eyes.view.value("total") == pytest.approx(total, rel=1e-3)


def test_layers_come_top_first_with_their_units_weight_and_noise(eyes: Eyes) -> None:
    layers = layer_rows(eyes.view)
    assert [row.layer for row in layers] == [6, 5, 4, 3, 2, 1, 0]
    assert [row.units for row in layers] == [10, 250, 250, 250, 500, 1000, 784]
    assert layers[-1].cost.weight == 1000
    assert layers[0].noise == pytest.approx(0.3)


def test_a_knob_is_pending_until_the_engine_records_the_outcome(engine: PlayedEngine, eyes: Eyes) -> None:
    eyes.send("set", {"noise": 0.0})
    row = eyes.view.knobs()["noise"]
    assert (row.pending, row.knob.value, row.effective) == (0.0, 1.0, 1.0)
    eyes.look()
    assert eyes.view.knobs()["noise"].pending == 0.0
    engine.answer()
    eyes.look()
    row = eyes.view.knobs()["noise"]
    assert (row.pending, row.knob.value, row.refused) == (None, 0.0, False)
    assert eyes.view.lines[-1].text == "you: noise off → applied"
    assert [m.label for m in eyes.view.markers] == ["noise off"]
    assert eyes.view.pending() == []


def test_a_refusal_shows_the_reason_and_leaves_the_knob_alone(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.keep_time(time.time())
    eyes.send("set", {"lr": 50.0})
    engine.answer()
    eyes.look()
    row = eyes.view.knobs()["lr"]
    assert row.refused
    assert row.knob.value == 0.002
    assert eyes.view.lines[-1].text == "you: lr 50 → refused: lr must lie between 0 and 10, not 50"
    assert eyes.view.lines[-1].ink == Ink.BAD
    assert eyes.view.markers == []


def test_what_others_asked_for_is_pending_here_too_and_bears_their_name(engine: PlayedEngine, eyes: Eyes) -> None:
    send(engine.run.path, 1, "set", {"noise.std": 0.1}, by="ann@box (command line)")
    eyes.look()
    assert all(eyes.view.knobs()[f"noise.std.{i}"].pending == 0.1 for i in range(7))
    engine.answer()
    eyes.look()
    assert eyes.view.lines[-1].text == "ann@box (command line): σ 0.1 → applied"
    assert eyes.view.pending() == []


def test_a_term_that_is_nan_with_weight_0_is_not_trained_and_takes_no_share(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        send(engine.run.path, 1, "set", {"beta": 0.0}, by=ME)
        engine.answer()
        engine.train(100, nan_terms=["kl"])
        view = Eyes(engine.run).view
        reconstruction, kl = term_rows(view)
        assert (kl.trained, kl.weighted) == (False, 0.0)
        assert reconstruction.share == pytest.approx(1)
        assert not view.curves.of("kl").bad.any()
        assert "not trained now" in Terms(view, id="terms").picture(12, 60).text()


def kinds(view: RunView) -> list[str]:
    """What was found of layers: the cost that is played here is made up."""
    return [one.kind for one in view.findings if one.evidence.layer is not None]


def test_a_kl_term_about_zero_for_500_steps_is_flagged_with_the_reason(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(300)
        engine.train(400, collapsed=["kl"])
        eyes = Eyes(engine.run)
        assert kinds(eyes.view) == []
        engine.train(200, collapsed=["kl"])
        (found,) = [one for one in eyes.look().findings if one.kind == "posterior-collapse"]
        assert (found.where, found.since) == ("layer 1", engine.step - 599)
        assert found.measured == f"KL below 0.01 nats since {engine.step - 599}"
        assert (Terms(eyes.view, id="terms").picture(12, 76).inks[2] == Ink.WARN).any()
        layers = {"z": Activity(units=16, active=1, sd=0.2)}
        told = {"negative_elbo": Value(value=90.0, unit="nats")}
        engine._events.append(Evaluated(step=engine.step, split="test", values=told, seconds=0.1, layers=layers))
        assert kinds(eyes.look()) == [], "units that are counted say more than a KL"
        assert not (Terms(eyes.view, id="terms").picture(12, 76).inks[2] == Ink.WARN).any()


def test_a_kl_term_that_comes_back_has_not_collapsed(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(600, collapsed=["kl"])
        eyes = Eyes(engine.run)
        assert kinds(eyes.view) == ["posterior-collapse"]
        engine.train(1)
        assert kinds(eyes.look()) == []


def test_all_noise_levels_turn_in_one_command_by_their_factor(eyes: Eyes) -> None:
    names = members("noise.std", eyes.view.state.knobs)
    action, changes = steering.turn(eyes.view, names, up=True)
    assert action == "set"
    assert changes == pytest.approx({f"noise.std.{i}": 0.33 for i in range(7)})


def test_presses_add_up_while_the_engine_has_not_answered(eyes: Eyes) -> None:
    eyes.send(*steering.turn(eyes.view, ["lr"], up=True))
    eyes.send(*steering.turn(eyes.view, ["lr"], up=True))
    assert eyes.view.knobs()["lr"].pending == pytest.approx(0.0045)
    eyes.send(*steering.flip(eyes.view, "noise"))
    assert steering.flip(eyes.view, "noise") == ("set", {"noise": 1.0})


def test_a_knob_at_its_bound_says_so(eyes: Eyes) -> None:
    with pytest.raises(ValueError, match="is at 0"):
        steering.turn(eyes.view, ["clip"], up=True)
    with pytest.raises(ValueError, match="no such knob"):
        steering.turn(eyes.view, ["beta"], up=True)


def test_a_cost_that_is_nan_now_shows_as_nan(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.train(3, nan=True)
    view = eyes.look()
    assert np.isnan(view.value("total"))
    assert np.isnan(term_rows(view)[0].raw)
    assert np.isfinite(view.smoothed["total"])


def test_speed_and_time_left(engine: PlayedEngine, eyes: Eyes) -> None:
    assert eyes.view.rate() == pytest.approx(600, rel=0.01)
    assert eyes.view.seconds_left() == pytest.approx(88_000 / 600, rel=0.01)


def test_an_engine_that_is_gone_without_a_word_has_crashed_and_its_numbers_are_stale(engine: PlayedEngine) -> None:
    eyes = Eyes(engine.run)
    assert eyes.view.status() == "training"
    assert not eyes.view.stale()
    engine.__exit__(None, None, None)
    engine.run.console_path.write_text("loading\nMemoryError: 12 GB\n\n")
    view = eyes.look()
    assert view.status() == "crashed"
    assert view.stale()
    assert view.console == ["loading", "MemoryError: 12 GB"]


def test_a_live_engine_that_is_silent_makes_numbers_stale(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.keep_time(time.time() - 60)
        engine.train(600)
        view = Eyes(engine.run).view
        assert view.status() == "training"
        assert view.stale()
        assert 50 < view.silence() < 70


def test_the_end_is_what_the_engine_said(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.end("stopped", "told to by ann")
    engine.__exit__(None, None, None)
    view = eyes.look()
    assert view.status() == "stopped"
    assert not view.stale()
    assert view.lines[-1].text == "stopped: told to by ann"


def test_after_a_resume_the_curves_hold_the_history_as_trained(engine: PlayedEngine) -> None:
    eyes = Eyes(engine.run)
    assert eyes.view.step == 2000
    engine.__exit__(None, None, None)
    with PlayedEngine(engine.run, first=1500, segment=2, seed=5) as second:
        second.keep_time(time.time())
        second.train(100)
        view = eyes.look()
        assert view.step == 1600
        assert view.curves.steps.max() == 1600
        assert view.curves.thrown_away("total").filled.any()
        assert view.state.segment == 2
        assert [m.label for m in view.markers] == ["resumed"]


def test_before_its_first_step_a_resumed_run_stands_where_it_was_resumed(engine: PlayedEngine) -> None:
    engine.__exit__(None, None, None)
    second = PlayedEngine(engine.run, first=1500, segment=2)
    second.keep_time(time.time())
    with second:
        view = Eyes(engine.run).view
        assert (view.step, view.latest) == (1500, {})
        assert np.isnan(view.rate())
        assert view.curves.steps.max() == 2000


def test_the_run_screen_says_how_many_lines_of_events_could_not_be_read(engine: PlayedEngine) -> None:
    eyes = Eyes(engine.run)
    with engine.run.events_path.open("ab") as file:
        file.write(b"no event\nnor this\n")
    assert eyes.look().lines[-1].text == "2 lines of events.jsonl could not be read"


def test_the_run_screen_says_that_the_compiler_failed(engine: PlayedEngine) -> None:
    eyes = Eyes(engine.run)
    assert "uncompiled" not in StatusBar(eyes.view, id="status").picture(1, 160).text()
    failed = Logged(step=2000, level="warning", text="the compiler failed", uncompiled=True)
    with engine.run.events_path.open("ab") as file:
        file.write(failed.model_dump_json().encode() + b"\n")
    eyes.look()
    assert "uncompiled" in StatusBar(eyes.view, id="status").picture(1, 160).text()


def test_nothing_is_stale_while_the_engine_compiles(tmp_path: Path) -> None:
    engine = PlayedEngine.new(tmp_path)
    engine.keep_time(time.time() - 60)
    with engine:
        eyes = Eyes(engine.run)
        assert eyes.view.compiling()
        assert not eyes.view.stale()
        assert "compiling" in StatusBar(eyes.view, id="status").picture(1, 120).text()
        engine.train(600)
        view = eyes.look()
        assert not view.compiling()
        assert view.stale()


def test_what_was_done_to_a_run_stays_on_the_screen_however_often_it_is_evaluated(
    engine: PlayedEngine, eyes: Eyes
) -> None:
    eyes.send("set", {"noise": 0.0})
    engine.answer()
    for _ in range(250):
        engine.evaluate(1.0)
    log = EventLog(eyes.look(), id="events")
    assert "noise off" in log.picture(4, 120).text()


def test_samples_taken_again_at_the_same_step_are_drawn_again(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.sample(items=4)
    samples = Samples(eyes.look(), id="samples")
    before = samples.picture(20, 100)
    assert samples.picture(20, 100) is before
    engine.sample(items=4)
    eyes.look()
    assert samples.picture(20, 100) is not before


def test_a_new_run_is_starting_until_its_engine_has_had_time(tmp_path: Path) -> None:
    run = PlayedEngine.new(tmp_path).run
    assert Eyes(run).view.status() == "starting"
    old = time.time() - 3600
    os.utime(run.path / "spec.json", (old, old))
    assert Eyes(run).view.status() == "crashed"


def test_a_look_hands_over_a_bounded_number_of_records(engine: PlayedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laddertop.tui.watch.watcher.ROWS_AT_MOST", 700)
    watcher = Watcher(engine.run)
    rows = watcher.look().rows
    assert rows is not None
    assert (rows["step"][0], rows["step"][-1]) == (1301, 2000)
    assert watcher.look().rows is None
    engine.train(5)
    rows = watcher.look().rows
    assert rows is not None
    assert rows["step"].tolist() == [2001, 2002, 2003, 2004, 2005]


def test_samples_are_taken_up_and_a_damaged_file_is_told(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.sample(items=4)
    view = eyes.look()
    assert view.images["input"].shape == (4, 28, 28)
    engine.train(10)
    engine.sample(items=4)
    (engine.run.path / "samples" / f"step-{engine.step:09d}.npz").write_bytes(b"rubbish")
    view = eyes.look()
    assert "no readable sample file" in view.problem
    assert view.images_step == 2000


def test_the_best_evaluation_is_kept_beside_the_newest(engine: PlayedEngine, eyes: Eyes) -> None:
    for error in (3.0, 1.5, 2.0):
        engine.train(10)
        engine.evaluate(error)
    found = eyes.look().state.headline()
    assert found is not None
    name, newest, _, best, best_event = found
    assert (name, newest.value, best.value, best_event.step) == ("error_percent", 2.0, 1.5, 2020)


def test_the_list_of_runs_tells_state_progress_and_quality(engine: PlayedEngine) -> None:
    runs = RunsView(engine.run.path.parent)
    engine.evaluate(2.5)
    engine.evaluate(3.5)
    (row,) = runs.look()
    assert (row.status, row.step, row.evaluation) == ("training", 2000, ("error", " %", 3.5, 2.5, "lower"))
    broken = engine.run.path.parent / "broken"
    broken.mkdir()
    (broken / "spec.json").write_text("{")
    rows = {row.run.name: row for row in runs.look()}
    assert rows["broken"].recipe is None
    assert "can't be read" in rows["broken"].problem


def test_a_damaged_run_takes_nothing_from_the_list(engine: PlayedEngine) -> None:
    runs = engine.run.path.parent
    with PlayedEngine.new(runs, "vae-mnist", "broken") as broken:
        (broken.run.path / "metrics.json").write_text("{")
        (runs / "other" / "events.jsonl").mkdir(parents=True)
        (runs / "other" / "spec.json").write_bytes((broken.run.path / "spec.json").read_bytes())
        view = RunsView(runs)
        rows = {row.run.name: row for row in view.look()}
        assert rows["played"].status == "training"
        for name in ("broken", "other"):
            assert rows[name].status == "damaged"
            assert "can't be read" in rows[name].problem
        (broken.run.path / "metrics.json").write_bytes((engine.run.path / "metrics.json").read_bytes())
        assert {row.run.name: row.status for row in view.look()}["broken"] == "training"


def test_a_run_that_was_deleted_and_made_again_is_another_run(tmp_path: Path) -> None:
    view = RunsView(tmp_path)
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(300)
        assert [row.step for row in view.look()] == [300]
    shutil.rmtree(engine.run.path)
    assert view.look() == []
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(20)
        assert [row.step for row in view.look()] == [20]
    engine.run.path.rename(tmp_path / "kept")
    with PlayedEngine.new(tmp_path):
        assert {row.run.name: row.step for row in view.look()} == {"kept": 20, "played": 0}


def test_the_list_of_runs_keeps_no_file_open(engine: PlayedEngine) -> None:
    view = RunsView(engine.run.path.parent)
    view.look()
    maps = Path("/proc/self/maps")
    if not maps.exists():
        pytest.skip("needs /proc")
    assert str(engine.run.path) not in maps.read_text()


def test_a_resumed_run_is_listed_at_its_checkpoint_until_it_has_recorded_a_step(tmp_path: Path) -> None:
    view = RunsView(tmp_path)
    metrics = MetricsReader(tmp_path / "played")
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(300)
        metrics.poll()
        (row,) = view.look()
        assert row.step == 300
        assert row.trend.tolist() == metrics.values("total")[7::8].tolist()
    with PlayedEngine(engine.run, first=100, segment=2) as resumed:
        (row,) = view.look()
        assert row.step == 100
        resumed.train(20)
        metrics.poll()
        (row,) = view.look()
        assert row.step == 120
        assert row.trend.tolist() == metrics.values("total")[100:].tolist()


def test_a_term_whose_curve_is_not_gathered_yet_shows_its_newest_value_and_no_nan(eyes: Eyes) -> None:
    eyes.view.smoothed = {}
    assert eyes.view.value("denoise.0") == eyes.view.latest["denoise.0"]
    assert all(row.raw == row.raw for row in term_rows(eyes.view))
