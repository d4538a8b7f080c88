"""Training of VAEs: overfitting, saving, compiling, learning rates; their recipes."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from laddertop.engine.training import checkpoint
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.optim import Adam
from laddertop.engine.training.step import Step
from laddertop.journal.places import recipes
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import CPU, Bench
from tests.engine.vaes import IWAE, TWO, bench, trained
from tests.kinds import small_spec


@pytest.mark.parametrize("settings", [[], IWAE, [*TWO, *IWAE], [*TWO, "model.samples=2"], ["model.output=gaussian"]])
def test_sixteen_images_are_overfitted(settings):
    bare = settings == ["model.output=gaussian"]
    own = [
        "model.hidden=[128]",
        "model.latent=8",
        "data.batch=16",
        "data.held_back=1421",
        "optimizer.lr=0.01",
        "optimizer.clip=10",
    ]
    it = Bench(small_spec("vae", *own, *settings))
    assert len(it.data.training) == 16
    it.controls.set({"beta": 0.0})
    reconstruction = trained(it, 400)[:, 1 + [t.name for t in it.model.terms].index("reconstruction")]
    if bare:
        # 64 pixels, each known to better than a tenth.
        assert reconstruction[-20:].mean() < 64 * (math.log(0.1) + 0.5 * math.log(2 * math.pi) + 0.5)
        return
    # Grey targets keep an entropy of their own; what is above it goes away.
    x = it.data.training.rows(slice(None))
    entropy = functional.binary_cross_entropy(x, x, reduction="sum").item() / 16
    assert reconstruction[-1] - entropy < 0.06 * (reconstruction[0] - entropy)


@pytest.mark.parametrize("settings", [[], [*TWO, *IWAE]])
def test_pitfall_25_a_warm_up_from_0_leaves_every_number_finite_and_the_kl_comes_back(settings):
    """While β is 0 nothing holds the variance of q; its logarithm is what the network gives, so no density breaks."""
    own = ["warmup.on=on", "warmup.of=kl", "warmup.steps=150", "optimizer.lr=0.01"]
    it = Bench(small_spec("vae", *settings, *own))
    it.controls.set({"warmup.hold": "on"})
    start = trained(it, 150)
    assert torch.isfinite(start).all()
    assert start[-1, 1 + len(it.model.terms) + it.controls.names.index("beta")] == 0
    free = it.model.evaluate(it.data.test, it.batches, 1)
    it.controls.set({"warmup.hold": "off"})
    end = trained(it, 400)
    assert torch.isfinite(end).all()
    paid = it.model.evaluate(it.data.test, it.batches, 1)
    before, after = (sum(v.value for name, v in each.items() if "kl_q_p" in name) for each in (free, paid))
    assert before > 2 * after
    assert next(iter(paid.values())).value < next(iter(free.values())).value


def test_it_is_saved_and_loaded_exactly(tmp_path: Path):
    settings = [*TWO, *IWAE, "data.binarise=dynamic"]
    one, other = bench(*settings, dtype=torch.float32), bench(*settings, "seed=2", dtype=torch.float32)
    trained(one, 5)
    adam = Adam(dict(one.model.named_parameters()), one.spec.optimizer)
    saved = checkpoint.save(tmp_path, 5, adam, one.controls, "test")
    fresh = Adam(dict(other.model.named_parameters()), other.spec.optimizer)
    assert checkpoint.restore(checkpoint.load(tmp_path, saved), fresh, other.controls) == 5
    assert one.model.evaluate(one.data.test, one.batches, 3) == other.model.evaluate(other.data.test, other.batches, 3)


@pytest.mark.stress
@pytest.mark.skipif(not shutil.which("g++"), reason="needs a C++ compiler")
@pytest.mark.parametrize("settings", [["model.bound=iwae", "model.samples=3"], [*TWO, *IWAE]])
def test_a_compiled_step_equals_the_uncompiled_one_whatever_the_knobs(settings, tmp_path, monkeypatch):
    from torch._dynamo.utils import counters

    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    rows = []
    counters.clear()
    for compiled in (False, True):
        it = Bench(small_spec("vae", "model.hidden=[16]", "data.binarise=dynamic", "noise.on=on", *settings))
        adam = Adam(dict(it.model.named_parameters()), it.spec.optimizer)
        step = Step(it.model, adam, it.controls, it.batches, 1, CPU, compiled)
        mine = torch.empty(4, 2 + len(it.model.terms) + len(it.controls.names))
        for at, changes in enumerate([{}, {"noise": "off"}, {"beta": 0.3, "noise": "on"}, {"lr": 0.01}]):
            it.controls.set(changes)
            it.controls.prepare(at)
            step(at, mine[at])
        assert not step.problem
        rows.append(mine)
    torch.testing.assert_close(rows[1], rows[0], rtol=1e-4, atol=1e-5)
    assert counters["stats"]["unique_graphs"] == 1


def test_the_bound_gets_better_in_training():
    it = Bench(small_spec("vae", *TWO, *IWAE, "data.binarise=fixed", "optimizer.lr=0.003"))
    before = it.model.evaluate(it.data.test, it.batches, 1)["negative_l4"].value
    trained(it, 300)
    after = it.model.evaluate(it.data.test, it.batches, 1)
    assert after["negative_l4"].value < before - 3
    assert after["negative_l4"].value < after["negative_elbo"].value


def test_learning_rates_fall_as_published():
    burda = Controls(load_recipe("iwae-mnist-5"), [], epoch_steps=3000, steps=3280 * 3000, device=CPU)
    rates = []
    for epoch in range(3280):
        burda.prepare(epoch * 3000 + 1)
        rates.append(burda.learning_rate)
    stages = [rate for i in range(8) for rate in [1e-3 * 10 ** (-i / 7)] * 3**i]
    assert rates == pytest.approx(stages)
    assert rates[-1] == pytest.approx(1e-4)
    im = Controls(load_recipe("dvae-mnist-5"), [], epoch_steps=500, steps=5000 * 500, device=CPU)
    rates = []
    for epoch in range(5000):
        im.prepare(epoch * 500)
        rates.append(im.learning_rate)
    # The code of Im et al.: at epoch 3^k, counted from 1, the rate becomes 1e-4 · 10^(1 - k/c), c = ln 2500 / ln 3.
    expected, k, rate = [], 0, 0.0
    for epoch in range(5000):
        if 3**k == epoch + 1:
            rate = 1e-4 * 10 ** (1 - k / (math.log(2500) / math.log(3)))
            k += 1
        expected.append(rate)
    assert rates == pytest.approx(expected)


VAES = [name for name in recipes() if load_recipe(name).model.kind == "vae"]


@pytest.mark.parametrize(
    "name", [n for n in VAES if n not in ("vae-mnist", "vae-digits") and not n.startswith(("dvae", "diwae"))]
)
def test_pitfall_27_recipes_of_burda_take_beta1_and_the_images_of_the_paper_not_of_its_code(name):
    spec = load_recipe(name)
    assert (spec.optimizer.beta1, spec.optimizer.eps, spec.optimizer.schedule) == (0.9, 1e-4, "burda")
    assert (spec.data.batch, spec.epochs, spec.optimizer.lr) == (20, 3280, 0.001)
    fixed = "fixed" in name
    assert (spec.data.binarise, spec.data.held_back) == (("fixed", 10_000) if fixed else ("dynamic", 0))
    assert spec.model.bound == ("iwae" if "iwae" in name else "elbo")
    assert spec.model.samples == int(name.rsplit("-", 1)[-1] if name[-1].isdigit() else 1)
    widths = [*spec.model.hidden, spec.model.latent, *spec.model.upper_hidden, spec.model.upper_latent]
    assert widths == ([200, 200, 100, 100, 100, 50] if "2-" in name else [200, 200, 50, 0])


def test_pitfall_29_denoising_vaes_are_not_validated_on_the_test_set():
    found = [name for name in VAES if "dvae" in name or "diwae" in name]
    assert len(found) >= 5
    for name in found:
        spec = load_recipe(name)
        assert (spec.data.held_back, spec.data.binarise) == (10_000, "fixed")
        assert spec.noise.salt == "half"
        assert spec.noise.on == (not name.endswith("-0"))


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (["model.upper_latent=3"], "a second stochastic layer needs both"),
        (["model.output=gaussian", "data.binarise=fixed"], r"data\.binarise: none, where model\.output is gaussian"),
        (["data.name=moons"], r"model\.output: points of the plane and whitened images"),
    ],
)
def test_what_does_not_fit_is_said(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        override(load_recipe("vae-mnist"), ["data.binarise=none", *settings])


def test_points_of_the_plane_have_a_gaussian_decoder():
    spec = override(
        load_recipe("vae-mnist"), ["data.binarise=none", "data.name=moons", "model.output=gaussian", "steps=9"]
    )
    it = Bench(spec)
    assert torch.isfinite(trained(it, 9)[:, 0]).all()
