"""Several runs are put away or deleted at once: all of them, or none where one can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe
from tests.processes import COMMAND, Laddertop
from tests.terminal import Terminal


@pytest.fixture
def three(laddertop: Laddertop, tmp_path: Path) -> list[RunFolder]:
    """Three runs that nobody trains, in a folder of their own."""
    return [create_run(tmp_path / "runs", load_recipe("ladder-digits"), name) for name in ("one", "two", "three")]


@pytest.mark.parametrize("words", [["delete", "--yes"], ["archive"]])
@pytest.mark.parametrize("in_the_way", ["trained", "foreign", "absent"])
def test_where_one_can_not_be_nothing_is_done_to_any(
    laddertop: Laddertop, three: list[RunFolder], words: list[str], in_the_way: str
) -> None:
    one, two, _ = three
    names = ["one", "two", "three", *(["four"] if in_the_way == "absent" else [])]
    if in_the_way == "foreign":
        (two.path / "thesis.tex").write_text("mine")
    with two.engine_lock() if in_the_way == "trained" else one.waiting():
        done = laddertop.here(*words, *names, "--runs", str(one.path.parent))
    assert (done.returncode, done.stdout) == (2, "")
    complaint = {"trained": "is training two", "foreign": "thesis.tex", "absent": "no run 'four'"}[in_the_way]
    assert complaint in done.stderr
    assert all(run.path.is_dir() and not run.archived for run in three)


def test_several_are_put_away_and_taken_back(laddertop: Laddertop, three: list[RunFolder]) -> None:
    where = ["--runs", str(three[0].path.parent)]
    assert laddertop.here("archive", "one", "three", "one", *where).returncode == 0
    assert [run.archived for run in three] == [True, False, True]
    assert laddertop.here("archive", "one", "three", "--back", *where).returncode == 0
    assert not any(run.archived for run in three)


def test_one_question_is_for_all_that_are_named(laddertop: Laddertop, three: list[RunFolder]) -> None:
    words = ["delete", "one", "two", "--runs", str(three[0].path.parent)]
    for answer, left in (("n", ["one", "three", "two"]), ("y", ["three"])):
        with Terminal([*COMMAND, *words], laddertop.cwd, laddertop.environment, 150, 20) as terminal:
            terminal.wait_for(lambda lines: "for good: all 2? [y/N]" in "".join(lines))
            terminal.press(f"{answer}\r")
            assert terminal.ended() == 0
        assert sorted(path.name for path in three[0].path.parent.iterdir()) == left
