"""Policies as somebody types them: one training that stops by itself, and its best checkpoint."""

from __future__ import annotations

import re

import pytest

from laddertop.tui.watch.event_line import lines_of
from tests.processes import Laddertop


@pytest.fixture(scope="module")
def still(laddertop: Laddertop) -> Laddertop:
    """A run whose learning rate is 0, so that its first evaluation is its best."""
    words = ["--early-stop", "error_percent:2", "--keep-best", "error_percent", "--on-divergence", "rollback"]
    settings = ["knobs.lr=0", "evaluate.every=5", "checkpoint.keep=1", "samples.every=0", "data.held_back=200"]
    more = [word for setting in settings for word in ("--set", setting)]
    done = laddertop("train", "tiny.toml", "--steps", "100", "--name", "still", *words, *more)
    assert done.returncode == 0, done.stderr
    return laddertop


def test_what_a_policy_did_is_told_as_what_a_person_did(still: Laddertop) -> None:
    told = [line.text for event in still.events("still") for line in lines_of(event, {}, {})]
    (stopped,) = [text for text in told if text.startswith("policy early-stop: ")]
    assert stopped.startswith(
        "policy early-stop: stop: error has not improved in 2 evaluations on the held back images; "
    )
    assert stopped.endswith("at step 5 → applied")
    assert [text for text in told if text.startswith("saved ") and text.endswith(", best)")]
    assert still.json("show", "still")["step"] == 15


def test_the_best_checkpoint_is_evaluated_forked_and_sampled_from_by_one_word(still: Laddertop) -> None:
    told = still.here("fork", "still", "--best", "--steps", "6", "--name", "on")
    assert told.returncode == 0, told.stderr
    assert "the best checkpoint is that of step 5: error " in told.stderr
    assert "on the held back images" in told.stderr
    assert "on goes on from step 5 of still" in told.stderr
    refused = still.here("fork", "still", "--best", "--step", "5")
    assert (refused.returncode, refused.stderr) == (2, "laddertop: give either --step or --best\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--keep-best", "eror_percent"], "policy.keep_best: .* did you mean error_percent"),
        (["--early-stop", "error_percent"], "policy.early_stop: "),
        (["--on-divergence", "cry"], "policy.on_divergence: takes nothing, stop, pause or rollback"),
    ],
)
def test_a_policy_that_can_not_be_makes_no_run(still: Laddertop, words: list[str], complaint: str) -> None:
    refused = still.here("train", "tiny.toml", "--name", "none", *words)
    assert refused.returncode == 2
    assert re.search(complaint, refused.stderr)
