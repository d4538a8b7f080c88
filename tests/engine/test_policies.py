"""What an engine does by itself where the spec asks for it: each is a command of its own, and nobody else notices."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from laddertop.engine.training import recorder
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training, train
from laddertop.journal.checkpoints import best_of
from laddertop.journal.commands import send
from laddertop.journal.events import Commanded, Evaluated, Event, EventReader, Logged, RunEnded
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.judged import judged
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.steer.keeping import repeat
from tests.engine.conftest import Bench
from tests.engine.training import last_weights
from tests.kinds import KINDS, small_spec

LENGTH = ("steps=60", "checkpoint.every=20", "samples.every=0", "evaluate.every=10")
WILD = ("model.loss=squared", "model.activation=relu", "model.hidden=[32, 16]")
"""What makes it diverge where the learning rate is 10."""


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """Steps at which somebody sets the learning rate, each with the rate; each is done once. Numbers are looked at
    after every step."""
    plan: list[tuple[int, float]] = []
    obey = Training.obey

    def obeying(training: Training, told: Stop) -> None:
        if plan and training.step == plan[0][0]:
            training._looked = 0.0
            send(training.run.path, training.begins.segment, "set", {"lr": plan.pop(0)[1]}, by="ann")
        obey(training, told)

    monkeypatch.setattr(Training, "obey", obeying)
    monkeypatch.setattr(recorder, "INTERVAL", -1)
    return plan


def history(run: RunFolder) -> list[Event]:
    return EventReader(run.events_path).read_all()


def done(run: RunFolder) -> list[tuple[int, str, str, dict[str, float]]]:
    """What policies did: at which step, which policy, what, with which values."""
    return [
        (e.step, e.by, e.action, {c.knob: c.applied for c in e.changes})
        for e in history(run)
        if isinstance(e, Commanded) and e.by.startswith("policy")
    ]


def ended(run: RunFolder) -> RunEnded:
    last = history(run)[-1]
    assert isinstance(last, RunEnded)
    return last


def numbers(run: RunFolder) -> dict[str, bytes]:
    metrics = MetricsReader(run.path)
    metrics.poll()
    assert metrics.steps.tolist() == list(range(1, 61))
    return {column.name: metrics.values(column.name).tobytes() for column in metrics.columns}


def test_a_divergence_sends_a_run_back_with_half_the_rate_each_time_and_then_stops_it(
    tmp_path: Path, stop: Stop, turned: list[tuple[int, float]]
) -> None:
    settings = *WILD, "policy.on_divergence=rollback", "policy.rollbacks=2", "optimizer.lr=0.004"
    run = create_run(tmp_path, small_spec("dae", *LENGTH, *settings), "wild")
    turned += [(45, 10), (45, 10), (45, 10)]
    assert train(run, stop) == 1
    policy = "policy on-divergence"
    (one, two, three, four, five) = done(run)
    assert (one[1:], two) == ((policy, "rollback", {"step": 40}), (40, policy, "set", {"lr": 0.002}))
    assert (three[1:], four) == ((policy, "rollback", {"step": 40}), (40, policy, "set", {"lr": 0.001}))
    assert five[1:] == (policy, "stop", {})
    assert 45 < one[0] <= 60
    assert ended(run).reason == "diverged"
    assert "told to by policy on-divergence" in ended(run).detail
    # Somebody takes it up again, and it goes on from what is sound, with what was done to it.
    stop.reason = ""
    assert train(run, stop, back_to=40) == 0
    assert RunState().apply_all(history(run)).knobs["lr"].value == 0.004


def test_a_run_that_was_sent_back_is_repeated_bit_for_bit_by_a_replay_which_goes_back_nowhere(
    tmp_path: Path, stop: Stop, turned: list[tuple[int, float]]
) -> None:
    settings = *WILD, "policy.on_divergence=rollback", "policy.keep_best=reconstruction"
    run = create_run(tmp_path, small_spec("dae", *LENGTH, *settings), "first")
    turned += [(45, 10)]
    assert train(run, stop) == 0
    assert [what for _, _, what, _ in done(run)] == ["rollback", "set"]
    again = repeat(run, tmp_path, "again")
    assert train(again, stop) == 0
    assert [(step, what) for step, _, what, _ in done(again)] == [(40, "set")]
    assert numbers(again) == numbers(run)
    assert all(torch.equal(a, b) for a, b in zip(*(last_weights(r, 60).values() for r in (run, again)), strict=True))


@pytest.mark.parametrize(("what", "reason"), [("stop", "diverged"), ("pause", "finished")])
def test_a_divergence_stops_or_pauses_where_that_is_asked_for(
    tmp_path: Path, stop: Stop, turned: list[tuple[int, float]], monkeypatch: pytest.MonkeyPatch, what: str, reason: str
) -> None:
    run = create_run(tmp_path, small_spec("dae", *LENGTH, *WILD, f"policy.on_divergence={what}"), what)
    turned += [(45, 10)]

    def awake(seconds: float) -> None:
        found = RunState().apply_all(history(run))
        if found.paused:
            send(run.path, 1, "continue", by="ann")

    monkeypatch.setattr("laddertop.engine.training.train.time.sleep", awake)
    monkeypatch.setattr("laddertop.engine.training.train.LOOK", 0.0)
    train(run, stop)
    ((step, by, action, _),) = done(run)
    assert (by, action, step > 45) == ("policy on-divergence", what, True)
    assert reason in (ended(run).reason, "finished")
    assert (ended(run).step < 60) == (what == "stop")


def test_a_training_stops_once_nothing_gets_better_and_who_resumes_it_gives_it_as_long_again(
    tmp_path: Path, stop: Stop
) -> None:
    settings = "policy.early_stop=reconstruction:2", "knobs.lr=0"
    run = create_run(tmp_path, small_spec("dae", *LENGTH, *settings), "still")
    assert train(run, stop) == 0
    assert (ended(run).step, ended(run).reason) == (30, "stopped")
    ((step, by, action, _),) = done(run)
    assert (step, by, action) == (30, "policy early-stop", "stop")
    (told,) = [e for e in history(run) if isinstance(e, Commanded)]
    assert "has not improved in 2 evaluations on the test images; the best is" in told.note
    assert told.note.endswith("at step 10")
    stop.reason = ""
    assert train(run, stop) == 0
    assert ended(run).step == 50
    # By held-back images, if there are any; and then nobody has to be told what a choice by test images is worth.
    warned = [e.text for e in history(run) if isinstance(e, Logged) and "chosen by the test images" in e.text]
    assert len(warned) == 1
    other = create_run(tmp_path, small_spec("dae", *LENGTH, *settings, "data.held_back=200"), "held")
    stop.reason = ""
    assert train(other, stop) == 0
    assert [e.note.partition(" on the ")[2][:9] for e in history(other) if isinstance(e, Commanded)] == ["held back"]
    assert not any(isinstance(e, Logged) and "chosen by" in e.text for e in history(other))


def test_the_best_checkpoint_is_saved_at_once_and_kept_beside_the_newest(
    tmp_path: Path, stop: Stop, turned: list[tuple[int, float]]
) -> None:
    settings = "policy.keep_best=reconstruction", "checkpoint.every=25", "checkpoint.keep=1", "checkpoint.keep_best=0"
    run = create_run(tmp_path, small_spec("dae", *LENGTH, *settings), "best")
    turned += [(33, 10)]
    assert train(run, stop) == 0
    state = RunState().apply_all(history(run))
    worths = {e.step: e.values["reconstruction"].value for e in state.evaluations}
    assert min(worths, key=worths.__getitem__) == 30
    assert [(c.step, c.reason) for c in state.checkpoints] == [
        *((10, "best"), (20, "best"), (25, "schedule"), (30, "best"), (50, "schedule"), (60, "end"))
    ]
    assert [saved.step for saved in run.checkpoints(state.checkpoints)] == [30, 60]
    saved, evaluated = best_of(run, state)
    assert (saved.step, evaluated.step, evaluated.split) == (30, 30, "test")


@pytest.mark.parametrize("kind", KINDS)
def test_the_values_that_a_policy_can_go_by_are_those_of_which_one_is_better(kind: str) -> None:
    for variant in ((), *KINDS[kind].variants):
        bench = Bench(small_spec(kind, *variant))
        values = bench.model.evaluate(bench.data.test, bench.batches, 1)
        headline = Evaluated(step=1, split="test", values=values, seconds=0).headline()
        found = [name for name, value in values.items() if value.better != "none"]
        assert sorted(judged(bench.spec.model)) == sorted(found), variant
        assert judged(bench.spec.model)[0] == headline


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("policy.keep_best=negative_elb", r"policy\.keep_best: .* did you mean negative_elbo\?"),
        ("policy.keep_best=error", r"policy\.keep_best: .* there are negative_elbo, reconstruction, kl "),
        ("policy.early_stop=kl", r"policy\.early_stop: "),
        ("policy.early_stop=lk:3", r"policy\.early_stop: evaluations of a vae have no such value; did you mean kl\?"),
        ("policy.on_divergence=halt", r"policy\.on_divergence: takes nothing, stop, pause or rollback"),
        ("policy.on_diverge=stop", r"unknown key .* \(did you mean policy\.on_divergence"),
    ],
)
def test_a_policy_that_can_not_be_is_named_in_one_sentence(setting: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        override(load_recipe("vae-digits"), [setting])
    assert "\n" not in str(caught.value)


def test_an_early_stop_needs_evaluations() -> None:
    with pytest.raises(ValueError, match=r"policy\.early_stop: nothing is evaluated before the end; set evaluate"):
        override(load_recipe("vae-digits"), ["policy.early_stop=kl:3", "evaluate.every=0"])


def test_a_spec_without_policies_is_written_as_it_was_before_there_were_any() -> None:
    spec = load_recipe("vae-digits")
    assert "policy" not in spec.model_dump()
    asked = override(spec, ["policy.keep_best=kl"])
    assert override(asked, ["policy.keep_best="]).model_dump() == spec.model_dump()
