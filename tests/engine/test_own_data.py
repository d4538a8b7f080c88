"""A user's own .npz: what is trained on is what numpy reads, each fault is a sentence, other data are refused later."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from laddertop.engine.data import load
from laddertop.engine.own import look
from laddertop.engine.sizes import sizes
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.journal.events import Evaluated, EventReader, RunEnded
from laddertop.journal.folder import create_run
from laddertop.journal.samples import read_samples
from laddertop.journal.sections import DataSpec
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.start import check_sizes, doubts
from tests.engine.conftest import CPU
from tests.engine.own_data import bars, found_in, with_data

RANDOM = np.random.default_rng(7)
X, Y = bars(90)
REAL = RANDOM.normal(5, 20, (40, 6))


def saved(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_with_a_test_part_is_read_as_numpy_reads_it(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / "mine.npz"
    (np.savez_compressed if compressed else np.savez)(path, x=X[:60], y=Y[:60], x_test=X[60:], y_test=Y[60:] * 0)
    spec = found_in(path)
    data = load(spec, CPU)
    theirs = np.load(path)
    assert torch.equal(data.training.pixels, torch.from_numpy(theirs["x"].reshape(60, -1)))
    assert torch.equal(data.test.pixels, torch.from_numpy(theirs["x_test"].reshape(30, -1)))
    assert (data.training.labels.tolist(), data.test.labels.tolist()) == (
        theirs["y"].tolist(),
        theirs["y_test"].tolist(),
    )
    np.testing.assert_allclose(data.training.rows(slice(None)), theirs["x"].reshape(60, -1) / 255, atol=1e-7)
    assert (data.height, data.width, data.channels, data.classes) == (13, 7, 1, 2)
    assert spec.found is not None
    assert (spec.found.low, spec.found.high, spec.found.split_seed) == (X.min(), X.max(), None)


def test_a_missing_test_part_is_drawn_by_the_seed_and_nothing_is_lost(tmp_path: Path) -> None:
    path = saved(tmp_path / "mine.npz", x=X, y=Y)
    first, again, other = (load(found_in(path, seed, test_share=0.3), CPU) for seed in (1, 1, 2))
    assert (len(first.training), len(first.test)) == (63, 27)
    assert torch.equal(first.test.pixels, again.test.pixels)
    assert not torch.equal(first.test.pixels, other.test.pixels)
    together = torch.cat([first.training.pixels, first.test.pixels]).numpy()
    labels = torch.cat([first.training.labels, first.test.labels]).numpy()
    order = np.random.RandomState(1).permutation(90)
    np.testing.assert_array_equal(together, X.reshape(90, -1)[np.r_[order[27:], order[:27]]])
    np.testing.assert_array_equal(labels, Y[np.r_[order[27:], order[:27]]])
    assert len(set(first.training.labels[-15:].tolist())) == 3, "what is held back from a sorted file has every class"


@pytest.mark.parametrize("layout", ["last", "first", "Fortran"])
def test_colour_is_understood_wherever_its_channels_stand(tmp_path: Path, layout: str) -> None:
    images = RANDOM.random((20, 5, 4, 3))
    stored = {"last": images, "first": images.transpose(0, 3, 1, 2), "Fortran": np.asfortranarray(images)}[layout]
    data = load(found_in(saved(tmp_path / "mine.npz", x=stored, x_test=stored[:3])), CPU)
    assert (data.channels, data.height, data.width) == (3, 5, 4)
    expected = images.transpose(0, 3, 1, 2).reshape(20, -1).astype(np.float32)
    np.testing.assert_array_equal(data.training.rows(slice(None)), expected)
    shown = data.pictures(data.test.rows(slice(None)))
    np.testing.assert_array_equal(shown, (images[:3].astype(np.float32) * 255).round().astype(np.uint8))


def test_what_the_numbers_are_is_told_by_the_numbers(tmp_path: Path) -> None:
    def as_found(x: np.ndarray) -> tuple[bool, bool, int]:
        found = found_in(saved(tmp_path / "mine.npz", x=x)).found
        assert found is not None
        return found.real, found.floats, found.white

    grey = RANDOM.random((20, 9))
    assert as_found((grey * 255).astype(np.uint8)) == (False, False, 255)
    assert as_found((grey > 0.5).astype(np.uint8)) == (False, False, 1)
    assert as_found(grey > 0.5) == (False, False, 1)
    assert as_found(grey) == (False, True, 1)
    assert as_found(grey.astype(">f8") * 2) == (True, True, 1)
    points = found_in(saved(tmp_path / "points.npz", x=REAL[:, :2]))
    assert points.points
    assert load(points, CPU).points
    assert not found_in(saved(tmp_path / "rows.npz", x=REAL)).points


def test_floats_that_look_like_grey_values_are_asked_about(tmp_path: Path) -> None:
    grey = saved(tmp_path / "grey.npz", x=X.astype(np.float32), y=Y)
    spec = override(load_recipe("dae-digits"), ["model.loss=squared", "steps=10"])
    (words,) = doubts(with_data(spec, found_in(grey)))
    assert re.search(r"floats from 0 to \d+, which are no grey values: .* divide them by 255", words)
    for name, array in (("shares", X / 255), ("bytes", X), ("real", REAL)):
        other = saved(tmp_path / f"{name}.npz", x=array)
        assert doubts(with_data(spec, found_in(other))) == [], name


def test_words_are_classes_in_the_order_of_their_letters(tmp_path: Path) -> None:
    words = np.array(["cat", "ape", "dog"])[Y]
    spec = found_in(saved(tmp_path / "mine.npz", x=X, y=words, x_test=X[:3], y_test=np.array(["dog", "cat", "ape"])))
    data = load(spec, CPU)
    assert spec.found is not None
    assert spec.found.names == ["ape", "cat", "dog"]
    assert [spec.found.names[i] for i in data.training.labels] == words.tolist()
    assert data.test.labels.tolist() == [2, 1, 0]


BROKEN = np.where(np.arange(40)[:, None] == 17, np.nan, REAL)
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no x": ({"images": X, "y": Y}, "has no array x, only images, y; save them with numpy.savez(file, x="),
    "a flat x": ({"x": np.arange(5.0)}, "array x has the shape (5,); items are rows (N, D) or images (N, H, W)"),
    "four channels": (
        {"x": np.zeros((5, 8, 8, 4))},
        "array x has the shape (5, 8, 8, 4); images are (N, H, W), in col",
    ),
    "empty": ({"x": np.zeros((0, 8))}, "array x has the shape (0, 8)"),
    "whole numbers": ({"x": X.astype(np.int64)}, "array x holds int64; save bytes (uint8) for grey values 0…255"),
    "objects": ({"x": np.array([[{}]])}, "array x holds Python objects; give it a dtype of numbers"),
    "NaN": ({"x": BROKEN}, "array x, x[17] holds NaN; replace it, or leave the item out"),
    "infinite": ({"x": REAL, "x_test": REAL * np.inf}, "array x_test, x_test[0] holds an infinite number"),
    "one item": ({"x": X[:1]}, "array x has one item; a training needs more"),
    "too few labels": ({"x": X, "y": Y[:5]}, "array y has the shape (5,); for the 90 items of x it has to be (90,)"),
    "no test labels": ({"x": X, "y": Y, "x_test": X}, "has an array y, and no array y_test; add it, or leave both out"),
    "no test items": ({"x": X, "y": Y, "y_test": Y}, "has an array y_test, and no array x_test that it belongs to"),
    "other test": ({"x": X, "x_test": X[:, 1:]}, "array x_test has items of 12×7, "),
    "other dtype": ({"x": X, "x_test": X / 255}, "array x_test holds float64, "),
    "a gap": (
        {"x": X, "y": np.where(Y == 1, 3, Y)},
        "no item has the label 1, and labels reach to 3; number the classes",
    ),
    "negative": ({"x": X, "y": np.r_[Y[:-1], -1]}, "array y, y[89] is -1; labels count from 0: leave out the items"),
    "float labels": ({"x": X, "y": Y / 2}, "array y, y[0] and on hold float64; labels are whole numbers from 0 on"),
    "one class": ({"x": X, "y": Y * 0}, "all labels are the same; leave them out, or give others"),
    "untrained class": (
        {"x": X, "y": Y, "x_test": X, "y_test": Y + 1},
        "array y_test, y_test[60] is 3, a class that no ",
    ),
    "unknown word": (
        {"x": X, "y": np.array(["a", "b", "c"])[Y], "x_test": X[:1], "y_test": np.array(["e"])},
        "array y_test, y_test[0] is 'e', a class that no training item has",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_file_array_and_what_to_do(tmp_path: Path, fault: str) -> None:
    arrays, complaint = FAULTS[fault]
    path = saved(tmp_path / "mine.npz", **arrays)
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        look(DataSpec(name=str(path)), 1)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def damaged(kind: str) -> bytes:
    whole = io.BytesIO()
    np.savez(whole, x=X)
    content = bytearray(whole.getvalue())
    if kind == "cut":
        return bytes(content[: len(content) // 2])
    if kind == "flipped":
        content[len(content) // 2] ^= 1
        return bytes(content)
    if kind == "no archive":
        return b"x,y\n1,2\n"
    with zipfile.ZipFile(whole, "w") as file:
        file.writestr("x.npy", {"no array": b"hello", "short": whole.getvalue()[:200]}[kind])
    return whole.getvalue()


@pytest.mark.parametrize("kind", ["cut", "flipped", "no archive", "no array"])
def test_a_damaged_file_is_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(damaged(kind))
    with pytest.raises(
        ValueError, match=rf"^{re.escape(str(path))}.* can't be read.*; save it anew with numpy\.savez$"
    ):
        look(DataSpec(name=str(path)), 1)


def test_a_file_that_is_absent_or_no_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.name: there is no .*/mine\.npz; name a file of yours"):
        look(DataSpec(name=str(tmp_path / "mine.npz")), 1)
    (tmp_path / "mine.txt").write_text("1")
    with pytest.raises(ValueError, match=r"mine\.txt is none of \.npz, \.csv, \.parquet and a folder"):
        look(DataSpec(name=str(tmp_path / "mine.txt")), 1)


def test_models_that_need_grey_values_or_labels_refuse_what_has_none(tmp_path: Path) -> None:
    real = found_in(saved(tmp_path / "real.npz", x=REAL))
    with pytest.raises(
        ValueError, match=r"model\.output: the numbers of .*real\.npz reach from -.* outside 0…1, and need"
    ):
        with_data(load_recipe("vae-digits"), real)
    with pytest.raises(ValueError, match=r"model\.loss: the numbers of .* need squared"):
        with_data(load_recipe("dae-digits"), real)
    with pytest.raises(ValueError, match="a gsn draws black and white pixels"):
        with_data(override(load_recipe("gsn-mnist"), ["data.binarise=none"]), real)
    with pytest.raises(ValueError, match=r"binarise: the numbers of .*real\.npz are no probabilities"):
        found_in(tmp_path / "real.npz", binarise="dynamic")
    with pytest.raises(ValueError, match=r"data: .*real\.npz has no labels, and a ladder learns from labels"):
        with_data(load_recipe("ladder-digits"), real)
    spec = with_data(load_recipe("dae-digits"), found_in(saved(tmp_path / "few.npz", x=X), batch=80))
    with pytest.raises(ValueError, match=r"data\.batch: 80 rows, and .*few\.npz has 72 training items"):
        check_sizes(spec)


def test_other_data_than_the_run_was_made_with_are_refused(tmp_path: Path) -> None:
    path = saved(tmp_path / "mine.npz", x=X, y=Y)
    spec = found_in(path)
    before = load(spec, CPU).training.pixels.clone()
    changed = X.copy()
    changed[89, 12, 6] ^= 1
    saved(path, x=changed, y=Y)
    now = look(DataSpec(name=str(path)), 1)
    assert spec.found is not None
    sums = f"its SHA-256 is {now.sha256[:16]}…, the run's {spec.found.sha256[:16]}…; put the old file back"
    with pytest.raises(ValueError, match=rf"mine\.npz is other data than the run was made with: {sums}"):
        load(spec, CPU)
    saved(path, x=X[:50], y=Y[:50])
    with pytest.raises(ValueError, match="other data than the run was made with: 50 items of 13×7, and the run has 72"):
        load(spec, CPU)
    path.unlink()
    with pytest.raises(ValueError, match=rf"there is no {path}"):
        load(spec, CPU)
    saved(path, x=X, y=Y)
    assert torch.equal(load(spec, CPU).training.pixels, before)


@pytest.mark.parametrize(("recipe", "settings"), [("vae-digits", []), ("ladder-digits", ["data.labels=30"])])
def test_a_training_on_images_of_an_odd_size_ends_and_draws_them(
    tmp_path: Path, stop: Stop, recipe: str, settings: list[str]
) -> None:
    path = saved(tmp_path / "mine.npz", x=X, y=Y)
    short = ["steps=60", "evaluate.every=0", "samples.items=4", *settings]
    spec = override(load_recipe(recipe), [*short, f"data.name={path}"])
    data = found_in(path, **{**spec.data.model_dump(include={"labels"}), "labelled_batch": 30})
    spec = with_data(spec, data)
    check_sizes(spec)
    run = create_run(tmp_path / "runs", spec, "mine")
    assert run.spec == spec
    assert train(run, stop) == 0
    events = EventReader(run.events_path).read_all()
    assert isinstance(events[-1], RunEnded)
    assert events[-1].reason == "finished"
    (evaluated,) = [event for event in events if isinstance(event, Evaluated)]
    if recipe == "ladder-digits":
        assert evaluated.values["error_percent"].value < 20, "the bars can't be told apart"
    sampled = [event for event in events if event.type == "sampled"][-1]
    rows = read_samples(run.path, sampled.file)  # type: ignore[attr-defined]
    assert rows["input"].shape == (4, 13, 7)
    np.testing.assert_array_equal(rows["input"], X[np.random.RandomState(1).permutation(90)[:4]])
    assert sizes(spec).parameters > 13 * 7
