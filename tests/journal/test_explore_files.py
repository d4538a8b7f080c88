"""Questions and answers as files: what is written is what is read, and what nobody waits for goes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from laddertop.journal.explore import (
    OLD,
    Classify,
    Denoise,
    Head,
    Inpaint,
    Request,
    Sample,
    ScoreField,
    answer_to,
    ask,
    questions,
    withdraw,
    write_answer,
)
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe
from laddertop.tui.steer.engine_process import EngineError
from laddertop.tui.steer.explorer import CHECK, Asked


def head(identity: str, problem: str = "") -> Head:
    return Head(id=identity, kind="sample", step=7, checkpoint=None, seconds=0.1, able=["sample"], problem=problem)


def test_questions_are_read_as_asked_in_the_order_of_asking(tmp_path: Path) -> None:
    assert questions(tmp_path) == []
    asked = [Sample(rows=3, seed=5), Denoise(items=[2], corruption="masking", level=0.5), ScoreField(lines=5)]
    identities = [ask(tmp_path, question) for question in asked]
    found = questions(tmp_path)
    assert [path.stem for path, _ in found] == identities
    assert [request.question for _, request in found if isinstance(request, Request)] == asked


def test_an_answer_is_read_once_with_its_head_and_arrays(tmp_path: Path) -> None:
    identity = ask(tmp_path, Sample())
    assert answer_to(tmp_path, identity) is None
    image = np.random.default_rng(0).integers(0, 256, (2, 8, 8)).astype(np.uint8)
    write_answer(tmp_path, head(identity), {"samples": image, "names/of layers": np.array(["x", "h10"])})
    answer = answer_to(tmp_path, identity)
    assert answer is not None
    assert answer.head == head(identity)
    assert np.array_equal(answer.arrays["samples"], image)
    assert answer.arrays["names/of layers"].tolist() == ["x", "h10"]
    assert answer_to(tmp_path, identity) is None


def test_a_damaged_answer_is_one_sentence(tmp_path: Path) -> None:
    identity = ask(tmp_path, Sample())
    (tmp_path / "explore" / f"{identity}.npz").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="is no readable answer"):
        answer_to(tmp_path, identity)


def test_what_is_withdrawn_is_asked_no_more(tmp_path: Path) -> None:
    identity = ask(tmp_path, Sample())
    write_answer(tmp_path, head(identity), {})
    withdraw(tmp_path, identity)
    assert list((tmp_path / "explore").iterdir()) == []


def test_what_nobody_waits_for_any_more_is_swept(tmp_path: Path) -> None:
    stale, fresh = ask(tmp_path, Sample()), ask(tmp_path, Sample())
    left = stale.replace("-", "-0")[:-1]
    write_answer(tmp_path, head(left), {})
    half = f".{left}.npz.k3_abcde"
    (tmp_path / "explore" / half).write_bytes(b"")
    before = time.time() - OLD - 1
    for name in (f"{stale}.json", f"{left}.npz", half):
        os.utime(tmp_path / "explore" / name, (before, before))
    assert [path.stem for path, _ in questions(tmp_path)] == [fresh]
    assert [path.stem for path in (tmp_path / "explore").iterdir()] == [fresh]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", "Invalid JSON"),
        ('{"id": "00000000000000000000-abcdef", "time": 0, "question": {"kind": "nonsense"}}', "sample"),
        ('{"id": "00000000000000000000-abcdef", "time": 0, "question": {"kind": "sample", "rows": 9999}}', "rows: "),
        ('{"id": "00000000000000000000-abcdef", "time": 0, "question": {"kind": "sample", "colour": 1}}', "colour: "),
        ('{"id": "../../spec", "time": 0, "question": {"kind": "sample"}}', "id: "),
    ],
)
def test_what_is_no_question_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "explore").mkdir()
    (tmp_path / "explore" / "00000000000000000000-abcdef.json").write_text(text)
    ((_, problem),) = questions(tmp_path)
    assert isinstance(problem, str)
    assert complaint in problem


def test_arguments_that_no_model_could_answer_are_refused_before_they_are_asked(tmp_path: Path) -> None:
    for wrong in (
        lambda: Denoise(items=[]),
        lambda: Denoise(items=[-1]),
        lambda: Classify(pixels=[[float("nan")]]),
        lambda: Sample(rows=401),
        lambda: ScoreField(lines=1),
        lambda: Inpaint(steps=101),
    ):
        with pytest.raises(ValidationError):
            wrong()
    for question in (Inpaint(missing="given"), Inpaint(mask=[1, 0])):
        with pytest.raises(ValidationError, match="mask"):
            ask(tmp_path, question)


def test_the_grid_spans_its_extent() -> None:
    axis = ScoreField(lines=5, extent=2).axis
    assert axis == [-2, -1, 0, 1, 2]


def test_a_question_is_kept_as_long_as_somebody_waits_and_whoever_waits_hears_that_it_is_gone(tmp_path: Path) -> None:
    run = create_run(tmp_path, load_recipe("ladder-digits"), "busy")
    with run.explorer_lock():  # somebody who answers, but is busy for longer than OLD
        asked = Asked(run, Sample())
        ((path, _),) = questions(run.path)
        os.utime(path, (time.time() - OLD - 1,) * 2)
        time.sleep(CHECK)
        assert asked.poll() is None
        assert [found for found, _ in questions(run.path)] == [path]
        path.unlink()
        time.sleep(CHECK)
        with pytest.raises(EngineError, match="the question is gone, unanswered: ask again"):
            asked.poll()


def test_files_of_others_are_neither_read_nor_swept(tmp_path: Path) -> None:
    identity = ask(tmp_path, Sample())
    for name in ("notes.json", "notes.npz", ".hidden", f"{identity}.json.bak", f"x{identity}.json"):
        file = tmp_path / "explore" / name
        file.write_text("mine")
        os.utime(file, (time.time() - OLD - 1,) * 2)
    before = sorted((tmp_path / "explore").iterdir())
    assert [path.stem for path, _ in questions(tmp_path)] == [identity]
    assert sorted((tmp_path / "explore").iterdir()) == before
