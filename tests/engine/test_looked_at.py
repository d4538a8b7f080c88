"""What the dashboard looks at in a model: lateral gates, aggregate posteriors, codes that are given in part."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.explore.answers import Subject, answer
from laddertop.journal.explore import Codes, Layers, Traverse
from tests.engine.conftest import Bench
from tests.kinds import small_spec


def subject(kind: str, *settings: str) -> Subject:
    """A model as it is before its first step, settled."""
    bench = Bench(small_spec(kind, *settings))
    made = Subject(bench.model, bench.data, bench.batches, bench.spec)
    made.settle()
    return made


@pytest.mark.parametrize("combinator", ["gauss", "linear", "no_lateral", "amlp"])
def test_a_gate_is_how_the_estimate_follows_its_lateral_signal(combinator: str) -> None:
    made = subject("ladder", f"model.combinator={combinator}")
    model = made.model.double()
    x = made.data.test.rows(slice(0, 30)).double()
    random = torch.Generator().manual_seed(1)
    for a in model.a.values():  # away from where they start
        a.data += 0.3 * torch.randn(a.shape, generator=random, dtype=a.dtype)
    gates = model.gates(x)
    assert list(gates) == ["y", "h2", "h1", "x"]
    # The reference: finite differences of the whole decoder, one layer's signal moved at a time.
    passes = model._encode(x[:0], x, None, {}, 0)
    for layer, name in enumerate(["x", "h1", "h2", "y"]):
        moved = [
            model._decode([z + step * (i == layer) for i, z in enumerate(passes.z_noisy)], passes.top)[layer]
            for step in (1e-4, -1e-4)
        ]
        difference = ((moved[0] - moved[1]) / 2e-4).flatten(1)
        torch.testing.assert_close(gates[name].double(), difference.detach(), rtol=1e-3, atol=1e-3)


def test_layers_tell_the_gates_of_a_ladder_network_and_of_no_other_model() -> None:
    arrays = answer(subject("ladder"), Layers(rows=100))
    gates = {name: array.shape for name, array in arrays.items() if name.startswith("gate/")}
    assert gates == {"gate/x": (64,), "gate/h1": (32,), "gate/h2": (16,), "gate/y": (10,)}
    assert not [name for name in answer(subject("dae"), Layers(rows=100)) if name.startswith("gate/")]
    assert not [
        name
        for name in answer(subject("ladder", "model.denoising=[0, 0, 0, 0]"), Layers(rows=100))
        if name.startswith("gate/")
    ]


@pytest.mark.parametrize("kind", ["vae", "lvae"])
def test_the_aggregate_posterior_is_wider_than_the_means_by_the_spread(kind: str) -> None:
    made = subject(kind)
    arrays = answer(made, Codes(rows=360))
    middle = (arrays["edges"][:-1] + arrays["edges"][1:]) / 2
    counts = arrays["counts"]
    assert (counts.sum(1) == 360).all()
    mean = (counts * middle).sum(1) / 360
    std = np.sqrt((counts * (middle - mean[:, None]) ** 2).sum(1) / 360)
    expected = np.sqrt(arrays["std"] ** 2 + arrays["spread"] ** 2)
    np.testing.assert_allclose(std, expected, rtol=0.2)
    np.testing.assert_allclose(mean, arrays["mean"], atol=0.25 * expected.max())


def test_without_posteriors_the_codes_themselves_are_counted() -> None:
    arrays = answer(subject("dae"), Codes(rows=100))
    assert "spread" not in arrays
    assert (arrays["counts"].sum(1) == 100).all()


def test_a_traversal_starts_from_the_code_that_is_given() -> None:
    made = subject("vae")
    plain = answer(made, Traverse(item=3, units=[1], steps=3))
    given = answer(made, Traverse(item=3, units=[1], steps=3, given={0: 2.5, 1: -1.0}))
    assert given["code"][:2].tolist() == [2.5, -1.0]
    assert given["code"][2:].tolist() == plain["code"][2:].tolist()
    decoded = made.model.decode(torch.from_numpy(given["code"])[None])
    np.testing.assert_array_equal(given["image"], made.data.pictures(decoded)[0])
    # The units to change are changed all the same, the others are as given.
    again = answer(made, Traverse(item=3, units=[1], steps=3, given={0: 2.5}))
    np.testing.assert_array_equal(again["images"], given["images"])
    with pytest.raises(ValueError, match="there is no unit 5; the code has 5, counted from 0"):
        answer(made, Traverse(item=3, given={5: 0.0}))
