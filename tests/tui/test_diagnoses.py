"""What was planted in a training is found in its journal, what is sound is not, however often one looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import laddertop
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.journal.events import Activity, Column, Evaluated, EventReader, EventWriter, Knob, Term
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.knobs import members
from laddertop.journal.metrics import MetricsReader, MetricsWriter, record_type, write_columns
from laddertop.journal.names import kind_in_words
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.watch.diagnoses.course import BLOCKS, Course
from laddertop.tui.watch.diagnoses.diagnoses import Diagnoses, findings_of
from laddertop.tui.watch.diagnoses.finding import Ask, Finding, Helped
from laddertop.tui.watch.diagnoses.table import DIAGNOSES
from tests.kinds import small_spec
from tests.starts import start
from tests.tui.played import PlayedEngine

QUIET = ("compile=off", "checkpoint.every=0", "samples.every=0")
VAE = ("vae", "data.batch=100", "warmup.on=off", "evaluate.every=0")
PLANTED = {
    "not-finite": (*VAE, "steps=60", "optimizer.lr=2"),
    "learning-rate-too-low": ("dae", "steps=1000", "optimizer.lr=5e-6", "evaluate.every=0"),
    "posterior-collapse": ("vae", "warmup.on=off", "steps=1000", "evaluate.every=50", "knobs.beta=100"),
    "noise-too-strong": ("ladder", "steps=420", "noise.std=5", "evaluate.every=0"),
    "warm-up-too-long": ("vae", "steps=60", "warmup.on=on", "warmup.of=kl", "warmup.steps=4000"),
    "decay-too-late": ("dae", "steps=60", "optimizer.decay_from=0.99"),
}
"""What is planted, by the kind that is to be found: the kind of model, and its settings."""
SOUND = {
    "vae": (*VAE, "steps=420"),
    "ladder": ("ladder", "steps=420", "evaluate.every=100"),
    "dae": ("dae", "steps=420", "evaluate.every=100"),
    "lvae": ("lvae", "steps=240", "warmup.on=off", "evaluate.every=100"),
}


def trained(folder: Path, name: str, settings: tuple[str, ...]) -> RunFolder:
    """A training of a small model on the digits, by the engine itself."""
    spec = override(small_spec(settings[0], *QUIET, *settings[1:]), list(settings[1:]))
    run = create_run(folder, spec, name)
    train(run, Stop(foreground=False))
    return run


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_planted_is_found_and_says_what_helps(tmp_path: Path, kind: str) -> None:
    run = trained(tmp_path, kind, PLANTED[kind])
    found = {one.kind: one for one in findings_of(run)}
    assert kind in found, found
    one = found[kind]
    assert one.until is None
    assert one.since <= one.found <= 1000
    assert one.means == next(known.means for known in DIAGNOSES if known.kind == kind)
    assert one.remedy is not None
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    for ask in one.remedy.commands:
        assert ask.action in ("set", "rollback")
        assert ask.action != "set" or all(members(name, state.knobs) for name in ask.changes)
    # What the advice says of the next run is a recipe.
    override(run.spec, list(one.remedy.settings))


@pytest.mark.parametrize("kind", SOUND)
def test_a_sound_training_is_told_nothing(tmp_path: Path, kind: str) -> None:
    assert [(one.kind, one.sees) for one in findings_of(trained(tmp_path, kind, SOUND[kind]))] == []


def test_a_cost_far_above_that_of_the_untrained_model_is_a_rate_that_is_too_high(tmp_path: Path) -> None:
    run = create_run(tmp_path, small_spec("dae"), "worse")
    names = ["total", "reconstruction", "lr", "grad_norm"]
    term = Term(name="reconstruction", label="reconstruction", unit="nats", weight=None)
    write_columns(run.path, [Column(name=name, label=name, unit="") for name in names])
    knob = Knob(name="lr", label="lr", kind="number", unit="", low=0, high=10, factor=1.5, help="Rate.", value=0.05)
    with EventWriter(run.events_path) as events:
        events.append(start(steps=1000, terms=[term], knobs=[knob]))
    values = np.full((400, 4), [90.0, 90.0, 0.05, 5.0])
    values[0, :2] = 60.0
    writer = MetricsWriter(run.path, 1, 4)
    writer.append(np.arange(1, 401), np.arange(400.0), values)
    writer.close()
    (found,) = findings_of(run)
    assert (found.kind, found.since, found.until) == ("learning-rate-too-high", 0, None)
    assert found.remedy is not None
    assert found.remedy.commands == (Ask("set", {"lr": 0.005}),)


def own_loop(folder: Path) -> RunFolder:
    """A loop of somebody's own whose cost is lost after 100 steps, one of which was saved."""
    loop = laddertop.start("loop", runs=folder, steps=1000, terms={"cost": None}, knobs={"lr": 0.1})
    for step in loop:
        if step == 50:
            (folder / "saved").write_bytes(b"weights")
            loop.checkpoint(folder / "saved")
        if step == 150:
            break
        loop.record(cost=1.0 if step < 100 else float("nan"))
    loop.end()
    return loop.run


def test_a_loop_of_ones_own_is_advised_a_smaller_rate_and_no_way_back_that_it_would_refuse(tmp_path: Path) -> None:
    (found,) = findings_of(own_loop(tmp_path))
    assert found.kind == "not-finite"
    assert found.remedy is not None
    assert found.remedy.commands == (Ask("set", {"lr": 0.002}),)
    assert "its program alone can go back to what it saved" in found.remedy.words


def test_where_units_are_counted_a_layer_is_helped_once_one_is_active(tmp_path: Path) -> None:
    spec = override(load_recipe("vae-mnist"), ["warmup.of=kl", "warmup.on=off", "evaluate.every=9000"])
    with PlayedEngine(create_run(tmp_path, spec, "dead")) as engine:
        engine.train(1000)
        engine.record(
            Evaluated(
                step=1000,
                split="test",
                values={"negative_elbo": Value(value=90.0, unit="nats")},
                seconds=0.1,
                layers={"z": Activity(units=16, active=0, sd=0.0)},
            )
        )
    (found,) = findings_of(engine.run)
    assert found.helped == Helped("a unit of layer 1 is active", 9000)


@pytest.mark.parametrize(
    ("settings", "found"), [((), True), (("optimizer.kind=sgd",), False), (("optimizer.eps=1",), False)]
)
def test_a_step_of_adam_that_is_longer_than_weights_are_is_told_whatever_the_cost_does(
    tmp_path: Path, settings: tuple[str, ...], found: bool
) -> None:
    spec = override(load_recipe("vae-mnist"), ["optimizer.lr=0.05", *settings])
    with PlayedEngine(create_run(tmp_path, spec, "long")) as engine:
        engine.train(100)
    told = [one for one in findings_of(engine.run) if one.kind == "learning-rate-too-high"]
    assert bool(told) == found
    if told:
        assert told[0].remedy is not None
        assert told[0].remedy.commands == (Ask("set", {"lr": 0.002}),)
        assert "weights began at about 0.0357" in told[0].sees


RECORDED = RunFolder(Path(__file__).parents[1] / "recorded" / "vae-digits")


def in_pieces(run: RunFolder, at_most: int) -> list[Finding]:
    """The findings of a run that is looked at often, a few records at a time."""
    metrics = MetricsReader(run.path)
    metrics.poll()
    diagnoses = Diagnoses(run, metrics)
    for event in EventReader(run.events_path).read_all():
        diagnoses.look([event], at_most)
        diagnoses.findings()
    while not diagnoses.complete:
        diagnoses.look(at_most=at_most)
        diagnoses.findings()
    return [*diagnoses.findings(), *diagnoses.past()]


@pytest.mark.parametrize("at_most", [7, 100])
def test_findings_are_the_same_however_often_one_looks(tmp_path: Path, at_most: int) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(300)
        engine.train(700, collapsed=["kl"])
        engine.train(400)
        engine.train(100, nan=True)
        engine.train(600, collapsed=["kl"])
    whole = findings_of(engine.run)
    assert [one.kind for one in whole if one.until is None] == ["posterior-collapse"]
    assert {one.kind for one in whole if one.until is not None} >= {"posterior-collapse", "not-finite"}
    assert in_pieces(engine.run, at_most) == whole
    assert in_pieces(RECORDED, at_most) == findings_of(RECORDED)


def test_what_was_found_in_steps_that_were_thrown_away_was_not_found(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(300)
        engine.train(700, collapsed=["kl"])
    assert "posterior-collapse" in [one.kind for one in findings_of(engine.run)]
    with PlayedEngine(engine.run, first=300, segment=2) as engine:
        engine.train(400)
    assert "posterior-collapse" not in [one.kind for one in findings_of(engine.run)]


@pytest.mark.parametrize("taken_at_once", [1, 37, 5000])
def test_a_course_keeps_what_all_records_say_in_the_same_memory(taken_at_once: int) -> None:
    rng = np.random.default_rng(0)
    records = np.zeros(5000, record_type(2))
    records["step"], records["time"] = np.arange(1, 5001), np.arange(5000.0)
    records["values"] = rng.normal(3, 1, (5000, 2))
    records["values"][rng.integers(0, 5000, 40), 1] = np.nan
    course = Course(["total", "kl"])
    for at in range(0, 5000, taken_at_once):
        course.take(records[at : at + taken_at_once])
    assert len(course.last) <= BLOCKS + 1
    assert (course.first[0], course.last[-1], course.size) == (1, 5000, 16)
    assert (course.first[1:] == course.last[:-1] + 1).all()
    for number, name in enumerate(course.names):
        for first, last, mean, low, high, sd, bad in zip(
            *(course.first, course.last, course.mean(name), course.low(name), course.high(name), course.sd(name)),
            course.bad(name),
            strict=True,
        ):
            values = records["values"][first - 1 : last, number].astype(np.float64)
            finite = values[np.isfinite(values)]
            assert mean == pytest.approx(finite.mean())
            assert (low, high, bad) == (finite.min(), finite.max(), len(values) - len(finite))
            assert sd == pytest.approx(finite.std(), abs=1e-6)


def test_kinds_read_as_the_terms_of_the_field() -> None:
    assert [kind_in_words(kind) for kind in ("warm-up-too-long", "posterior-collapse")] == [
        "warm-up too long",
        "posterior collapse",
    ]
