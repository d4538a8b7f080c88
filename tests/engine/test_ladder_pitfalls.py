"""Where other people's ladder networks went wrong, numbered: the mistake would change what is tested here."""

from __future__ import annotations

import math
import tomllib
from importlib.resources import files

import numpy as np
import pytest
import torch
from torch.nn import functional

from laddertop.engine.data import draw_labelled
from laddertop.engine.models.ladder import Ladder
from laddertop.journal.places import recipes
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench, inputs
from tests.engine.test_ladder_runs import stepper
from tests.kinds import LADDERS as KINDS
from tests.kinds import small_spec

EPSILON = 1e-10
LADDERS = [name for name in recipes() if name.split("-")[0] in ("ladder", "bottom", "gamma", "baseline", "conv")]
OURS = {"ladder-digits", "ladder-mnist-100-fast"}
PUBLISHED = [name for name in LADDERS if name not in OURS and "unsupervised" not in name]


def disturbed(*settings: str) -> Bench:
    """A bench in float64 whose parameters are away from their initial values, where ẑ is 0."""
    bench = Bench(small_spec("ladder", *settings), torch.float64)
    torch.manual_seed(0)
    for parameter in bench.model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return bench


def without_noise(bench: Bench) -> dict[str, torch.Tensor]:
    return {name: 0 * value if name.startswith("noise.") else value for name, value in bench.knobs().items()}


def norm(rows: torch.Tensor) -> torch.Tensor:
    return functional.batch_norm(rows, None, None, training=True, eps=EPSILON)


def test_pitfall_1_the_estimate_is_divided_by_the_deviation_and_not_by_the_variance():
    bench = disturbed("noise.on=off")
    passes = bench.model._encode(bench.batch()[0], bench.batch()[2], None, {}, 3)
    pre = bench.batch()[2] @ bench.model.W["0"]
    torch.testing.assert_close(passes.scales[1], 1 / (pre.var(0, unbiased=False) + EPSILON).sqrt())
    estimate = bench.model._decode(passes.z_noisy, passes.top)[1]
    expected = ((estimate - pre.mean(0)) / pre.std(0, unbiased=False) - passes.z_clean[1]).square().mean()
    torch.testing.assert_close(bench.costs()[2], expected)


@pytest.mark.parametrize("name", PUBLISHED)
def test_pitfall_2_every_published_setting_anneals_the_learning_rate_to_0(name):
    spec = load_recipe(name)
    assert spec.optimizer.lr == 0.002
    expected = {20: 0.5, 70: 0.86}.get(int(spec.epochs or 0), 0.67)
    assert spec.optimizer.decay_from == expected


def test_pitfall_3_batch_statistics_are_never_shared_by_labelled_and_unlabelled_or_noisy_and_clean_rows():
    bench = disturbed()
    labelled, _, x = bench.batch()
    passes = bench.model._encode(labelled, x, bench.draws(), without_noise(bench), 3)
    # Without noise every pass is normalised to mean 0 and deviation 1 by itself.
    torch.testing.assert_close(passes.z_noisy[1], norm(x @ bench.model.W["0"]))
    torch.testing.assert_close(passes.z_clean[1], norm(x @ bench.model.W["0"]))
    shifted = bench.model._encode(labelled + 5, x, bench.draws(), without_noise(bench), 3)
    assert torch.equal(shifted.z_noisy[1], passes.z_noisy[1])
    noisy = bench.model._encode(labelled, x, bench.draws(), bench.knobs(), 3)
    assert torch.equal(noisy.z_clean[1], passes.z_clean[1])


def test_pitfall_4_training_never_uses_the_statistics_of_the_evaluation():
    bench = disturbed()
    before = bench.costs()
    bench.model.gather([torch.rand(20, 64, dtype=torch.float64) * 9])
    bench.model._restored(torch.rand(20, 64, dtype=torch.float64) * 9, bench.model._corrupted.gather)
    assert torch.equal(bench.costs(), before)


def test_pitfall_5_the_clean_targets_and_their_statistics_are_not_detached():
    bench = disturbed()
    with torch.no_grad():
        for a in bench.model.a.values():
            a.zero_()  # ẑ is 0: what gradient there is flows through target and statistics alone
    cost = bench.costs()[2]
    (gradient,) = torch.autograd.grad(cost, [bench.model.W["0"]])
    assert gradient.abs().max() > 1e-3


def test_pitfall_6_only_the_class_layer_has_a_scale_and_it_multiplies_the_bias_too():
    bench = disturbed()
    assert [name for name, _ in bench.model.named_parameters() if "gamma" in name] == ["gamma"]
    z = torch.randn(5, 10, dtype=torch.float64)
    expected = bench.model.gamma * (z + bench.model.beta["2"])
    torch.testing.assert_close(bench.model._activation(3, z), expected)
    hidden = torch.randn(5, 16, dtype=torch.float64)
    torch.testing.assert_close(bench.model._activation(2, hidden), (hidden + bench.model.beta["1"]).clamp_min(0))


def test_pitfall_7_noise_enters_at_input_and_top_after_the_normalisation_and_the_class_cost_sees_it():
    bench = disturbed("noise.std=[0.5, 0, 0, 0]")
    model, (labelled, labels, x) = bench.model, bench.batch()
    clean = model.costs(labelled, labels, x, bench.draws(), without_noise(bench))
    assert model.costs(labelled, labels, x, bench.draws(), bench.knobs())[0] != clean[0]
    bench.controls.set({"noise.std": 0.0, f"noise.std.{model.top}": 0.5})
    bench.controls.prepare(0)
    draws, rows = bench.draws(), len(labelled) + len(x)
    for shape in model.shapes[:-1]:
        draws.normal(rows, *shape)
    noise = draws.normal(len(labelled), 10)
    passes = model._encode(labelled, x, None, {}, 0)
    # Logits without noise are γ(z + β); the noise is added to z.
    expected = functional.cross_entropy(passes.labelled + model.gamma * 0.5 * noise, labels)
    torch.testing.assert_close(model.costs(labelled, labels, x, bench.draws(), bench.knobs())[0], expected)


def test_pitfall_8_the_decoder_begins_with_the_normalised_probabilities_and_not_with_the_logits():
    bench = disturbed()
    labelled, _, x = bench.batch()
    model, passes = bench.model, bench.model._encode(labelled, x, None, {}, 0)
    torch.testing.assert_close(passes.top.sum(1), torch.ones(len(x), dtype=torch.float64))
    top = model.top
    expected = model.combinator(passes.z_noisy[top], norm(passes.top), model.a[str(top)])
    torch.testing.assert_close(model._decode(passes.z_noisy, passes.top)[top], expected)


def test_pitfall_9_the_input_is_compared_as_it_is_so_that_blank_pixels_make_no_nan():
    bench = disturbed("noise.on=off")
    labelled, labels, x = bench.batch()
    x[:, :8] = 0  # no variance
    costs = bench.model.costs(labelled, labels, x, bench.draws(), bench.knobs())
    passes = bench.model._encode(labelled, x, None, {}, 3)
    estimate = bench.model._decode(passes.z_noisy, passes.top)[0]
    torch.testing.assert_close(costs[1], (estimate - x).square().mean())
    assert torch.isfinite(costs).all()


def test_pitfall_9_a_certain_softmax_costs_no_infinity():
    bench = disturbed()
    with torch.no_grad():
        bench.model.gamma.fill_(1e4)
    assert torch.isfinite(bench.costs()).all()


def test_pitfall_10_the_variance_is_biased_and_its_epsilon_tiny():
    bench = disturbed("noise.on=off")
    _, _, x = bench.batch()
    z = bench.model._encode(x[:0], x, None, {}, 1).z_clean[1]
    torch.testing.assert_close(z.square().mean(0), torch.ones(32, dtype=torch.float64), rtol=1e-8, atol=0)


def test_pitfall_11_pixels_lie_between_0_and_1_and_are_not_standardised():
    x = Bench(small_spec("ladder")).data.training.rows(slice(None))
    assert (x.min().item(), x.max().item()) == (0.0, 1.0)
    assert 0.2 < x.mean() < 0.5


def test_pitfall_12_the_softmax_is_taken_once():
    bench = disturbed()
    labelled, labels, x = bench.batch()
    logits = bench.model._encode(labelled, x, None, {}, 0).labelled
    by_hand = -(logits.exp() / logits.exp().sum(1, keepdim=True))[range(len(labels)), labels].log().mean()
    cost = bench.model.costs(labelled, labels, x, bench.draws(), without_noise(bench))[0]
    torch.testing.assert_close(cost, by_hand)


def test_pitfall_13_labels_are_balanced_and_their_images_stay_among_the_unlabelled():
    bench = Bench(small_spec("ladder", "data.labels=50"))
    labels, chosen = bench.data.training.labels, bench.batches.labelled
    assert np.bincount(labels[chosen].numpy(), minlength=10).tolist() == [5] * 10
    assert not torch.equal(chosen, draw_labelled(labels, 50, 10, seed=2))
    seen = torch.cat([bench.batches.at(step)[2] for step in range(bench.batches.epoch_steps)])
    pixels = bench.data.training.rows(chosen)
    among = (pixels[:, None] == seen[None]).all(2).any(1)
    # An epoch leaves a last, incomplete batch out.
    assert among.float().mean() > 0.9


def test_pitfall_14_labelled_batches_repeat_within_an_epoch_and_are_shuffled_for_the_next():
    batches = Bench(small_spec("ladder", "data.labels=100")).batches
    per_pass, epoch = 2, batches.epoch_steps
    first = [batches.at(step)[0] for step in range(2 * per_pass)]
    assert all(torch.equal(first[i], first[i + per_pass]) for i in range(per_pass))
    assert not torch.equal(batches.at(epoch)[0], first[0])


@pytest.mark.parametrize("labels", [10, 50])
def test_pitfall_15_as_many_labels_as_rows_of_a_batch_or_fewer_make_one_batch(labels):
    batches = Bench(small_spec("ladder", f"data.labels={labels}")).batches
    assert len(batches.at(0)[0]) == labels
    assert len(batches.labelled_batches()) == 1


def test_pitfall_16_the_supervised_baseline_computes_no_unlabelled_row_and_learns():
    bench = Bench(small_spec("ladder", "model.denoising=[0, 0, 0, 0]", "noise.std=[0.3, 0.5, 0.5, 0.5]"))
    labelled, labels, x = bench.batch()
    assert [term.name for term in bench.model.terms] == ["class"]
    assert not bench.model.V
    assert not bench.model.a
    assert bench.model.draws_needed(len(labelled), len(x)) == bench.model.draws_needed(len(labelled), 0)
    costs = bench.model.costs(labelled, labels, torch.full_like(x, math.nan), bench.draws(), bench.knobs())
    assert torch.isfinite(costs).all()
    step, row = stepper(bench)
    costs = []
    for at in range(60):
        bench.controls.prepare(at)
        step(at, row)
        costs.append(row[1].item())
    assert sum(costs[-5:]) < 0.8 * sum(costs[:5])
    assert bench.model.reconstruct(x, bench.draws(), bench.knobs()) == {}


@pytest.mark.parametrize("batch", [50, 400])  # of 360 test images
def test_pitfall_17_an_evaluation_without_a_held_back_set_has_no_nan(batch: int):
    bench = Bench(small_spec("ladder", "data.labels=all", f"data.batch={batch}"))
    values = bench.model.report(bench.data.test, bench.batches, 1).values()
    assert all(math.isfinite(value.value) for value in values)


def test_pitfall_18_the_decoder_has_no_running_statistics_so_its_costs_need_large_batches():
    bench = disturbed()
    assert not list(bench.model.buffers())
    _, _, x = bench.batch()
    z, top = bench.model._encode(x[:0], x, None, {}, 0)[2], torch.rand(len(x), 10, dtype=torch.float64)
    few = bench.model._decode([part[:10] for part in z], top[:10])[0]
    assert not torch.allclose(bench.model._decode(z, top)[0][:10], few, rtol=1e-3)
    # The costs of test images are those of batches as large as in training; the rest of 360 images is left out.
    small = Bench(small_spec("ladder", "data.batch=100"))
    whole = small.model.denoising_costs(small.data.test, 1)
    bench_rows = small.data.test.rows(slice(0, 300)).view(3, 100, 64)
    knobs = without_noise(small)
    quiet = torch.stack(
        [torch.stack(small.model._denoising(small.model._encode(x[:0], x, None, knobs, 3))) for x in bench_rows]
    )
    # At the initial values ẑ is 0 and the noise changes no cost.
    assert [value.value for value in whole.values()] == pytest.approx(quiet.mean(0).tolist(), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_pitfall_18_an_image_is_denoised_alone_as_among_others_once_the_statistics_are_settled(kind):
    bench = Bench(small_spec(kind, "model.combinator=sig"))
    bench.model.settle(bench.batches)
    x = bench.data.test.rows(slice(0, 40)) + 0.3 * torch.randn(40, 64)
    whole = bench.model.denoise(x)
    assert whole.shape == x.shape
    torch.testing.assert_close(bench.model.denoise(x[:1]), whole[:1], rtol=1e-4, atol=1e-5)
    # Settled on many batches, the estimate is near the one with the statistics of these images.
    passes = bench.model._encode(x[:0], x, None, {}, 0)
    own = bench.model._decode(passes.z_noisy, passes.top)[0].flatten(1)
    assert torch.corrcoef(torch.stack([whole.flatten(), own.flatten()]))[0, 1] > 0.98


def test_pitfall_19_up_and_down_have_weights_of_their_own_normal_with_variance_one_over_inputs_and_no_bias():
    model = Ladder(load_recipe("ladder-mnist-100"), inputs(1, 28, 28), torch.float32)
    for weights in (model.W, model.V):
        for weight in weights.values():
            assert weight.std().item() == pytest.approx(len(weight) ** -0.5, rel=0.05)
    assert not torch.equal(model.V["0"], model.W["0"].t())
    assert [tuple(beta.shape) for beta in model.beta.values()] == [(1000,), (500,), (250,), (250,), (250,), (10,)]
    assert all(beta.eq(0).all() for beta in model.beta.values())


def test_the_bottom_cost_alone_needs_no_clean_pass_and_the_top_cost_alone_no_lower_decoder():
    bottom = disturbed("model.denoising=[5, 0, 0, 0]")
    labelled, _, x = bottom.batch()
    assert [term.name for term in bottom.model.terms] == ["class", "denoise.0"]
    assert len(bottom.model._encode(labelled, x, bottom.draws(), bottom.knobs(), 0).z_clean) == 1
    assert list(bottom.model.a) == ["0", "1", "2", "3"]
    top = disturbed("model.denoising=[0, 0, 0, 5]")
    assert [term.name for term in top.model.terms] == ["class", "denoise.3"]
    assert list(top.model.a) == ["3"]
    assert not top.model.V
    with pytest.raises(ValueError, match="no denoising cost at the input"):
        top.model.denoise(x)


FIRST_NOISE, FIRST_COST = "noise.std=[0.6, 0, 0, 0]", "model.denoising=[1000, 0, 0, 0]"
VANILLA = "model.combinator=sig"
VARIANTS = {
    "FirstNoise": [VANILLA, FIRST_NOISE, FIRST_COST],
    "FirstRecons": [VANILLA, FIRST_COST],
    "NoLateral": ["model.combinator=no_lateral", "noise.std=[0.7, 0, 0, 0]", "model.denoising=[100, 0, 0, 0]"],
    "RandInit": [VANILLA, "model.combinator_init=random", "model.combinator_std=0.447"],
    "RevInit": [VANILLA, "model.combinator_init=reversed"],
    "NoSig": ["model.combinator=no_sig"],
    "NoMult": ["model.combinator=no_mult"],
    "Linear": ["model.combinator=linear", "model.denoising=[2000, 20, 0.2, 0.2]"],
    "GatedGauss": ["model.combinator=gated_gauss", "noise.std=0.2", "model.denoising=[2000, 20, 0.2, 0.2]"],
    "MLP [4]": ["model.combinator=mlp", "model.combinator_hidden=[4]"],
    "AMLP [2, 2]": ["model.combinator=amlp", "model.combinator_hidden=[2, 2]"],
}
"""Settings of Pezeshki et al. 2016 for 100 labels, on a network of three layers above the input."""


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_of_pezeshki_is_a_setting_and_learns(name):
    bench = Bench(small_spec("ladder", *VARIANTS[name]))
    step, row = stepper(bench)
    costs = []
    for at in range(30):
        bench.controls.prepare(at)
        step(at, row)
        costs.append(row[0].item())
    assert sum(costs[-5:]) < sum(costs[:5])


def test_perceptrons_start_with_gradients_that_adams_epsilon_does_not_swallow():
    bench = Bench(override(load_recipe("ladder-amlp-mnist-100"), ["data.name=digits"]))
    model = bench.model
    terms = model.costs(*bench.batch(), bench.draws(), bench.knobs())
    total = terms[0] + (torch.tensor(model.weights) * terms[1:]).sum()
    biases = {0, 4, 8, 11, 14, 17, 20}
    weights = [row for row in range(model.combinator.parameters) if row not in biases]
    for layer, gradient in enumerate(torch.autograd.grad(total, list(model.a.values()))):
        assert gradient[weights].abs().median() > 30 * bench.spec.optimizer.eps, layer


def test_the_published_settings_are_those_of_the_authors():
    tree = {
        name: tomllib.loads((files("laddertop.journal") / "recipes" / f"{name}.toml").read_text()) for name in PUBLISHED
    }
    weights = {name: recipe["model"]["denoising"] for name, recipe in tree.items()}
    assert weights["ladder-mnist-50"] == weights["ladder-mnist-1000"] == [2000, 20, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert weights["ladder-mnist-100"] == [1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert weights["ladder-mnist-all"] == [1000, 1, 0.01, 0.01, 0.01, 0.01, 0.01]
    for n, amlp, vanilla in (
        ("100", [1000, 10, *[0.2] * 5], [1000, 10, *[0.1] * 5]),
        ("1000", [1000, 10, *[0.2] * 5], [1000, 10, *[0.1] * 5]),
        ("all", [2000, *[0] * 6], [500, *[0] * 6]),
    ):
        assert (weights[f"ladder-amlp-mnist-{n}"], weights[f"ladder-vanilla-mnist-{n}"]) == (amlp, vanilla)
    noises = [tree[f"ladder-{kind}-mnist-1000"]["noise"]["std"] for kind in ("amlp", "vanilla")]
    assert noises == [0.3, 0.2]
    assert [weights[f"bottom-mnist-{n}"][0] for n in ("100", "1000", "all")] == [5000, 2000, 2000]
    assert [weights[f"gamma-mnist-{n}"][-1] for n in ("100", "1000", "all")] == [0.5, 10, 2]
    assert all(sum(weights[name]) == 0 for name in PUBLISHED if "baseline" in name)
    for name, recipe in tree.items():
        noise = recipe["noise"]["std"]
        full_1000 = name == "ladder-mnist-1000"
        above = 0.2 if full_1000 else 0.45 if "small-baseline" in name else 0.5
        quiet = not full_1000 and ("baseline" not in name or "cifar" in name)
        pezeshki = name == "ladder-vanilla-mnist-1000"
        assert pezeshki or noise == (0.3 if quiet else [0.3, *[above] * (len(weights[name]) - 1)]), name
        conv_baseline = name.startswith("conv-") and "baseline" in name
        assert load_recipe(name).epochs == (20 if conv_baseline else 70 if "conv-large" in name else 150), name
