"""Wrong input: one sentence on stderr that says what was wrong and what to do, nothing on stdout, no traceback."""

from __future__ import annotations

import pytest

from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe
from tests.processes import Laddertop


@pytest.fixture(scope="module", autouse=True)
def work(laddertop: Laddertop) -> None:
    """Two runs without an engine, and a few things that are no runs."""
    for name in ("ladder-one", "ladder-two"):
        create_run(laddertop.runs, load_recipe("ladder-digits"), name)
    (laddertop.cwd / "empty").mkdir()
    (laddertop.cwd / "file").write_text("")
    (laddertop.cwd / "broken.toml").write_text("steps = ")
    (laddertop.runs / "cut").mkdir()
    (laddertop.runs / "cut" / "spec.json").write_text('{"recipe": "lad')


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("show", "Missing argument 'RUN'"),
        ("shwo x", "No such command 'shwo'. Did you mean 'show'"),
        ("train ladder-digits --step 3", "No such option: --step"),
        ("train ladder-digits --steps three", "--steps"),
        ("show ladder", "'ladder' begins 2 runs: ladder-"),
        ("show laddr-one", "did you mean ladder-one"),
        ("show ./empty", "./empty is no run folder"),
        ("show ./nowhere", "there is no folder ./nowhere"),
        ("show last --runs empty", "there are no runs in"),
        ("show cut", "cut/spec.json can't be read"),
        ("resume cut", "cut/spec.json can't be read"),
        ("eval nosuch", "no run 'nosuch'"),
        ("train ladder-digit", "did you mean ladder-digits"),
        ("train nowhere/x.toml", "no recipe file nowhere/x.toml"),
        ("train broken.toml", "broken.toml is not valid TOML"),
        ("train ladder-digits --steps 3 --epochs 2", "either with --epochs or with --steps"),
        ("train ladder-digits --steps 0", "steps: input should be greater than or equal to 1 (you gave 0)"),
        ("train ladder-digits --set optimizer.l=1", "did you mean optimizer.lr"),
        ("train ladder-digits --precision fp16", "(you gave 'fp16')"),
        ("train ladder-digits --labels 15", "multiple of 10"),
        ("train ladder-digits --name ladder-one", "there is a run ladder-one in checkpoints already"),
        ("train ladder-digits --name a/b", "can't name a run"),
        ("train ladder-digits --runs file", "can't make the run folder file/"),
        ("train ladder-digits --runs /proc/laddertop", "choose another with --runs"),
        ("compare ladder-one", "compare takes two runs or more, not only ladder-one"),
        ("eval ladder-one", "ladder-one has no checkpoint yet"),
        ("eval ladder-one --split held_back", "ladder-one holds no images back; set data.held_back when you train"),
        ("set ladder-one", "Missing argument 'KNOB=VALUE"),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence_with_exit_2(laddertop: Laddertop, words: str, complaint: str) -> None:
    done = laddertop(*words.split())
    assert complaint in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    ours = done.stderr.startswith("laddertop: ")
    assert ours or done.stderr.startswith("Usage: laddertop")
    assert not ours or done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["", "new", "attach ladder-one", "--runs empty"])
def test_the_dashboard_without_a_terminal_says_so(laddertop: Laddertop, words: str) -> None:
    done = laddertop(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("laddertop: the dashboard needs a terminal")
    assert "laddertop train" in done.stderr


@pytest.mark.parametrize("action", ["pause", "continue", "stop", "checkpoint", "evaluate", "refresh", "set"])
def test_without_an_engine_a_command_is_not_sent_and_exits_3(laddertop: Laddertop, action: str) -> None:
    done = laddertop(action, "ladder-one", *(["noise=off"] if action == "set" else []))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("laddertop: no engine is at work in ladder-one")
    assert list((laddertop.runs / "ladder-one" / "commands").iterdir()) == []


def test_an_empty_folder_of_runs_is_no_error(laddertop: Laddertop) -> None:
    for place in ("empty", "nowhere"):
        done = laddertop("runs", "--runs", place)
        assert (done.returncode, done.stdout) == (0, "")
        assert "there are no runs in" in done.stderr
        assert laddertop("runs", "--runs", place, "--json").stdout == "[]\n"
