"""Damaged files in a run's folder: each reader says which, in one sentence, and no run stands in another's way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from laddertop.journal.events import EventReader, EventWriter
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader, count_columns, read_columns
from laddertop.journal.origin import read_origin
from laddertop.journal.spec import load_recipe
from tests.processes import Laddertop
from tests.starts import start

STARTED = start(steps=10, epoch_steps=5)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path, load_recipe("ladder-digits"), "damaged")


@pytest.mark.parametrize("text", ["[1]", "", '{"columns": 3}', "\udcff", "3", "[null]"])
def test_damaged_names_of_columns_are_told_with_their_file(run: RunFolder, text: str) -> None:
    file = run.path / "metrics.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    for read in (read_columns, count_columns, lambda path: MetricsReader(path).poll()):
        with pytest.raises(ValueError, match="no number of the run can be read") as caught:
            read(run.path)
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_columns_without_a_name_are_told_with_their_file(run: RunFolder) -> None:
    (run.path / "metrics.json").write_text('[{"label": "x"}]')
    with pytest.raises(ValueError, match=r"metrics\.json names no columns"):
        read_columns(run.path)


@pytest.mark.parametrize("text", ["[1]", "", "{}", '{"kind": "fork", "run": 3}', "\udcff"])
def test_a_damaged_origin_is_told_with_its_file_in_one_sentence(run: RunFolder, text: str) -> None:
    file = run.path / "origin.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match="it says what this run begins with") as caught:
        read_origin(run.path)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", '["a"]'])
def test_a_damaged_list_of_labelled_images_is_told_with_its_file(run: RunFolder, text: str) -> None:
    (run.path / "labelled.json").write_text(text)
    with pytest.raises(ValueError, match=r"labelled\.json can't be read"):
        _ = run.labelled


def test_a_note_is_one_line_whatever_lies_in_its_file(run: RunFolder) -> None:
    (run.path / "note.txt").write_bytes(b"two\nlines \xff\n")
    assert run.note == "two lines \N{REPLACEMENT CHARACTER}"
    (run.path / "note.txt").unlink()
    (run.path / "note.txt").mkdir()
    assert run.note == ""


def test_a_start_without_an_epoch_is_a_line_that_can_not_be_read(run: RunFolder) -> None:
    with EventWriter(run.events_path) as events:
        events.append(STARTED)
    line = json.loads(run.events_path.read_text()) | {"epoch_steps": 0}
    run.events_path.write_text(json.dumps(line) + "\n")
    reader = EventReader(run.events_path)
    assert reader.read_all() == []
    assert reader.damaged == 1


def test_no_damaged_run_ends_or_hangs_the_list_of_all(laddertop: Laddertop) -> None:
    damaged = ("columns", "no-epoch", "pipe", "origin", "pipes", "folder")
    for name in ("sound", *damaged):
        with EventWriter(create_run(laddertop.runs, load_recipe("ladder-digits"), name).events_path) as events:
            events.append(STARTED)
    paths = {name: laddertop.runs / name for name in damaged}
    (paths["columns"] / "metrics.json").write_text("[1]")
    started = (paths["no-epoch"] / "events.jsonl").read_text()
    (paths["no-epoch"] / "events.jsonl").write_text(started.replace('"epoch_steps":5', '"epoch_steps":0'))
    (paths["pipe"] / "events.jsonl").unlink()
    os.mkfifo(paths["pipe"] / "events.jsonl")
    (paths["origin"] / "origin.json").write_text("[1]")
    for name in ("note.txt", "engine.lock", "metrics.json", "metrics-0001.bin"):
        os.mkfifo(paths["pipes"] / name)
    (paths["folder"] / "metrics.json").mkdir()
    told = {run["name"]: run for run in laddertop.json("runs")}
    assert set(told) == {"sound", *damaged}
    assert told["sound"]["state"] == "crashed"
    for name, file in (("columns", "metrics.json"), ("pipe", "events.jsonl"), ("origin", "origin.json")):
        assert told[name]["state"] == "damaged"
        assert file in told[name]["problem"]
    assert told["pipes"]["state"] == told["folder"]["state"] == "damaged"
    for name in ("columns", "pipe", "origin", "pipes", "folder"):
        shown = laddertop("show", name)
        assert (shown.returncode, shown.stdout) == (2, "")
        assert shown.stderr.startswith("laddertop: ")
        assert shown.stderr.count("\n") == 1
    assert "1 line of events.jsonl could not be read" in laddertop("show", "no-epoch").stdout
