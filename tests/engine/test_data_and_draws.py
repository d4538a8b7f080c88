"""Data sets, label draws, batches and the counter-based draws."""

from __future__ import annotations

import functools
import gzip
import hashlib
import struct
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.data import Batches, draw_labelled, load
from laddertop.engine.randomness import Stream, counter_key, counter_words, normals, permutation, uniforms
from laddertop.engine.training.train import Training
from laddertop.journal.events import EventWriter
from laddertop.journal.folder import create_run
from laddertop.journal.sections import DataSpec
from laddertop.journal.state import RunState
from tests.engine.conftest import CPU
from tests.kinds import small_spec


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    theirs = load_digits()
    data = load(DataSpec(), CPU)
    both = np.concatenate([data.training.pixels.numpy(), data.test.pixels.numpy()])
    labels = np.concatenate([data.training.labels.numpy(), data.test.labels.numpy()])

    def rows_of(pixels, label):
        return sorted(map(tuple, np.column_stack([pixels, label]).astype(int).tolist()))

    assert rows_of(both, labels) == rows_of(theirs.data, theirs.target)
    assert len(data.training) == 1437
    rows = data.training.rows(slice(None))
    assert (rows.min(), rows.max()) == (0, 1)


def write_idx(folder: Path, seed: int | None) -> None:
    """MNIST's four files with other content: random pixels, or black ones without a seed."""
    folder.mkdir(parents=True)
    for name, n in (("train", 60000), ("t10k", 10000)):
        pixels = bytes(n * 784) if seed is None else np.random.default_rng(seed).bytes(n * 784)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 2051, n, 28, 28) + pixels)
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(
            struct.pack(">II", 2049, n) + bytes(i % 10 for i in range(n))
        )


def test_mnist_is_read_as_torchvision_reads_it(tmp_path):
    from torchvision.datasets import MNIST

    write_idx(tmp_path / "MNIST" / "raw", seed=0)
    data = load(DataSpec(name="mnist", root=str(tmp_path)), CPU)
    for images, theirs in ((data.training, MNIST(tmp_path, train=True)), (data.test, MNIST(tmp_path, train=False))):
        assert torch.equal(images.pixels.view(-1, 28, 28), theirs.data)
        assert torch.equal(images.labels, theirs.targets)
    torch.testing.assert_close(data.training.rows(slice(0, 1)), data.training.pixels[:1] / 255)
    (tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte").write_bytes(b"short")
    with pytest.raises(ValueError, match="train-labels-idx1-ubyte is damaged: 5 bytes"):
        load(DataSpec(name="mnist", root=str(tmp_path)), CPU)


def test_absent_data_is_one_sentence_with_the_folder_and_the_way_out(tmp_path, monkeypatch):
    import torchvision.datasets.mnist as theirs

    # No network in a test: the mirrors are folders that are not there.
    monkeypatch.setattr(theirs.MNIST, "mirrors", [(tmp_path / "nowhere").as_uri() + "/"])
    with pytest.raises(ValueError, match=r"no folder .*empty.*--data-root") as error:
        load(DataSpec(name="mnist", root=str(tmp_path / "empty")), CPU)
    assert "\n" not in str(error.value)


def test_absent_data_is_downloaded(tmp_path, monkeypatch):
    from torchvision.datasets import MNIST

    mirror = tmp_path / "mirror"
    (tmp_path / "root").mkdir()
    write_idx(mirror, seed=None)
    packed = {}
    for path in sorted(mirror.iterdir()):
        packed[f"{path.name}.gz"] = gzip.compress(path.read_bytes(), 1)
        (mirror / f"{path.name}.gz").write_bytes(packed[f"{path.name}.gz"])
    handler = functools.partial(SimpleHTTPRequestHandler, directory=mirror)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(MNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
        monkeypatch.setattr(MNIST, "resources", [(name, hashlib.md5(gz).hexdigest()) for name, gz in packed.items()])
        assert len(load(DataSpec(name="mnist", root=str(tmp_path / "root")), CPU).training) == 60000
        server.shutdown()


def test_labels_are_balanced_seeded_and_as_in_the_published_code():
    labels = load(DataSpec(), CPU).training.labels
    index = draw_labelled(labels, 50, 10, seed=3)
    assert torch.bincount(labels[index], minlength=10).tolist() == [5] * 10
    assert torch.equal(index, draw_labelled(labels, 50, 10, seed=3))
    assert not torch.equal(index, draw_labelled(labels, 50, 10, seed=4))
    order = np.arange(len(labels))
    np.random.RandomState(3).shuffle(order)
    first_zeros = [i for i in order if labels[i] == 0][:5]
    assert index[:5].tolist() == first_zeros
    with pytest.raises(ValueError, match="some class has fewer"):
        draw_labelled(labels, 5000, 10, seed=1)


def test_a_run_records_which_images_carry_labels(tmp_path: Path):
    for labels, recorded in (("20", True), ("all", False)):
        run = create_run(tmp_path, small_spec("ladder", f"data.labels={labels}"), labels)
        with EventWriter(run.events_path) as events:
            training = Training(run, events, RunState())
        drawn = training.batches.labelled
        assert run.labelled == (drawn.tolist() if recorded else None)
        if recorded:
            assert torch.bincount(training.data.training.labels[run.labelled]).tolist() == [2] * 10


def test_no_model_learns_labels_that_can_not_be_tested():
    with pytest.raises(ValueError, match="omniglot are of other classes"):
        small_spec("ladder", "data.name=omniglot", "data.labels=all")
    assert small_spec("vae", "data.name=omniglot").data.name == "omniglot"


def test_an_epoch_shows_every_unlabelled_row_once_and_labelled_images_among_them():
    spec = DataSpec(labels=50, batch=100)
    data = load(spec, CPU)
    batches = Batches(spec, data, 1, with_labels=True)
    assert batches.epoch_steps == 14
    assert batches.labelled_rows == 50
    seen = torch.cat([batches.at(step)[2] for step in range(14)])
    rows = {tuple(row) for row in (seen * 16).int().tolist()}
    everything = {tuple(row) for row in data.training.pixels.int().tolist()}
    assert rows <= everything
    assert len(rows) == len({tuple(r) for r in (seen * 16).int().tolist()})
    again = Batches(spec, data, 1, with_labels=True)
    for step in (13, 14, 0, 20):  # in any order
        assert all(torch.equal(a, b) for a, b in zip(batches.at(step), again.at(step), strict=True))
    assert not torch.equal(batches.at(0)[2], batches.at(14)[2])


def test_labelled_batches_of_an_epoch_repeat_in_the_same_order():
    spec = DataSpec(labels=100, batch=100, labelled_batch=50)
    batches = Batches(spec, load(spec, CPU), 1, with_labels=True)
    assert torch.equal(batches.at(0)[0], batches.at(2)[0])
    assert not torch.equal(batches.at(0)[0], batches.at(1)[0])
    assert len(torch.unique(torch.cat([batches.at(0)[0], batches.at(1)[0]]), dim=0)) == 100


def test_labelled_batches_that_statistics_are_taken_from_hold_every_image_once_and_mix_the_classes():
    spec = DataSpec(labels=500, batch=100, labelled_batch=100)
    batches = Batches(spec, load(spec, CPU), 1, with_labels=True)
    parts = batches.labelled_batches()
    assert [len(part) for part in parts] == [100] * 5
    whole = load(spec, CPU).training.rows(batches.labelled)
    assert torch.equal(torch.cat(parts).unique(dim=0), whole.unique(dim=0))
    assert torch.equal(parts[0], batches.at(0)[0])
    # A batch of a single class or two would vary much less than all images do.
    within = torch.stack([part.var(0).sum() for part in parts])
    torch.testing.assert_close(within, whole.var(0).sum().expand(5), rtol=0.05, atol=0)


def key(*counters: int) -> torch.Tensor:
    return torch.tensor(counter_words(*counters), dtype=torch.int32)


def test_draws_are_functions_of_seed_stream_and_counter_alone():
    first = normals(1000, key(1, Stream.NORMALS, 5))
    uniforms(10, key(1, Stream.UNIFORMS, 5))
    assert torch.equal(first, normals(1000, key(1, Stream.NORMALS, 5)))
    for other in ((2, Stream.NORMALS, 5), (1, Stream.SAMPLE, 5), (1, Stream.NORMALS, 6)):
        assert abs(torch.corrcoef(torch.stack([first, normals(1000, key(*other))]))[0, 1]) < 0.15


def test_draws_have_the_distribution_they_claim():
    from scipy import stats

    steps = range(20)
    drawn = torch.stack([normals(20_001, key(7, Stream.NORMALS, step)) for step in steps]).double()
    assert drawn.shape == (20, 20_001)
    flat = drawn.flatten()
    # Bounds are four standard errors of each moment.
    count = len(flat)
    for power, moment, error in ((1, 0, 1), (2, 1, 2**0.5), (3, 0, 15**0.5), (4, 3, 96**0.5)):
        assert abs((flat**power).mean() - moment) < 4 * error / count**0.5
    assert stats.kstest(flat.numpy(), "norm").pvalue > 1e-3
    uniform = torch.cat([uniforms(20_000, key(7, Stream.UNIFORMS, step)) for step in steps])
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert stats.kstest(uniform.double().numpy(), "uniform").pvalue > 1e-3
    # Neighbours within a step, halves of a Box-Muller pair, and neighbouring steps are uncorrelated.
    for left, right in ((flat[:-1], flat[1:]), (drawn[:, :10_000], drawn[:, 10_001:20_001]), (drawn[:-1], drawn[1:])):
        pair = torch.stack([left.flatten(), right.flatten()])
        assert abs(torch.corrcoef(pair)[0, 1]) < 4 / pair.shape[1] ** 0.5


def test_keys_of_nearby_counters_differ_everywhere():
    keys = {counter_key(seed, stream, step) for seed in range(20) for stream in Stream for step in range(200)}
    assert len(keys) == 20 * len(Stream) * 200
    assert sorted(permutation(1, Stream.SHUFFLE, 0, 50).tolist()) == list(range(50))
