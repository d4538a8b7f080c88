"""The event file keeps its promises: whole lines only, nothing lost, NaN stays NaN."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from pathlib import Path

import pytest

from laddertop.journal import event_lines as module
from laddertop.journal.events import (
    Change,
    Checkpointed,
    Commanded,
    Evaluated,
    Event,
    EventReader,
    EventWriter,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
    Term,
)
from laddertop.journal.record import as_json
from laddertop.journal.value import Value
from tests import PATIENCE

STARTED = RunStarted(
    step=0,
    segment=1,
    pid=1,
    host="h",
    device="cpu",
    precision="fp32",
    compiled=False,
    threads=2,
    versions={"torch": "2.9"},
    resumed_from=None,
    steps=100,
    epoch_steps=10,
    terms=[Term(name="kl", label="KL", unit="nats per image, mean over the batch", weight="beta")],
    knobs=[
        Knob(name="beta", label="β", kind="number", unit="", low=0, high=math.inf, factor=2, help="KL weight.", value=1)
    ],
)
EVERY_KIND: list[Event] = [
    STARTED,
    Commanded(
        step=3,
        id="7",
        by="ann@box",
        action="set",
        outcome="applied",
        changes=[Change(knob="beta", old=1, applied=4)],
    ),
    Evaluated(step=4, split="test", values={"error_percent": Value(value=1.5, unit="% of images")}, seconds=0.1),
    Sampled(step=5, file="samples/step-000000005.npz", rows=["input", "reconstruction"]),
    Checkpointed(step=6, file="step-000000006.ckpt", sha256="00", bytes=3, reason="schedule"),
    Logged(step=7, level="warning", text="σ went to 0…\nwhy?"),
    RunEnded(step=8, reason="finished"),
]


def written(path: Path, events: list[Event]) -> bytes:
    with EventWriter(path) as writer:
        for event in events:
            writer.append(event)
    return path.read_bytes()


def test_every_kind_of_event_comes_back_as_it_was_written(tmp_path: Path) -> None:
    data = written(tmp_path / "events.jsonl", EVERY_KIND)
    assert EventReader(tmp_path / "events.jsonl").read_all() == EVERY_KIND
    assert [json.loads(line)["type"] for line in data.splitlines()] == [event.type for event in EVERY_KIND]


@pytest.mark.parametrize("last", [EVERY_KIND[2], EVERY_KIND[5]], ids=lambda event: event.type)
def test_a_tail_torn_at_any_byte_is_not_there_yet_and_then_whole(tmp_path: Path, last: Event) -> None:
    path = tmp_path / "events.jsonl"
    whole = written(path, [STARTED, last])
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        reader = EventReader(path)
        assert reader.poll() == [STARTED]
        assert reader.poll() == []
        path.write_bytes(whole)
        assert reader.poll() == [last]
        assert reader.damaged == 0


def test_a_writer_after_a_crash_at_any_byte_loses_only_the_cut_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    cut_off, after = EVERY_KIND[5], RunEnded(step=9, reason="stopped")
    whole = written(path, [STARTED, cut_off])
    first = whole.index(b"\n") + 1
    for cut in range(first, len(whole)):
        path.write_bytes(whole[:cut])
        written(path, [after])
        reader = EventReader(path)
        only_the_newline_was_missing = cut == len(whole) - 1
        expected = [STARTED, cut_off, after] if only_the_newline_was_missing else [STARTED, after]
        assert reader.read_all() == expected
        assert reader.damaged == 0


def test_nan_and_infinities_survive_in_the_file(tmp_path: Path) -> None:
    numbers = {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 0.1}
    event = Evaluated(step=1, split="test", values={k: Value(value=v, unit="") for k, v in numbers.items()}, seconds=1)
    line = json.loads(written(tmp_path / "e", [event]), parse_constant=pytest.fail)
    assert {k: v["value"] for k, v in line["values"].items()} == {
        "a": "NaN",
        "b": "Infinity",
        "c": "-Infinity",
        "d": 0.1,
    }
    (read,) = EventReader(tmp_path / "e").poll()
    assert isinstance(read, Evaluated)
    assert math.isnan(read.values["a"].value)
    assert [read.values[k].value for k in "bcd"] == [math.inf, -math.inf, 0.1]


def test_plain_json_values_of_an_event_are_those_of_its_line() -> None:
    event = Evaluated(step=1, split="test", values={"a": Value(value=math.nan, unit="nats")}, seconds=math.inf)
    assert as_json(event) == json.loads(event.model_dump_json())
    assert as_json(event)["values"]["a"]["value"] == "NaN"


def test_what_a_newer_version_wrote_is_passed_over_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    known = json.loads(RunEnded(step=2, reason="finished").model_dump_json()) | {"mood": "good"}
    path.write_text(json.dumps({"type": "forked", "step": 1}) + "\n" + json.dumps(known) + "\n")
    reader = EventReader(path)
    (read,) = reader.read_all()
    assert isinstance(read, RunEnded)
    assert reader.damaged == 1


def test_a_poll_is_bounded_and_a_line_longer_than_the_bound_still_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READ_AT_MOST", 300)
    events: list[Event] = [Logged(step=i, level="info", text="x" * (2000 if i == 20 else 5)) for i in range(40)]
    written(tmp_path / "e", events)
    reader = EventReader(tmp_path / "e")
    assert 0 < len(reader.poll()) < 6
    assert len(reader.read_all()) > 30
    assert EventReader(tmp_path / "e").read_all() == events


def test_a_run_without_events_has_none(tmp_path: Path) -> None:
    assert EventReader(tmp_path / "events.jsonl").read_all() == []


WRITER = """
import os, random, sys, time
from laddertop.journal.events import Logged
from tests import PATIENCE
events = [Logged(step=i, level="info", text="σ" * (i % 50)) for i in range(2000)]
data = b"".join(event.model_dump_json().encode() + b"\\n" for event in events)
random.seed(1)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
half = len(data) // 2
while data:
    if len(data) < half:
        sys.stdin.readline()
        half = 0
    size = random.randrange(1, 700)
    os.write(file, data[:size])
    data = data[size:]
"""


def test_a_reader_beside_a_writing_process_sees_whole_events_only_and_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader, seen = EventReader(path), []
    # The second half is written only once some of the first has been read.
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdin=subprocess.PIPE, text=True) as writer:
        deadline = time.monotonic() + PATIENCE
        while len(seen) < 2000 and time.monotonic() < deadline:
            news = reader.poll()
            if news and not seen:
                assert writer.stdin
                writer.stdin.write("go on\n")
                writer.stdin.flush()
            seen += news
        assert writer.wait(PATIENCE) == 0
    assert [(e.step, len(e.text)) for e in seen if isinstance(e, Logged)] == [(i, i % 50) for i in range(2000)]
    assert reader.damaged == 0
