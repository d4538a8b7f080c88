"""What a model must be, and what it may be able to do beyond being trained.

A model is a torch module, made from a spec, from what it has to know of the data, and from the precision of its
products; `Model` says what else it has. What it has of the other protocols is offered to whoever looks at it, without a
list of who can do what.

A run may have stages: a model of which only a part is trained at a time, such as one layer after the other. In each
stage the update is that of a training of its own: it begins with Adam's moments at 0 and counts its own steps.
Parameters and moments of what is not trained stay as they are. Terms that are not computed in a stage are recorded as
NaN, with the weight 0.

Shape letters: A labelled rows, B rows, D pixels, C classes, T terms, U units of the main representation, S steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, overload, runtime_checkable

import torch
from torch import Tensor, nn

from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.randomness import Draws
from laddertop.journal.events import Knob, Term
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value


class Model(Protocol):
    """What is trained: a torch.nn.Module that tells its terms and knobs, and computes costs."""

    terms: list[Term]
    """The terms of its cost."""
    knobs: list[Knob]
    """What can be turned while it trains, besides what all models share."""

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """How many normal and uniform draws a step takes."""

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The raw terms [T], a pure function of the arguments and the parameters: labelled rows [A, D] with labels
        int64 [A], rows x [B, D], and the effective values of the knobs as scalar tensors."""

    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The quick measure that a training takes now and then; `batches` gives the training and labelled images for
        statistics, and the draws come from the seed. The value that says best how good the model is says so."""

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """What the model's paper reports, however long that takes."""

    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What it makes of images [B, D], for the sample panel: rows of pixels [B, D] by name."""

    # Of nn.Module

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """What is trained."""

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """The same by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Takes up the parameters of a checkpoint."""

    @overload
    def to(self, device: torch.device, /) -> Self:
        """Itself, on a device."""

    @overload
    def to(self, dtype: torch.dtype, /) -> Self:
        """Itself, in a precision."""


class MakesModel(Protocol):
    """The class of a model, and how it is made."""

    def __call__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> Model:
        """The model with its initial weights. Raises ValueError where the spec does not fit the data."""


@runtime_checkable
class Follows(Protocol):
    """A model that has to know what it is trained with."""

    def follow(self, knobs: dict[str, Tensor]) -> None:
        """Keeps what it needs of the knobs: effective values, scalars that follow every change."""


@runtime_checkable
class Projects(Protocol):
    """A model whose weights are scaled to norm 1 while it trains."""

    project_every: int
    """Steps after which that is done; 0: never."""

    def incoming(self) -> dict[str, int]:
        """By the name of each of those weights, the axis along which its units lie."""


@runtime_checkable
class EstimatesScore(Protocol):
    """A model whose reconstruction r(x) estimates the gradient of a log density."""

    @property
    def sigma(self) -> float:
        """σ of the score (r(x) - x)/σ² that it estimates; 0 where it estimates none."""


@runtime_checkable
class Settles(Protocol):
    """A model whose inference needs fixed statistics; what stands below is asked of it only once it has them."""

    settled_by_evaluation: bool
    """Whether `evaluate` leaves it with them."""

    def settle(self, batches: Batches) -> None:
        """Computes the statistics from the training or labelled images, as its paper does, and keeps them."""


@runtime_checkable
class Encodes(Protocol):
    """A model with representations."""

    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], the representations by name [B, units], bottom first, the main one last; nothing is drawn."""


@runtime_checkable
class Spreads(Protocol):
    """A model whose representations are means of posteriors."""

    def spread(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], the standard deviations of the posteriors whose means `codes` gives, by the same names."""


@runtime_checkable
class Gates(Protocol):
    """A model whose decoder has lateral connections."""

    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """Of x [B, D], how much each layer lets through: ∂ẑ/∂z~ by layer [B, units], the input's under x."""


@runtime_checkable
class Decodes(Protocol):
    """A model with a way back from its main representation."""

    def decode(self, z: Tensor) -> Tensor:
        """Pixel means [B, D] for codes z [B, U]."""


@runtime_checkable
class Denoises(Protocol):
    """A model that reconstructs what it is given."""

    def denoise(self, x: Tensor) -> Tensor:
        """Pixel means [B, D] for x [B, D], which the caller has corrupted or not; nothing is drawn."""


@runtime_checkable
class Generates(Protocol):
    """A model that can be sampled from."""

    def generate(self, rows: int, draws: Draws) -> Tensor:
        """Pixel means [B, D] of that many samples. What is drawn for one has a row of its own, or comes after it."""


@runtime_checkable
class Fills(Protocol):
    """A model with a way of its own to fill in what is missing; others repeat `denoise`."""

    def fill(self, x: Tensor, known: Tensor, steps: int, draws: Draws) -> Tensor:
        """Pixel means [S, B, D] after each step of a chain that starts at x [B, D]; those of `known` [D] stay."""


@runtime_checkable
class Classifies(Protocol):
    """A model that tells classes apart."""

    def classify(self, x: Tensor) -> Tensor:
        """Probabilities [B, C] for x [B, D]."""


@dataclass(frozen=True)
class Stage:
    """A part of a run."""

    name: str
    """What is being trained, for people: layer 2 of 3."""
    first: int
    """Steps completed when it begins."""
    terms: tuple[str, ...]
    """Names of the terms that make up its cost."""
    parameters: tuple[str, ...]
    """Names of the parameters that it trains."""


@runtime_checkable
class Staged(Protocol):
    """A model that is trained in stages."""

    stage: int
    """Number of the stage it computes; whoever trains sets it, and a model that is not in training is in its last."""
    terms: list[Term]
    """The terms of all stages, each with a knob of its own as weight."""

    def stages(self, epoch_steps: int) -> list[Stage]:
        """Its stages in order, given the steps of an epoch; the last lasts to the end of the run."""
        ...


def stage_at(stages: list[Stage], step: int) -> int:
    """Number of the stage of the step after `step` completed ones: the last that has begun."""
    return max(number for number, stage in enumerate(stages) if stage.first <= step)
