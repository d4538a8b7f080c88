"""CONTRIBUTING.md's steps for a model and for a data set are enough: followed in a copy of the tree, they train."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from laddertop.journal.events import Evaluated, EventReader, RunEnded
from tests import PATIENCE

ROOT = Path(__file__).parents[1]

MODEL = '''"""A linear denoising autoencoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.corruption import corrupt, draws_needed
from laddertop.engine.parts.layers import glorot_normal, product
from laddertop.engine.randomness import Draws
from laddertop.journal.declared import model_knobs
from laddertop.journal.events import Term
from laddertop.journal.value import Value
from laddertop.journal.models import LinearSpec
from laddertop.journal.spec import Spec


class Linear(nn.Module):
    """x W V, trained to be the x that was corrupted."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(spec.model, LinearSpec)
        random = np.random.RandomState(spec.seed)
        self.up = glorot_normal(inputs.pixels, spec.model.units, random, precision)
        self.down = glorot_normal(spec.model.units, inputs.pixels, random, precision)
        self.noise = spec.noise
        self.terms = [Term(name="squared", label="squared error", unit="per image, mean over the batch", weight=None)]
        self.knobs = model_knobs(spec)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        return draws_needed(self.noise.kind, rows * self.up.shape[0])

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        corrupted = corrupt(x, self.noise.kind, knobs[self.knobs[0].name], draws, self.noise.salt)
        return (self.denoise(corrupted) - x).square().sum(1).mean().view(1)

    def denoise(self, x: Tensor) -> Tensor:
        return product(product(x, self.up), self.down)

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        x = test.rows(slice(None))
        error = (self.denoise(x) - x).square().sum(1).mean().item()
        return {"squared_error": Value(value=error, unit=f"mean over the {test.split} images", headline=True)}

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        return self.evaluate(test, batches, seed)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"reconstruction": self.denoise(x)}

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        return {"code": product(x, self.up)}
'''
SECTION = '''class LinearSpec(ModelSection):
    """Linear denoising autoencoder."""

    group: ClassVar[str] = "linear autoencoder"
    warmable: ClassVar[tuple[str, ...]] = ("noise",)
    kind: Literal["linear"]
    """Which model."""
    units: int = Field(default=4, ge=1)
    """Units of the code."""


'''
RECIPE = """about = "A linear denoising autoencoder on the digits."
steps = 40

[data]
name = "digits"
batch = 50

[model]
kind = "linear"
units = 2

[checkpoint]
every = 0

[evaluate]
every = 10
"""
LINE = '''def _line(random: np.random.RandomState, count: int) -> tuple[_Floats, _Ints]:
    """A segment."""
    t = random.rand(count) - 0.5
    return _around(random, t, t), np.zeros(count, np.int64)


'''


class Copy:
    """A copy of the tree, in which files are edited as the steps say."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.touched: set[str] = set()
        for name in ("journal", "engine", "tui", "laddertop"):
            shutil.copytree(ROOT / name, root / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))

    def edit(self, name: str, before: str, added: str) -> None:
        """Puts something before the first place that reads so."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert before in text, f"{name} has no {before!r} any more"
        (self.root / name).write_text(text.replace(before, added + before, 1), encoding="utf-8")
        self.touched.add(name)

    def add(self, name: str, text: str) -> None:
        (self.root / name).write_text(text, encoding="utf-8")
        self.touched.add(name)

    def run(self, module: str, *words: str) -> str:
        """What a command prints, which must succeed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, *words],
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def told(heading: str) -> str:
    """The steps below a heading of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.M)[0]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "tree")


def test_a_model_and_a_data_set_are_added_by_these_steps_and_train(copy: Copy) -> None:
    copy.add("engine/models/linear.py", MODEL)
    copy.edit("journal/models.py", "ModelSpec = (", SECTION)
    copy.edit("journal/models.py", " | ConvLadderSpec | Unsup", " | LinearSpec")
    copy.edit(
        "engine/build.py", "from laddertop.engine.models.lvae", "from laddertop.engine.models.linear import Linear\n"
    )
    copy.edit("engine/build.py", '    "conv_ladder": Conv', '    "linear": Linear,\n')
    copy.add("journal/recipes/linear-digits.toml", RECIPE)
    for name in copy.touched:
        assert name in told("A model") or f"{Path(name).parent}/" in told("A model")
    assert len(copy.touched) == 4, "with tests/kinds.py and docs/models.md that makes 6"

    copy.touched.clear()
    copy.edit(
        "journal/sections.py", '    "mixture": DataSet(', '    "line": DataSet(1, 1, 2, 1, 10_000, 2_000, _POINTS),\n'
    )
    copy.edit("engine/data/points.py", "def _moons(", LINE)
    copy.edit("engine/data/points.py", '    "moons": _moons', '    "line": _line,\n')
    assert all(name in told("A data set") for name in copy.touched)
    assert len(copy.touched) == 2, "with docs/data.md that makes 3"

    assert re.search(r"^linear autoencoder$", copy.run("laddertop.tui.cli.main", "recipes", "linear"), re.M)
    copy.run("laddertop.tui.cli.main", "train", "linear-digits", "--data=line", "--name=first", "--device=cpu")
    events = EventReader(copy.root / "checkpoints" / "first" / "events.jsonl").read_all()
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    assert all(event.headline() == "squared_error" and event.layers for event in evaluations)
    errors = [event.values["squared_error"].value for event in evaluations]
    assert errors[-1] < errors[0]
    (end,) = [event for event in events if isinstance(event, RunEnded)]
    assert end.reason == "finished"
    answered = copy.run("laddertop.tui.cli.main", "denoise", "first", "--json")
    assert "reconstruction" in answered
