"""The model section of a run whose model is a class of the user's own, and which code an engine runs for it.

Front ends read, list and draw such a run by what stands here alone: an engine looked at the class once, when the run
was made, and wrote down what they need. They run none of its code.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field

from laddertop.journal import inside
from laddertop.journal.model_section import ModelSection
from laddertop.journal.sections import DataSpec, NoiseSpec, Section, WarmupSpec
from laddertop.journal.settings import TRUSTED

COPY = "model.py"
"""The text of the model's file, in the run's folder."""

LARGEST = 1 << 20
"""Bytes of a model's file at most."""

SHORTEST_RECIPE: dict[str, Any] = {
    "steps": 5000,
    "warmup": {"of": "kl"},
    "checkpoint": {"every": 1000},
    "evaluate": {"every": 500},
    "samples": {"every": 500},
}
"""How a class that is named without a recipe file is trained, where no setting says otherwise."""

Plain = bool | int | float | str | None
Setting = Plain | list[Plain]


class Parameter(Section):
    """A parameter that the class declares."""

    name: str
    """Its name."""
    type: str
    """What it takes, in words."""
    default: str = ""
    """Its default; empty when there is none."""
    help: str = ""
    """One sentence, where the class has one."""
    limits: str = ""
    """Its bounds, such as ≥ 0, < 1; empty when it has none."""


class FoundModel(Section):
    """What an engine found when it looked at the class."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Checksum of the text of its file."""
    file: str
    """Where the file lies, with its whole path."""
    package: str = ""
    """The installed package that offers it, with its version; empty where the user named a file."""
    labelled: bool = False
    """Whether its costs look at labels."""
    noisy: bool = False
    """Whether it has knobs of noise."""
    warmable: list[Literal["noise", "denoising", "kl"]] = Field(default=[])
    """What the warm-up can multiply, by the names of its knobs."""
    parameters: list[Parameter] = Field(default=[])
    """What it declares."""


class OwnModelSection(ModelSection):
    """A class of the user's own. Its parameters stand here beside what every run has, by their names."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Setting] = Field(init=False)

    kind: Literal["own"]
    """A class of somebody's own."""
    place: str = Field(min_length=1, max_length=1 << 12)
    """Where it is: /home/ann/mine.py:MyVae, or the name under which an installed package offers it."""
    found: FoundModel | None = None
    """What was found there; nobody types it."""

    group: ClassVar[str] = "models of your own"

    @property
    def settings(self) -> dict[str, Setting]:
        """The values of its parameters by name; before an engine looked at it only those that were typed."""
        return dict(self.__pydantic_extra__ or {})

    @property
    def path(self) -> Path | None:
        """The file that was named; none: an installed package offers it."""
        return Path(self.place.rpartition(":")[0]) if is_place(self.place) else None

    @property
    def called(self) -> str:
        """The name of the class, or the name that a package offers it by."""
        return self.place.rpartition(":")[2]

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether a step sees labelled rows."""
        return self.found is not None and self.found.labelled

    @property
    def noisy(self) -> bool:  # type: ignore[override]
        """Whether training can corrupt what the model sees."""
        return self.found is None or self.found.noisy

    @property
    def warmable(self) -> tuple[str, ...]:  # type: ignore[override]
        """What the warm-up factor can multiply; of a model without such knobs it multiplies nothing, whatever it is."""
        return tuple(self.found.warmable if self.found else ()) or ("noise", "denoising", "kl")

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """As every model, once an engine looked at it."""
        if self.found is not None:
            super().fits(data, noise, warmup)


class Code(NamedTuple):
    """The text of a model's file, and where it was read."""

    path: Path
    """The file."""
    text: bytes
    """What is in it."""


def is_place(name: str) -> bool:
    """Whether a name means a file of Python, with or without a class behind it."""
    return name.endswith(".py") or ".py:" in name


def read_code(path: Path) -> Code:
    """The file of a model. Raises ValueError when it is not there, can't be read, or is none."""
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no plain file")
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST + 1)
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}; name your model as ./mine.py:MyVae") from None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None
    if len(text) > LARGEST:
        raise ValueError(f"{path} is too large for a model: more than {LARGEST >> 20} MiB")
    return Code(path, text)


def sum_of(text: bytes) -> str:
    """The checksum by which a run knows the text of its model."""
    return hashlib.sha256(text).hexdigest()


def code_of(model: OwnModelSection, folder: Path | None) -> Code:
    """The code that an engine runs for a run in `folder`: the user's own file, as it was when the run was made; where
    the user trusts it, else the text that the run keeps.

    Raises ValueError, which says what to do, when there is neither. It is not asked of what a package offers.
    """
    assert model.found
    assert model.path
    trusted = os.environ.get(TRUSTED) in ("all", model.found.sha256)
    try:
        code = read_code(model.path)
        why = "" if sum_of(code.text) == model.found.sha256 else "was changed since"
        if not why and (trusted or not (why := _of_somebody_else(model.path))):
            return code
    except ValueError as error:
        why = "is gone" if not model.path.exists() else str(error)
    if trusted and folder is not None:
        return _kept(model.found.sha256, folder)
    raise ValueError(
        f"the run's model {model.path.name} {why}: put it back, train anew, or let --trust run the text that the run "
        f"keeps ({model.path})"
    )


def _kept(sha256: str, folder: Path) -> Code:
    try:
        code = Code(folder / COPY, inside.read(folder, COPY))
    except FileNotFoundError:
        raise ValueError(f"{folder} does not hold the text of its model any more") from None
    if sum_of(code.text) != sha256:
        raise ValueError(f"{code.path} is not the text that the run was made with; it is not run")
    return code


def _of_somebody_else(path: Path) -> str:
    """Why a file is not the user's own, in words behind its name; empty when it is."""
    if path.stat().st_uid != os.geteuid():
        return "belongs to another user"
    if any((folder / "spec.json").exists() for folder in path.resolve().parents):
        return "lies in the folder of a run, which may be a stranger's"
    return ""
