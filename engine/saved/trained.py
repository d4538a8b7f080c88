"""A run's model for programs: arrays in, arrays out.

Shape letters: N items, H rows, W columns, C channels, D = C·H·W pixels, U units, K classes.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from laddertop.engine.contract import Classifies, Decodes, Denoises, Encodes, EstimatesScore, Generates
from laddertop.engine.randomness import RowDraws, Stream
from laddertop.engine.saved.model import Saved
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader

Floats = npt.NDArray[np.float32]

BLOCK = 1000
"""Items that pass through the model at once."""


class Trained:
    """A model as a run has saved it, with its statistics settled.

    Items are arrays [N, D], images [N, H, W], or [N, H, W, C] in colour: bytes, or numbers on the scale that the model
    was trained on, 0 to 1 for images. What comes back in pixels has the shape of what was given. Every method raises
    ValueError in a sentence when the model can't do that, or the items don't fit it. Pickled, it names its run, which
    has to be there when it is loaded.
    """

    def __init__(self, run: RunFolder, step: int | None = None) -> None:
        """Restores the checkpoint of a step, or the newest. Raises ValueError when there is none, or it is damaged."""
        self.run = run
        """The run's folder."""
        self._saved = Saved(run, step)
        self._subject = self._saved.subject
        self._subject.settle()
        self.step = self._saved.checkpoint.step
        """Steps completed when it was saved."""
        self.spec = self._subject.spec
        """What it was told."""

    def codes(self, x: npt.ArrayLike) -> dict[str, Floats]:
        """Every representation of items by name, each [N, U], the lowest first; nothing is drawn."""
        model = self._able(Encodes, "has no representations")
        blocks = [model.codes(block) for block in self._blocks(x)]
        return {name: _array(torch.cat([block[name] for block in blocks])) for name in blocks[0]}

    def encode(self, x: npt.ArrayLike) -> Floats:
        """The main representation [N, U] of items, the means of its posterior where it has one."""
        return list(self.codes(x).values())[-1]

    def decode(self, z: npt.ArrayLike) -> Floats:
        """Images [N, H, W(, C)], or rows [N, D] of what are no images, for main representations [N, U]."""
        model = self._able(Decodes, "has no way back from a representation alone")
        codes = torch.as_tensor(np.asarray(z, np.float32), device=self._device)
        with torch.no_grad():
            return self._shaped(model.decode(codes), None)

    def denoise(self, x: npt.ArrayLike) -> Floats:
        """What the model makes of items that are corrupted already."""
        model = self._able(Denoises, "reconstructs nothing")
        with torch.no_grad():
            made = torch.cat([model.denoise(block) for block in self._blocks(x)])
        return self._shaped(made, np.shape(x))

    def reconstruct(self, x: npt.ArrayLike) -> Floats:
        """What the model makes of items as they are."""
        return self.denoise(x)

    def score(self, x: npt.ArrayLike) -> Floats:
        """The gradient of the log density of corrupted items, (r(x) - x) / σ² (Alain & Bengio 2014)."""
        model = self._able(EstimatesScore, "estimates no score")
        if not model.sigma:
            raise ValueError(f"{self._what} estimates no score as it was trained: its corruption is not Gaussian")
        return ((self.denoise(x) - np.asarray(x, np.float32)) / np.float32(model.sigma**2)).astype(np.float32)

    def sample(self, items: int, seed: int = 1) -> Floats:
        """Images [N, H, W(, C)], or rows [N, D], drawn from the model; sample i is the same however many are asked
        for."""
        model = self._able(Generates, "can't be sampled from")
        with torch.no_grad():
            return self._shaped(model.generate(items, RowDraws(seed, Stream.EXPLORE, self._device)), None)

    def classify(self, x: npt.ArrayLike) -> Floats:
        """Probabilities of the classes [N, K]."""
        model = self._able(Classifies, "tells no classes apart")
        with torch.no_grad():
            return _array(torch.cat([model.classify(block) for block in self._blocks(x)]))

    def metrics(self) -> dict[str, npt.NDArray[Any]]:
        """The numbers of every step by column, with `step` and `time` in seconds since 1970, without those that a
        roll-back or a resume threw away; what pandas.DataFrame and polars.DataFrame take."""
        reader = MetricsReader(self.run.path)
        reader.poll()
        columns = {column.name: reader.values(column.name) for column in reader.columns}
        return {"step": reader.steps, "time": reader.times, **columns}

    def __reduce__(self) -> tuple[type[Trained], tuple[RunFolder, int]]:
        # The run has it all, and knows when it is damaged.
        return type(self), (RunFolder(self.run.path.absolute()), self.step)

    @property
    def _device(self) -> torch.device:
        return self._subject.data.test.device

    @property
    def _what(self) -> str:
        return f"a {self.spec.model.called} on {self.spec.data.name}"

    def _able(self, kind: Any, why_not: str) -> Any:
        if not isinstance(self._subject.model, kind):
            raise ValueError(f"{self._what} {why_not}")
        return cast(Any, self._subject.model)

    def _blocks(self, x: npt.ArrayLike) -> list[Tensor]:
        """Items as the model sees them, float32 [N, D], some at a time."""
        data, given = self._subject.data, np.asarray(x)
        width = data.test.pixels.shape[1]
        if given.ndim == 4 and data.channels > 1:
            given = given.transpose(0, 3, 1, 2)  # channels are the slowest index of a row
        rows = given.reshape(len(given), -1) if given.ndim > 1 else given
        if rows.ndim != 2 or rows.shape[1] != width or not len(rows):
            raise ValueError(f"items: {self._what} takes [N, {width}] or images of that size, not {list(np.shape(x))}")
        numbers = torch.as_tensor(np.ascontiguousarray(rows, np.float32), device=self._device)
        if given.dtype == np.uint8 and not self.spec.data.real:
            found = self.spec.data.found
            numbers = numbers / (found.white if found and not found.floats else 255)
        if not torch.isfinite(numbers).all():
            raise ValueError("items: there are values that are no numbers")
        if data.prepare is not None:
            numbers = data.prepare(numbers.cpu()).to(self._device)
        return list(torch.split(numbers, BLOCK))

    def _shaped(self, made: Tensor, like: tuple[int, ...] | None) -> Floats:
        """Rows [N, D] as what was given, or as images where nothing was."""
        data = self._subject.data
        if data.restore is not None:
            made = data.restore(made)
        rows = _array(made)
        if data.height == 1 or (like is not None and len(like) == 2):
            return rows
        images = rows.reshape(len(rows), data.channels, data.height, data.width)
        return images[:, 0] if data.channels == 1 else images.transpose(0, 2, 3, 1)


def _array(x: Tensor) -> Floats:
    return x.float().cpu().numpy()
