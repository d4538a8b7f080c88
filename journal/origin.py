"""Where a run that did not begin from nothing comes from: `origin.json`, written once when the run is made.

A fork goes on from a checkpoint of another run. A replay trains another run again, with what was done to that one done
at the same steps. The folder holds all that it needs of the other run, which may be gone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from laddertop.journal import inside
from laddertop.journal.events import Checkpointed, Commanded
from laddertop.journal.record import Record

ORIGIN_CHECKPOINT = "origin.ckpt"
"""The copy of the checkpoint that a run begins with."""


class Origin(Record):
    """What another run gave to this one."""

    kind: Literal["fork", "replay"]
    """A fork goes its own way; a replay repeats."""
    run: str
    """Name of the other run."""
    folder: str
    """Where it was."""
    checkpoint: Checkpointed | None = None
    """What this run begins with, in its own folder; none: it begins with step 0."""
    commands: list[Commanded] = Field(default=[])
    """What is done to this run at the steps at which it was done to the other one, oldest first."""
    until: int | None = None
    """Step at which the other run was stopped and so is this one; none: it goes to its planned end."""

    @property
    def step(self) -> int:
        """Steps completed when this run begins."""
        return self.checkpoint.step if self.checkpoint else 0


def read_origin(folder: Path) -> Origin | None:
    """Where the run in `folder` comes from; None when it began from nothing.

    Raises ValueError when the file is damaged.
    """
    file = folder / "origin.json"
    try:
        return Origin.model_validate_json(inside.read(folder, "origin.json"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = f"{where}: {first['msg']}" if where else first["msg"]
        raise ValueError(f"{file} can't be read: {said}; it says what this run begins with") from None
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error.strerror}; it says what this run begins with") from None
