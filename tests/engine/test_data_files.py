"""Data sets in their real file formats, tiny: read as torchvision reads them, downloaded once, damage told."""

from __future__ import annotations

import hashlib
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.data import Data, Images, draw_labelled, load
from laddertop.engine.data.files import from_files, read_idx
from laddertop.engine.data.whiten import BIAS, fit_whitening
from laddertop.journal.sections import SETS, DataSpec
from tests import PATIENCE
from tests.engine.conftest import CPU

ROOT = Path(__file__).parents[2]
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes into the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def write_idx(path: Path, array: np.ndarray) -> None:
    """An array as an idx file: bytes or big-endian integers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = 8 if array.dtype == np.uint8 else 12
    head = struct.pack(f">HBB{array.ndim}i", 0, kind, array.ndim, *array.shape)
    path.write_bytes(head + array.astype(array.dtype.newbyteorder(">")).tobytes())


def images(count: int, *shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (count, *shape)).astype(np.uint8)


def labels(count: int, classes: int = 10) -> np.ndarray:
    return (np.arange(count) % classes).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "theirs", "prefixes"),
    [
        ("fashion", "FashionMNIST", ("train-", "t10k-")),
        ("kmnist", "KMNIST", ("train-", "t10k-")),
        ("emnist", "EMNIST", ("emnist-balanced-train-", "emnist-balanced-test-")),
        ("qmnist", "QMNIST", ("qmnist-train-", "qmnist-test-")),
    ],
)
def test_idx_sets_are_read_as_torchvision_reads_them(
    tmp_path: Path, name: str, theirs: str, prefixes: tuple[str, str]
) -> None:
    from torchvision import datasets

    folder = tmp_path / theirs / "raw"
    for prefix, count in zip(prefixes, (120, 30), strict=True):
        write_idx(folder / f"{prefix}images-idx3-ubyte", images(count, 28, 28))
        if name == "qmnist":
            told = np.stack([labels(count), *[RANDOM.integers(0, 9, count)] * 7], 1).astype(np.int32)
            write_idx(folder / f"{prefix}labels-idx2-int", told)
        else:
            write_idx(folder / f"{prefix}labels-idx1-ubyte", labels(count, SETS[name].classes))
    data = load(DataSpec(name=name, root=str(tmp_path)), CPU)  # type: ignore[arg-type]
    options = {"split": "balanced"} if name == "emnist" else {}
    for part, train in ((data.training, True), (data.test, False)):
        other = getattr(datasets, theirs)(str(tmp_path), train=train, **options)
        upright = other.data.transpose(1, 2) if name == "emnist" else other.data
        assert torch.equal(part.pixels.view(-1, 28, 28), upright)
        assert torch.equal(part.labels, other.targets[:, 0] if name == "qmnist" else other.targets)


def cifar(root: Path, monkeypatch: pytest.MonkeyPatch, count: int = 20) -> None:
    """CIFAR-10's files with `count` images each, and their checksums where torchvision looks for them."""
    from torchvision import datasets

    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    sums = {}
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        entry = {"batch_label": name, "labels": labels(count).tolist(), "data": images(count, 3072), "filenames": []}
        (folder / name).write_bytes(pickle.dumps(entry, protocol=3))
        sums[name] = hashlib.md5((folder / name).read_bytes()).hexdigest()
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    meta = hashlib.md5((folder / "batches.meta").read_bytes()).hexdigest()
    monkeypatch.setattr(datasets.CIFAR10, "train_list", [[n, s] for n, s in sums.items() if n != "test_batch"])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", [["test_batch", sums["test_batch"]]])
    monkeypatch.setattr(datasets.CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": meta})


def test_cifar_is_read_as_torchvision_reads_it_channels_slowest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import datasets

    cifar(tmp_path, monkeypatch)
    data = load(DataSpec(name="cifar10", root=str(tmp_path)), CPU)
    for part, train in ((data.training, True), (data.test, False)):
        theirs = datasets.CIFAR10(str(tmp_path), train=train)
        ours = part.pixels.view(-1, 3, 32, 32).permute(0, 2, 3, 1)
        assert np.array_equal(ours.numpy(), theirs.data)
        assert part.labels.tolist() == theirs.targets
        assert np.array_equal(data.pictures(part.rows(slice(0, 5))), theirs.data[:5])


class _Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("a data file ran a program",)


def test_a_cifar_file_can_name_nothing_but_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cifar(tmp_path, monkeypatch)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    whole = path.read_bytes()
    for content in (pickle.dumps({"data": _Harm(), "labels": []}), whole[:-100], b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"data_batch_3 is damaged .*delete it"):
            from_files("cifar10", tmp_path)
    assert capsys.readouterr().out == ""


def test_svhn_is_read_as_torchvision_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy.io import savemat
    from torchvision import datasets

    for part, count in (("train", 120), ("test", 20)):
        path = tmp_path / f"{part}_32x32.mat"
        savemat(path, {"X": images(32, 32, 3, count), "y": (labels(count) + 1)[:, None]})
        monkeypatch.setitem(datasets.SVHN.split_list, part, ["", path.name, hashlib.md5(path.read_bytes()).hexdigest()])
    data = load(DataSpec(name="svhn", root=str(tmp_path)), CPU)
    theirs = datasets.SVHN(str(tmp_path), "test")
    assert np.array_equal(data.test.pixels.view(-1, 3, 32, 32).numpy(), theirs.data)
    assert data.test.labels.tolist() == theirs.labels.tolist()
    assert set(data.training.labels.tolist()) == set(range(10))
    (tmp_path / "test_32x32.mat").write_bytes(b"short")
    with pytest.raises(ValueError, match=r"svhn in .* is damaged"):
        from_files("svhn", tmp_path)


def test_omniglot_is_averaged_to_white_strokes_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    for part, alphabets in (("images_background", 2), ("images_evaluation", 1)):
        folder = tmp_path / "omniglot-py" / part
        for alphabet in range(alphabets):
            for character in range(2):
                at = folder / f"alphabet{alphabet}" / f"character{character}"
                at.mkdir(parents=True)
                for writer in range(30):
                    drawing = np.full((105, 105), True)
                    drawing[15:30, :] = False  # black
                    drawing[:, 60 + writer : 75 + writer] = False
                    Image.fromarray(drawing).save(at / f"{writer:04d}.png")
        (tmp_path / "omniglot-py" / f"{part}.zip").touch()
    with pytest.raises(ValueError, match=r"images_background has 120 images, not 19280; unpack .*zip again"):
        from_files("omniglot", tmp_path)
    monkeypatch.setattr("laddertop.engine.data.files.OMNIGLOT", {"images_background": 120, "images_evaluation": 60})
    data = load(DataSpec(name="omniglot", root=str(tmp_path)), CPU)
    assert (len(data.training), len(data.test)) == (120, 60)
    image = data.training.pixels[0].view(28, 28)
    # 15 pixels are 4 of the new ones exactly: rows 4 to 7 are white, what lies beyond is black.
    assert (image[4:8] == 255).all()
    assert (image[:4, :16] == 0).all()
    assert (image[:4, 16:20] == 255).all()
    assert sorted(set(data.training.labels.tolist())) == [0, 1, 2, 3]
    assert sorted(set(data.test.labels.tolist())) == [4, 5]
    for path in (tmp_path / "omniglot-py").rglob("*.png"):
        path.unlink()
    again = load(DataSpec(name="omniglot", root=str(tmp_path)), CPU)
    assert torch.equal(again.training.pixels, data.training.pixels)


@pytest.mark.parametrize("content", [b"", b"\0\0\x08", b"\0\0\x08\x01\0\0\0\x09short", b"\0\0\x0d\x01\0\0\0\x01x"])
def test_a_damaged_idx_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=f"x is damaged: {len(content)} bytes; delete it"):
        read_idx(tmp_path / "x")


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("t10k-labels-idx1-ubyte", np.array([0, 1, 77] * 10), "labels-idx1-ubyte is damaged: label 77 at image 2, "),
        ("t10k-labels-idx1-ubyte", labels(120), "has 30 images, and .*labels-idx1-ubyte has 120 labels.*delete both"),
        ("train-images-idx3-ubyte", images(120, 20, 28), "images-idx3-ubyte has images of 20×28, .* of 28×28; delete"),
        ("train-images-idx3-ubyte", labels(120), "train-images-idx3-ubyte has images of"),
        ("train-images-idx3-ubyte", images(90, 28, 28), "has 90 images, and .*train-labels-idx1-ubyte has 120 labels"),
    ],
)  # fmt: skip
def test_images_and_labels_that_do_not_belong_together_are_named(
    tmp_path: Path, file: str, content: np.ndarray, told: str
) -> None:
    folder = tmp_path / "KMNIST" / "raw"
    for prefix, count in (("train", 120), ("t10k", 30)):
        write_idx(folder / f"{prefix}-images-idx3-ubyte", images(count, 28, 28))
        write_idx(folder / f"{prefix}-labels-idx1-ubyte", labels(count))
    write_idx(folder / file, content.astype(np.uint8))
    with pytest.raises(ValueError, match=told):
        from_files("kmnist", tmp_path)


@pytest.mark.parametrize("told", [[0, 12], [0], [0, -1]])
def test_labels_of_cifar_that_can_not_be_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: list[int]
) -> None:
    cifar(tmp_path, monkeypatch)
    path = tmp_path / "cifar-10-batches-py" / "data_batch_2"
    path.write_bytes(pickle.dumps({"data": images(2, 3072), "labels": told}))
    with pytest.raises(ValueError, match=r"data_batch_2 is damaged: .*; delete it and let it be downloaded again"):
        from_files("cifar10", tmp_path)


@pytest.mark.stress
def test_engines_that_start_at_once_download_once(tmp_path: Path) -> None:
    """Two processes need the same absent data; the download takes a while and leaves half-written files meanwhile."""
    program = """
import struct, sys, time
from pathlib import Path
import laddertop.engine.data.files as files

def slowly(name, root, missing):
    with (root / "downloads").open("a") as log:
        log.write("x")
    for file in files.FILES[name].needed:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"half")
        time.sleep(0.2)
        sizes = (5, 28, 28) if "images" in file else (5,)
        content = struct.pack(f">HBB{len(sizes)}i", 0, 8, len(sizes), *sizes) + bytes(5 * 28**2)
        (root / file).write_bytes(content if "images" in file else content[:13])

files._download = slowly
print(len(files.from_files("kmnist", Path(sys.argv[1]))[0]))
"""
    words = [sys.executable, "-c", program, str(tmp_path)]
    pair = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=PATIENCE)[0].strip() for process in pair] == ["5"] * 2
    assert (tmp_path / "downloads").read_text() == "x"


def test_data_on_a_disk_that_can_not_be_written_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file, count in (("train", 120), ("t10k", 30)):
        write_idx(tmp_path / "KMNIST" / "raw" / f"{file}-images-idx3-ubyte", images(count, 28, 28))
        write_idx(tmp_path / "KMNIST" / "raw" / f"{file}-labels-idx1-ubyte", labels(count))
    # Tests may run as root, whom no permission stops: a folder where the lock should be does.
    (tmp_path / ".laddertop-download").mkdir()
    assert len(from_files("kmnist", tmp_path)[0]) == 120


def test_as_many_labels_of_every_class_or_none_at_all() -> None:
    with pytest.raises(ValueError, match="multiple of 47"):
        DataSpec(name="emnist", labels=100)
    assert DataSpec(name="emnist", labels=94).labels == 94
    index = draw_labelled(torch.arange(300) % 47, 94, 47, seed=1)
    assert torch.bincount(index % 47).tolist() == [2] * 47


def normalised(pixels: torch.Tensor) -> np.ndarray:
    """Contrast-normalised images in float64, after section 1.10 of the specification."""
    x = pixels.numpy().astype(np.float64)
    x -= x.mean(1, keepdims=True)
    return x / (np.linalg.norm(x, axis=1, keepdims=True) / 55)


def test_whitening_is_contrast_normalisation_and_zca_in_float64() -> None:
    data, raw = (load(DataSpec(whiten=whiten, held_back=300), CPU) for whiten in (True, False))
    training = normalised(raw.training.pixels)
    mean = training.mean(0)
    covariance = (training - mean).T @ (training - mean) / len(training)
    values, axes = np.linalg.eigh(covariance + BIAS * np.eye(64))
    root = (axes / np.sqrt(values)) @ axes.T
    # The training part alone was fitted.
    for part, pixels in ((data.test, raw.test.pixels), (data.held_back, raw.held_back.pixels)):
        np.testing.assert_allclose(part.rows(slice(None)).numpy(), (normalised(pixels) - mean) @ root, atol=2e-4)
    white = data.training.rows(slice(None)).double()
    np.testing.assert_allclose(torch.cov(white.T, correction=0).numpy(), root @ covariance @ root, atol=1e-3)


def test_white_colour_images_are_shown_as_the_normalised_images_that_they_stand_for() -> None:
    pixels = torch.from_numpy(images(400, 3 * 16))
    whitening = fit_whitening(pixels.numpy())
    part = Images(whitening.whiten(pixels), torch.zeros(400, dtype=torch.int64), white=1)
    data = Data(part, part, part, 4, 4, 1, channels=3, light=whitening.light)
    shown = (0.5 + normalised(pixels[:9]) / (5 * 55 / np.sqrt(48))).clip(0, 1)
    expected = shown.reshape(9, 3, 4, 4).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(data.pictures(part.rows(slice(0, 9))) / 255, expected, atol=0.5 / 255 + 1e-4)


def test_whitening_is_kept_and_a_damaged_copy_is_made_again(tmp_path: Path) -> None:
    pixels = images(50, 6, 6)
    first = fit_whitening(pixels)
    (kept,) = (tmp_path / "cache" / "laddertop").glob("whitening-*.npz")
    written = kept.stat().st_mtime_ns
    assert torch.equal(fit_whitening(pixels).forward, first.forward)
    assert kept.stat().st_mtime_ns == written
    kept.write_bytes(b"not an archive")
    assert torch.equal(fit_whitening(pixels).forward, first.forward)
    assert torch.equal(fit_whitening(pixels).back, first.back)
    other = fit_whitening(images(50, 6, 6))
    assert not torch.equal(other.forward, first.forward)


def test_an_image_without_contrast_becomes_nothing_and_no_nan(tmp_path: Path) -> None:
    pixels = images(50, 4, 4)
    pixels[7] = 99
    fitted = fit_whitening(pixels)
    flat = torch.from_numpy(pixels).flatten(1)
    white = fitted.whiten(flat)
    assert torch.isfinite(white).all()
    torch.testing.assert_close(white[7], -fitted.mean @ fitted.forward)
