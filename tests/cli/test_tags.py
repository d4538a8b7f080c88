"""Tags are words of a run's note: given, taken away, and what runs are found and compared by."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.ours import check_ours
from laddertop.journal.spec import load_recipe
from laddertop.tui.dashboard.views.run_row import RunRow
from laddertop.tui.dashboard.views.runs import _fits
from laddertop.tui.steer.keeping import write_note
from tests.processes import Laddertop


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A folder with three runs."""
    for name in ("one", "two", "three"):
        create_run(tmp_path / "runs", load_recipe("ladder-digits"), name)
    return tmp_path / "runs"


def test_tags_are_given_and_taken_away_and_the_note_stays(laddertop: Laddertop, runs: Path) -> None:
    one, where = RunFolder(runs / "one"), ["--runs", str(runs)]
    write_note(one, "the one for table 2")
    assert laddertop.here("tag", "one", "paper", "#table", "paper", *where).returncode == 0
    assert laddertop.here("tag", "one", *where).stdout == "paper table\n"
    assert one.note == "the one for table 2 #paper #table"
    assert laddertop.here("tag", "one", "table", "--off", *where).returncode == 0
    assert one.note == "the one for table 2 #paper"
    check_ours(one)
    refused = laddertop.here("tag", "one", "two words", *where)
    assert (refused.returncode, refused.stderr) == (2, "laddertop: 'two words' can't be a tag: take one word\n")


def test_runs_are_listed_and_compared_by_their_tags(laddertop: Laddertop, runs: Path) -> None:
    where = ["--runs", str(runs)]
    for name, tags in (("one", ["old", "mine"]), ("two", ["mine"]), ("three", ["old"])):
        laddertop.here("tag", name, *tags, *where)
    listed = laddertop.json("runs", "--tag", "mine", *where)
    assert {run["name"]: run["tags"] for run in listed} == {"one": ["old", "mine"], "two": ["mine"]}
    assert [run["name"] for run in laddertop.json("runs", "--tag", "mine", "--tag", "old", *where)] == ["one"]
    assert "no run in" in laddertop.here("runs", "--tag", "none", *where).stderr
    compared = laddertop.here("compare", "three", "--group", "mine", *where)
    assert compared.returncode == 0
    assert set(compared.stdout.split()) >= {"one", "two", "three"}
    assert laddertop.here("compare", "one", "--group", "old", "--group", "mine", *where).returncode == 0
    for words, complaint in (
        (["--group", "mien"], "has the tag 'mien' (did you mean mine?)"),
        (["one"], "compare takes two runs or more, not only one"),
        ([], "compare takes two runs or more; "),
    ):
        refused = laddertop.here("compare", *words, *where)
        assert refused.returncode == 2
        assert complaint in refused.stderr


@pytest.mark.parametrize(
    ("typed", "found"), [("tag:pap", True), ("tag:paper one", True), ("tag:table", False), ("tag:pap two", False)]
)
def test_the_list_is_filtered_by_tag(runs: Path, typed: str, found: bool) -> None:
    row = RunRow(RunFolder(runs / "one"), note="for the table #Paper")
    assert _fits(row, typed.split()) is found
