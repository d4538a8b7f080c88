"""The list of runs is there at once however many there are: what is over is not read again, and what goes on is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.files import user_cache
from laddertop.journal.folder import RunFolder, list_runs
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.runs import RunsView
from laddertop.tui.watch.kept import WORTH_KEEPING
from laddertop.tui.watch.summaries import short_summaries
from tests.tui.played import PlayedEngine

WRONG = 7.5
"""What a run is made to say that must not be asked again."""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """As many runs that are over as are worth keeping, and one more that crashed."""
    for number in range(WORTH_KEEPING + 1):
        with PlayedEngine.new(tmp_path, "ladder-mnist-100", f"run-{number}", steps=400, seed=number) as run:
            run.train(200)
            run.evaluate(2.5)
            run.evaluate(3.5 + number)
            if number < WORTH_KEEPING:
                run.end("finished")
    return tmp_path


def read(view: RunsView) -> list[RunRow]:
    """The rows once every run was read and checked, for which one look may not have the time."""
    rows = view.look()
    while view.more or view.unchecked:
        rows = view.look()
    return rows


def told(view: RunsView) -> dict[str, tuple[object, ...]]:
    """What the rows say, by run."""
    return {
        row.name: (
            *(row.recipe, row.problem, row.status, row.step, row.steps, row.evaluation, row.made),
            *(row.note, row.archived, row.origin, row.trend.tolist()),
        )
        for row in read(view)
    }


def falsify(run: Path) -> None:
    """Changes a number in the events without anything that can be seen from outside."""
    file = run / "events.jsonl"
    before = file.stat()
    text = file.read_text(encoding="utf-8")
    assert '"value":2.5' in text
    file.write_text(text.replace('"value":2.5', f'"value":{WRONG}'), encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size


def test_the_next_start_knows_the_runs_that_are_over_without_reading_them(runs: Path) -> None:
    first = told(RunsView(runs))
    assert first["run-3"][2:6] == ("finished", 200, 400, ("error", " %", 6.5, 2.5, "lower"))
    assert first[f"run-{WORTH_KEEPING}"][2] == "crashed"
    for run in runs.iterdir():
        if run.name.startswith("run-"):
            falsify(run)
    assert told(RunsView(runs)) == first


def test_a_run_is_not_read_again_once_it_is_over_until_it_goes_on(runs: Path) -> None:
    view = RunsView(runs)
    first = told(view)
    (reader,) = (r for r in view._readers.values() if r.row.name == f"run-{WORTH_KEEPING}")
    run = reader.row.run
    falsify(run.path)
    assert told(view) == first
    with PlayedEngine(run, steps=400, first=100, segment=2) as resumed:
        assert told(view)[run.name][2:6] == ("training", 100, 400, None)
        resumed.train(50)
        assert told(view)[run.name][3] == 150
        resumed.evaluate(1.5)
        resumed.end("finished")
    assert told(view)[run.name][2:6] == ("finished", 150, 400, ("error", " %", 1.5, 1.5, "lower"))
    assert len(told(view)[run.name][-1]) == 50  # type: ignore[arg-type]


def test_what_happened_between_two_starts_is_seen_by_the_second(runs: Path) -> None:
    read(RunsView(runs))
    shutil.rmtree(runs / "run-0")
    shutil.rmtree(runs / "run-1")
    with PlayedEngine.new(runs, "vae-mnist", "run-1") as again:
        again.train(20)
    (runs / "run-2" / "note.txt").write_text("the best", encoding="utf-8")
    (runs / "run-2" / "archived").touch()
    with PlayedEngine(RunFolder(runs / "run-3"), segment=2):
        second = told(RunsView(runs))
    assert "run-0" not in second
    assert second["run-1"][0] == "vae-mnist"
    assert second["run-1"][3] == 20
    assert second["run-2"][7:9] == ("the best", True)
    assert second["run-3"][2] == "training"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"format": 1}', '{"format": 1, "runs": [{"name": "run-1"}]}'])
def test_a_cache_that_is_damaged_or_cant_be_written_takes_nothing_from_the_list(runs: Path, damage: str) -> None:
    first = told(RunsView(runs))
    (kept,) = (user_cache() / "runs").iterdir()
    kept.write_text(damage, encoding="utf-8")
    assert told(RunsView(runs)) == first
    shutil.rmtree(user_cache())
    user_cache().write_text("no folder", encoding="utf-8")
    assert told(RunsView(runs)) == first


def test_a_few_runs_leave_no_cache_behind(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as run:
        run.train(20)
        run.end("finished")
    read(RunsView(tmp_path))
    assert not (user_cache() / "runs").exists()


def lines(runs: Path) -> dict[str, dict[str, Any]]:
    """What `laddertop runs` says, by run."""
    return {line["name"]: line for line in short_summaries(runs, list_runs(runs))}


def test_the_command_that_lists_runs_reads_those_that_are_over_once_until_their_files_change(runs: Path) -> None:
    first = lines(runs)
    assert (first["run-3"]["state"], first[f"run-{WORTH_KEEPING}"]["state"]) == ("finished", "crashed")
    falsify(runs / "run-3")
    assert lines(runs) == first
    (runs / "run-4" / "note.txt").write_text("#kept", encoding="utf-8")
    with open(runs / "run-5" / "metrics-0001.bin", "r+b") as file:
        file.truncate(500)
    shutil.rmtree(runs / "run-6")
    with PlayedEngine(RunFolder(runs / "run-7"), segment=2):
        second = lines(runs)
    assert {name for name in first if second.get(name) != first[name]} == {"run-4", "run-5", "run-6", "run-7"}
    assert (second["run-4"]["tags"], second["run-7"]["state"]) == (["kept"], "training")
    assert "run-6" not in second
    assert "the numbers are lost" in second["run-5"]["problems"][0]


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 1, "runs": [{"run": "run-1", "files": []}]}'])
def test_a_cache_of_lines_that_is_damaged_takes_nothing_from_them(runs: Path, damage: str) -> None:
    first = lines(runs)
    (kept,) = (user_cache() / "summaries").iterdir()
    kept.write_text(damage, encoding="utf-8")
    assert lines(runs) == first
