"""A class of the user's own, with what it leaves out of the contract: the number of draws, evaluation, samples panel.

Shape letters: A labelled rows, B rows, D pixels, T terms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor, nn

from laddertop.engine.contract import Classifies, Denoises, Generates, Model
from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.own_model.declared import GIVEN, asked, declare
from laddertop.engine.own_model.load import file_of, in_its_words, load_class
from laddertop.engine.randomness import Draws, RowDraws, Stream
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

BLOCK = 500
"""Items that are measured at once."""

WITHOUT_GRADIENTS = ("codes", "spread", "decode", "denoise", "generate", "fill", "classify")
"""What a model is asked besides costs, measures and `reconstruct`: it takes no gradients."""


def make(spec: Spec, inputs: Inputs, precision: torch.dtype, folder: Path | None = None) -> Model:
    """The model of a spec, of the run in `folder` where there is one, with its initial weights by the spec's seed.

    Raises ValueError, which points at the line, where the user's code fails.
    """
    assert isinstance(spec.model, OwnModelSection)
    return instance(load_class(spec.model, folder), spec, inputs, precision)


def instance(loaded: type[nn.Module], spec: Spec, inputs: Inputs, precision: torch.dtype) -> Model:
    """A model of that class. Raises ValueError as `make` does."""
    assert isinstance(spec.model, OwnModelSection)
    given = {"inputs": inputs, "spec": spec, "precision": precision} | spec.model.settings
    names = [one.name for one in asked(loaded) if one.name in GIVEN or one.name in spec.model.settings]
    torch.manual_seed(spec.seed)
    with in_its_words((file_of(loaded),), f"{loaded.__name__} can't be made"):
        model = _completed(loaded)(**{name: given[name] for name in names})
    model.terms, model.knobs = declare(model)
    model.laddertop_facts = Facts(spec.seed, inputs.pixels, {})
    return cast(Model, model)


class Facts(NamedTuple):
    """What the defaults have to know; one attribute of the instance, whose others are the user's."""

    seed: int
    """The run's."""
    pixels: int
    """D."""
    counted: dict[tuple[int, int], tuple[int, int]]
    """How many draws a step takes, by its numbers of rows."""


class _Defaults:
    """What the contract asks for and a class may leave out."""

    terms: Any
    knobs: Any
    parameters: Callable[[], Iterator[nn.Parameter]]
    costs: Callable[..., Tensor]
    labelled = False
    laddertop_facts: Facts

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step: those that `costs` takes, on images that are black."""
        if self.labelled and not labelled_rows:
            return 0, 0
        _, pixels, counted = self.laddertop_facts
        if (labelled_rows, rows) not in counted:
            device = next(iter(self.parameters())).device
            labelled, x = (torch.zeros(count, pixels, device=device) for count in (labelled_rows, rows))
            draws = _Counted(device)
            labels = torch.zeros(labelled_rows, dtype=torch.int64, device=device)
            with torch.no_grad():
                self.costs(labelled, labels, x, draws, self._as_declared(device))
            counted[labelled_rows, rows] = draws.normals, draws.uniforms
        return counted[labelled_rows, rows]

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The terms on the test items and their weighted sum, with the knobs as they are declared, whatever they were
        turned to, and without noise; of a classifier the error first."""
        device = test.device
        draws, knobs = RowDraws(seed, Stream.EVALUATE, device), self._as_declared(device)
        knobs |= {name: torch.zeros((), device=device) for name in knobs if name.startswith("noise.")}
        means, wrong = torch.zeros(len(self.terms), device=device), 0
        for at in range(0, len(test), BLOCK):
            x, labels = test.rows(slice(at, at + BLOCK)), test.labels[at : at + BLOCK]
            means += self.costs(x, labels, x, draws, knobs) * (len(x) / len(test))
            if isinstance(self, Classifies):
                wrong += int((self.classify(x).argmax(1) != labels).sum())
        where = f"mean over the {test.split} items, knobs as declared"
        told: dict[str, Value] = {}
        if isinstance(self, Classifies):
            unit = f"% of {test.split} items"
            told["error_percent"] = Value(value=100 * wrong / len(test), unit=unit, headline=True)
        total = sum(
            value * (float(knobs[term.weight]) if term.weight else 1.0)
            for term, value in zip(self.terms, means.tolist(), strict=True)
            if not term.watched
        )
        told["cost"] = Value(value=total, unit=f"weighted sum of the terms, {where}", headline=not told)
        for term, value in zip(self.terms, means.tolist(), strict=True):
            told.setdefault(term.name, Value(value=value, unit=where, label=term.label))
        return told

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """As `evaluate`."""
        return self.evaluate(test, batches, seed)

    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What it makes of images [B, D], and samples, where it can."""
        shown = {"reconstruction": self.denoise(x)} if isinstance(self, Denoises) else {}
        return shown | ({"prior": self.generate(len(x), draws)} if isinstance(self, Generates) else {})

    def _as_declared(self, device: torch.device) -> dict[str, Tensor]:
        return {knob.name: torch.tensor(knob.value, device=device) for knob in self.knobs}


class _Counted(Draws):
    """Draws that are counted; all of them 0."""

    def __init__(self, device: torch.device) -> None:
        self.normals = self.uniforms = 0
        self._device = device

    def normal(self, *shape: int) -> Tensor:
        self.normals += math.prod(shape)
        return torch.zeros(shape, device=self._device)

    def uniform(self, *shape: int) -> Tensor:
        self.uniforms += math.prod(shape)
        return torch.zeros(shape, device=self._device)


def _completed(loaded: type[nn.Module]) -> Any:
    """The class, with what it leaves out; what it has besides `costs` takes no gradients and may tell plain numbers."""
    own: dict[str, Any] = {"__module__": loaded.__module__}
    for name in WITHOUT_GRADIENTS:
        if function := getattr(loaded, name, None):
            own[name] = torch.no_grad()(function)
    for name in ("evaluate", "report"):
        if measure := getattr(loaded, name, None):
            own[name] = _measuring(measure)
    reconstruct = getattr(loaded, "reconstruct", _Defaults.reconstruct)

    def reconstructed(self: Any, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Any:
        # As many draws as it asks for, whatever `costs` takes.
        return _without_gradients(
            reconstruct, self, x, RowDraws(self.laddertop_facts.seed, Stream.SAMPLE, x.device), knobs
        )

    own["reconstruct"] = reconstructed
    return type(loaded.__name__, (loaded, _Defaults), own)


def _measuring(measure: Callable[..., Mapping[str, Value | float]]) -> Callable[..., dict[str, Value]]:
    return lambda self, *given: values(_without_gradients(measure, self, *given))


@torch.no_grad()
def _without_gradients(function: Callable[..., Any], *given: Any) -> Any:
    return function(*given)


def values(told: Mapping[str, Value | float]) -> dict[str, Value]:
    """What was measured, plain numbers among it; where none says so, the first says best how good the model is."""
    found = {
        name: value if isinstance(value, Value) else Value(value=float(value), unit="as evaluate gives it")
        for name, value in told.items()
    }
    if found and not any(value.headline for value in found.values()):
        first = next(iter(found))
        found[first] = found[first].model_copy(update={"headline": True})
    return found
