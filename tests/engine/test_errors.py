"""What a classifier gets wrong, against scikit-learn and against sums written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from laddertop.engine.explore.answers import answer
from laddertop.engine.explore.errors import BINS, calibration, confusion, worst
from laddertop.journal.explore import Classify, Errors
from laddertop.tui.cli.errors import by_class_percent, calibration_error
from tests.engine.test_answers import subject


@pytest.fixture
def told() -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities [500, 4], some of them 1 and some equal ones, and labels [500]."""
    drawn = torch.Generator().manual_seed(7)
    probabilities = torch.softmax(3 * torch.randn(500, 4, generator=drawn), 1)
    probabilities[:5] = torch.tensor([1.0, 0, 0, 0])
    probabilities[5:9] = 0.25
    return probabilities, torch.randint(4, (500,), generator=drawn)


def test_the_confusion_is_that_of_scikit_learn(told: tuple[torch.Tensor, torch.Tensor]) -> None:
    from sklearn.metrics import confusion_matrix  # slow to load, and every worker reads this file

    probabilities, labels = told
    counts = confusion(probabilities, labels).numpy()
    assert np.array_equal(counts, confusion_matrix(labels, probabilities.argmax(1), labels=range(4)))
    wrong = [np.mean(probabilities.argmax(1)[labels == c].numpy() != c) for c in range(4)]
    np.testing.assert_allclose(by_class_percent(counts), 100 * np.array(wrong))


def test_the_calibration_error_is_the_sum_of_its_definition(told: tuple[torch.Tensor, torch.Tensor]) -> None:
    probabilities, labels = (x.numpy() for x in told)
    confidence, right = probabilities.max(1).astype(float), probabilities.argmax(1) == labels
    expected, bins = 0.0, calibration(*told).numpy()
    for b in range(BINS):
        inside = (confidence > b / BINS) & (confidence <= (b + 1) / BINS)
        assert bins[b, 0] == inside.sum()
        if inside.any():
            np.testing.assert_allclose(bins[b, 1:], [confidence[inside].mean(), right[inside].mean()])
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    np.testing.assert_allclose(calibration_error(bins), expected)


def test_the_surest_of_the_wrong_ones_come_first(told: tuple[torch.Tensor, torch.Tensor]) -> None:
    probabilities, labels = told
    items = worst(probabilities, labels)
    assert set(items.tolist()) == set(np.flatnonzero(probabilities.argmax(1) != labels).tolist())
    assert (probabilities.max(1).values[items].diff() <= 0).all()


def test_a_classifier_tells_of_its_errors_what_it_tells_of_each_item() -> None:
    asked = subject("ladder")
    arrays = answer(asked, Errors(rows=7))
    one_by_one = answer(asked, Classify(items=arrays["items"].tolist()))
    np.testing.assert_allclose(arrays["probabilities"], one_by_one["probabilities"], rtol=1e-5)
    assert np.array_equal(arrays["input"], one_by_one["input"])
    assert np.array_equal(arrays["classes"], one_by_one["classes"])
    assert (arrays["classes"] != arrays["probabilities"].argmax(1)).all()
    assert arrays["confusion"].sum() == len(asked.data.test) == arrays["calibration"][:, 0].sum()
    none = answer(asked, Errors(rows=0))
    assert (len(none["items"]), none["input"].shape) == (0, (0, 8, 8))
