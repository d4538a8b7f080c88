"""Stacked denoising autoencoder: every stage against plain formulas, what rests in it, and runs cut at its borders."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.randomness import Draws, Stream, counter_words, normals, uniforms
from laddertop.engine.training import checkpoint
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal.events import Checkpointed, Evaluated, EventReader, EventWriter, Logged
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.state import RunState
from tests.engine.conftest import CPU, Bench
from tests.engine.training import gradients_are_right, reloaded, train
from tests.kinds import small_spec

EPOCH = 1437 // 50
FIRST = [0, 14, 28]
"""Steps at which the stages of the small spec begin: half an epoch each, then the fine-tuning."""
STAGES = ["layer.1", "layer.2", "classification"]


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def at_stage(stage: int, *settings: str) -> Bench:
    bench = Bench(small_spec("sdae", *settings), torch.float64)
    bench.model.stage = stage
    with torch.no_grad():  # the logistic layer starts at 0
        bench.model.logistic.normal_(generator=torch.Generator().manual_seed(3))
    return bench


def weights_of(bench: Bench) -> dict[str, np.ndarray]:
    return {name: p.detach().numpy() for name, p in bench.model.named_parameters()}


def test_stages_begin_where_the_epochs_say():
    bench = Bench(small_spec("sdae", "model.hidden=[8, 8, 8]", "model.pretrain_epochs=2.5"))
    stages = bench.model.stages(100)
    assert [stage.first for stage in stages] == [0, 250, 500, 750]
    assert [stage.name for stage in stages] == [
        "pre-training layer 1 of 3",
        "pre-training layer 2 of 3",
        "pre-training layer 3 of 3",
        "fine-tuning all layers by the labels",
    ]
    trained = {name for stage in stages for name in stage.parameters}
    assert trained == {name for name, _ in bench.model.named_parameters()}


@pytest.mark.parametrize("loss", ["cross_entropy", "squared"])
@pytest.mark.parametrize("emphasis", [(1, 1), (1, 0.25)])
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("layer", [0, 1])
def test_a_layer_is_a_denoising_autoencoder_of_the_clean_output_below(layer, tied, emphasis, loss):
    alpha, beta = emphasis
    settings = [f"model.tied={'on' if tied else 'off'}", f"model.on_corrupted={alpha}", f"model.on_kept={beta}"]
    settings.append(f"model.loss={loss}")
    bench = at_stage(layer, *settings)
    w = weights_of(bench)
    h = bench.batch()[2].numpy()
    for k in range(layer):
        h = sigmoid(h @ w[f"W.{k}"] + w[f"b.{k}"])
    hit = bench.draws().uniform(*h.shape).numpy() < 0.25
    above = sigmoid(np.where(hit, 0, h) @ w[f"W.{layer}"] + w[f"b.{layer}"])
    back = w[f"W.{layer}"].T if tied else w[f"V.{layer}"]
    out = above @ back + w[f"c.{layer}"]
    p = sigmoid(out)
    cost = (h - out) ** 2 if loss == "squared" else -(h * np.log(p) + (1 - h) * np.log(1 - p))
    costs = bench.costs()
    assert costs[layer].item() == pytest.approx((np.where(hit, alpha, beta) * cost).sum(1).mean(), rel=1e-6)
    assert [math.isnan(c) for c in costs.tolist()] == [k != layer for k in range(3)]


def test_pitfall_30_the_corruption_is_at_the_input_of_the_layer_that_is_trained_and_nowhere_else():
    bench = at_stage(1)
    x = bench.batch()[2]
    h = torch.sigmoid(x @ bench.model.W[0] + bench.model.b[0])

    def cost_of_layer_2(below: torch.Tensor, seen: torch.Tensor) -> float:
        output = torch.sigmoid(seen @ bench.model.W[1] + bench.model.b[1]) @ bench.model.W[1].t() + bench.model.c[1]
        return torch.nn.functional.binary_cross_entropy_with_logits(output, below, reduction="sum").item() / len(x)

    zero = torch.zeros((), dtype=torch.float64)
    right = torch.where(bench.draws().uniform(*h.shape) < 0.25, zero, h)
    assert bench.costs()[1].item() == pytest.approx(cost_of_layer_2(h, right), rel=1e-6)
    # Corrupting the image and sending it up is another model.
    corrupted = torch.where(bench.draws().uniform(*x.shape) < 0.25, zero, x)
    other = torch.sigmoid(corrupted @ bench.model.W[0] + bench.model.b[0])
    assert abs(bench.costs()[1].item() - cost_of_layer_2(h, other)) > 1e-3 * abs(cost_of_layer_2(h, other))
    # Nothing of the layer below learns from it.
    below = [bench.model.W[0], bench.model.b[0], bench.model.c[0]]
    assert torch.autograd.grad(bench.costs()[1], below, allow_unused=True) == (None, None, None)


def test_fine_tuning_classifies_clean_labelled_images():
    bench = at_stage(2)
    w = weights_of(bench)
    h, labels, _ = bench.batch()
    h = h.numpy()
    for k in range(2):
        h = sigmoid(h @ w[f"W.{k}"] + w[f"b.{k}"])
    logits = h @ w["logistic"] + w["logistic_bias"]
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    expected = -log_p[np.arange(len(labels)), labels.numpy()].mean()
    assert bench.costs()[2].item() == pytest.approx(expected, rel=1e-9)
    torch.testing.assert_close(bench.model.classify(bench.batch()[0]), torch.from_numpy(np.exp(log_p)))


@pytest.mark.parametrize("stage", [0, 1, 2])
def test_gradients_by_gradcheck(stage):
    bench = at_stage(stage, "model.hidden=[3, 2]", "data.batch=4", "data.labelled_batch=4", "model.tied=off")
    # A layer learns nothing from the layers above it, although their costs depend on it.
    assert gradients_are_right(bench, slice(stage, stage + 1), bench.model.stages(EPOCH)[stage].parameters)


def test_a_stage_is_a_training_of_its_own_with_adam_as_new_while_the_rest_rests():
    """Against torch's Adam: three optimizers, one after the other."""
    mine, theirs = Bench(small_spec("sdae")), Bench(small_spec("sdae"))
    parameters = dict(theirs.model.named_parameters())
    recorded = train(mine, 40)
    stages = theirs.model.stages(EPOCH)
    assert [stage.first for stage in stages] == FIRST
    for number, stage in enumerate(stages):
        theirs.model.stage = number
        chosen = [parameters[name] for name in stage.parameters]
        adam = torch.optim.Adam(chosen, lr=0.002)
        for step in range(stage.first, [*FIRST, 40][number + 1]):
            theirs.controls.prepare(step)
            needed = theirs.model.draws_needed(50, 50)
            words = draws_of_step(needed, step)
            cost = theirs.model.costs(*theirs.batch(step), words, theirs.knobs())[number]
            adam.zero_grad()
            cost.backward(inputs=chosen)
            adam.step()
            row = recorded[step]
            assert row["total"] == pytest.approx(cost.item(), rel=1e-4)
            for k, term in enumerate(STAGES):
                weight = row["train.top" if k == 2 else f"train.{k + 1}"]
                assert math.isnan(row[term]) == (k != number)
                assert weight == (k == number)
    for name, parameter in mine.model.named_parameters():
        # Adam divides by √v: where a gradient is rounding error alone, its sign may differ.
        torch.testing.assert_close(parameter, parameters[name], rtol=1e-3, atol=1e-3)


def draws_of_step(needed: tuple[int, int], step: int) -> Draws:
    """What an engine draws for a step of a run with seed 1."""
    keys = [torch.tensor(counter_words(1, s, step), dtype=torch.int32) for s in (Stream.NORMALS, Stream.UNIFORMS)]
    return Draws(normals(needed[0], keys[0]), uniforms(needed[1], keys[1]))


def test_sixteen_images_are_overfitted():
    settings = ["data.batch=16", "data.labelled_batch=16", "data.held_back=1421", "model.hidden=[64, 64]"]
    bench = Bench(small_spec("sdae", *settings, "model.pretrain_epochs=150", "noise.on=off", "optimizer.lr=0.01"))
    training = bench.data.training
    assert len(training) == 16
    recorded = train(bench, 400)
    for k, term in enumerate(STAGES[:2]):
        costs = [row[term] for row in recorded[150 * k : 150 * (k + 1)]]
        x = list(({"": training.rows(slice(None))} | bench.model.codes(training.rows(slice(None)))).values())[k]
        if k == 0:  # the second layer's target moves once it is fine-tuned
            entropy = torch.nn.functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
            assert costs[-1] - entropy < 0.1 * (costs[0] - entropy)
        assert costs[-1] < costs[0]
    assert recorded[-1]["classification"] < 0.01
    assert bench.model.evaluate(training, bench.batches, 1)["error_percent"].value == 0


def test_what_is_saved_is_what_is_loaded(tmp_path):
    bench = Bench(small_spec("sdae"))
    train(bench, 45)
    other = reloaded(bench, tmp_path)
    x = bench.data.test.rows(slice(None))
    assert torch.equal(bench.model.classify(x), other.model.classify(x))
    assert torch.equal(bench.model.denoise(x), other.model.denoise(x))


def test_the_weight_of_a_layer_answers_while_it_is_trained():
    bench = Bench(small_spec("sdae"))
    bench.controls.set({"train.1": 0.5, "train.2": 3.0})
    recorded = train(bench, 30)
    for step, weights in [(3, (0.5, 0, 0)), (20, (0, 3, 0)), (29, (0, 0, 1))]:
        row = recorded[step]
        assert tuple(row[name] for name in ("train.1", "train.2", "train.top")) == weights
        number = [weight > 0 for weight in weights].index(True)
        assert row["total"] == pytest.approx(weights[number] * row[STAGES[number]], rel=1e-6)


def test_samples_show_the_layer_that_is_trained():
    bench = Bench(small_spec("sdae"))
    x = bench.data.test.rows(slice(0, 5))
    bench.model.stage = 1
    shown = bench.model.reconstruct(x, bench.draws(), bench.knobs())
    w = {name: p.detach() for name, p in bench.model.named_parameters()}
    h = torch.sigmoid(x @ w["W.0"] + w["b.0"])
    h = torch.where(bench.draws().uniform(*h.shape) < 0.25, 0.0, h)
    torch.testing.assert_close(shown["corrupted"], torch.sigmoid(h @ w["W.0"].t() + w["c.0"]))
    assert shown["reconstruction"].shape == x.shape
    assert [tuple(code.shape) for code in bench.model.codes(x).values()] == [(5, 32), (5, 16)]


# ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def carry_on(run: RunFolder, stop: Stop, until: int | None = None) -> None:
    """Trains a run on from its newest checkpoint to its end, or until it is told to stop at a step."""
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    stop.reason = ""
    with EventWriter(run.events_path) as events:
        training = Training(run, events, state)
        obey = training.obey

        def obey_and_be_told(told: Stop) -> None:
            obey(told)
            if training.step == until:
                told.reason = "the test"

        training.obey = obey_and_be_told  # type: ignore[method-assign]
        training.loop(stop)
        training.leave()


def final_state(run: RunFolder) -> dict[str, torch.Tensor]:
    saved = [e for e in EventReader(run.events_path).read_all() if isinstance(e, Checkpointed)][-1]
    content = checkpoint.load(run.path, saved)
    assert content["step"] == 40
    return {f"{part}.{name}": t for part in ("model", "first", "second") for name, t in content[part].items()}


def test_a_run_cut_before_at_and_after_the_border_of_a_stage_ends_in_the_same_bits(tmp_path: Path, stop: Stop):
    spec = small_spec("sdae", "steps=40", "evaluate.every=0", "samples.every=0")
    whole = create_run(tmp_path, spec, "whole")
    carry_on(whole, stop)
    expected = final_state(whole)
    for cut in (13, 14, 15, 28):
        run = create_run(tmp_path, spec, f"cut-{cut}")
        carry_on(run, stop, until=cut)
        carry_on(run, stop)
        actual = final_state(run)
        assert expected.keys() == actual.keys()
        assert all(torch.equal(expected[name], actual[name]) for name in expected), cut


def test_a_run_says_when_a_stage_begins_and_ends_with_a_test_error(tmp_path: Path, stop: Stop):
    run = create_run(tmp_path, small_spec("sdae", "steps=40"), "told")
    carry_on(run, stop)
    events = EventReader(run.events_path).read_all()
    said = [(event.step, event.text) for event in events if isinstance(event, Logged)]
    assert said == [
        (0, "pre-training layer 1 of 2, since step 0"),
        (14, "pre-training layer 2 of 2, since step 14"),
        (28, "fine-tuning all layers by the labels, since step 28"),
    ]
    assert [event.stage for event in events if isinstance(event, Logged)] == [
        text.rpartition(",")[0] for _, text in said
    ]
    (evaluated,) = [event for event in events if isinstance(event, Evaluated)]
    assert evaluated.step == 40
    assert 0 < evaluated.values["error_percent"].value < 100


def test_a_run_that_ends_with_a_stage_does_not_begin_the_next(tmp_path: Path, stop: Stop):
    run = create_run(tmp_path, small_spec("sdae", "steps=14"), "short")
    carry_on(run, stop)
    said = [event.stage for event in EventReader(run.events_path).read_all() if isinstance(event, Logged)]
    assert [stage for stage in said if stage] == ["pre-training layer 1 of 2"]


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
def test_a_compiled_step_is_compiled_once_per_stage_and_equals_the_uncompiled_one(tmp_path, monkeypatch):
    from torch._dynamo.utils import counters

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    counters.clear()
    benches = [Bench(small_spec("sdae")), Bench(small_spec("sdae"))]
    rows, steps = [], []
    for bench, compiled in zip(benches, (False, True), strict=True):
        optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
        steps.append(Step(bench.model, optimizer, bench.controls, bench.batches, 1, CPU, compiled))
        rows.append(torch.empty(2 + len(bench.model.terms) + len(bench.controls.names)))
    for at in range(34):
        for bench, step, row in zip(benches, steps, rows, strict=True):
            step.enter(at)
            bench.controls.prepare(at)
            step(at, row)
        torch.testing.assert_close(rows[1], rows[0], rtol=1e-3, atol=1e-4, equal_nan=True)
        assert counters["stats"]["unique_graphs"] == 1 + sum(at >= first for first in FIRST[1:])
