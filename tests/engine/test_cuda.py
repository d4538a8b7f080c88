"""What holds on a CUDA device: steps are one graph that no knob records again, equal to the CPU's, and never wait."""

from __future__ import annotations

import json
import math
import uuid
from functools import partial
from pathlib import Path

import pytest
import torch

from laddertop.engine.data import load
from laddertop.engine.explore.answers import Subject, answer
from laddertop.engine.saved.evaluate import evaluate
from laddertop.engine.saved.representation import representation
from laddertop.engine.training import graph, train
from laddertop.engine.training.recorder import Recorder
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventReader, EventWriter, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.state import RunState
from tests.engine.conftest import Bench
from tests.engine.test_answers import QUESTIONS
from tests.kinds import KINDS, small_spec

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

LAYERS = ["model.upper_hidden=[3]", "model.upper_latent=2", "model.bound=iwae", "model.samples=3"]


def trained(folder: Path, name: str, until: list[int], kind: str, *settings: str) -> RunFolder:
    """A run that was stopped before the steps `until`, and resumed."""
    run = create_run(folder, small_spec(kind, *settings), name)
    with EventWriter(run.events_path) as events:
        for step in [*until, None]:
            training = Training(run, events, RunState().apply_all(EventReader(run.events_path).read_all()))
            training.until = step
            stop = Stop(foreground=False)
            events.append(training.loop(stop))
            training.recorder.close()
    return run


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    content = torch.load(max(run.path.glob("step-*.ckpt")), weights_only=True, map_location="cpu")
    return {f"{part}.{name}": t for part in ("model", "first", "second") for name, t in content[part].items()}


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_every_kind_stopped_and_resumed_ends_in_the_same_weights(kind: str, tmp_path: Path, stop: Stop):
    settings = ["device=cuda", "evaluate.every=10", "checkpoint.every=25", "samples.every=20"]
    whole = trained(tmp_path, "whole", [], kind, *settings)
    broken = trained(tmp_path, "broken", [7, 31], kind, *settings)
    expected, actual = weights(whole), weights(broken)
    assert all(torch.equal(expected[name], actual[name]) for name in expected)
    assert all(torch.isfinite(tensor).all() for tensor in expected.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_report_of_every_kind_is_that_of_the_cpu(kind: str, tmp_path: Path, stop: Stop, capsys):
    settings = ["steps=20", "evaluate.samples=5"]
    run = trained(tmp_path, "run", [], kind, "device=cuda", *settings)
    spec = run.spec.model_copy(update={"device": "cpu"})
    other = create_run(tmp_path, spec, "other")
    for path in [*run.path.glob("step-*.ckpt"), run.events_path]:
        (other.path / path.name).write_bytes(path.read_bytes())
    printed = []
    for each in (run, other):
        assert evaluate(each, None, "test", False, False) == 0
        printed.append(capsys.readouterr().out)
    mine, theirs = (json.loads(text)["values"] for text in printed)
    assert mine.keys() == theirs.keys()
    for name in mine:
        assert mine[name]["value"] == pytest.approx(theirs[name]["value"], rel=2e-2, abs=0.3), name


@pytest.mark.parametrize("kind", [*KINDS, "points"])
def test_every_question_is_answered(kind: str):
    points = ["data.name=moons", "model.loss=squared", "noise.kind=gaussian", "noise.std=0.1"]
    spec = small_spec("dae", *points) if kind == "points" else small_spec(kind)
    bench = Bench(spec, device=torch.device("cuda"))
    subject = Subject(bench.model, bench.data, bench.batches, spec)
    subject.settle()
    able = subject.able()
    for question in QUESTIONS:
        if question.kind in able:
            assert answer(subject, question)
    assert representation(bench.model, bench.data, bench.data.test) or kind == "points"


def ready(folder: Path, kind: str, device: str, *settings: str) -> Training:
    run = create_run(folder, small_spec(kind, f"device={device}", *settings), uuid.uuid4().hex)
    with EventWriter(run.events_path) as events:
        return Training(run, events, RunState())


def rows(training: Training, steps: int) -> torch.Tensor:
    row = torch.empty(len(training.recorder.row()), device=training.device)
    taken = []
    for step in range(steps):
        training.take_step.enter(step)
        training.controls.prepare(step)
        training.take_step(step, row)
        training.controls.advance()
        taken.append(row.clone())
    return torch.stack(taken).cpu()


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_of_every_kind_costs_what_it_costs_on_the_cpu(kind: str, tmp_path: Path):
    settings = LAYERS if kind == "vae" else []
    there, here = (rows(ready(tmp_path, kind, device, *settings), 2) for device in ("cuda", "cpu"))
    torch.testing.assert_close(there, here, rtol=2e-3, atol=1e-4, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_computes_the_bits_of_its_kernels_one_by_one(kind: str, tmp_path: Path, monkeypatch):
    graphed = rows(ready(tmp_path, kind, "cuda"), 40)
    monkeypatch.setattr(graph, "STRAIGHT", 1000)
    straight = rows(ready(tmp_path, kind, "cuda"), 40)
    assert torch.equal(graphed.nan_to_num(), straight.nan_to_num())


def test_turning_knobs_records_no_graph_again_and_takes_effect_in_the_next_step(tmp_path: Path, monkeypatch):
    recorded = []
    record = torch.cuda.graph
    monkeypatch.setattr(torch.cuda, "graph", lambda graph: recorded.append(graph) or record(graph))
    training = ready(tmp_path, "ladder", "cuda")
    row = torch.empty(len(training.recorder.row()), device=training.device)
    names = ["total", *(term.name for term in training.model.terms), *training.controls.names, "grad_norm"]
    turns = {6: {"noise": "off"}, 8: {"lr": 0.0}, 10: {"noise": "on", "noise.std": 0.1}, 12: {"lambda.0": 3, "clip": 1}}
    seen = []
    for step in range(14):
        training.controls.set(turns.get(step, {}))
        training.controls.prepare(step)
        training.take_step(step, row)
        training.controls.advance()
        seen.append(dict(zip(names, row.tolist(), strict=True)))
    assert [seen[i]["noise.std.0"] for i in (5, 6, 10)] == pytest.approx([0.3, 0.0, 0.1])
    assert seen[6]["denoise.0"] < seen[5]["denoise.0"]
    assert seen[12]["total"] != pytest.approx(seen[11]["total"], rel=0.01)
    assert len(recorded) == 1


def test_no_step_waits_for_the_device(tmp_path: Path):
    training = ready(tmp_path, "ladder", "cuda")
    recorder: Recorder = training.recorder
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(20):
            training.controls.prepare(step)
            training.take_step(step, recorder.row())
            training.controls.advance()
            recorder._flushed = math.inf
            recorder.report(step + 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    recorder.flush()


@pytest.mark.stress
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("kind", ["ladder", "vae"])
def test_a_compiled_run_resumed_ends_in_the_same_weights(kind: str, precision: str, tmp_path: Path, stop: Stop):
    settings = ["device=cuda", "compile=on", f"precision={precision}", "evaluate.every=0"]
    whole = trained(tmp_path, "whole", [], kind, *settings)
    broken = trained(tmp_path, "broken", [31], kind, *settings)
    started = next(e for e in EventReader(whole.events_path).read_all() if isinstance(e, RunStarted))
    assert started.compiled
    assert started.device.startswith("cuda")
    expected, actual = weights(whole), weights(broken)
    assert all(torch.equal(expected[name], actual[name]) for name in expected)


@pytest.mark.stress
def test_without_a_c_compiler_a_run_says_so_and_goes_on_uncompiled(tmp_path: Path, monkeypatch):
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    ready(tmp_path, "dae", "cuda", "compile=on")
    (events,) = tmp_path.glob("*/events.jsonl")
    (started,) = (e for e in EventReader(events).read_all() if isinstance(e, RunStarted))
    assert not started.compiled
    assert "no C compiler here" in started.note


@pytest.mark.parametrize("kind", ["ladder", "vae"])
def test_data_that_stay_on_the_host_train_to_the_same_bits(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    there = weights(trained(tmp_path, "device", [], kind, "device=cuda"))
    monkeypatch.setattr(train, "load", partial(load, room=0))
    here = weights(trained(tmp_path, "host", [7], kind, "device=cuda"))
    assert all(torch.equal(there[name], here[name]) for name in there)
