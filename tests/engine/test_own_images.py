"""A user's own folder of images: read as torchvision reads it, and brought to one size when that is asked."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from laddertop.engine.data import load
from laddertop.engine.own import look
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.journal.events import EventReader, Sampled
from laddertop.journal.folder import create_run
from laddertop.journal.samples import read_samples
from laddertop.journal.sections import DataSpec
from laddertop.journal.spec import load_recipe, override
from tests.engine.conftest import CPU
from tests.engine.own_data import bars, found_in, with_data

NAMES = ("cat", "ape", "dog")
COLOURS = np.random.default_rng(3).integers(0, 256, (30, 9, 5, 3)).astype(np.uint8)
GREY, CLASSES = bars(30)


def write(folder: Path, images: np.ndarray, classes: np.ndarray | None = None, ending: str = "png") -> Path:
    """Images as files, in a folder for each class where there are any."""
    for i, image in enumerate(images):
        place = folder if classes is None else folder / NAMES[classes[i]]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{i:03}.{ending}")
    return folder


@pytest.mark.parametrize("images", [COLOURS, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize("size", [None, 12])
def test_images_are_those_of_torchvision(tmp_path: Path, images: np.ndarray, size: int | None) -> None:
    from torchvision.datasets import ImageFolder  # slow to load, and every worker reads this file
    from torchvision.transforms.v2 import functional as tv

    folder = write(tmp_path / "train", images, CLASSES).parent
    write(tmp_path / "test", images[::3], CLASSES[::3])
    (tmp_path / "train" / "cat" / "notes.txt").write_text("no image")
    spec = found_in(folder, size=size)
    data = load(spec, CPU)
    mode = "RGB" if images is COLOURS else "L"
    for part, ours in (("train", data.training), ("test", data.test)):
        theirs = ImageFolder(str(folder / part), loader=lambda path: Image.open(path).convert(mode))
        pictures = [picture for picture, _ in theirs]
        if size:
            pictures = [tv.center_crop(tv.resize(picture, size), size) for picture in pictures]
        expected = torch.stack([tv.pil_to_tensor(picture) for picture in pictures])
        assert torch.equal(ours.pixels.view_as(expected), expected)
        assert ours.labels.tolist() == theirs.targets
    assert spec.found is not None
    assert spec.found.names == ["ape", "cat", "dog"]
    assert data.channels == (3 if images is COLOURS else 1)
    assert (data.height, data.width) == ((size, size) if size else images.shape[1:3])


def test_images_alone_have_no_labels_and_their_test_set_is_drawn(tmp_path: Path) -> None:
    for folder in (write(tmp_path / "flat", GREY), write(tmp_path / "nested" / "all", GREY).parent):
        data = load(found_in(folder), CPU)
        order = np.random.RandomState(1).permutation(30)
        np.testing.assert_array_equal(data.test.pixels, GREY.reshape(30, -1)[order[:6]])
        np.testing.assert_array_equal(data.training.pixels, GREY.reshape(30, -1)[order[6:]])
        assert data.classes == 1


def test_colour_is_a_matter_of_choice(tmp_path: Path) -> None:
    folder = write(tmp_path / "mixed", GREY)
    Image.fromarray(COLOURS[0]).resize((7, 13)).save(folder / "000.png")
    assert [load(found_in(folder, colour=colour), CPU).channels for colour in ("auto", "on", "off")] == [3, 3, 1]


def test_a_folder_that_is_no_data_is_named_with_what_to_do(tmp_path: Path) -> None:
    def complaint(**keys: object) -> str:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            look(DataSpec.model_validate({"name": str(tmp_path), **keys}), 1)
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(f"{tmp_path}", "HERE")

    assert complaint().startswith("HERE holds no images (.png, .jpg, ")
    write(tmp_path, GREY)
    Image.fromarray(COLOURS[0]).save(tmp_path / "large.bmp")
    told = "HERE has images of 13×7 (000.png) and 9×5 (large.bmp); give them one size, such as --set data.size=64"
    assert complaint() == told
    assert load(found_in(tmp_path, size=[6, 8]), CPU).training.pixels.shape[1] == 3 * 6 * 8
    (tmp_path / "large.bmp").unlink()
    content = (tmp_path / "007.png").read_bytes()
    (tmp_path / "007.png").write_bytes(content[:60])
    assert re.fullmatch(r"HERE/007.png can't be read as an image: .*; mend it, or take it out", complaint())
    (tmp_path / "007.png").write_bytes(b"hello")
    assert re.fullmatch(r"HERE/007.png can't be read as an image: .*; mend it, or take it out", complaint())
    Image.fromarray(np.zeros((13, 7), np.uint16)).save(tmp_path / "007.png")
    assert complaint() == "HERE/007.png has more than a byte per channel (PIL calls it I;16); save it with one"
    (tmp_path / "007.png").write_bytes(content)
    write(tmp_path / "more", GREY[:2])
    assert complaint() == "HERE has both images and folders of images (more); take one out"


def test_a_class_of_the_test_images_alone_and_a_part_without_classes_are_named(tmp_path: Path) -> None:
    write(tmp_path / "train", GREY[:20], CLASSES[:20])
    write(tmp_path / "test", GREY, CLASSES)
    told = rf"the class of {tmp_path}/test/dog/020\.png is 'dog', a class that no training item has"
    with pytest.raises(ValueError, match=told):
        look(DataSpec(name=str(tmp_path)), 1)
    for file in (tmp_path / "test").rglob("*.png"):
        file.rename(tmp_path / "test" / file.name)
    with pytest.raises(ValueError, match=rf"{tmp_path}/train has a folder per class, and {tmp_path}/test has none"):
        look(DataSpec(name=str(tmp_path)), 1)


def test_a_folder_with_another_image_or_name_is_other_data(tmp_path: Path) -> None:
    spec = found_in(write(tmp_path, GREY))
    Image.fromarray(GREY[5]).save(tmp_path / "006.png")
    with pytest.raises(ValueError, match="other data than the run was made with: its SHA-256"):
        load(spec, CPU)
    Image.fromarray(GREY[6]).save(tmp_path / "006.png")
    (tmp_path / "006.png").rename(tmp_path / "0066.png")
    with pytest.raises(ValueError, match="other data than the run was made with: its SHA-256"):
        load(spec, CPU)
    (tmp_path / "0066.png").rename(tmp_path / "006.png")
    assert len(load(spec, CPU).training) == 24


def test_a_ladder_is_trained_on_a_folder_of_colour_and_draws_it(tmp_path: Path, stop: Stop) -> None:
    x, classes = bars(60)
    colour = np.stack([x, 255 - x, x // 2], -1)
    folder = write(tmp_path / "images", colour, classes)
    data = found_in(folder, size=8, labels=15, labelled_batch=15)
    few = override(load_recipe("ladder-digits"), ["steps=20", "evaluate.every=0", "samples.items=2", "warmup.on=off"])
    spec = with_data(few, data)
    run = create_run(tmp_path / "runs", spec, "mine")
    assert train(run, stop) == 0
    sampled = [event for event in EventReader(run.events_path).read_all() if isinstance(event, Sampled)][-1]
    assert read_samples(run.path, sampled.file)["input"].shape == (2, 8, 8, 3)
