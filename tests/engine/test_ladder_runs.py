"""Ladder networks as runs: stopped and resumed bit for bit, saved and loaded, overfitted, compiled."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
import torch

from laddertop.engine.randomness import Draws
from laddertop.engine.training import checkpoint
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventReader, EventWriter
from laddertop.journal.folder import create_run
from laddertop.journal.spec import Spec
from laddertop.journal.state import RunState
from tests.engine.conftest import CPU, Bench
from tests.kinds import LADDERS, small_spec


def trained(folder: Path, spec: Spec, stop: Stop, *, stop_at: int | None = None) -> dict[str, torch.Tensor]:
    """The final weights of a run, of one that was stopped at a step and resumed if that is wanted."""
    run = create_run(folder, spec, f"stop-{stop_at}")
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        if stop_at is not None:
            obey = training.obey

            def obey_and_be_told(told: Stop) -> None:
                obey(told)
                if training.step == stop_at:
                    told.reason = "SIGTERM"

            training.obey = obey_and_be_told  # type: ignore[method-assign]
            assert training.loop(stop).reason == "stopped"
            stop.reason = ""
            training = Training(run, events, RunState().apply_all(EventReader(run.events_path).read_all()))
            assert training.resumed_from == stop_at
        assert training.loop(stop).reason == "finished"
        training.recorder.close()
    return {name: weight.clone() for name, weight in training.optimizer.state()["model"].items()}


@pytest.mark.parametrize("kind", LADDERS)
def test_a_run_stopped_while_its_warm_up_waits_ends_in_the_same_weights(kind: str, tmp_path: Path, stop: Stop):
    settings = ["steps=8", "warmup.on=on", "warmup.after=4", "warmup.steps=3", "evaluate.every=0", "samples.every=0"]
    spec = small_spec(kind, *settings)
    whole, broken = trained(tmp_path, spec, stop), trained(tmp_path, spec, stop, stop_at=3)
    assert all(torch.equal(whole[name], broken[name]) for name in whole)
    other = trained(tmp_path / "other", small_spec(kind, *settings, "warmup.after=0"), stop)
    assert not all(torch.equal(whole[name], other[name]) for name in whole)


def test_a_run_stopped_between_two_projections_ends_in_the_same_weights(tmp_path: Path, stop: Stop):
    spec = small_spec("ladder", "steps=5", "model.project_every=2", "evaluate.every=0", "samples.every=0")
    whole, broken = trained(tmp_path, spec, stop), trained(tmp_path, spec, stop, stop_at=3)
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


@pytest.mark.parametrize("kind", LADDERS)
def test_a_model_saved_and_loaded_computes_the_same(kind: str, tmp_path: Path):
    bench = Bench(small_spec(kind))
    step, row = stepper(bench)
    for at in range(3):
        step(at, row)
    saved = checkpoint.save(tmp_path, 3, step._optimizer, bench.controls, "end")
    other = Bench(small_spec(kind, "seed=2", "data.labels=100"))
    other.model.load_state_dict(checkpoint.load(tmp_path, saved)["model"])
    for one, two in zip(bench.model.state_dict().items(), other.model.state_dict().items(), strict=True):
        assert one[0] == two[0]
        assert torch.equal(one[1], two[1])
    arguments = bench.batch(), bench.draws(), bench.knobs()
    mine, loaded = (b.model.costs(*arguments[0], b.draws(), arguments[2]) for b in (bench, other))
    # The seeds draw other noise for nobody here: the draws of a bench are those of one fixed key.
    assert torch.equal(mine, loaded)


def stepper(bench: Bench, compiled: bool = False) -> tuple[Step, torch.Tensor]:
    adam = Adam(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, adam, bench.controls, bench.batches, 1, CPU, compiled)
    return step, torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))


@pytest.mark.parametrize(
    ("kind", "settings", "column", "below"),
    [
        ("ladder", ["data.labels=20"], 1, 0.03),
        ("ladder", ["data.labels=20", "model.combinator=amlp", "model.combinator_std=0.3"], 1, 0.03),
        ("ladder", ["data.labels=20", "model.denoising=[0, 0, 0, 0]"], 1, 0.03),
        ("conv_ladder", ["data.labels=20"], 1, 0.1),
        ("unsupervised_ladder", [], 1, 0.03),
    ],
)
def test_sixteen_images_are_overfitted(kind: str, settings: list[str], column: int, below: float):
    bench = Bench(small_spec(kind, "noise.on=off", "optimizer.lr=0.02", "data.batch=16", *settings))
    # The same few images every step.
    few = bench.batches.at(0)
    bench.batches.at = lambda step: few  # type: ignore[method-assign]
    step, row = stepper(bench)
    for at in range(150):
        step(at, row)
    assert row[column] < below


SMALL = {
    "amlp": (
        "ladder",
        ["model.widths=[16]", "model.denoising=[0, 0, 1]", "model.combinator=amlp", "model.combinator_hidden=[2]"],
    ),
    "projected": ("ladder", ["model.widths=[16]", "model.denoising=[0, 0, 1]", "model.project_every=1"]),
    "conv": (
        "conv_ladder",
        ['model.architecture=["maxpool:3", "convv:10:3", "globalmeanpool"]', "model.denoising=[1, 0, 0, 0]"],
    ),
}


@pytest.mark.stress
@pytest.mark.parametrize("name", SMALL)
def test_a_traced_step_equals_the_untraced_one(name: str):
    # The graph is that of the compiled step; it is run operation by operation, which costs no minute of compiling.
    import torch._dynamo

    kind, settings = SMALL[name]
    bench = Bench(small_spec(kind, *settings), torch.float64)
    parameters = list(bench.model.parameters())
    torch.manual_seed(0)
    for parameter in parameters:
        parameter.data += 0.1 * torch.randn_like(parameter)

    normals = bench.draws().normal(bench.model.draws_needed(bench.batches.labelled_rows, bench.batches.rows)[0])
    knobs = bench.knobs()

    def gradients(labelled, labels, x):
        costs = bench.model.costs(labelled, labels, x, Draws(normals, normals[:0]), knobs)
        return costs.detach(), torch.autograd.grad(costs.sum(), parameters)

    with torch._dynamo.config.patch(trace_autograd_ops=True):
        traced = torch.compile(gradients, fullgraph=True, dynamic=False, backend="aot_eager")(*bench.batch())
    torch.testing.assert_close(traced, gradients(*bench.batch()), rtol=1e-6, atol=1e-9)


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("name", SMALL)
def test_a_compiled_step_equals_the_uncompiled_one(name: str, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    kind, settings = SMALL[name]
    spec = small_spec(kind, "optimizer.clip=1.0", *settings)
    plain, compiled = Bench(spec), Bench(spec)
    # Away from the initial values, where some gradients are rounding error alone and Adam takes a step of their sign.
    torch.manual_seed(0)
    for one, other in zip(plain.model.parameters(), compiled.model.parameters(), strict=True):
        one.data += 0.1 * torch.randn_like(one)
        other.data.copy_(one.data)
    (step, row), (fast, fast_row) = stepper(plain), stepper(compiled, compiled=True)
    for at, on in zip(itertools.count(), ("on", "off", "on"), strict=False):
        for bench in (plain, compiled):
            bench.controls.set({"noise": on})
            bench.controls.prepare(at)
        step(at, row)
        fast(at, fast_row)
        assert not fast.problem
        torch.testing.assert_close(fast_row, row, rtol=1e-3, atol=1e-5)
