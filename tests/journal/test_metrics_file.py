"""The metrics file keeps its promises: exact numbers, whole records, the history as it was trained."""

from __future__ import annotations

import math
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.events import Column
from laddertop.journal.metrics import MetricsReader, MetricsWriter, segment_name, write_columns
from tests import PATIENCE

COLUMNS = [Column(name=name, label=name, unit="") for name in ("total", "kl", "lr")]
RECORD = struct.Struct("<qd3f")


def begin(folder: Path) -> None:
    write_columns(folder, COLUMNS)


def add_segment(folder: Path, number: int, first: int, last: int) -> list[tuple[int, float, float]]:
    """Writes the steps first to last; returns step, total and lr of each as float32 keeps them."""
    steps = np.arange(first, last + 1)
    values = np.stack([steps + number / 8, steps * 0 + 1, steps / 64], 1).reshape(-1, 3)
    writer = MetricsWriter(folder, number, 3)
    writer.append(steps, steps * 1.5, values)
    writer.close()
    return [(s, s + number / 8, s / 64) for s in range(first, last + 1)]


def read(reader: MetricsReader) -> list[tuple[int, float, float]]:
    columns = (reader.steps, reader.values("total"), reader.values("lr"))
    return list(zip(*(column.tolist() for column in columns), strict=True))


def thrown_away(reader: MetricsReader) -> list[tuple[int, int]]:
    """First and last step of every stretch that a resume threw away."""
    found = [reader.read(*stretch)["step"] for stretch in reader.stretches()[1]]
    return [(int(steps[0]), int(steps[-1])) for steps in found]


def test_the_file_holds_the_numbers_that_were_written(tmp_path: Path) -> None:
    begin(tmp_path)
    writer = MetricsWriter(tmp_path, 1, 3)
    writer.append([1], [1e9 + 0.25], [[0.1, math.nan, math.inf]])
    writer.append([2, 3], [2.0, 3.0], [[1, 2, 3], [4, 5, -math.inf]])
    writer.close()
    records = list(RECORD.iter_unpack((tmp_path / segment_name(1)).read_bytes()))
    assert [r[0] for r in records] == [1, 2, 3]
    assert records[0][1] == 1e9 + 0.25
    assert records[0][2] == struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert math.isnan(records[0][3])
    assert records[0][4] == math.inf
    assert records[2][2:] == (4, 5, -math.inf)


def test_the_reader_finds_the_numbers_of_a_file_that_somebody_else_wrote(tmp_path: Path) -> None:
    begin(tmp_path)
    (tmp_path / segment_name(1)).write_bytes(RECORD.pack(1, 10.5, 2, math.nan, 8) + RECORD.pack(2, 11.5, 3, 5, 9))
    reader = MetricsReader(tmp_path)
    assert reader.poll()
    assert not reader.poll()
    assert reader.steps.tolist() == [1, 2]
    assert reader.times.tolist() == [10.5, 11.5]
    assert reader.values("total").tolist() == [2, 3]
    assert math.isnan(reader.values("kl")[0])
    assert reader.last() == {"total": 3, "kl": 5, "lr": 9}
    assert reader.last_step() == 2
    with pytest.raises(KeyError):
        reader.values("unknown")


def test_a_record_torn_at_any_byte_is_not_there_yet_and_then_whole(tmp_path: Path) -> None:
    begin(tmp_path)
    path = tmp_path / segment_name(1)
    first, last = RECORD.pack(1, 1, 1, 1, 1), RECORD.pack(2, 2, 2, 2, 2)
    for cut in range(RECORD.size):
        path.write_bytes(first + last[:cut])
        reader = MetricsReader(tmp_path)
        reader.poll()
        assert reader.steps.tolist() == [1]
        path.write_bytes(first + last)
        assert reader.poll()
        assert reader.steps.tolist() == [1, 2]


def test_a_resume_throws_away_the_steps_after_its_checkpoint_and_nothing_else(tmp_path: Path) -> None:
    begin(tmp_path)
    one = add_segment(tmp_path, 1, 1, 10)
    reader = MetricsReader(tmp_path)
    reader.poll()
    assert read(reader) == one
    two = add_segment(tmp_path, 2, 7, 12)
    reader.poll()
    assert read(reader) == one[:6] + two
    assert thrown_away(reader) == [(7, 10)]
    three = add_segment(tmp_path, 3, 4, 5)
    reader.poll()
    assert read(reader) == one[:3] + three
    assert thrown_away(reader) == [(4, 10), (7, 12)]
    assert reader.last()["total"] == 5 + 3 / 8


def test_a_resume_that_has_trained_nothing_yet_throws_nothing_away(tmp_path: Path) -> None:
    begin(tmp_path)
    one = add_segment(tmp_path, 1, 1, 10)
    MetricsWriter(tmp_path, 2, 3).close()
    reader = MetricsReader(tmp_path)
    reader.poll()
    assert read(reader) == one
    assert thrown_away(reader) == []
    assert reader.last_step() == 10


@pytest.mark.parametrize("seed", range(20))
def test_any_history_of_resumes_reads_as_it_was_trained(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    begin(tmp_path)
    reader, trained = MetricsReader(tmp_path), []
    for number in range(1, draw.randrange(2, 8)):
        checkpoint = draw.randrange(len(trained) + 1)
        trained = trained[:checkpoint] + add_segment(
            tmp_path, number, checkpoint + 1, checkpoint + draw.randrange(1, 9)
        )
        if draw.random() < 0.5:
            reader.poll()
            assert read(reader) == trained
    reader.poll()
    assert read(reader) == trained
    assert len(reader.times) == len(trained)


def test_a_run_without_metrics_has_none(tmp_path: Path) -> None:
    reader = MetricsReader(tmp_path)
    assert not reader.poll()
    assert reader.last() == {}
    assert reader.last_step() == 0
    assert len(reader.steps) == len(reader.times) == 0
    begin(tmp_path)
    assert not reader.poll()
    assert [column.name for column in reader.columns] == ["total", "kl", "lr"]


def test_a_segment_is_begun_only_once(tmp_path: Path) -> None:
    MetricsWriter(tmp_path, 1, 3).close()
    with pytest.raises(FileExistsError):
        MetricsWriter(tmp_path, 1, 3)


WRITER = """
import os, random, struct, sys
from tests import PATIENCE
data = b"".join(struct.pack("<qd3f", i, i, i, i * 2, i * 4) for i in range(1, 20_001))
random.seed(1)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
half = len(data) // 2
while data:
    if len(data) < half:
        sys.stdin.readline()
        half = 0
    size = random.randrange(1, 5000)
    os.write(file, data[:size])
    data = data[size:]
"""


def test_a_reader_beside_a_writing_process_sees_whole_records_only_and_all_of_them(tmp_path: Path) -> None:
    begin(tmp_path)
    reader, told = MetricsReader(tmp_path), False
    command = [sys.executable, "-c", WRITER, str(tmp_path / segment_name(1))]
    # The second half is written only once some of the first has been read.
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as writer:
        deadline = time.monotonic() + PATIENCE
        while reader.last_step() < 20_000 and time.monotonic() < deadline:
            if reader.poll():
                if not told:
                    assert writer.stdin
                    writer.stdin.write("go on\n")
                    writer.stdin.flush()
                    told = True
                steps = reader.steps
                assert steps[0] == 1
                assert steps[-1] == len(steps)
                assert reader.values("lr")[-1] == 4 * len(steps)
        assert writer.wait(PATIENCE) == 0
    np.testing.assert_array_equal(reader.steps, np.arange(1, 20_001))
    np.testing.assert_array_equal(reader.values("kl"), 2 * np.arange(1, 20_001, dtype=np.float32))
