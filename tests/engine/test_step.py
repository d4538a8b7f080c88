"""The step, uncompiled and compiled: the same update, and a turned knob makes nothing anew."""

from __future__ import annotations

import math
import shutil

import pytest
import torch

from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from laddertop.journal.sections import OptimizerSpec
from tests.engine.conftest import CPU, Bench
from tests.kinds import small_spec


def taken(bench: Bench, compiled: bool) -> tuple[Step, Adam, torch.Tensor]:
    optimizer = Adam(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, optimizer, bench.controls, bench.batches, 1, CPU, compiled)
    return step, optimizer, torch.empty(2 + len(bench.model.terms) + len(bench.controls.names))


@pytest.mark.parametrize("written_out", [False, True])
@pytest.mark.parametrize("each", [0.0, 0.3])
def test_updates_equal_torchs_adam(written_out, each):
    torch.manual_seed(0)
    mine = torch.randn(5, 3)
    theirs = mine.clone().requires_grad_()
    spec = OptimizerSpec(lr=0.01, beta1=0.8, beta2=0.99, eps=1e-4, clip_each=each)
    adam = Adam({"w": mine}, spec)
    reference = torch.optim.Adam([theirs], lr=0.01, betas=(0.8, 0.99), eps=1e-4)
    for count in range(1, 6):
        gradient = torch.randn(5, 3)
        theirs.grad, whole = gradient.clone(), gradient.norm().item()
        torch.nn.utils.clip_grad_norm_([theirs], 2.0)
        if each:
            torch.nn.utils.clip_grad_value_([theirs], each)
        reference.step()
        lr, clip = torch.tensor(0.01), torch.tensor(2.0)
        scalars = torch.tensor(adam.scalars(count, 0.01))
        if written_out:
            norm = adam.step_for_compiler([gradient], lr, clip, scalars)
        else:
            norm = adam.step([gradient], lr, clip, scalars)
        assert norm.item() == pytest.approx(whole, rel=1e-6)
        torch.testing.assert_close(mine, theirs.detach(), rtol=1e-5, atol=1e-6)


def test_bfloat16_weights_keep_float32_masters():
    weight = torch.full((100,), 1.0, dtype=torch.bfloat16)
    adam = Adam({"w": weight}, OptimizerSpec(lr=1e-4))
    for count in range(1, 31):
        adam.step([torch.ones(100)], torch.tensor(1e-4), torch.tensor(0.0), torch.tensor(adam.scalars(count, 1e-4)))
    # Each update of 1e-4 is lost when it is added to a bfloat16 of 1; thirty of them are not.
    assert adam.masters[0][0].item() == pytest.approx(1 - 30e-4, abs=1e-5)
    assert weight[0].item() == torch.tensor(1 - 30e-4).bfloat16().item()


def test_a_row_holds_total_terms_effective_knobs_and_gradient_norm():
    bench = Bench(small_spec("ladder", "optimizer.clip=0.5"))
    step, _, row = taken(bench, compiled=False)
    step(0, row)
    terms, knobs = len(bench.model.terms), len(bench.controls.names)
    values = dict(zip(bench.controls.names, row[1 + terms : 1 + terms + knobs].tolist(), strict=True))
    weights = [1.0] + [values[f"lambda.{i}"] for i in range(terms - 1)]
    assert row[0].item() == pytest.approx(sum(w * t for w, t in zip(weights, row[1 : 1 + terms].tolist(), strict=True)))
    assert values["clip"] == 0.5
    assert row[-1] > 0.5


TURNS: dict[str, list[dict[str, float | str]]] = {
    "ladder": [{}, {"noise": "off"}, {"lr": 0.01, "lambda.0": 3.0}, {"noise": "on", "noise.std": 0.1}, {"clip": 0.0}],
    "dae": [{}, {"noise": "off"}, {"lr": 0.01}, {"noise": "on", "noise.level": 0.5}, {"clip": 0.0}],
}


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("kind", ["ladder", "dae"])
def test_a_compiled_step_equals_the_uncompiled_one_and_no_knob_compiles_it_again(kind, tmp_path, monkeypatch):
    from torch._dynamo.utils import counters

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    own = ["model.widths=[16]", "model.denoising=[10, 1, 0.1]"] if kind == "ladder" else ["model.hidden=[16]"]
    spec = small_spec(kind, "optimizer.clip=1.0", *own)
    plain, compiled = Bench(spec), Bench(spec)
    (step, adam, row), (fast, fast_adam, fast_row) = taken(plain, False), taken(compiled, True)
    counters.clear()
    for at, changes in enumerate(TURNS[kind]):
        for bench in (plain, compiled):
            bench.controls.set(changes)
            bench.controls.prepare(at)
        step(at, row)
        fast(at, fast_row)
        torch.testing.assert_close(fast_row, row, rtol=1e-4, atol=1e-6)
    assert math.isfinite(row[0])
    for mine, theirs in zip(fast_adam.masters, adam.masters, strict=True):
        # Adam divides by √v: where a gradient is rounding error alone, its sign may differ.
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=2e-3)
    assert counters["stats"]["unique_graphs"] == 1
