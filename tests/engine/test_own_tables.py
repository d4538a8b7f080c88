"""A user's own table: a row is an item, one column the labels, and every fault is told with its row and column."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
import torch
from pyarrow import parquet

from laddertop.engine.data import load
from laddertop.engine.own import look
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.journal.events import EventReader, Sampled
from laddertop.journal.folder import create_run
from laddertop.journal.samples import read_samples
from laddertop.journal.sections import DataSpec
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import CPU
from tests.engine.own_data import bars, found_in, with_data
from tests.references import iris as flowers

NAMES = ["sepal length", "sepal width", "petal length", "petal width"]


def iris(path: Path, separator: str = ",") -> Path:
    """The iris table with the species, a word, in the second column, as a file of the ending that `path` has."""
    known = flowers()
    columns: dict[str, Any] = {name: known.data[:, i] for i, name in enumerate(NAMES)}
    columns = {NAMES[0]: columns.pop(NAMES[0]), "species": known.target_names[known.target], **columns}
    if path.suffix == ".parquet":
        parquet.write_table(pyarrow.table({name: list(column) for name, column in columns.items()}), path)
    else:
        rows = [list(columns), *zip(*columns.values(), strict=True)]
        path.write_text("\n".join(separator.join(map(str, row)) for row in rows))
    return path


@pytest.mark.parametrize(("file", "separator"), [("i.csv", ","), ("i.csv", ";"), ("i.csv", "\t"), ("i.parquet", "")])
def test_a_table_is_read_with_its_labels(tmp_path: Path, file: str, separator: str) -> None:
    spec = found_in(iris(tmp_path / file, separator), label="species")
    data = load(spec, CPU)
    order = np.random.RandomState(1).permutation(150)
    expected = flowers().data.astype(np.float32)
    np.testing.assert_array_equal(data.training.pixels, expected[order[30:]])
    np.testing.assert_array_equal(data.test.pixels, expected[order[:30]])
    np.testing.assert_array_equal(data.test.labels, flowers().target[order[:30]])
    assert spec.found is not None
    assert spec.found.names == ["setosa", "versicolor", "virginica"]
    assert (spec.found.low, spec.found.high, spec.real) == (flowers().data.min(), flowers().data.max(), True)


def test_standardised_numbers_have_mean_0_and_deviation_1_in_training(tmp_path: Path) -> None:
    wide = flowers().data * [1000, 1, 1e-4, 0] + [5, 0, 0, 7]
    np.savez(tmp_path / "mine.npz", x=wide)
    data = load(found_in(tmp_path / "mine.npz", standardise=True, held_back=20), CPU)
    order = np.random.RandomState(1).permutation(150)
    seen = wide[order[30:130]]
    deviation = np.where(seen.std(0) > 0, seen.std(0), 1)
    np.testing.assert_allclose(data.training.pixels, (seen - seen.mean(0)) / deviation, atol=1e-4)
    np.testing.assert_allclose(data.test.pixels, (wide[order[:30]] - seen.mean(0)) / deviation, atol=1e-4)
    assert (len(data.training), len(data.held_back)) == (100, 20)
    assert data.prepare
    assert data.restore
    np.testing.assert_allclose(data.restore(data.prepare(torch.tensor(wide))), wide, rtol=1e-4)
    light = data.pictures(torch.tensor([[0.0, 2.5, -2.5, 9.0]]))
    np.testing.assert_allclose(light, [[[128, 255, 0, 255]]], atol=1)
    with pytest.raises(ValueError, match="standardise are for your own data, and digits comes with laddertop"):
        DataSpec(standardise=True)
    with pytest.raises(ValueError, match=r"model\.loss: standardised numbers need squared"):
        with_data(load_recipe("dae-digits"), found_in(tmp_path / "mine.npz", standardise=True))


def test_rows_of_grey_values_become_images_of_a_given_size(tmp_path: Path) -> None:
    x, y = bars(30)
    table = np.c_[y, x.reshape(30, -1)]
    path = tmp_path / "pixels.csv"
    np.savetxt(path, table, "%d", ",", header=",".join(["label", *(f"pixel{i}" for i in range(91))]), comments="")
    spec = found_in(path, label="label", size=[13, 7])
    data = load(spec, CPU)
    order = np.random.RandomState(1).permutation(30)
    assert torch.equal(data.training.pixels, torch.from_numpy(x.reshape(30, -1)[order[6:]]))
    assert data.training.labels.tolist() == y[order[6:]].tolist()
    assert (data.height, data.width, data.training.white, spec.real) == (13, 7, 255, False)
    with pytest.raises(ValueError, match=r"data\.size: .* has 91 columns of numbers, and images of 8×8 have 64"):
        found_in(path, label="label", size=8)


def test_a_table_without_names_has_numbers_for_them(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    np.savetxt(path, np.c_[flowers().data, flowers().target], delimiter=",")
    assert load(found_in(path), CPU).training.pixels.shape == (120, 5)
    path.write_text("".join(f"{a},{b},{c}\n" for a, b, c in [(0.1, 3, 0.5), (0.2, 7, 0.6), (0.3, 3, 0.1), (0, 7, 1)]))
    spec = found_in(path, label="2", batch=2)
    assert spec.found is not None
    assert (spec.found.names, spec.found.width, spec.real) == (["3", "7"], 2, False)


FAULTS: dict[str, tuple[str, str | None, str]] = {
    "a word": (
        "a,b\n1,2\n3,x y\n",
        None,
        "row 2, column b is 'x y', which is no number; mend it, leave the column out, or",
    ),
    "an empty cell": ("a,b\n1,2\n,4\n", None, "row 2, column a is '', which is no number; mend it"),
    "NaN": ("a,b\n1,2\n3,nan\n", None, "row 2, column b, holds NaN; replace it, or leave the item out"),
    "too few cells": ("a,b\n1,2\n3\n", None, "row 2 has 1 cells, and there are 2 columns; mend it"),
    "no such label": ("a,b\n1,2\n", "c", "data.label: HERE has no column c, only a, b"),
    "no label": ("a,b\n1,x\n2,\n3,x\n", "b", "row 2, column b is empty; give it a label"),
    "no rows": ("a,b\n", None, "has no rows"),
    "nothing": ("", None, "has no columns of numbers"),
    "too many classes": ("a,b\n1,x\n2,y\n3,z\n", "b", "3 items are too few for 3 classes"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_row_and_column(tmp_path: Path, fault: str) -> None:
    text, label, complaint = FAULTS[fault]
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=re.escape(complaint.replace("HERE", str(path)))) as caught:
        look(DataSpec(name=str(path), label=label), 1)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_parquet_or_holds_no_numbers_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.parquet"
    path.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"mine\.parquet can't be read as a table: "):
        look(DataSpec(name=str(path)), 1)
    iris(path)
    with pytest.raises(
        ValueError, match="column species holds string, and no numbers; leave it out, or let it be the lab"
    ):
        look(DataSpec(name=str(path)), 1)
    parquet.write_table(pyarrow.table({"a": [1, None, 3]}), path)
    with pytest.raises(ValueError, match="row 2, column a, holds NaN"):
        look(DataSpec(name=str(path)), 1)
    real = builtins.__import__

    def without(name: str, *more: Any) -> Any:
        if name.startswith("pyarrow"):
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ValueError, match=r"needs the package pyarrow, .*: pip install 'laddertop\[parquet\]'$"):
        look(DataSpec(name=str(path)), 1)


def test_keys_of_another_kind_of_data_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", x=flowers().data)
    iris(tmp_path / "mine.csv")
    with pytest.raises(ValueError, match=r"data\.label: .*mine\.npz is no table"):
        found_in(tmp_path / "mine.npz", label="species")
    with pytest.raises(ValueError, match=r"data\.size and data\.colour are for a folder of images, and .*mine\.npz is"):
        found_in(tmp_path / "mine.npz", size=8)
    with pytest.raises(ValueError, match=r"data\.size and data\.colour are for a folder of images, and .*mine\.csv is"):
        found_in(tmp_path / "mine.csv", label="species", colour="on")


def test_a_denoising_autoencoder_is_trained_on_a_table_and_draws_its_rows(tmp_path: Path, stop: Stop) -> None:
    data = found_in(iris(tmp_path / "mine.csv"), label="species", standardise=True)
    settings = ["model.loss=squared", "noise.kind=gaussian", "steps=40", "evaluate.every=0", "samples.items=3"]
    spec = with_data(override(load_recipe("dae-digits"), settings), data)
    run = create_run(tmp_path / "runs", spec, "mine")
    assert train(run, stop) == 0
    sampled = [event for event in EventReader(run.events_path).read_all() if isinstance(event, Sampled)][-1]
    rows = read_samples(run.path, sampled.file)
    assert rows["input"].shape == (3, 1, 4)
    assert len(np.unique(rows["input"])) > 4, "the rows are shown in one shade"
