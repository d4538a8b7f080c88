"""When a training counts as diverged, and from which step on."""

from __future__ import annotations

import numpy as np
import pytest

from laddertop.engine.training.divergence import Divergence
from laddertop.journal.events import Term

NAMES = ["total", "reconstruction", "kl", "beta"]
TERMS = [
    Term(name="reconstruction", label="reconstruction", unit="nats", weight=None),
    Term(name="kl", label="KL", unit="nats", weight="beta"),
]


class Fed:
    """Costs that a training records, shown in pieces as a recorder does."""

    def __init__(self, pieces: int, finite: bool = True) -> None:
        self.step, self.pieces = 0, pieces
        self.divergence = Divergence(NAMES, TERMS, 0, lambda: finite)

    def __call__(self, reconstruction: float, kl: float = 1.0, beta: float = 1.0, steps: int = 100) -> bool:
        rng = np.random.default_rng(self.step)
        rows = np.empty((steps, 4), np.float32)
        rows[:, 1:] = np.stack(
            [reconstruction * rng.uniform(0.7, 1.3, steps), np.full(steps, kl), np.full(steps, beta)], 1
        )
        rows[:, 0] = rows[:, 1] + (rows[:, 2] * beta if beta else 0)
        for begin in range(0, steps, self.pieces):
            piece = rows[begin : begin + self.pieces]
            self.divergence.look(list(range(self.step + 1, self.step + 1 + len(piece))), piece)
            self.step += len(piece)
        return self.divergence.diverged


@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_a_cost_a_thousand_times_what_it_was_has_diverged_since_the_step_before(pieces: int) -> None:
    fed = Fed(pieces)
    assert not fed(500, steps=200)
    assert not fed(0.1, kl=0, steps=200)
    # The first step after a rate that is too high still records the cost of the weights before it.
    assert not fed(0.1, kl=0, steps=1)
    assert fed(1e6, kl=0, steps=50)
    assert fed.divergence.sound_until == 400
    assert fed.divergence.finite


@pytest.mark.parametrize("pieces", [1, 100])
def test_a_cost_that_is_not_finite_has_diverged_at_once(pieces: int) -> None:
    fed = Fed(pieces, finite=False)
    assert not fed(100)
    assert fed(float("nan"), steps=1)
    assert not fed.divergence.finite
    assert fed.divergence.sound_until == 99


def test_one_wild_batch_is_no_divergence() -> None:
    fed = Fed(1)
    fed(100)
    for wild in (1e9, float("inf")):
        assert not fed(wild, steps=1)
        assert not fed(100, steps=40)


def test_a_warm_up_that_raises_a_weight_is_no_divergence() -> None:
    fed = Fed(20)
    for beta in np.linspace(0, 1e5, 50):
        assert not fed(0.01, kl=2.0, beta=float(beta), steps=20)


def test_a_cost_no_higher_than_that_of_the_untrained_model_is_none() -> None:
    fed = Fed(20)
    fed(500, kl=0)
    fed(1e-4, kl=0)
    assert not fed(400, kl=0), "noise that is switched on again makes a cost of 1e-4 what it was"


def test_a_term_that_rests_is_no_divergence_and_one_that_begins_later_counts_from_then() -> None:
    fed = Fed(20)
    assert not fed(0.1, kl=float("nan"), beta=0)
    assert not fed(0.1, kl=1e4, beta=1), "its first cost is no rise"
    assert fed(0.1, kl=1e8, beta=1)


def test_a_cost_that_comes_back_has_not_diverged() -> None:
    fed = Fed(10)
    fed(0.1, kl=0)
    assert fed(1e6, kl=0)
    assert not fed(0.1, kl=0)
