"""How large a run is: what a front end asks the engine before there is a run, one spec and one answer to a line.

The answers for the recipes of the package lie beside them; `make sizes` writes them anew.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from functools import cache
from importlib.resources import files

from pydantic import TypeAdapter, ValidationError

from laddertop.journal.record import Record
from laddertop.journal.spec import Spec


class Sizes(Record):
    """How large a run is, by its spec alone."""

    parameters: int = 0
    """Numbers that are trained."""
    work: tuple[tuple[int, int], ...] = ()
    """By stage of the training: steps completed when it begins, and the multiplications with an addition in the matrix
    products of one of its steps, forward and backward, uncompiled."""
    memory: int = 0
    """About how many bytes the run takes at its peak, besides what torch itself takes."""
    problem: str = ""
    """Why there can be no such run; empty when there can."""

    def multiply_adds(self, steps: int) -> float:
        """Those of a step, mean over a run of that many steps."""
        starts = [min(first, steps) for first, _ in self.work]
        shares = [end - start for start, end in itertools.pairwise([*starts, steps])]
        done = sum(share * work for share, (_, work) in zip(shares, self.work, strict=True))
        return done / max(steps, 1)


def key_of(spec: Spec) -> str:
    """A name for what the sizes of a run depend on: the model, its batches and what is drawn, not its length."""
    # Without defaults: these are not validated, so that 1 in a recipe would be 1.0 in a setting.
    data = spec.data.model_dump(exclude={"root"}, exclude_defaults=True)
    parts = [data, spec.model.model_dump(exclude_defaults=True), spec.noise.kind]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def with_recipes() -> bytes:
    """The file of what is known of the recipes of the package, for `read`."""
    return (files("laddertop.journal") / "recipes" / "sizes.json").read_bytes()


def of_recipe(spec: Spec) -> Sizes | None:
    """The sizes of a recipe of the package; none, where `make sizes` has yet to find them out."""
    return _of_recipes().get(key_of(spec))


def read(text: bytes) -> dict[str, Sizes]:
    """Sizes by `key_of`, as `write` made them; nothing of a file that is damaged."""
    try:
        return _FILE.validate_json(text)
    except ValidationError:
        return {}


def write(known: dict[str, Sizes]) -> bytes:
    """A file of sizes, one to a line, in the order of their keys."""
    lines = [f'"{key}": {known[key].model_dump_json(exclude_defaults=True)}' for key in sorted(known)]
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode()


@cache
def _of_recipes() -> dict[str, Sizes]:
    return read(with_recipes())


_FILE = TypeAdapter(dict[str, Sizes])
