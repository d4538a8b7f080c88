"""Evaluating a checkpoint: refused before anything takes long, and told of the images it was measured on."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.engine.ladder.classifier import LadderClassifier
from laddertop.engine.models.dae import Dae
from laddertop.engine.saved.evaluate import evaluate
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import Bench
from tests.kinds import KINDS, small_spec


@pytest.mark.parametrize("kind", KINDS)
def test_units_name_the_images_that_were_measured(kind: str) -> None:
    bench = Bench(small_spec(kind, "data.held_back=100", "evaluate.samples=2" if "vae" in kind else "seed=1"))
    bench.model.settle(bench.batches) if hasattr(bench.model, "settle") else None
    for images, split in ((bench.data.held_back, "held-back"), (bench.data.test, "test")):
        units = [value.unit for value in bench.model.evaluate(images, bench.batches, 0).values()]
        others = {"held-back", "test"} - {split}
        assert not any(other in unit for unit in units for other in others)
        assert isinstance(bench.model, LadderClassifier) or any(split in unit for unit in units)


@pytest.fixture
def trained(tmp_path: Path, stop: Stop) -> RunFolder:
    settings = ["steps=3", "model.hidden=[8]", "data.batch=50", "evaluate.every=0", "device=cpu", "compile=off"]
    run = create_run(tmp_path, override(load_recipe("dae-swissroll"), settings), "points")
    assert train(run, stop) == 0
    return run


def test_what_can_not_be_evaluated_is_refused_before_anything_is_measured(
    trained: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object) -> None:
        raise AssertionError("half an hour has passed")

    monkeypatch.setattr(Dae, "report", measure)
    with pytest.raises(ValueError, match="--representation: this data set has no classes"):
        evaluate(trained, None, "test", quick=False, represent=True)
    with pytest.raises(ValueError, match="no checkpoint of step 5; there are 3"):
        evaluate(trained, 5, "test", quick=False, represent=False)
    with pytest.raises(ValueError, match="holds no images back"):
        evaluate(trained, None, "held_back", quick=False, represent=False)
