"""Data sets in the files that torchvision downloads. They are read here where that is simple, since torchvision takes
longer to import than torch itself; the others are read through it.

Shape letters: N images, C channels, H height, W width.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from laddertop.journal.files import keep_for_user, user_cache
from laddertop.journal.sections import SETS

Bytes = npt.NDArray[np.uint8]
Parts = tuple[Bytes, npt.NDArray[Any], Bytes, npt.NDArray[Any]]
"""Training images [N, …] and classes [N], test images and classes."""


_ANEW = "delete it and let it be downloaded again"
_BOTH_ANEW = "delete both and let them be downloaded again"

OMNIGLOT = {"images_background": 19280, "images_evaluation": 13180}
"""The folders of Omniglot, training and test, with the number of images in each."""


def from_files(name: str, root: Path) -> Parts:
    """A data set by name from its files below `root`, which are downloaded where they are absent.

    Raises ValueError when they can't be had, or when one is damaged.
    """
    files = FILES[name]
    with _alone(root):
        if missing := [file for file in files.needed if not (root / file).is_file()]:
            _download(name, root, missing[0])
    return files.read(name, root)


def read_idx(path: Path) -> npt.NDArray[Any]:
    """The array in an idx file: bytes, or big-endian 32-bit integers. Raises ValueError when it is damaged."""
    content = np.fromfile(path, np.uint8)
    kind, dimensions = (int(content[2]), int(content[3])) if len(content) >= 4 else (0, 0)
    header = 4 + 4 * dimensions
    sizes = content[4:header].view(">i4") if len(content) >= header else np.empty(0, ">i4")
    size = {8: 1, 12: 4}.get(kind, 0)
    if not size or len(content) != header + size * int(np.prod(sizes)):
        raise ValueError(f"{path} is damaged: {len(content)} bytes; {_ANEW}")
    return np.asarray(content[header:].view(np.uint8 if size == 1 else ">i4").reshape(sizes))


def _read_idx(name: str, root: Path) -> Parts:
    files = [root / file for file in FILES[name].needed]
    return *_idx_part(name, *files[:2]), *_idx_part(name, *files[2:])


def _idx_part(name: str, images_file: Path, labels_file: Path) -> tuple[Bytes, npt.NDArray[Any]]:
    images, labels = read_idx(images_file), read_idx(labels_file)
    shape = SETS[name]
    if images.shape[1:] != (shape.height, shape.width) or images.dtype != np.uint8:
        told = "×".join(map(str, images.shape[1:]))
        raise ValueError(f"{images_file} has images of {told}, {name} of {shape.height}×{shape.width}; {_ANEW}")
    if labels.ndim == 2:
        labels = labels[:, 0]  # the other columns say who wrote it
    if labels.ndim != 1 or len(images) != len(labels):
        raise ValueError(
            f"{images_file} has {len(images)} images, and {labels_file} has {len(labels)} labels: they are not of the "
            f"same part; {_BOTH_ANEW}"
        )
    _check_labels(name, labels_file, labels)
    return images, labels


def _check_labels(name: str, file: Path, labels: npt.NDArray[Any]) -> None:
    classes = SETS[name].classes
    if (wrong := np.flatnonzero((labels < 0) | (labels >= classes))).size:
        raise ValueError(
            f"{file} is damaged: label {labels[wrong[0]]} at image {wrong[0]}, and {name} has classes 0 to "
            f"{classes - 1}; {_ANEW}"
        )


def _emnist(name: str, root: Path) -> Parts:
    images, labels, test, test_labels = _read_idx(name, root)
    return images.swapaxes(1, 2), labels, test.swapaxes(1, 2), test_labels  # they are stored column by column


def _cifar(name: str, root: Path) -> Parts:
    batches = [_cifar_batch(name, root / file) for file in FILES[name].needed]
    pixels, labels = (np.concatenate(part) for part in zip(*batches[:-1], strict=True))
    return pixels, labels, *batches[-1]


class _Numbers(pickle.Unpickler):
    """Unpickles arrays and plain values, and refuses whatever else a file may name."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.removeprefix("numpy._core").removeprefix("numpy.core"), name) == (".multiarray", "_reconstruct"):
            return np.empty(0).__reduce__()[0]
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a data set")


def _cifar_batch(name: str, path: Path) -> tuple[Bytes, npt.NDArray[np.int64]]:
    try:
        entry = _Numbers(io.BytesIO(path.read_bytes()), encoding="latin1").load()
        images, labels = entry["data"].reshape(-1, 3, 32, 32), np.array(entry["labels"], np.int64)
    except (pickle.UnpicklingError, EOFError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged ({error}); {_ANEW}") from None
    if labels.shape != (len(images),):
        raise ValueError(f"{path} is damaged: {len(images)} images and {labels.size} labels; {_ANEW}")
    _check_labels(name, path, labels)
    return images, labels


def _svhn(name: str, root: Path) -> Parts:
    from torchvision.datasets import SVHN

    try:
        training, test = (SVHN(str(root), split) for split in ("train", "test"))
    except RuntimeError:  # a wrong checksum
        raise ValueError(
            f"a file of svhn in {root} is damaged; delete train_32x32.mat and test_32x32.mat and let them be downloaded"
        ) from None
    return training.data, training.labels, test.data, test.labels


def _omniglot(name: str, root: Path) -> Parts:
    """Strokes white on black, 105×105 pixels averaged to 28×28; characters of the evaluation set are classes of their
    own. Reading 32,460 small files takes a while, so what came of it is kept in the user's cache."""
    cache = user_cache() / f"omniglot-28-{'-'.join(map(str, OMNIGLOT.values()))}.npz"
    with contextlib.suppress(FileNotFoundError), np.load(cache, allow_pickle=False) as file:
        return file["training"], file["labels"], file["test"], file["test_labels"]
    from torchvision.datasets.folder import pil_loader

    overlap = np.minimum(np.arange(1, 29)[:, None] * 3.75, np.arange(1, 106))
    overlap -= np.maximum(np.arange(28)[:, None] * 3.75, np.arange(105))
    average = overlap.clip(0) / 3.75
    parts: list[npt.NDArray[Any]] = []
    characters: list[Path] = []
    for part, count in OMNIGLOT.items():
        folder = root / "omniglot-py" / part
        paths = sorted(folder.glob("*/*/*.png"))
        if len(paths) != count:
            raise ValueError(f"{folder} has {len(paths)} images, not {count}; unpack {folder}.zip again")
        light = np.stack([255.0 - np.asarray(pil_loader(str(path)))[:, :, 0] for path in paths])
        characters += sorted({path.parent for path in paths})
        number = {character: index for index, character in enumerate(characters)}
        parts += [np.rint(average @ light @ average.T).astype(np.uint8), np.array([number[p.parent] for p in paths])]
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, training=parts[0], labels=parts[1], test=parts[2], test_labels=parts[3])
    with contextlib.suppress(OSError):  # a cache that can't be written costs time and nothing else
        keep_for_user(cache, buffer.getvalue())
    return parts[0], parts[1], parts[2], parts[3]


@contextlib.contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Engines that need the same data at once download it once: one at a time looks, and loads what is absent."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / ".laddertop-download", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield  # a folder that can't be written can't be downloaded to either
        return
    try:
        with contextlib.suppress(OSError):  # some network file systems know no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _download(name: str, root: Path, missing: str) -> None:
    import torchvision.datasets

    try:
        FILES[name].download(torchvision.datasets, str(root))
    except Exception as error:  # torchvision raises RuntimeError, URLError, HTTPError, OSError, gzip's and zlib's
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise ValueError(
            f"no {name} data in {root} (looked for {missing}), and downloading it failed: {reason}. Name a folder that "
            "has it with --data-root or $LADDERTOP_DATA, or train on the embedded digits: laddertop train ladder-digits"
        ) from None


class Files(NamedTuple):
    """A data set in files, as torchvision lays them out."""

    needed: tuple[str, ...]
    """The files, relative to the root."""
    read: Callable[[str, Path], Parts]
    """Reads the set of a name from them below a root. Raises ValueError when one is damaged."""
    download: Callable[[Any, str], Any]
    """Fetches them with torchvision.datasets to a root."""


def _idx(folder: str, prefixes: tuple[str, str], labels: str = "labels-idx1-ubyte") -> tuple[str, ...]:
    """Training images and labels, test images and labels."""
    return tuple(f"{folder}/raw/{prefix}-{kind}" for prefix in prefixes for kind in ("images-idx3-ubyte", labels))


_USUAL = ("train", "t10k")
FILES = {
    "mnist": Files(_idx("MNIST", _USUAL), _read_idx, lambda sets, to: sets.MNIST(to, download=True)),
    "fashion": Files(_idx("FashionMNIST", _USUAL), _read_idx, lambda sets, to: sets.FashionMNIST(to, download=True)),
    "kmnist": Files(_idx("KMNIST", _USUAL), _read_idx, lambda sets, to: sets.KMNIST(to, download=True)),
    "qmnist": Files(
        _idx("QMNIST", ("qmnist-train", "qmnist-test"), "labels-idx2-int"),
        _read_idx,
        lambda sets, to: [sets.QMNIST(to, what=part, download=True) for part in ("train", "test")],
    ),
    "emnist": Files(
        _idx("EMNIST", ("emnist-balanced-train", "emnist-balanced-test")),
        _emnist,
        lambda sets, to: sets.EMNIST(to, split="balanced", download=True),
    ),
    "omniglot": Files(
        ("omniglot-py/images_background.zip", "omniglot-py/images_evaluation.zip"),
        _omniglot,
        lambda sets, to: [sets.Omniglot(to, background=part, download=True) for part in (True, False)],
    ),
    "svhn": Files(
        ("train_32x32.mat", "test_32x32.mat"),
        _svhn,
        lambda sets, to: [sets.SVHN(to, part, download=True) for part in ("train", "test")],
    ),
    "cifar10": Files(
        tuple(f"cifar-10-batches-py/{file}" for file in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch")),
        _cifar,
        lambda sets, to: sets.CIFAR10(to, download=True),
    ),
}
"""How each set is found, read and fetched, by name."""
