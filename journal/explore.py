"""Asking what a model has learnt: a question is one small file in a run's `explore/` folder, its answer one array file.

The training engine answers between two steps; where none is at work, or a checkpoint is meant, a process of its own
does, `python -m laddertop.engine explore RUN`. An answer says which step it is about and whether it comes from a
training or a checkpoint. Both files appear by renaming. Who answers removes the question, who asks the answer, and
whoever waits touches the question meanwhile: what is left behind by somebody who was killed is swept once it is old.
Shape letters of the answers: N items, S steps, U units, C classes, L and B bins, G grid lines; an image is [H, W], or
[H, W, 3] for colour, uint8, written […] below; a point of the plane is float32 [2].
"""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from laddertop.journal import inside
from laddertop.journal.arrays import load_arrays
from laddertop.journal.record import Record

OLD = 120.0
"""Seconds without a sign of whoever asked, after which a file of this protocol is kept no longer."""

_NAME = r"[0-9]{20}-[0-9a-f]{6}\.(json|npz)"
EXPLORE_FILE = re.compile(rf"{_NAME}|\.{_NAME}\.\w+")
"""Names of questions and answers, and of what a write has half written of one."""

Index = Annotated[int, Field(ge=0)]
Items = Annotated[list[Index], Field(min_length=1, max_length=100)]
Pixels = Annotated[list[list[float]], Field(min_length=1, max_length=100)]
Corruption = Literal["none", "gaussian", "masking", "salt_and_pepper"]
Missing = Literal["left", "right", "top", "bottom", "box", "random", "given"]


class Question(Record):
    """What every question has. Numbers that are not finite and arguments that it does not know are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    seed: int = Field(default=0, ge=0, lt=2**32)
    """Seed of what is drawn for the answer."""


class Sample(Question):
    """Draws from the model: `samples` [N, …]."""

    kind: Literal["sample"] = "sample"
    rows: int = Field(default=16, ge=1, le=400)
    """How many."""


class _OfItems(Question):
    items: Items = Field(default=list(range(10)))
    """Test items by index."""
    pixels: Pixels | None = None
    """Images of the asker's own instead, each a row of numbers as the model sees them."""


class Denoise(_OfItems):
    """Items, corrupted and reconstructed: `input`, `corrupted`, `reconstruction` [N, …]."""

    kind: Literal["denoise"] = "denoise"
    corruption: Corruption | None = None
    """Kind of corruption; none: as the run trains with."""
    level: float | None = Field(default=None, ge=0, le=10)
    """Standard deviation, or probability per pixel; none: as the run's spec says."""


class Inpaint(_OfItems):
    """Missing pixels filled in: `input` [N, …], `mask` [H, W] (1: missing), `frames` [S + 1, N, …] from noise on."""

    kind: Literal["inpaint"] = "inpaint"
    missing: Missing = "right"
    """What is missing: a half, the box in the middle, pixels at random, or what `mask` says."""
    share: float = Field(default=0.5, ge=0, le=1)
    """Share of the pixels that random misses."""
    mask: list[int] = Field(default=[], max_length=1 << 16)
    """For given: 1 for each missing pixel, 0 for the others, line by line."""
    steps: int = Field(default=30, ge=1, le=100)
    """Steps; the pixels that are not missing are put back after each."""


class Interpolate(Question):
    """The way from one item's code to another's: `images` [S, …], `codes` [S, U]."""

    kind: Literal["interpolate"] = "interpolate"
    items: tuple[Index, Index] = (0, 1)
    """Test items by index."""
    steps: int = Field(default=11, ge=2, le=100)
    """Images, with both ends."""


class Traverse(Question):
    """What single units of the code do: `images` [U, S, …], `units` [U], `values` [S]; and the code itself with what is
    given, `code` [U'], and its `image` […]."""

    kind: Literal["traverse"] = "traverse"
    item: Index = 0
    """Test item whose code is changed."""
    units: list[Index] = Field(default=[], max_length=100)
    """Units to change, one at a time; none: the eight whose codes vary most over the test items."""
    given: dict[Index, float] = Field(default={}, max_length=1000)
    """Units of the code that are set to a value before, as if the item's code had it."""
    low: float = Field(default=-3, ge=-1e6, le=1e6)
    """First value."""
    high: float = Field(default=3, ge=-1e6, le=1e6)
    """Last value."""
    steps: int = Field(default=9, ge=2, le=100)
    """Values."""


class Manifold(Question):
    """The plane of a code of two units, decoded on a grid: `images` [G, G, …] of `codes` [G, G, 2]. The first unit
    grows from left to right, the second from the last row up."""

    kind: Literal["manifold"] = "manifold"
    lines: int = Field(default=20, ge=2, le=50)
    """Grid lines per axis. Where codes are means of posteriors the lines are quantiles of the prior, in the middle of
    as many parts of equal probability; else they lie evenly from the least code of test items to the largest."""


class _OfManyItems(Question):
    rows: int = Field(default=500, ge=2, le=2000)
    """How many test items, from the first."""


class Codes(_OfManyItems):
    """A map of the codes of one `layer` (its number, counted from the input, which is 0): `pca` [N, 2], `variance` [2]
    (share of it that the axes hold), `first` [N, 2] (the first two units), `classes` [N], and of each unit over the
    items `mean` and `std` [U], and how often its values lie between `edges` [L + 1], `counts` [U, L]. Where codes are
    means of posteriors, the values are draws from these, one an item: the aggregate posterior; `spread` [U] is then the
    root mean square of the posteriors' standard deviations."""

    kind: Literal["codes"] = "codes"
    layer: str | None = None
    """Name of the representation; none: the model's main one."""


class Layers(_OfManyItems):
    """What the layers do: `layers` (names), `classes` [N], and of each layer `counts/NAME` [L] and `edges/NAME` [L + 1]
    of its activations, `variance/NAME` [U] over the items (active above 0.01), `pca/NAME` [N, 2]. Of a ladder network
    also how much of its lateral signal each unit lets through, `gate/NAME` [U]: ∂ẑ/∂z~, mean over the items."""

    kind: Literal["layers"] = "layers"


class ScoreField(Question):
    """Where a model of points moves a point: `x` and `shift` (reconstruction - x) [G, G, 2], `data` [N, 2]; from
    models that can draw, `samples` [N, 2]; from denoising autoencoders that estimate it, the score `score` [G, G, 2],
    shift / `sigma`², of the density smoothed by the noise `sigma` they are trained with."""

    kind: Literal["field"] = "field"
    lines: int = Field(default=21, ge=2, le=60)
    """Grid lines per axis."""
    extent: float = Field(default=1.6, gt=0, le=100)
    """The grid spans ± this much."""
    rows: int = Field(default=1000, ge=1, le=2000)
    """How many data points and samples."""

    @property
    def axis(self) -> list[float]:
        """The grid lines."""
        return [self.extent * (2 * i / (self.lines - 1) - 1) for i in range(self.lines)]


class Classify(_OfItems):
    """Classes of items: `input` [N, …], `probabilities` [N, C], `classes` [N] where they are known."""

    kind: Literal["classify"] = "classify"


class Errors(Question):
    """Which test items a classifier gets wrong: `confusion` [C, C], how many items of each class (rows) are told to be
    of each class (columns); `calibration` [B, 3], of the items by confidence in B equal bins how many, the mean
    confidence and the share told rightly (Guo et al. 2017, 1706.04599, eq. 1-2), zeros where there are none; and of the
    wrong ones, what it was most confident of first, `items` [N], `input` [N, …], `classes` [N], `probabilities`
    [N, C]."""

    kind: Literal["errors"] = "errors"
    rows: int = Field(default=100, ge=0, le=10_000)
    """How many of the wrong ones at most."""


AnyQuestion = (
    Sample | Denoise | Inpaint | Interpolate | Traverse | Manifold | Codes | Layers | ScoreField | Classify | Errors
)
_question: TypeAdapter[AnyQuestion] = TypeAdapter(Annotated[AnyQuestion, Field(discriminator="kind")])
KINDS: tuple[str, ...] = tuple(kind.model_fields["kind"].default for kind in get_args(AnyQuestion))
"""What can be asked."""


class Request(Record):
    """A question on its way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9]{20}-[0-9a-f]{6}$")
    """Unique within the run; the answer bears the same."""
    time: float
    """Seconds since 1970 when it was asked."""
    question: AnyQuestion = Field(discriminator="kind")
    """What is asked."""
    checkpoint: int | None = None
    """Step of the checkpoint that is asked; none: the training, or the newest checkpoint where there is none."""

    @model_validator(mode="after")
    def _mask_is_given(self) -> Request:
        question = self.question
        if isinstance(question, Inpaint) and (question.missing == "given") != bool(question.mask):
            raise ValueError("mask: give it with missing=given, and only then")
        return self


class Head(Record):
    """What an answer says of itself."""

    id: str
    """Id of the question."""
    kind: str
    """What was asked; empty when the question could not be read."""
    step: int
    """Steps of training that the model had."""
    checkpoint: str | None
    """The checkpoint it came from; none: from the training itself, between two steps."""
    seconds: float
    """How long it took."""
    able: list[str]
    """What this model can be asked."""
    problem: str = ""
    """Why there is no answer, in one sentence; empty when there is one."""


class Answer(NamedTuple):
    """An answer as read from its file."""

    head: Head
    """What it is about."""
    arrays: dict[str, npt.NDArray[Any]]
    """By name; the question's class says which there are."""


def question_from(tree: Mapping[str, object]) -> AnyQuestion:
    """The question written in plain values. Raises ValueError that names the first wrong argument."""
    try:
        return _question.validate_python(tree)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:2])
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise ValueError(f"{where}: {message} (you gave {first['input']!r})") from None


def ask(folder: Path, question: AnyQuestion, checkpoint: int | None = None) -> str:
    """Puts a question to the run in `folder`, or to its checkpoint of a step, and returns the question's id.

    Raises OSError when it can't be written, ValueError when something else stands in its place.
    """
    identity = f"{time.time_ns():020d}-{secrets.token_hex(3)}"
    request = Request(id=identity, time=time.time(), question=question, checkpoint=checkpoint)
    inside.make_folder(folder, "explore")
    inside.write(folder, f"explore/{identity}.json", request.model_dump_json().encode())
    return identity


def answer_to(folder: Path, identity: str) -> Answer | None:
    """The answer to a question, which is then taken away; None while there is none.

    Raises ValueError when the file is damaged.
    """
    name = f"explore/{identity}.npz"
    try:
        arrays = load_arrays(folder, name)
        head = Head.model_validate_json(bytes(arrays.pop("head")))
    except FileNotFoundError:
        return None
    except Exception as error:  # zipfile, zlib, numpy and pydantic each raise their own kinds for a damaged file
        raise ValueError(f"{folder}/{name} is no readable answer: {error}") from None
    inside.remove(folder, name)
    return Answer(head, arrays)


def still_waiting(folder: Path, identity: str) -> bool:
    """Says that somebody still waits for the answer to a question; False when the question is gone."""
    return inside.renew(folder, f"explore/{identity}.json")


def withdraw(folder: Path, identity: str) -> None:
    """Takes a question back, and its answer too."""
    for suffix in (".json", ".npz"):
        inside.remove(folder, f"explore/{identity}{suffix}")


def questions(folder: Path) -> list[tuple[Path, Request | str]]:
    """The questions in the order of asking: each file with its request, or with what is wrong with it.

    Empty when nobody ever asked. Files that nobody waits for any more are swept on the way; those of others stay.
    Raises ValueError when the place for questions is a link.
    """
    found: list[tuple[Path, Request | str]] = []
    try:
        names = inside.names(folder, "explore", EXPLORE_FILE)
    except FileNotFoundError:
        return []
    for name in names:
        file = f"explore/{name}"
        try:
            there = inside.look(folder, file)
            old = there is not None and time.time() - there.st_mtime > OLD
            if name.endswith(".json") and name[0] != "." and not old:
                found.append((folder / file, Request.model_validate_json(inside.read(folder, file))))
            elif old or there is None:
                inside.remove(folder, file)
        except FileNotFoundError:
            continue  # answered, read or withdrawn just now
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"] if part not in ("question", *KINDS))
            found.append((folder / file, f"{where}: {first['msg']}" if where else first["msg"]))
        except ValueError as error:
            found.append((folder / file, str(error)))
        except OSError as error:
            found.append((folder / file, f"can't be read: {error.strerror}"))
    return found


def answered(folder: Path, identity: str) -> None:
    """Takes a question away that has its answer."""
    inside.remove(folder, f"explore/{identity}.json")


def write_answer(folder: Path, head: Head, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Writes an answer, head and arrays in one file. Raises OSError when the disk does not take it."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, head=np.frombuffer(head.model_dump_json().encode(), np.uint8), **arrays)
    inside.write(folder, f"explore/{head.id}.npz", buffer.getvalue())
