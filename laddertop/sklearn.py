"""A training as a scikit-learn transformer: `fit` trains a run of a recipe, `transform` gives the codes of its model.

Shape letters: N items, D numbers of an item, U units of the code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

import laddertop
from laddertop.journal.folder import runs_folder
from laddertop.journal.spec import load_recipe

Floats = npt.NDArray[np.float32]

FITTED = ".fitted"
"""Where the items lie that were trained on, in the folder of the runs, by their checksum."""


class Encoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Encodes items [N, D] with a model that is trained on them, in an engine of its own that can be watched meanwhile.

    Every `fit` is a new run. Fitted, it has `model_`, its model as `laddertop.load` gives it, and `run_`, the folder of
    its run, which a pickled transformer needs beside it.
    """

    def __init__(
        self,
        recipe: str = "vae-digits",
        settings: Mapping[str, object] | None = None,
        image: tuple[int, int] | None = None,
        runs: str | Path | None = None,
    ) -> None:
        """`recipe`, `settings` and `runs` are those of `laddertop.train`; `image` is height and width of an item, where
        the rows are images."""
        self.recipe = recipe
        self.settings = settings
        self.image = image
        self.runs = runs

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike | None = None) -> Encoder:
        """Trains a run on the items, and on their classes `y` [N] where the model learns from labels.

        Raises ValueError when items or settings are wrong, RuntimeError when the training failed.
        """
        labelled = load_recipe(self.recipe).model.labelled
        if labelled and y is None:
            raise ValueError(f"{self.recipe} learns from labels: it requires y to be passed, but the target y is None")
        items = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        if self.image and math.prod(self.image) != items.shape[1]:
            height, width = self.image
            raise ValueError(f"image: {items.shape[1]} numbers are no images of {height}×{width}")
        arrays = {"x": items.reshape(-1, *self.image) if self.image else items}
        if labelled:
            classes = column_or_1d(y, warn=True)
            check_classification_targets(classes)
            arrays["y"] = np.unique(classes, return_inverse=True)[1]
        settings = {**(self.settings or {}), "data.name": str(_kept(arrays, self.runs))}
        self.model_ = laddertop.train(self.recipe, settings, runs=self.runs)
        self.run_ = str(self.model_.run.path.absolute())
        self._n_features_out = self.model_.encode(items[:1]).shape[1]
        return self

    def transform(self, X: npt.ArrayLike) -> Floats:
        """The codes [N, U] of items: the main representation, the means of its posterior where it has one."""
        check_is_fitted(self)
        return self.model_.encode(validate_data(self, X, dtype=np.float32, reset=False))

    def inverse_transform(self, X: npt.ArrayLike) -> Floats:
        """Items [N, D] for codes [N, U]. Raises ValueError where the model has no way back."""
        check_is_fitted(self)
        made = self.model_.decode(X)
        return made.reshape(len(made), -1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _kept(arrays: Mapping[str, npt.NDArray[Any]], runs: str | Path | None) -> Path:
    """The file that holds these arrays, where the run finds them again whenever it is asked for."""
    whole = hashlib.sha256(json.dumps({name: array.shape for name, array in arrays.items()}).encode())
    for array in arrays.values():
        whole.update(np.ascontiguousarray(array).data)
    folder = runs_folder(Path(runs) if runs is not None else None).absolute() / FITTED
    path, making = folder / f"{whole.hexdigest()[:16]}.npz", folder / f".new-{secrets.token_hex(4)}.npz"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            np.savez(making, allow_pickle=False, **arrays)
            # Who came second at the same time takes the file of the first: runs know theirs by its checksum.
            with contextlib.suppress(FileExistsError):
                os.link(making, path)
    except OSError as error:
        raise ValueError(
            f"items can't be kept in {folder}: {error.strerror}; choose another folder with runs="
        ) from None
    finally:
        making.unlink(missing_ok=True)
    return path
