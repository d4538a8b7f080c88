"""Scores of a representation, against votes counted by hand and codes whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.data import Images, load
from laddertop.engine.saved.representation import NEIGHBOURS, linear_probe, neighbours, representation
from laddertop.journal.sections import DataSpec
from tests.engine.conftest import CPU, Bench
from tests.kinds import small_spec


def test_neighbours_vote_as_counted_by_hand() -> None:
    random = np.random.default_rng(0)
    x, other = (random.normal(size=(n, 3)).astype(np.float32) for n in (200, 60))
    classes, other_classes = random.integers(0, 4, 200), random.integers(0, 4, 60)
    distances = ((other[:, None].astype(np.float64) - x) ** 2).sum(2)
    votes = classes[np.argsort(distances, 1)[:, :NEIGHBOURS]]
    found = [np.bincount(row, minlength=4).argmax() for row in votes]
    assert neighbours(x, classes, other, other_classes) == np.mean(np.array(found) == other_classes)


def test_a_probe_finds_what_is_linear_and_nothing_else_whatever_the_scale() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 2))
    linear, ring = (x @ [1, -2] > 0.5).astype(int), (np.linalg.norm(x, axis=1) > 1.2).astype(int)
    scaled = (x * [1000, 0.001]).astype(np.float32)
    halves = slice(0, 2000), slice(2000, 3000)
    train, test = (scaled[half] for half in halves)
    assert linear_probe(train, linear[halves[0]], test, linear[halves[1]]) > 0.98
    assert linear_probe(train, ring[halves[0]], test, ring[halves[1]]) < 0.65
    assert neighbours(x[:2000].astype(np.float32), ring[:2000], x[2000:].astype(np.float32), ring[2000:]) > 0.95


def test_the_codes_of_a_model_are_scored_beside_the_pixels() -> None:
    bench = Bench(small_spec("dae"))
    values = representation(bench.model, bench.data, bench.data.test)
    assert list(values) == ["linear_probe.hidden.1", "neighbours.hidden.1", "linear_probe.pixels", "neighbours.pixels"]
    # On the digits' pixels both are known to do well; a random layer of 32 units keeps much of it.
    assert all(value.value > 94 for name, value in values.items() if name.endswith("pixels"))
    assert all(60 < value.value <= 100 for value in values.values())
    assert "logistic regression on the code hidden.1" in values["linear_probe.hidden.1"].unit
    with torch.no_grad():
        for parameter in bench.model.parameters():
            parameter.zero_()
    blind = representation(bench.model, bench.data, bench.data.test)
    assert blind["linear_probe.hidden.1"].value < 15
    assert blind["linear_probe.pixels"] == values["linear_probe.pixels"]


def test_without_classes_there_is_nothing_to_score() -> None:
    bench = Bench(small_spec("dae"))
    with pytest.raises(ValueError, match="no classes"):
        representation(bench.model, load(DataSpec(name="swiss_roll"), CPU), bench.data.test)


def test_classes_that_were_never_seen_can_not_be_found() -> None:
    bench = Bench(small_spec("dae"))
    test = bench.data.test
    unseen = Images(test.pixels, test.labels + 10, test.white)
    with pytest.raises(ValueError, match="of other classes than the training images"):
        representation(bench.model, bench.data, unseen)
