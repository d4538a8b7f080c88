"""What was done to a run: its effect on every term, who did it and why, and how it is taken back."""

from __future__ import annotations

import gc
import time
import tracemalloc

import pytest

from laddertop.journal.commands import send
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.dashboard.screens.interventions import in_full
from laddertop.tui.steer import steering
from laddertop.tui.watch.effects import before_after
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine


def test_the_cost_before_and_after_an_intervention_is_told_once_both_are_known(
    engine: PlayedEngine, eyes: Eyes
) -> None:
    eyes.send("set", {"noise": 0.0})
    engine.answer()
    engine.train(100)
    assert "cost" not in eyes.look().lines[-1].text
    engine.train(150)
    text = eyes.look().lines[-1].text
    assert text.startswith("you: noise off → applied   cost ")
    effect = eyes.view.effects[eyes.view.state.commands[0].id]
    reader = MetricsReader(engine.run.path)
    reader.poll()
    total = reader.values("total").astype(float)
    assert effect.window == 200
    assert effect.before["total"] == pytest.approx((total[1800:2000].mean(), total[1800:2000].std()))
    assert effect.after["total"] == pytest.approx((total[2000:2200].mean(), total[2000:2200].std()))
    assert effect.after["total"].mean < effect.before["total"].mean
    assert set(effect.before) == {"total", *(term.name for term in eyes.view.state.terms)}


def test_the_step_that_killed_the_run_reads_not_finite(engine: PlayedEngine, eyes: Eyes) -> None:
    eyes.send("set", {"lr": 0.05})
    engine.answer()
    engine.train(20)
    engine.train(200, nan=True)
    text = eyes.look().lines[-1].text
    assert "lr 0.05 → applied   cost " in text
    assert text.count(" → not finite") == 3, "the cost and the terms that are told"
    effect = eyes.view.effects[eyes.view.state.commands[0].id]
    assert all(word.endswith(" → not finite") for name in effect.before if (word := before_after(effect, name)))


def test_what_changes_the_objective_says_so_beside_its_cost(engine: PlayedEngine, eyes: Eyes) -> None:
    for changes in ({"warmup": 0.0}, {"lambda.1": 3.0}, {"noise": 0.0}, {"lr": 0.001}):
        eyes.send("set", changes)
        engine.answer()
        engine.train(250)
    eyes.look()
    told = [line.text for line in eyes.view.lines if "cost " in line.text]
    assert ["of another objective" in text for text in told] == [True, True, False, False]
    listed = in_full(eyes.view).plain
    assert listed.count("compare the terms, not the total") == 2


def test_windows_end_where_another_intervention_begins(engine: PlayedEngine, eyes: Eyes) -> None:
    for value, steps in ((0.0, 60), (1.0, 500), (0.0, 4)):
        eyes.send("set", {"noise": value})
        engine.answer()
        engine.train(steps)
    eyes.look()
    windows = [eyes.view.effects[c.id].window for c in eyes.view.state.commands if c.id in eyes.view.effects]
    assert windows == [60, 60]
    engine.end()
    eyes.look()
    last = eyes.view.effects[eyes.view.state.commands[-1].id]
    assert (last.window, last.before) == (0, {})


def test_undo_sends_back_what_was_before_and_then_what_was_before_that(engine: PlayedEngine, eyes: Eyes) -> None:
    sent: list[str] = []
    keys = steering.Steering(eyes.view, sent.append, lambda: None, lambda deed, failed: deed())
    eyes.send("set", {"noise": 0.0})
    engine.answer()
    send(engine.run.path, 1, "set", {"noise.std": 0.1}, by="ann@box (command line)")
    engine.answer()
    eyes.look()
    keys.undo()
    keys.undo()
    first, second = engine.answer()
    assert first.changes == pytest.approx({f"noise.std.{i}": 0.3 for i in range(7)})
    assert second.changes == {"noise": 1.0}
    eyes.look()
    assert eyes.view.knobs()["noise"].knob.value == 1.0
    assert eyes.view.lines[-1].text.endswith("(undo)")
    keys.undo()
    assert sent[-1] == "there is nothing to undo"


def test_what_happened_before_a_resume_keeps_its_effect_told(engine: PlayedEngine, eyes: Eyes) -> None:
    eyes.send("set", {"noise": 0.0})
    engine.answer()
    engine.train(300)
    engine.__exit__(None, None, None)
    second = PlayedEngine(engine.run, first=2300, segment=2)
    second.keep_time(time.time() + 1)
    with second:
        view = Eyes(engine.run).view
        assert any("noise off" in line.text and "cost" in line.text for line in view.lines)


def test_undo_reaches_back_beyond_a_resume_but_not_to_what_it_has_not_come_to_again(engine: PlayedEngine) -> None:
    send(engine.run.path, 1, "set", {"noise": 0.0}, by="test")
    engine.answer()
    engine.train(500)
    send(engine.run.path, 1, "set", {"lr": 0.001}, by="test")
    engine.answer()
    engine.train(100)
    engine.__exit__(None, None, None)
    second = PlayedEngine(engine.run, first=2300, segment=2)
    second.keep_time(time.time() + 1)
    with second:
        eyes = Eyes(engine.run)
        done, before = steering.undo(eyes.view)
        assert (done.step, before) == (2000, {"noise": 1.0})
        second.train(200)
        done, before = steering.undo(eyes.look())
        assert (done.step, before) == (2500, {"lr": 0.002})


def test_the_list_of_interventions_tells_who_why_every_term_and_the_error(engine: PlayedEngine, eyes: Eyes) -> None:
    engine.evaluate(5.0)
    engine.train(200)
    send(engine.run.path, 1, "set", {"noise": 0.0}, by="ann@box (command line)", note="is it\nthe noise?")
    engine.answer()
    engine.train(200)
    engine.evaluate(2.5)
    send(engine.run.path, 1, "set", {"lr": 50.0}, by="ann@box (command line)")
    engine.answer()
    text = in_full(eyes.look()).plain
    lines = text.splitlines()
    refused = next(i for i, line in enumerate(lines) if "refused" in line)
    applied = next(i for i, line in enumerate(lines) if "noise off → applied" in line)
    assert refused < applied
    assert lines[applied] == "step 2 200  ann@box (command line): noise off → applied"
    assert lines[applied + 1] == "  is it the noise?"
    assert "over 200 steps before → after" in text
    assert sum("denoising" in line and "±" in line for line in lines) == 7
    assert "  evaluated: error 5.00 % at 2 000 → 2.50 at 2 400" in lines


def test_an_intervention_takes_less_than_three_kilobytes_of_a_dashboard_that_stays(
    engine: PlayedEngine, eyes: Eyes
) -> None:
    def turn(times: int) -> None:
        for i in range(times):
            send(engine.run.path, 1, "set", {"noise": float(i % 2)}, by="test")
            engine.answer()
            engine.train(20)
        while eyes.look() and len(eyes.view.effects) < len(eyes.view.state.commands) - 1:
            pass

    tracemalloc.start()
    turn(200)
    gc.collect()
    before, written = tracemalloc.get_traced_memory()[0], engine.run.events_path.stat().st_size
    turn(200)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    kept -= engine.run.events_path.stat().st_size - written  # which the played engine keeps
    assert kept / 200 < 3000, f"{kept / 200:.0f} bytes"
