"""Words and numbers that several screens say alike."""

from __future__ import annotations

import pytest

from laddertop.journal.value import Value
from laddertop.tui.watch.wording import measure, measured


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("error_percent", 1.234, "error 1.23 %"),
        ("negative_elbo", 98.12, "−ELBO 98.1"),
        ("negative_elbo_training", 97.0, "−ELBO training 97.0"),
        ("negative_l5000", 84.517, "−L5000 84.5"),
        ("kl.2", 0.0501, "KL of layer 2 0.0501"),
        ("kl_q_p.1", 4.2, "KL q p of layer 1 4.20"),
        ("denoise.0", 0.5, "denoising of layer 0 0.500"),
        ("klaxon", 1.0, "klaxon 1.00"),
        ("score_cosine", float("nan"), "score cosine nan"),
    ],
)
def test_a_measured_number_is_called_by_its_usual_name(name: str, value: float, words: str) -> None:
    unit = "% of images" if name.endswith("percent") else "nats"
    assert measure(name, Value(value=value, unit=unit)) == words


def test_a_value_is_called_what_it_declares() -> None:
    declared = Value(value=2.5, unit="% of images", label="error, labelled statistics")
    assert measure("error_percent_labelled_statistics", declared) == "error, labelled statistics 2.50 %"


@pytest.mark.parametrize("width", [8, 10, 13])
def test_where_there_is_little_room_the_name_is_cut_and_never_the_number(width: int) -> None:
    told = measured("reconstruction", "62.2", width)
    assert len(told) == width
    assert told.endswith("… 62.2")
