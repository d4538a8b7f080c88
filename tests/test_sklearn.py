"""A training is a scikit-learn transformer, which keeps scikit-learn's rules, and a notebook that can be run."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from laddertop.journal.folder import list_runs
from tests import PATIENCE
from tests.references import digits

if TYPE_CHECKING:  # slow to load, and every worker reads this file
    from sklearn.pipeline import Pipeline

TRAINED, LEFT = slice(1200), slice(1200, None)

QUICK = {"device": "cpu", "threads": 1, "samples.every": 0}


@cache
def rows() -> np.ndarray:
    """The handwritten digits as models take them, from 0 to 1."""
    return (digits().data / 16).astype(np.float32)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def pipeline(runs: Path) -> Pipeline:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    from laddertop.sklearn import Encoder

    encoder = Encoder("dae-digits", {"steps": 400, "model.hidden": [32], **QUICK}, image=(8, 8), runs=runs)
    return make_pipeline(encoder, LogisticRegression(max_iter=1000)).fit(rows()[TRAINED], digits().target[TRAINED])


def test_a_fit_is_a_run_whose_codes_tell_the_classes(pipeline: Pipeline, runs: Path) -> None:
    encoder = pipeline[0]
    assert [str(run.path) for run in list_runs(runs)] == [encoder.run_]
    assert encoder.model_.spec.data.found.about.startswith(
        "960 training and 240 test images (drawn with seed 1) of 8×8"
    )
    codes = encoder.transform(rows()[LEFT])
    assert codes.shape == (597, 32)
    assert pipeline.score(rows()[LEFT], digits().target[LEFT]) > 0.8
    assert encoder.get_feature_names_out().tolist()[-1] == "encoder31"
    back = encoder.inverse_transform(codes)
    assert ((back - rows()[LEFT]) ** 2).mean() < 0.5 * rows().var()


def test_a_pickled_transformer_goes_back_to_its_run(pipeline: Pipeline) -> None:
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again[0].transform(rows()[:5]), pipeline[0].transform(rows()[:5]))


def test_what_can_not_be_fitted_is_a_sentence_and_leaves_no_run(runs: Path, pipeline: Pipeline) -> None:
    from sklearn.base import clone

    from laddertop.sklearn import Encoder

    there = len(list_runs(runs))
    for encoder, classes, words in (
        (Encoder("ladder-digits", runs=runs), None, "ladder-digits learns from labels: it requires y to be passed"),
        (Encoder("ladder-digits", runs=runs), np.linspace(0, 1, 1797), "Unknown label type"),
        (Encoder("vae-digitz", runs=runs), None, "vae-digitz"),
        (Encoder("vae-digits", {"data.batch": 10**4}, runs=runs), None, r"data\.batch: 10000 rows"),
        (Encoder("vae-digits", image=(7, 9), runs=runs), None, "image: 64 numbers are no images of 7×9"),
        (clone(pipeline[0]).set_params(settings={"stepz": 3}), None, "unknown key 'stepz'"),
    ):
        with pytest.raises(ValueError, match=words):
            encoder.fit(rows(), classes)
    with pytest.raises(ValueError, match="X has 9 features, but Encoder is expecting 64"):
        pipeline[0].transform(rows()[:, :9])
    assert len(list_runs(runs)) == there


REAL = {
    "steps": 3,
    "model.hidden": [4],
    "data.standardise": True,
    "data.batch": 2,
    **QUICK,
}
"""Settings for the items of scikit-learn's checks: a few rows of any numbers."""


@pytest.mark.stress
def test_scikit_learn_finds_nothing_to_mend(runs: Path) -> None:
    from sklearn.utils.estimator_checks import check_estimator

    from laddertop.sklearn import Encoder

    told = check_estimator(Encoder("dae-swissroll", REAL, runs=runs), on_fail=None, on_skip=None)
    assert [(one["check_name"], one["exception"]) for one in told if one["status"] == "failed"] == []
    assert sum(one["status"] == "passed" for one in told) > 40


@pytest.mark.stress
def test_the_notebook_runs_from_top_to_bottom(tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    path = Path(__file__).parents[1] / "docs" / "notebook.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=PATIENCE, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = ["".join(str(one.get("data", one)) for one in cell.outputs) for cell in notebook.cells if "outputs" in cell]
    assert "('vae', 1000)" in shown[1]
    assert len(list_runs(tmp_path / "checkpoints")) == 2
