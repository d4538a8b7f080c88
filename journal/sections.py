"""The parts of a spec that every model shares: data, corruption, warm-up, optimizer, and when what is recorded."""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

WIDEST, DEEPEST = 1 << 16, 100
"""The most units of a layer and layers of a model that a spec may ask for."""
LARGEST_ITEM = 1 << 24
"""The most numbers of an item."""
LONGEST = 10**12
"""The most epochs, steps and checkpoints that a spec may ask for."""
Width = Annotated[int, Field(ge=1, le=WIDEST)]
Side = Annotated[int, Field(ge=1, le=1 << 12)]
Widths = Annotated[list[Width], Field(min_length=1, max_length=DEEPEST)]


class Section(BaseModel):
    """A part of the spec. Unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def field_docs(section: type[BaseModel]) -> dict[str, str]:
    """What the docstrings below the fields of a section say, or their descriptions, by field, inherited ones included.

    They are read when somebody asks: pydantic would read the source of every section at every start.
    """
    docs: dict[str, str] = {}
    for part in section.__mro__[::-1]:
        if issubclass(part, Section):
            docs |= _docs_of_module(part.__module__)[part.__name__]
    return docs | {name: field.description for name, field in section.model_fields.items() if field.description}


@cache
def _docs_of_module(name: str) -> dict[str, dict[str, str]]:
    """By class, then by field."""
    tree = ast.parse(inspect.getsource(sys.modules[name]))
    return {part.name: dict(_docs(part)) for part in tree.body if isinstance(part, ast.ClassDef)}


def _docs(section: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(section.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)


class DataSet(NamedTuple):
    """What is known of a data set without loading it."""

    channels: int
    """1 for grey images and points, 3 for colour."""
    height: int
    """Rows of an image; 1 for points."""
    width: int
    """Columns of an image; 2 for points."""
    classes: int
    """Number of classes; 1 where there are none."""
    training: int
    """Training items."""
    test: int
    """Test items."""
    about: str
    """Where it comes from, in words; sets with the same words are told together."""
    same_classes: bool = True
    """Whether the test items are of the classes of the training items."""


_TORCHVISION = "through torchvision, 28×28"
_COLOUR = "through torchvision, 32×32, colour"
_POINTS = "generated points of the plane"
SETS = {
    "digits": DataSet(1, 8, 8, 10, 1437, 360, "8×8, comes with scikit-learn"),
    "mnist": DataSet(1, 28, 28, 10, 60_000, 10_000, _TORCHVISION),
    "fashion": DataSet(1, 28, 28, 10, 60_000, 10_000, _TORCHVISION),
    "kmnist": DataSet(1, 28, 28, 10, 60_000, 10_000, _TORCHVISION),
    "qmnist": DataSet(1, 28, 28, 10, 60_000, 60_000, _TORCHVISION),
    "emnist": DataSet(1, 28, 28, 47, 112_800, 18_800, _TORCHVISION),
    "omniglot": DataSet(1, 28, 28, 1623, 19_280, 13_180, _TORCHVISION, same_classes=False),
    "svhn": DataSet(3, 32, 32, 10, 73_257, 26_032, _COLOUR),
    "cifar10": DataSet(3, 32, 32, 10, 50_000, 10_000, _COLOUR),
    "swiss_roll": DataSet(1, 1, 2, 1, 10_000, 2_000, _POINTS),
    "spiral": DataSet(1, 1, 2, 2, 10_000, 2_000, _POINTS),
    "moons": DataSet(1, 1, 2, 2, 10_000, 2_000, _POINTS),
    "circles": DataSet(1, 1, 2, 2, 10_000, 2_000, _POINTS),
    "mixture": DataSet(1, 1, 2, 4, 10_000, 2_000, _POINTS),
}
"""Every data set by name."""

POINTS = tuple(name for name, known in SETS.items() if known.height == 1)
"""The data sets whose items are points of the plane."""

ENDINGS = (".npz", ".csv", ".parquet")
"""How the names of files end that can be a user's own data."""


def is_path(name: str) -> bool:
    """Whether the name of a data set means a file or folder of the user's."""
    return name not in SETS and ("/" in name or name.endswith(ENDINGS))


def _sets_in_words() -> str:
    told: dict[str, list[str]] = {}
    for name, known in SETS.items():
        told.setdefault(known.about, []).append(name)
    return "; ".join(f"{', '.join(names)} ({about})" for about, names in told.items())


class FoundData(Section):
    """What was found in a user's own data when a run was made of them: it takes no others later."""

    channels: int = Field(ge=1, le=3)
    """1 for grey images and rows of numbers, 3 for colour."""
    height: int = Field(ge=1, le=WIDEST)
    """Rows of an image; 1 for rows of numbers."""
    width: int = Field(ge=1, le=LARGEST_ITEM)
    """Columns of an image; for rows of numbers how many those are."""
    classes: int = Field(ge=1, le=LARGEST_ITEM)
    """Number of classes; 1 where there are no labels."""
    training: int = Field(ge=1, le=LONGEST)
    """Training items."""
    test: int = Field(ge=1, le=LONGEST)
    """Test items."""
    floats: bool
    """Whether the numbers are kept as float32, or as bytes."""
    white: Literal[1, 255]
    """The number that stands for 1.0."""
    low: float
    """The smallest number, as it stands in the data."""
    high: float
    """The largest."""
    split_seed: int | None
    """Seed by which test items were drawn from the others; none: the data say which they are."""
    names: list[str] | None
    """Names of the classes, where they are words."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Checksum of the data."""

    @property
    def real(self) -> bool:
        """Whether the items are real numbers and no grey values."""
        return self.floats and not (self.low >= 0 and self.high <= 1)

    @property
    def about(self) -> str:
        """What it is, in words: 80 training and 20 test images of 13×7, values in 0…1, 3 classes."""
        if self.height == 1:
            items, size = "rows", f"{self.channels * self.width} numbers"
        else:
            items, size = "images", f"{self.height}×{self.width}{', colour' if self.channels == 3 else ''}"
        values = f"real numbers from {self.low:g} to {self.high:g}" if self.real else "values in 0…1"
        classes = f"{self.classes} classes" if self.classes > 1 else "no labels"
        drawn = "" if self.split_seed is None else f" (drawn with seed {self.split_seed})"
        return f"{self.training} training and {self.test} test {items}{drawn} of {size}, {values}, {classes}"


class DataSpec(Section):
    """Which data, and which of it carries labels."""

    name: str = Field(
        default="digits",
        description=f"Data set: {_sets_in_words()}; or the path of your own data, as ./mine.npz (docs/data.md).",
    )
    root: str | None = None
    """Folder that holds the data set in torchvision's layout; none: $LADDERTOP_DATA or the per-user cache."""
    labels: int | Literal["all"] = Field(default="all")
    """Labelled training images, the same number of every class; all: every image. For models that learn from labels."""
    held_back: int = Field(default=0, ge=0)
    """Training images held back; when there are any, evaluations during training use them instead of the test set."""
    binarise: Literal["none", "dynamic", "fixed", "threshold"] = "none"
    """dynamic: every use of an image draws each pixel from a Bernoulli with the grey value as probability; fixed: one
    such draw per image, the same in every run; threshold: a pixel is 1 where its grey value is above 0.5, else 0."""
    whiten: bool = False
    """Normalises the contrast of every image and whitens all by ZCA fitted to the training images, as Rasmus et al.
    (2015) prepare CIFAR-10; pixels are then real numbers around 0."""
    size: Side | Annotated[list[Side], Field(min_length=2, max_length=2)] | None = None
    """Height and width that images in a folder of yours are brought to, one number for both: scaled to cover it, the
    rest cut off at the edges; none: they have one size already. Rows of a table with as many numbers become images."""
    label: str | None = None
    """Column of a table of yours that holds the labels; none: all columns are numbers to be learnt."""
    colour: Literal["auto", "on", "off"] = "auto"
    """Whether images in a folder of yours are read in colour; auto: unless all are grey."""
    standardise: bool = False
    """Brings every number of your own data to mean 0 and deviation 1 over the training items: for columns of different
    units."""
    test_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of your own data that is drawn for the test set, by the seed, where the data have no test part."""
    batch: int = Field(default=100, ge=2)
    """Rows of a step (for a ladder network: unlabelled rows)."""
    labelled_batch: int = Field(default=100, ge=2)
    """Labelled rows of a step of a ladder network; fewer when fewer images carry labels."""
    found: FoundData | None = None
    """What was found in your own data; nobody types it."""

    @property
    def own(self) -> bool:
        """Whether it is a file or folder of the user's."""
        return is_path(self.name)

    @property
    def known(self) -> bool:
        """Whether there are facts: somebody's own data have none until they were looked at."""
        return not self.own or self.found is not None

    @property
    def facts(self) -> DataSet:
        """What is known of the data set without loading it. Raises ValueError where it was not looked at."""
        if not self.own:
            return SETS[self.name]
        if (found := self.found) is None:
            raise ValueError(f"data.name: {self.name} was not looked at")
        return DataSet(
            found.channels, found.height, found.width, found.classes, found.training, found.test, found.about
        )

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width that images are brought to."""
        assert self.size is not None
        return (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])

    @property
    def real(self) -> bool:
        """Whether items are real numbers, as points of the plane and whitened images are, and no grey values."""
        return self.whiten or self.standardise or (self.found.real if self.found else self.name in POINTS)

    @property
    def points(self) -> bool:
        """Whether items are points of the plane."""
        return self.real and self.facts[:3] == (1, 1, 2)

    @property
    def as_floats(self) -> bool:
        """Whether the numbers lie in memory as float32, and not as bytes."""
        return self.real or (self.found is not None and self.found.floats)

    def why_real(self) -> str:
        """Which items are real numbers, as the subject of a sentence that says what they need."""
        if self.standardise:
            return "standardised numbers"
        if self.found and self.found.real:
            return f"the numbers of {self.name} reach from {self.found.low:g} to {self.found.high:g}, outside 0…1, and"
        return "points of the plane and whitened images"

    @field_validator("name")
    @classmethod
    def _is_a_set_or_a_path(cls, name: str) -> str:
        if name in SETS or (is_path(name) and name.isprintable()):
            return name
        near = difflib.get_close_matches(name, SETS, n=3, cutoff=0.5)
        hint = f" (did you mean {' or '.join(near)}?)" if near else f": there are {', '.join(SETS)}"
        raise ValueError(f"no such data set{hint}, and the path of a file of your own has a / in it")

    @model_validator(mode="after")
    def _fits_what_was_found(self) -> DataSpec:
        if not self.own and (self.found or self.standardise or self.size or self.label):
            raise ValueError(f"size, label and standardise are for your own data, and {self.name} comes with laddertop")
        if not self.known:
            return self
        classes = self.facts.classes
        if isinstance(self.labels, int) and (self.labels < classes or self.labels % classes):
            raise ValueError(f"labels must be a positive multiple of {classes} (as many of every class), or all")
        real = self.standardise or (self.found.real if self.found else self.name in POINTS)
        if self.whiten and (self.binarise != "none" or real):
            raise ValueError("whiten: takes grey or colour images; set data.binarise=none, or data.whiten=off")
        if self.binarise != "none" and real:
            items = "numbers" if self.own else "points"
            raise ValueError(f"binarise: the {items} of {self.name} are no probabilities; set data.binarise=none")
        return self


class NoiseSpec(Section):
    """Corruption: Gaussian noise at every layer of a ladder network, corruption of the input elsewhere."""

    on: bool = True
    """Whether training starts with the noise switched on."""
    kind: Literal["gaussian", "masking", "salt_and_pepper"] = "gaussian"
    """Kind of corruption; ladder networks take gaussian only."""
    std: float | list[float] = 0.3
    """Standard deviation of Gaussian noise; for a ladder network one number, or one per layer, input first."""
    level: float = Field(default=0.25, ge=0, le=1)
    """Probability that masking or salt-and-pepper corrupts a pixel."""
    salt: Literal["half", "level"] = "half"
    """How likely salt-and-pepper makes a corrupted pixel white: half (Vincent et al. 2010), or as the level says."""

    @model_validator(mode="after")
    def _not_negative(self) -> NoiseSpec:
        every = self.std if isinstance(self.std, list) else [self.std]
        if not every or min(every) < 0 or max(every) > 10:
            raise ValueError("std must not be empty, negative or above 10")
        return self


class WarmupSpec(Section):
    """A factor that stays at 0 for a while, if it is to, and then rises linearly to 1."""

    on: bool = False
    """Whether training starts in a warm-up."""
    of: Literal["noise", "denoising", "kl"] = "noise"
    """What the factor multiplies: the noise, the denoising weights λ of a ladder network, or a VAE's KL weight β."""
    steps: int = Field(default=2000, ge=1, le=10**9)
    """Steps from 0 to 1."""
    after: int = Field(default=0, ge=0, le=10**9)
    """Steps at 0 before the rise; where the factor multiplies the noise, the training begins on un-noised images."""


class OptimizerSpec(Section):
    """Adam (Kingma & Ba 2015), or gradient descent with momentum."""

    kind: Literal["adam", "sgd"] = "adam"
    """adam, or sgd: gradient descent along the running mean of the gradients, of which beta1 is the decay."""
    lr: float = Field(default=0.002, gt=0, le=10)
    """Learning rate."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment."""
    eps: float = Field(default=1e-8, gt=0, le=1)
    """Added to the root of the second moment."""
    schedule: Literal["linear", "burda", "im"] = "linear"
    """How the learning rate falls. linear: from decay_from on; burda: to a tenth in 8 stages of 3ⁱ epochs each, 3280 in
    all (Burda et al. 2016); im: at epochs 3, 9, 27, … to about a tenth in the end (Im et al. 2017)."""
    decay_from: float = Field(default=1.0, ge=0, le=1)
    """Share of the run after which the linear schedule begins, epoch by epoch down to 0; 1: never."""
    anneal: float = Field(default=1.0, gt=0, le=1)
    """What the learning rate is multiplied by after every epoch."""
    clip: float = Field(default=0.0, ge=0, le=1e9)
    """Largest norm of the gradient over all parameters; 0: no clipping."""
    clip_each: float = Field(default=0.0, ge=0, le=1e9)
    """Largest absolute value of each element of the gradient, after its norm is clipped; 0: no clipping."""


class CheckpointSpec(Section):
    """When the training is saved; it is always saved at its end."""

    every: int = Field(default=5000, ge=0, le=LONGEST)
    """Steps between checkpoints; 0: only at the end."""
    keep: int = Field(default=2, ge=1, le=LONGEST)
    """How many of the newest checkpoints are kept, besides those made by hand and those that were gone back to."""
    keep_best: int = Field(default=1, ge=0, le=LONGEST)
    """How many of the best are kept: by the evaluation at the same step."""


class EvaluateSpec(Section):
    """When the model is evaluated; it is always evaluated at the end."""

    every: int = Field(default=5000, ge=0, le=LONGEST)
    """Steps between evaluations; 0: only at the end."""
    samples: int = Field(default=5000, ge=1, le=10**6)
    """Importance samples per test image of the bound that `laddertop evaluate` reports of a VAE."""


class SamplesSpec(Section):
    """When the fixed test items are passed through the model for the sample panel."""

    every: int = Field(default=2000, ge=0, le=LONGEST)
    """Steps between samples, and before the first of them after 10, 30, 100, 300, 1000, … steps, while much changes;
    0: only at the start and the end."""
    items: int = Field(default=10, ge=1, le=100)
    """Number of fixed test items."""

    def due(self, step: int) -> bool:
        """Whether there are samples after so many steps, at least one."""
        if not self.every:
            return False
        # 10, 30, 100, 300 …: a 1 or a 3 with noughts behind it.
        early = 10 <= step < self.every and str(step).rstrip("0") in ("1", "3")
        return early or step % self.every == 0
