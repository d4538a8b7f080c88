"""No knob lies: whatever a model declares changes what a step computes, in every recipe and for every kind of model."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from laddertop.engine.build import build
from laddertop.engine.contract import Staged
from laddertop.engine.data import Batches, Data, Images
from laddertop.engine.randomness import Stream, draws
from laddertop.engine.training.controls import Controls
from laddertop.journal.places import recipes
from laddertop.journal.sections import POINTS, SETS
from laddertop.journal.spec import Spec, load_recipe, override
from tests.engine.conftest import CPU
from tests.kinds import KINDS, small_spec

SCHEDULE = {"warmup.steps", "warmup.after", "warmup.hold", "lr", "clip"}
"""Knobs that act after a step's costs: on the next steps, or on the update."""


def narrow(name: str) -> Spec:
    """A recipe with a few units per layer, as many layers as it has, and batches of twenty."""
    spec = load_recipe(name)
    settings = ["data.batch=20", "data.labelled_batch=20", "data.held_back=0", "data.binarise=none", "data.whiten=off"]
    if isinstance(spec.data.labels, int):
        settings.append("data.labels=50")
    few = {"widths": 8, "hidden": 8, "upper_hidden": 6, "decoder_hidden": 7, "latent": 5, "upper_latent": 4}
    for key, units in few.items():
        value = getattr(spec.model, key, None)
        if value:
            settings.append(f"model.{key}={[units] * len(value) if isinstance(value, list) else units}")
    if spec.model.kind == "conv_ladder":
        words = [re.sub(r"^(conv[vf]):(?!10:)\d+", r"\1:3", layer) for layer in spec.model.architecture]
        settings.append(f"model.architecture={words}")
    if getattr(spec.model, "samples", 1) > 3:
        settings.append("model.samples=3")
    return override(spec, settings)


def images_of(spec: Spec) -> Data:
    """A hundred and twenty images or points of the shape of the spec's data set, of classes 0 to 9 in turn."""
    shape = SETS[spec.data.name]
    random = np.random.RandomState(0)
    labels = torch.arange(120) % 10 % shape.classes
    if spec.data.name in POINTS:
        items = Images(torch.from_numpy(random.randn(120, 2).astype(np.float32)), labels, 1)
    else:
        pixels = random.randint(0, 256, (120, shape.channels * shape.height * shape.width))
        items = Images(torch.from_numpy(pixels.astype(np.uint8)), labels, 255)
    return Data(items, items, items, shape.height, shape.width, shape.classes, shape.channels, spec.data.name in POINTS)


class Computed:
    """A model with its knobs; every call computes terms and gradients of one step with the same draws."""

    def __init__(self, spec: Spec) -> None:
        data = images_of(spec)
        batches = Batches(spec.data, data, spec.seed, with_labels=spec.model.labelled)
        self.model = build(spec, data.inputs, CPU, torch.float32)
        self.controls = Controls(spec, self.model.knobs, batches.epoch_steps, 1000, CPU)
        # In the middle of a warm-up, with everything switched on, and away from the initial values, where ẑ is 0.
        self.controls.set({name: 1.0 for name in ("noise", "warmup") if name in self.controls.names})
        self.controls.state.warmed = 0.5
        random = torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter += 0.1 * torch.randn(parameter.shape, generator=random)
        self.batch = batches.at(0)
        self.draws = lambda: draws(
            self.model.draws_needed(batches.labelled_rows, batches.rows), 1, Stream.SAMPLE, 0, CPU
        )
        self.stages = range(len(self.model.stages(batches.epoch_steps))) if isinstance(self.model, Staged) else [None]

    def __call__(self) -> list[torch.Tensor]:
        self.controls.prepare(0)
        knobs = self.controls.by_name()
        found = []
        for stage in self.stages:
            if stage is not None:
                self.model.stage = stage  # type: ignore[union-attr]
            terms = self.model.costs(*self.batch, self.draws(), knobs)
            weights = torch.stack([knobs[term.weight] if term.weight else torch.ones(()) for term in self.model.terms])
            counted = torch.isfinite(terms) & ~torch.tensor([term.watched for term in self.model.terms])
            total = (terms * weights)[counted].sum()
            gradients = torch.autograd.grad(total, list(self.model.parameters()), allow_unused=True)
            # Terms that rest in a stage are NaN.
            found += [terms.detach().nan_to_num(-1), *(part for part in gradients if part is not None)]
        return found


def unheard(spec: Spec) -> list[str]:
    """The knobs whose turning leaves every term and every gradient as it was."""
    computed = Computed(spec)
    before = computed()
    assert all(torch.equal(one, other) for one, other in zip(before, computed(), strict=True)), "draws are the same"
    silent = []
    for knob in computed.controls.knobs:
        if knob.name in SCHEDULE:
            continue
        value = 1 - knob.value if knob.kind == "switch" else min(1.5 * knob.value + 0.05 * (knob.value == 0), knob.high)
        computed.controls.set({knob.name: value})
        after = computed()
        if all(torch.equal(one, other) for one, other in zip(before, after, strict=True)):
            silent.append(knob.name)
        computed.controls.set({knob.name: knob.value})
        computed.controls.state.warmed = 0.5
    return silent


def built_alike(spec: Spec) -> str:
    """What recipes have in common whose models differ in nothing but the size of numbers."""

    def plain(value: object) -> object:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return bool(value) if isinstance(value, int | float) else value

    parts = {part: getattr(spec, part).model_dump() for part in ("model", "noise", "warmup")}
    return repr({part: {key: plain(value) for key, value in keys.items()} for part, keys in parts.items()})


def test_every_knob_of_every_kind_of_recipe_changes_the_terms_or_the_gradients() -> None:
    specs = {built_alike(spec): spec for spec in map(narrow, recipes())}
    assert 20 < len(specs) < len(recipes())
    for spec in specs.values():
        assert unheard(spec) == [], spec.recipe


@pytest.mark.stress
@pytest.mark.parametrize("name", recipes())
def test_every_knob_of_a_recipe_changes_the_terms_or_the_gradients(name: str) -> None:
    assert unheard(narrow(name)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_knob_of_a_kind_changes_the_terms_or_the_gradients(kind: str) -> None:
    assert unheard(small_spec(kind)) == []


def test_a_switch_that_nothing_listens_to_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("laddertop.journal.models.LvaeSpec.noisy", True)
    assert unheard(small_spec("lvae")) == ["noise"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_noise_has_a_switch_where_there_is_noise(kind: str) -> None:
    names = Computed(small_spec(kind)).controls.names
    assert ("noise" in names) == any(name.startswith("noise.") for name in names)
    assert ("noise" in names) == (kind not in ("lvae", "m2"))
