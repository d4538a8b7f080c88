"""What is appended to a journal is there once and whole, however often the disk refuses in between."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from laddertop.engine.training.recorder import Recorder
from laddertop.journal import inside
from laddertop.journal.events import Checkpointed, Column, EventReader, EventWriter, Logged, RunEnded
from laddertop.journal.metrics import MetricsReader, MetricsWriter, write_columns
from laddertop.journal.metrics_overview import Overview
from laddertop.journal.metrics_sums import BLOCK


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process grows beyond `size` bytes: the system cuts what is written, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_an_event_that_the_disk_cut_off_is_completed_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    with EventWriter(path) as events:
        with room_for(30), pytest.raises(OSError, match="File too large"):
            events.append(Logged(step=1, level="info", text="first"))
        assert path.stat().st_size == 30
        assert reader.read_all() == []
        events.append(Logged(step=2, level="info", text="second"))
    assert [event.step for event in reader.read_all()] == [1, 2]
    assert reader.damaged == 0


def test_a_flush_that_failed_and_is_tried_again_writes_every_step_once(tmp_path: Path) -> None:
    write_columns(tmp_path, [Column(name=name, label=name, unit="") for name in ("a", "b")])
    recorder = Recorder(tmp_path, 1, 2, torch.device("cpu"))
    for step in range(1, 6):
        recorder.row().fill_(step)
        recorder.report(step)
    with room_for(100):
        for _ in range(2):
            with pytest.raises(OSError, match="File too large"):
                recorder.flush()
        with pytest.raises(OSError, match="File too large"):
            _another(recorder, 6)
    recorder.close()
    reader = MetricsReader(tmp_path)
    reader.poll()
    assert reader.steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert reader.values("a").tolist() == [1, 2, 3, 4, 5, 6]


def _another(recorder: Recorder, step: int) -> None:
    recorder.row().fill_(step)
    recorder.report(step)
    recorder.flush()


def test_an_overview_that_can_not_be_written_is_told_and_the_numbers_go_on(tmp_path: Path, monkeypatch) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    writer = MetricsWriter(tmp_path, 1, 1)
    assert writer._overview is not None
    monkeypatch.setattr(writer._overview, "flush", failing)
    for first in (1, 1 + BLOCK):
        steps = np.arange(first, first + BLOCK)
        writer.append(steps, steps, steps[:, None])
    writer.close()
    assert "overview" in writer.problem
    write_columns(tmp_path, [Column(name="a", label="a", unit="")])
    reader = MetricsReader(tmp_path)
    reader.poll()
    assert len(reader.steps) == 2 * BLOCK
    overview = Overview(tmp_path, 1, 1)
    assert overview.catch_up(2 * BLOCK, lambda begin, end: reader.read(1, begin, end))
    assert overview.blocks["step"].tolist() == [BLOCK, 2 * BLOCK]


def test_events_that_the_disk_failed_to_hold_are_written_anew_and_readers_go_on(tmp_path: Path, monkeypatch) -> None:
    path, sync, failures = tmp_path / "events.jsonl", os.fsync, [errno.EIO, errno.EIO]

    def failing(handle: int) -> None:
        # Linux gives up what it could not write: a second fsync of the same file would say that all is well.
        if failures:
            raise OSError(failures.pop(), "Input/output error")
        sync(handle)

    monkeypatch.setattr(inside.os, "fsync", failing)
    reader = EventReader(path)
    with EventWriter(path) as events:
        events.append(Logged(step=1, level="info", text="a word"))
        before = path.stat().st_ino
        assert len(reader.read_all()) == 1
        with pytest.raises(OSError, match="Input/output error"):
            events.append(RunEnded(step=2, reason="finished"))
        with pytest.raises(OSError, match="Input/output error"):
            events.flush()
        events.flush()
        assert path.stat().st_ino != before
        events.append(Logged(step=3, level="info", text="another"))
    assert [event.step for event in reader.read_all()] == [2, 3]
    assert [event.step for event in EventReader(path).read_all()] == [1, 2, 3]


def test_what_a_resume_needs_is_on_the_disk_before_it_is_promised(tmp_path: Path, monkeypatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(inside.os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}")))
    with EventWriter(tmp_path / "events.jsonl") as events:
        events.append(Logged(step=1, level="info", text="a word"))
        assert synced == []
        saved = Checkpointed(step=1, file="step-000000001.ckpt", sha256="0", bytes=1, reason="schedule")
        for event in (saved, RunEnded(step=2, reason="finished")):
            synced.clear()
            events.append(event)
            assert synced == [str(tmp_path / "events.jsonl"), str(tmp_path)]
    synced.clear()
    write_columns(tmp_path, [Column(name="a", label="a", unit="")])
    assert len(synced) == 2
