"""Answers about every model: shapes as documented, formulas against plain numpy, and a model that stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laddertop.engine.explore.answers import Subject, answer, principal_axes
from laddertop.engine.explore.explorer import Explorer
from laddertop.engine.randomness import RowDraws, Stream
from laddertop.journal.explore import (
    KINDS,
    AnyQuestion,
    Classify,
    Codes,
    Denoise,
    Errors,
    Inpaint,
    Interpolate,
    Layers,
    Manifold,
    Sample,
    ScoreField,
    Traverse,
    answer_to,
    ask,
)
from laddertop.journal.folder import RunFolder
from tests.engine.conftest import CPU, Bench
from tests.kinds import KINDS as MODELS
from tests.kinds import small_spec

QUESTIONS: list[AnyQuestion] = [
    Sample(rows=3),
    Denoise(items=[0, 1], corruption="gaussian", level=0.2),
    Inpaint(items=[0, 1], steps=3),
    Interpolate(items=(0, 1), steps=4),
    Traverse(item=0, units=[0, 1], steps=3),
    Manifold(lines=3),
    Codes(rows=40),
    Layers(rows=40),
    ScoreField(lines=3, rows=5),
    Classify(items=[0, 1]),
    Errors(rows=3),
]


def subject(kind: str, *settings: str) -> Subject:
    """A model that has just been initialised, ready to be asked."""
    bench = Bench(small_spec(kind, *settings))
    made = Subject(bench.model, bench.data, bench.batches, bench.spec)
    made.settle()
    return made


def on_points() -> Subject:
    """A denoising autoencoder of points of the plane."""
    return subject("dae", "data.name=moons", "model.loss=squared", "noise.kind=gaussian", "noise.std=0.1")


GENERATING = ["vae", "lvae", "m2", "gsn"]


def test_the_questions_above_are_of_every_kind() -> None:
    assert {question.kind for question in QUESTIONS} == set(KINDS)


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_answers_what_it_says_it_can_and_refuses_the_rest(kind: str) -> None:
    asked = subject(kind)
    able = asked.able()
    assert ("errors" in able) == ("classify" in able)
    assert ("sample" in able) == (kind in GENERATING)
    assert {"codes", "layers", "denoise", "inpaint"} <= set(able) or kind.endswith("ladder")
    before = {name: value.clone() for name, value in asked.model.state_dict().items()}
    for question in QUESTIONS:
        if question.kind not in able:
            with pytest.raises(ValueError, match=f"{question.kind}: a {kind} on digits is no model"):
                answer(asked, question)
            continue
        arrays = answer(asked, question)
        again = answer(asked, question)
        assert all(np.array_equal(arrays[name], again[name]) for name in arrays), "an answer is a function of its seed"
        for name, array in arrays.items():
            if name in ("samples", "input", "corrupted", "reconstruction", "frames", "images", "image"):
                assert (array.dtype, array.shape[-2:]) == (np.uint8, (8, 8))
            elif array.dtype.kind == "f":
                assert np.isfinite(array).all()
    assert all(torch.equal(value, before[name]) for name, value in asked.model.state_dict().items())


@pytest.mark.parametrize("kind", GENERATING)
def test_a_sample_does_not_depend_on_how_many_are_asked_for(kind: str) -> None:
    asked = subject(kind)
    few, many = (answer(asked, Sample(rows=rows, seed=5))["samples"] for rows in (1, 16))
    # Products of one row and of sixteen round differently: a grey level at most.
    assert np.abs(few[0].astype(int) - many[0]).max() <= 1
    assert np.abs(many[0].astype(int) - many[1]).max() > 1, "samples are not all the same"
    assert np.abs(many[0].astype(int) - answer(asked, Sample(rows=16, seed=6))["samples"][0]).max() > 1


@pytest.mark.parametrize("kind", ["dae", "gsn"])
def test_what_is_drawn_for_an_item_does_not_depend_on_the_others(kind: str) -> None:
    asked = subject(kind)
    for corruption in ("gaussian", "masking", "salt_and_pepper"):
        one, three = (answer(asked, Denoise(items=i, corruption=corruption, level=0.4)) for i in ([4], [4, 5, 6]))
        assert np.array_equal(one["corrupted"][0], three["corrupted"][0])
    one, three = (answer(asked, Inpaint(items=i, steps=s)) for i, s in (([4], 3), ([4, 5, 6], 5)))
    assert np.abs(one["frames"][:, 0].astype(int) - three["frames"][:4, 0]).max() <= 1


def test_draws_made_as_they_are_asked_for_are_normal_and_uniform_and_of_their_own_call() -> None:
    drawn = RowDraws(3, Stream.EXPLORE, CPU)
    normals, more, flat = drawn.normal(200_000), drawn.normal(200_000), drawn.uniform(200_000)
    for x in (normals, more):
        assert abs(x.mean().item()) < 0.01
        assert abs(x.std().item() - 1) < 0.01
        assert abs((x.abs() < 1).float().mean().item() - 0.6827) < 0.005
        assert abs((x.abs() > 2).float().mean().item() - 0.0455) < 0.002
    assert abs(torch.corrcoef(torch.stack([normals, more]))[0, 1].item()) < 0.01
    assert abs(flat.mean().item() - 0.5) < 0.005
    assert torch.equal(RowDraws(3, Stream.EXPLORE, CPU).normal(5, 7), normals[:35].view(5, 7))


def test_a_model_of_points_answers_with_points() -> None:
    asked = on_points()
    arrays = answer(asked, ScoreField(lines=3, extent=1, rows=50))
    grid = torch.tensor([[x, y] for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])
    np.testing.assert_allclose(arrays["x"].reshape(-1, 2), grid.numpy())
    with torch.no_grad():
        moved = asked.model.denoise(grid)  # type: ignore[union-attr]
    np.testing.assert_allclose(arrays["shift"].reshape(-1, 2), (moved - grid).numpy(), atol=1e-6)
    assert np.array_equal(arrays["data"], asked.data.test.pixels[:50].numpy())
    arrays = answer(asked, Denoise(items=[0, 1], corruption="gaussian", level=0.3))
    assert (arrays["reconstruction"].dtype, arrays["reconstruction"].shape) == (np.float32, (2, 2))


@pytest.mark.parametrize("missing", ["left", "right", "top", "bottom", "box", "random", "given"])
def test_what_is_known_stays_at_every_step_of_filling_in(missing: Any) -> None:
    given = np.random.default_rng(0).integers(0, 2, 64).tolist() if missing == "given" else []
    for kind in ("dae", "gsn"):
        question = Inpaint(items=[3, 4], missing=missing, mask=given, steps=4, share=0.3)
        arrays = answer(subject(kind), question)
        mask = arrays["mask"].astype(bool)
        assert arrays["frames"].shape == (5, 2, 8, 8)
        assert (arrays["frames"][:, :, ~mask] == arrays["input"][:, ~mask]).all()
        assert (arrays["frames"][0][:, mask] != arrays["input"][:, mask]).any()
        expected = {
            "left": mask[:, :4],
            "right": mask[:, 4:],
            "top": mask[:4],
            "bottom": mask[4:],
            "box": mask[2:6, 2:6],
        }
        if missing in expected:
            assert expected[missing].all()
            assert mask.sum() == expected[missing].size
        elif missing == "given":
            assert mask.ravel().tolist() == [bool(one) for one in given]
        else:
            assert 5 < mask.sum() < 35


def test_filling_in_without_a_chain_repeats_the_reconstruction() -> None:
    asked = subject("dae")
    arrays = answer(asked, Inpaint(items=[3], missing="right", steps=2, seed=1))
    x = asked.data.test.rows(slice(3, 4))
    missing = torch.from_numpy(arrays["mask"].ravel().astype(bool))
    # The first frame is known to a grey level only, so the second is too, up to the slope of the reconstruction.
    state = torch.from_numpy(arrays["frames"][0].reshape(1, 64)).float() / 255
    with torch.no_grad():
        for step in (1, 2):
            state = torch.where(missing, asked.model.denoise(torch.where(missing, state, x)), x)  # type: ignore[union-attr]
            assert np.abs(arrays["frames"][step].ravel() - 255 * state.numpy().ravel()).max() < 2


def test_interpolation_ends_at_the_items_own_codes_and_is_straight() -> None:
    asked = subject("vae")
    arrays = answer(asked, Interpolate(items=(2, 7), steps=5))
    with torch.no_grad():
        codes = list(asked.model.codes(asked.data.test.rows(torch.tensor([2, 7]))).values())[-1]  # type: ignore[union-attr]
        ends = asked.data.pictures(asked.model.decode(codes))  # type: ignore[union-attr]
    np.testing.assert_allclose(arrays["codes"][[0, 4]], codes.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.diff(arrays["codes"], 2, axis=0), 0, atol=1e-5)
    assert np.abs(arrays["images"][[0, 4]].astype(int) - ends).max() <= 1


def test_a_traversal_changes_one_unit_at_a_time() -> None:
    asked = subject("vae")
    arrays = answer(asked, Traverse(item=4, units=[3, 1], low=-2, high=2, steps=5))
    with torch.no_grad():
        code = list(asked.model.codes(asked.data.test.rows(slice(4, 5))).values())[-1]  # type: ignore[union-attr]
        for row, unit in enumerate((3, 1)):
            for column, value in enumerate((-2, -1, 0, 1, 2)):
                changed = code.clone()
                changed[0, unit] = value
                expected = asked.data.pictures(asked.model.decode(changed))[0]  # type: ignore[union-attr]
                assert np.abs(arrays["images"][row, column].astype(int) - expected).max() <= 1
    with pytest.raises(ValueError, match="there is no unit 5; the code has 5, counted from 0"):
        answer(asked, Traverse(units=[5]))


@pytest.mark.parametrize("units", [4, 900])
def test_principal_axes_are_those_of_the_covariance(units: int) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 4)) @ np.diag([5, 0.1, 2, 1]) @ random.normal(size=(4, units))
    points, share = principal_axes(torch.from_numpy(x).float())
    values, axes = np.linalg.eigh(np.cov(x.T, bias=True))
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]])
    np.testing.assert_allclose(points.numpy(), (x - x.mean(0)) @ axes, atol=2e-3 * np.sqrt(units / 4))
    np.testing.assert_allclose(share.numpy(), values[::-1][:2] / values.sum(), rtol=1e-4)
    single, share = principal_axes(torch.arange(5.0)[:, None])
    assert single[:, 1].abs().max() == 0
    assert share.tolist() == [1, 0]
    dead, share = principal_axes(torch.ones(6, 3 if units == 4 else 7))
    assert torch.isfinite(dead).all()
    assert share.tolist() == [0, 0]


def test_corruption_is_that_of_the_run_unless_another_is_asked_for() -> None:
    asked = subject("dae", "noise.kind=masking", "noise.level=0.5")
    every = list(range(100))
    own, none = answer(asked, Denoise(items=every)), answer(asked, Denoise(items=every, corruption="none"))
    lit = own["input"] > 0
    assert (own["corrupted"][lit] == 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.array_equal(none["corrupted"], none["input"])
    with pytest.raises(ValueError, match="takes a probability, 2 is above 1"):
        answer(asked, Denoise(level=2))


def test_salt_and_pepper_has_as_much_salt_as_in_training() -> None:
    asked = subject("dae", "noise.kind=salt_and_pepper", "noise.level=0.1", "noise.salt=level")
    told = answer(asked, Denoise(items=list(range(100))))
    black = told["input"] == 0
    assert (told["corrupted"][black] == 255).mean() == pytest.approx(0.01, abs=0.005)


def test_a_diverged_model_says_so_instead_of_showing_black() -> None:
    asked = subject("dae")
    with torch.no_grad():
        next(iter(asked.model.parameters())).fill_(float("nan"))
    for question in (Denoise(), Codes(rows=5), Layers(rows=5)):
        with pytest.raises(ValueError, match="not finite: its training has diverged"):
            answer(asked, question)


def test_a_training_spends_at_most_half_of_its_time_on_answers(tmp_path: Path) -> None:
    explorer = Explorer(RunFolder(tmp_path), subject("dae"))
    first, second = ask(tmp_path, Layers()), ask(tmp_path, Layers(rows=10))
    explorer.look(1)
    explorer.look(2)
    answered = answer_to(tmp_path, first)
    assert answered is not None
    assert answered.head.step == 1
    assert answer_to(tmp_path, second) is None
    explorer._not_before -= answered.head.seconds + 0.1
    explorer.look(3)
    later = answer_to(tmp_path, second)
    assert later is not None
    assert later.head.step == 3


def test_no_question_does_harm_to_who_answers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    asked = subject("dae")
    explorer = Explorer(RunFolder(tmp_path), asked)
    identity = ask(tmp_path, Layers())
    (tmp_path / "explore" / f"{identity}.json").write_text("{")
    explorer.look(1)
    answered = answer_to(tmp_path, identity)
    assert answered is not None
    assert answered.head.problem.startswith("the question can't be read: Invalid JSON")
    explorer._not_before = 0
    asked.model.codes = lambda x: 1 / 0  # type: ignore[method-assign,assignment,union-attr,return-value]
    identity = ask(tmp_path, Layers())
    explorer.look(2)
    answered = answer_to(tmp_path, identity)
    assert answered is not None
    assert "ZeroDivisionError" in answered.head.problem
    assert "Traceback" in capfd.readouterr().err
