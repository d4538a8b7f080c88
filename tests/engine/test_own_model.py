"""A class of the user's own as a model: what it declares, what it may leave out, and the sentence for every mistake."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch

from laddertop.engine.build import build
from laddertop.engine.contract import Decodes, Encodes, Model
from laddertop.engine.data import Batches, load
from laddertop.engine.randomness import Stream, draws
from laddertop.engine.training.recorder import columns
from laddertop.engine.training.sgd import make_optimizer
from laddertop.engine.training.step import Step
from laddertop.engine.trial import look
from laddertop.journal.folder import create_run
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.spec import Spec, load_recipe, override, parse
from tests.engine.conftest import CPU, Bench
from tests.own_models import documented, own_spec

CLASSIFIER = """
import torch
from torch import nn


class MyVae(nn.Module):
    labelled = True
    terms = {"entropy": None, "size": "decay"}
    knobs = {"decay": 0.5, "noise.std": 0.1}

    def __init__(self, inputs):
        super().__init__()
        self.top = nn.Linear(inputs.pixels, inputs.classes)

    def costs(self, labelled, labels, x, draws, knobs):
        seen = labelled + knobs["noise.std"] * draws.normal(*labelled.shape)
        return torch.stack([nn.functional.cross_entropy(self.top(seen), labels), self.top.weight.square().sum()])

    def classify(self, x):
        return self.top(x).softmax(1)
"""


def made(spec: Spec) -> Model:
    return build(spec, load(spec.data, CPU).inputs, CPU, torch.float32)


def test_what_a_class_declares_stands_in_the_spec_with_defaults_and_types(tmp_path: Path) -> None:
    spec = look(own_spec(tmp_path / "mine.py", documented(), "width=20"))
    assert isinstance(spec.model, OwnModelSection)
    assert spec.model.settings == {"width": 20, "latent": 8}
    assert spec.model.found
    assert [(p.name, p.type, p.default) for p in spec.model.found.parameters] == [
        ("width", "whole number", "128"),
        ("latent", "whole number", "8"),
    ]
    assert (spec.model.labelled, spec.model.noisy, spec.model.warmable) == (False, False, ("kl",))
    assert parse(spec.model_dump(), "again") == spec
    with pytest.raises(ValueError, match=r"did you mean model\.width"):
        override(spec, ["wdith=3"])


def test_the_weights_are_those_of_the_seed(tmp_path: Path) -> None:
    spec = look(own_spec(tmp_path / "mine.py", documented()))
    first, again, other = (
        torch.cat([p.flatten() for p in made(override(spec, [f"seed={seed}"])).parameters()]) for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_what_it_leaves_out_is_completed(tmp_path: Path) -> None:
    spec = look(own_spec(tmp_path / "mine.py", documented()))
    model, data = made(spec), load(spec.data, CPU)
    assert isinstance(model, Encodes)
    assert isinstance(model, Decodes)
    assert model.draws_needed(0, 100) == (800, 0)
    batches = Batches(spec.data, data, 1, with_labels=False)
    values = model.evaluate(data.test, batches, 1)
    assert [name for name, value in values.items() if value.headline] == ["cost"]
    assert values["cost"].value == pytest.approx(values["kl"].value + values["reconstruction"].value)
    # By one pass over all test items at once, with other draws of the same distribution.
    x = data.test.rows(slice(None))
    drawn = draws(model.draws_needed(0, len(x)), 5, Stream.SAMPLE, 0, CPU)
    kl, reconstruction = model.costs(x[:0], data.test.labels[:0], x, drawn, {"beta": torch.tensor(1.0)}).tolist()
    assert values["kl"].value == pytest.approx(kl, rel=1e-5)
    assert values["reconstruction"].value == pytest.approx(reconstruction, rel=0.01)
    shown = model.reconstruct(x[:10], draws((0, 0), 1, Stream.SAMPLE, 0, CPU), {"beta": torch.tensor(1.0)})
    assert {name: list(image.shape) for name, image in shown.items()} == {
        "reconstruction": [10, 64],
        "prior": [10, 64],
    }
    assert not shown["prior"].requires_grad


def test_a_classifier_gets_labels_a_switch_for_its_noise_and_its_error(tmp_path: Path) -> None:
    spec = look(own_spec(tmp_path / "mine.py", CLASSIFIER))
    assert (spec.model.labelled, spec.model.noisy, spec.warmup.of) == (True, True, "noise")
    model, data = made(spec), load(spec.data, CPU)
    values = model.evaluate(data.test, Batches(spec.data, data, 1, with_labels=True), 1)
    x, labels = data.test.rows(slice(None)), data.test.labels
    wrong = (model.classify(x).argmax(1) != labels).float().mean().item()  # type: ignore[attr-defined]
    assert values["error_percent"].value == pytest.approx(100 * wrong)
    assert [name for name, value in values.items() if value.headline] == ["error_percent"]
    # By the weight that is declared, on items without noise.
    assert values["cost"].value == pytest.approx(values["entropy"].value + 0.5 * values["size"].value)
    entropy = torch.nn.functional.nll_loss(model.classify(x).log(), labels).item()  # type: ignore[attr-defined]
    assert values["entropy"].value == pytest.approx(entropy, rel=1e-4)


MISTAKES = {
    "no file": (None, None, "there is no file "),
    "no class": ("class MyVae", "class MyVea", "mine.py has no class MyVae (did you mean MyVea?); it has MyVea"),
    "no module": ("MyVae(nn.Module)", "MyVae", "MyVae is no class that derives from torch.nn.Module"),
    "syntax": ("kl = 0.5 *", "kl = = 0.5 *", "mine.py, line 19 (`kl = = 0.5 *"),
    "an exit": (
        "import torch\n",
        "import torch\nraise SystemExit(3)\n",
        "mine.py, line 2 (`raise SystemExit(3)`): System",
    ),
    "an import": ("import torch\n", "import torch\nimport tochr\n", "mine.py, line 2 (`import tochr`): ModuleNotFound"),
    "no costs": (
        "def costs",
        "def cost",
        "MyVae has no costs; write def costs(self, labelled, labels, x, draws, knobs)",
    ),
    "other costs": ("self, labelled, labels, x", "self, x", "MyVae: costs takes (self, x, draws, knobs); write def"),
    "no terms": ("    terms =", "    term =", 'MyVae declares no terms; write terms = {"kl": "beta"'),
    "no knob": (
        '{"beta": 1.0}',
        '{"gamma": 1.0}',
        "MyVae: terms: kl is weighted by 'beta', which is none of the knobs",
    ),
    "a taken name": ('{"beta": 1.0}', '{"beta": 1.0, "lr": 2.0}', "MyVae: every run has 'lr'; call yours otherwise"),
    "a term less": (
        "[kl, reconstruction]",
        "[kl + reconstruction]",
        "costs gives a tensor [1]; return torch.stack([kl, ",
    ),
    "a number": (
        "return torch.stack([kl, reconstruction])",
        "return 0.5",
        "MyVae: costs gives a float; return torch.st",
    ),
    "shapes": (
        "nn.Linear(inputs.pixels, width)",
        "nn.Linear(5, width)",
        "mine.py, line 17, in costs (`mean, log_sd = self.up(x).chunk(2, dim=1)`): RuntimeError: mat1 and mat2",
    ),
    "its own draws": (
        "draws.normal(len(x)",
        "torch.randn(len(x)",
        "costs draws random numbers by itself, which nobody",
    ),
    "a number asked for": (
        "0.5 * (mean",
        "0.5 * mean.mean().item() * (mean",
        "costs asks a tensor for its number, with",
    ),
    "infinite": ("0.5 * (mean", "torch.inf * (mean", "MyVae: kl is not finite with its initial weights"),
    "no gradient": (
        "torch.stack([kl, reconstruction])",
        "torch.zeros(2)",
        "MyVae: costs has no gradient; is it computed",
    ),
    "an unused layer": (
        "        self.up =",
        "        self.more = nn.Linear(1, 1)\n        self.up =",
        "no term depends on more.",
    ),
    "a frozen layer": (
        "2 * latent))",
        "2 * latent)).requires_grad_(False)",
        "up.0.weight is a parameter that takes no gr",
    ),
    "a batch norm": (
        "        self.up =",
        "        self.bn = nn.BatchNorm1d(3)\n        self.up =",
        "bn.num_batches_tracked",
    ),
    "wrong codes": (
        '{"z": self.up(x)',
        '{"z": self.up(x)[1:]',
        "MyVae: codes gives z a tensor [9, 8]; for 10 items it is to",
    ),
    "wrong decoder": (
        "torch.sigmoid(self.down(z))",
        "torch.sigmoid(z)",
        "MyVae: decode gives a tensor [10, 8]; for 10 ite",
    ),
    "an untyped parameter": (
        "width: int = 128",
        "width: dict = None",
        "a parameter has the type <class 'dict'>; take bool",
    ),
    "a parameter of the spec": (
        "width: int = 128",
        "found: int = 128",
        "a parameter can't be called found, as the spec",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_a_sentence_that_says_where_and_what_to_do(tmp_path: Path, mistake: str) -> None:
    before, after, told = MISTAKES[mistake]
    text, file = documented(), tmp_path / "mine.py"
    spec = own_spec(file, text)
    if before is None or after is None:
        file.unlink()
    else:
        assert before in text
        file.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(ValueError, match=r".") as raised:
        look(spec)
    said = str(raised.value)
    assert told in said
    assert "\n" not in said
    assert said[0] != " "


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["widht=3"], "MyVae has no parameter widht (did you mean width?); it has width, latent"),
        (["lr=3"], "MyVae has no parameter lr (did you mean optimizer.lr?); it has width, latent"),
        (["width=wide"], "model.width: input should be a valid integer"),
        (["latent=-1"], "mine.py, line 13, in __init__ (`self.up ="),
        (["precision=bf16"], "precision: MyVae computes in fp32, as its __init__ takes no `precision`"),
    ],
)
def test_a_wrong_setting_is_told_by_its_key(tmp_path: Path, settings: list[str], told: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        look(own_spec(tmp_path / "mine.py", documented(), *settings))
    assert told in str(raised.value)


def test_an_installed_package_offers_a_model_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, told = tmp_path / "my_package.py", tmp_path / "my_package-1.2.dist-info"
    package.write_text(documented())
    told.mkdir()
    told.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.2\n")
    told.joinpath("entry_points.txt").write_text("[laddertop.models]\nsmall-vae = my_package:MyVae\n")
    monkeypatch.syspath_prepend(tmp_path)
    spec = look(override(load_recipe("small-vae"), ["width=20"]))
    assert isinstance(spec.model, OwnModelSection)
    assert spec.model.found
    assert (spec.model.found.package, spec.model.found.file) == ("my-package 1.2", str(package))
    assert spec.model.settings == {"width": 20, "latent": 8}
    run = create_run(tmp_path, spec)
    assert run.name.endswith(time.strftime("%Y-%m-%d-small-vae-") + run.name[-4:])
    assert (run.path / "model.py").read_text() == documented()
    made(spec)
    package.write_text(documented() + "# changed\n")
    with pytest.raises(
        ValueError, match=r"small-vae of my-package 1\.2 is not what the run was made with, which was my"
    ):
        made(spec)
    with pytest.raises(ValueError, match=r"unknown recipe 'smal-vae' \(did you mean small-vae"):
        load_recipe("smal-vae")


def test_a_recipe_file_names_a_class_and_sets_its_parameters(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(documented())
    recipe = tmp_path / "wide.toml"
    recipe.write_text(f'steps = 9\n[model]\nkind = "own"\nplace = "{tmp_path}/mine.py:MyVae"\nwidth = 33\n')
    spec = look(load_recipe(str(recipe)))
    assert isinstance(spec.model, OwnModelSection)
    assert (spec.recipe, spec.steps, spec.model.settings) == ("wide", 9, {"width": 33, "latent": 8})
    recipe.write_text(f'steps = 9\n[model]\nkind = "own"\nplaces = "{tmp_path}/mine.py:MyVae"\n')
    with pytest.raises(ValueError, match=r"wide\.toml: model\.place: field required"):
        load_recipe(str(recipe))


def test_what_the_compiler_does_not_take_is_trained_uncompiled(tmp_path: Path) -> None:
    text = documented().replace("        z = mean", "        print(end='')\n        z = mean")
    bench = Bench(look(own_spec(tmp_path / "mine.py", text)))
    optimizer = make_optimizer(dict(bench.model.named_parameters()), bench.spec.optimizer)
    step = Step(bench.model, optimizer, bench.controls, bench.batches, 1, CPU, compiled=True)
    row = torch.full([len(columns(bench.model.terms, bench.controls.knobs))], torch.nan)
    step(0, row)
    assert step.problem.startswith("the step could not be compiled and is taken uncompiled: ")
    assert torch.isfinite(row).all()


def test_its_real_numbers_are_made_up_as_real_numbers(tmp_path: Path) -> None:
    text = documented().replace("kl = 0.5 *", "kl = torch.where(x.min() < 0, 0.5, torch.nan) *")
    look(own_spec(tmp_path / "mine.py", text, "data.name=moons"))
    with pytest.raises(ValueError, match="kl is not finite"):
        look(own_spec(tmp_path / "mine.py", text))


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mine.py")
    with pytest.raises(ValueError, match="is no plain file"):
        look(load_recipe(f"{tmp_path}/mine.py:MyVae"))
