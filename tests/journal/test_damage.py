"""What is wrong with the files of a run is told in a sentence, and nothing is that is in order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from laddertop.engine.training.adopt import adopt
from laddertop.journal.damage import MetricsCheck, damages, sums_of_files
from laddertop.journal.events import Checkpointed, Column, Evaluated, Event, EventReader, EventWriter, Logged, RunEnded
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader, MetricsWriter, write_columns
from laddertop.journal.metrics_overview import Overview, overview_name
from laddertop.journal.metrics_sums import BLOCK, sums_name
from laddertop.journal.spec import load_recipe
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.steer.keeping import fork
from laddertop.tui.watch.summary import short_summary, summary
from tests.starts import start

STEPS = 2 * BLOCK + 100


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run of three blocks, the last of which is not whole."""
    run = create_run(tmp_path, load_recipe("ladder-digits"), "run")
    write_columns(run.path, [Column(name=name, label=name, unit="") for name in ("total", "cost")])
    writer = MetricsWriter(run.path, 1, 2)
    for first in range(1, STEPS + 1, 51):
        steps = np.arange(first, min(first + 51, STEPS + 1))
        writer.append(steps, steps * 0.1, np.stack([steps, -steps], 1))
    writer.finish()
    writer.close()
    (run.path / "step-000000500.ckpt").write_bytes(b"weights")
    with EventWriter(run.events_path) as events:
        for event in happened(run):
            events.append(event)
    return run


def happened(run: RunFolder) -> list[Event]:
    value = {"error_percent": Value(value=12.5, unit="%")}
    return [
        start(steps=STEPS, files=sums_of_files(run)),
        Evaluated(step=500, split="test", values=value, seconds=1),
        Checkpointed(step=500, file="step-000000500.ckpt", sha256="0" * 64, bytes=7, reason="schedule"),
        RunEnded(step=STEPS, reason="finished"),
    ]


def told(run: RunFolder, alive: bool = False) -> list[str]:
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    metrics = MetricsReader(run.path)
    metrics.poll()
    check = MetricsCheck(metrics)
    assert check.look(1 << 30)
    return [*damages(run, state, metrics, alive), *check.told()]


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def test_a_run_in_order_has_nothing_to_tell_nor_has_one_of_before_there_were_checksums(run: RunFolder) -> None:
    assert told(run) == []
    (run.path / sums_name(1)).unlink()
    lines = [event.model_dump_json(exclude={"files"}) for event in EventReader(run.events_path).read_all()]
    run.events_path.write_text("\n".join(lines) + "\n")
    reader = EventReader(run.events_path)
    assert len(reader.read_all()) == 4
    assert reader.damaged == 0
    assert told(run) == []


@pytest.mark.parametrize("record", [0, BLOCK, STEPS - 1])
def test_a_bit_that_flipped_in_a_number_is_told_with_where_it_is(run: RunFolder, record: int) -> None:
    flip(run.path / "metrics-0001.bin", 24 * record + 17)
    (text,) = told(run)
    first = record // BLOCK * BLOCK + 1
    assert text.startswith(f"metrics-0001.bin is damaged: records {first} to ")
    assert summary(run)["problems"] == [text]
    # A list of runs looks at the newest block only, where the step that it tells stands.
    assert short_summary(run)["problems"] == ([text] if record == STEPS - 1 else [])


def test_a_list_of_runs_looks_at_the_newest_numbers_only(run: RunFolder) -> None:
    metrics = MetricsReader(run.path)
    metrics.poll()
    flip(run.path / "metrics-0001.bin", 17)
    newest, all_of_it = MetricsCheck(metrics, newest=24 * 10), MetricsCheck(metrics)
    assert newest.look(1 << 30)
    assert newest.told() == []
    looks = 1
    while not all_of_it.look(1):
        looks += 1
    assert looks > 1
    assert len(all_of_it.told()) == 1


def test_numbers_that_are_cut_or_gone_are_told_and_older_ones_are_none_of_now(run: RunFolder) -> None:
    os.truncate(run.path / "metrics-0001.bin", 24 * 300)
    assert f"metrics-0001.bin was cut: it held {STEPS} records, and has 300 left" in told(run)
    assert summary(run)["total"] is None
    (run.path / sums_name(1)).unlink()
    assert told(run) == [
        f"metrics-0001.bin ends at step 300, and the run had come to step {STEPS}: the numbers are lost"
    ]
    (run.path / "metrics-0001.bin").unlink()
    assert told(run) == [
        f"metrics-0001.bin holds no number, and the run had come to step {STEPS}: the numbers are lost"
    ]
    (run.path / "metrics.json").unlink()
    assert told(run)[0] == "metrics.json is gone, with which the newest start began"
    assert summary(run)["total"] is None


def test_a_block_of_the_overview_that_is_damaged_is_gathered_anew(run: RunFolder) -> None:
    metrics = MetricsReader(run.path)
    metrics.poll()

    def blocks() -> bytes:
        overview = Overview(run.path, 1, 2)
        while not overview.catch_up(STEPS, lambda begin, end: metrics.read(1, begin, end)):
            pass
        return overview.blocks.tobytes()

    sound = blocks()
    for at in range(0, 2 * BLOCK, 37):
        file = run.path / overview_name(1)
        whole = file.read_bytes()
        flip(file, at % len(whole))
        assert blocks() == sound
        file.write_bytes(whole)


def test_a_line_of_the_events_that_is_not_as_it_was_written_is_no_event(run: RunFolder) -> None:
    run.events_path.write_bytes(run.events_path.read_bytes().replace(b'"value":12.5', b'"value":13.5'))
    reader = EventReader(run.events_path)
    assert [event.type for event in reader.read_all()] == ["run_started", "checkpointed", "run_ended"]
    assert reader.damaged == 1


@pytest.mark.parametrize("left", [0, 1, 2])
def test_events_without_their_end_are_told_with_the_checkpoints_that_they_lost(run: RunFolder, left: int) -> None:
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(b"".join(lines[:left]))
    assert any("it does not name the checkpoint of step 500, which a resume finds again" in text for text in told(run))
    assert any("nothing of the start that wrote metrics-0001.bin" in text for text in told(run)) == (left == 0)
    assert told(run, alive=True) == [], "an engine that is at work may be about to record it"
    with pytest.raises(ValueError, match=r"does not name what was saved last, step-000000500\.ckpt"):
        fork(run, run.path.parent)


def test_files_that_are_not_what_the_start_began_with_are_told_here_and_by_the_next_start(run: RunFolder) -> None:
    spec = run.path / "spec.json"
    spec.write_text(spec.read_text().replace('"seed": 1', '"seed": 2'))
    (text,) = told(run)
    assert text == "spec.json is not what the newest start began with: it was changed, or is damaged"
    lines = run.events_path.read_bytes().splitlines(keepends=True)
    run.events_path.write_bytes(lines[0] + lines[1].replace(b"12.5", b"12.6") + lines[2] + lines[3])
    reader = EventReader(run.events_path)
    state = RunState().apply_all(reader.read_all())
    with EventWriter(run.events_path) as events:
        adopt(run, events.append, state, reader.damaged)
    logged = [e.text for e in EventReader(run.events_path).read_all() if isinstance(e, Logged) and e.level == "warning"]
    assert logged == ["1 line of events.jsonl could not be read", text]


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_a_note_that_can_not_be_read_is_told(run: RunFolder, content: bytes | None) -> None:
    note = run.path / "note.txt"
    note.mkdir() if content is None else note.write_bytes(content)
    (text,) = told(run)
    assert text.startswith("note.txt can't be read: ")
