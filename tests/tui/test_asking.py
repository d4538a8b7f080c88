"""What a screen asks reaches the run's folder, and what comes back is told as it is: waited for, stale, refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

import laddertop.tui.steer.asking
from laddertop.journal.explore import Layers, Sample
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer.asking import Asking
from tests.tui.played import PlayedEngine
from tests.tui.played_model import PlayedModel


@pytest.fixture
def asking(engine: PlayedEngine) -> Asking:
    return Asking(engine.run)


def test_a_question_is_a_file_from_the_next_look_on_and_its_answer_is_taken_up(
    engine: PlayedEngine, asking: Asking
) -> None:
    model = PlayedModel(engine.run.path)
    asking.want("layers", Layers(rows=20))
    assert model.waiting() == []
    assert asking.waiting("layers") == 0
    asking.look()
    assert [request.question for request in model.waiting()] == [Layers(rows=20)]
    assert asking.source("layers", 2000, True) == ("asking the model", Ink.WARN)
    model.answer(step=1500)
    asking.look()
    assert asking.got == {}
    assert asking.take()
    assert asking.got["layers"].head.step == 1500
    assert "pca/h1" in asking.got["layers"].arrays
    assert asking.waiting("layers") is None
    assert list((engine.run.path / "explore").iterdir()) == []
    # What was asked last is not asked again.
    asking.want("layers", Layers(rows=20))
    asking.look()
    assert model.waiting() == []


def test_a_newer_question_for_the_same_use_takes_back_the_older(engine: PlayedEngine, asking: Asking) -> None:
    model = PlayedModel(engine.run.path)
    for seed in range(3):
        asking.want("samples", Sample(seed=seed))
        asking.look()
    assert [request.question for request in model.waiting()] == [Sample(seed=2)]


def test_a_refusal_is_told_in_the_words_of_the_engine_until_something_else_is_asked(
    engine: PlayedEngine, asking: Asking
) -> None:
    model = PlayedModel(engine.run.path, able=["layers"])
    asking.want("samples", Sample())
    asking.look()
    model.answer()
    asking.look()
    asking.take()
    assert asking.source("samples", 2000, True) == ("sample: this is no model that can", Ink.BAD)
    asking.want("samples", Sample(seed=1))
    assert "samples" not in asking.problems


def test_the_source_says_step_and_age_and_what_is_waited_for(engine: PlayedEngine, asking: Asking) -> None:
    model = PlayedModel(engine.run.path)
    asking.want("samples", Sample())
    asking.look()
    model.answer(step=1500)
    asking.look()
    asking.take()
    assert asking.source("samples", 1500, True)[0] == "answer of step 1 500, from the training"
    assert asking.source("samples", 1501, True)[0] == "answer of step 1 500, from the training, 1 step ago"
    asking.want("samples", Sample(seed=1))
    asking.look()
    time.sleep(0.35)
    words, ink = asking.source("samples", 3500, True)
    assert words == "answer of step 1 500, from the training, 2 000 steps ago · stale: waiting for the engine, 0 s"
    assert ink is Ink.WARN


def test_a_training_that_goes_on_is_asked_again_after_a_while(
    engine: PlayedEngine, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = PlayedModel(engine.run.path)
    asking.want("samples", Sample())
    asking.look()
    model.answer(step=2000)
    asking.look()
    asking.take()

    def asked_again(step: int, alive: bool) -> bool:
        asking.refresh(("samples",), step, alive)
        return asking.waiting("samples") is not None

    assert not asked_again(3000, True)  # it is too early
    monkeypatch.setattr(laddertop.tui.steer.asking, "FRESH", 0.0)
    monkeypatch.setattr(laddertop.tui.steer.asking, "SHARE", 0.0)
    assert not asked_again(2000, True)  # nothing is newer
    assert not asked_again(3000, False)  # nobody trains
    assert asked_again(3000, True)
    asking.look()
    assert [request.question for request in model.waiting()] == [Sample()]


def test_another_checkpoint_is_asked_everything_again_and_is_not_refreshed(
    engine: PlayedEngine, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laddertop.tui.steer.asking, "FRESH", 0.0)
    model = PlayedModel(engine.run.path)
    # Who answers from a checkpoint is a process; it is played too.
    with engine.run.explorer_lock():
        asking.want("samples", Sample())
        asking.want("layers", Layers())
        asking.go_to(500)
        asking.look()
        assert [(r.question.kind, r.checkpoint) for r in model.waiting()] == [("sample", 500), ("layers", 500)]
        model.answer(step=500, checkpoint="step-000000500.ckpt")
        asking.look()
        asking.take()
        assert asking.source("samples", 2000, True) == (
            "answer of step 500, step-000000500.ckpt, 1 500 steps before the newest",
            Ink.DIM,
        )
        asking.refresh(("samples", "layers"), 2000, True)
        assert asking.waiting("samples") is None


def test_what_nobody_waits_for_any_more_is_taken_back(engine: PlayedEngine, asking: Asking) -> None:
    asking.want("samples", Sample())
    asking.look()
    asking.close()
    assert list((engine.run.path / "explore").iterdir()) == []
    asking.want("samples", Sample(seed=1))
    asking.look()
    assert list((engine.run.path / "explore").iterdir()) == []


def test_an_answer_is_of_the_checkpoint_that_is_asked_whenever_the_user_goes_to_it(
    engine: PlayedEngine, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = PlayedModel(engine.run.path)
    moves: list[int | None] = [500]

    class WhileAsking(laddertop.tui.steer.asking.Asked):
        """Asking takes a while: a process is started. Meanwhile the user goes on to another checkpoint."""

        def __init__(self, *words: Any) -> None:
            super().__init__(*words)
            if moves:
                asking.go_to(moves.pop())

    monkeypatch.setattr(laddertop.tui.steer.asking, "Asked", WhileAsking)
    with engine.run.explorer_lock():
        asking.want("samples", Sample())
        asking.look()
        assert asking.waiting("samples") is not None
        model.answer(step=2000)
        for _ in range(2):
            asking.look()
            asking.take()
        assert "samples" not in asking.got, "the answer of the training, shown as that of the checkpoint"
        assert [request.checkpoint for request in model.waiting()] == [500]
        model.answer(step=500, checkpoint="step-000000500.ckpt")
        asking.look()
        asking.take()
        assert asking.got["samples"].head.step == 500


def test_an_answer_that_came_before_the_user_went_on_is_thrown_away(engine: PlayedEngine, asking: Asking) -> None:
    model = PlayedModel(engine.run.path)
    with engine.run.explorer_lock():
        asking.want("samples", Sample())
        asking.look()
        model.answer(step=2000)
        asking.look()
        asking.go_to(500)
        assert not asking.take()
        assert asking.got == {}
        assert asking.waiting("samples") == 0
