"""Wrong input: one sentence on stderr that says what was wrong and what to do, nothing on stdout, no traceback."""

from __future__ import annotations

import pytest

from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe
from laddertop.journal.start import has_gpu
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
        ("evaluate nosuch", "no run 'nosuch'"),
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
        ("evaluate ladder-one", "ladder-one has no checkpoint yet"),
        ("evaluate ladder-one --now --step 5", "--now evaluates as the training itself does; leave out --step"),
        ("eval ladder-one", "No such command 'eval'. Did you mean 'evaluate'"),
        ("evaluate ladder-one --split held_back", "ladder-one holds no images back; set data.held_back when you train"),
        ("set ladder-one", "Missing argument 'KNOB=VALUE"),
    ],
)
def test_what_can_not_be_is_said_in_a_sentence_with_exit_2(laddertop: Laddertop, words: str, complaint: str) -> None:
    done = laddertop.here(*words.split())
    assert complaint in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    ours = done.stderr.startswith("laddertop: ")
    assert ours or done.stderr.startswith("Usage: laddertop")
    assert not ours or done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", ["", "new", "attach ladder-one", "--runs empty"])
def test_the_dashboard_without_a_terminal_says_so(laddertop: Laddertop, words: str) -> None:
    done = laddertop.here(*words.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("laddertop: the dashboard needs a terminal")
    assert "laddertop train" in done.stderr


@pytest.mark.parametrize("action", ["pause", "continue", "stop", "checkpoint", "evaluate --now", "refresh", "set"])
def test_without_an_engine_a_command_is_not_sent_and_exits_3(laddertop: Laddertop, action: str) -> None:
    done = laddertop.here(*action.split(), "ladder-one", *(["noise=off"] if action == "set" else []))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("laddertop: no engine is at work in ladder-one")
    assert list((laddertop.runs / "ladder-one" / "commands").iterdir()) == []


def test_an_empty_folder_of_runs_is_no_error(laddertop: Laddertop) -> None:
    for place in ("empty", "nowhere"):
        done = laddertop.here("runs", "--runs", place)
        assert (done.returncode, done.stdout) == (0, "")
        assert "there are no runs in" in done.stderr
        assert laddertop.here("runs", "--runs", place, "--json").stdout == "[]\n"


@pytest.mark.parametrize("many", [[], ["--seeds", "2"], ["--detach"]])
@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["ladder-mnist-100", "--data-root", "mistyped"], "data.root: there is no folder "),
        (["ladder-digits", "--device", "cuda"], "device cuda: no GPU can be seen on this machine; take device cpu"),
        (["ladder-digits", "--device", "mps"], "device mps: only Macs have one"),
        (["ladder-digits", "--labels", "2000"], "data.labels: 2000 labels, and digits has 1437 training items"),
        (["ladder-digits", "--set", "data.batch=2000"], "data.batch: 2000 rows, and digits has 1437 training items"),
        (["ladder-digits", "--set", "data.held_back=1437"], "data.held_back: digits has 1437 training items"),
        (["ladder-digits", "--epochs", "0.01"], "epochs: 0.01 is less than one step; an epoch has 14"),
        (["conv-fc-mnist-100", "--data", "digits"], "convv:1000:26 is larger than the maps below, 8×8"),
        (["conv-fc-mnist-100", "--data", "emnist", "--labels", "all"], "has 10 units, emnist has 47 classes"),
    ],
)
def test_what_can_not_be_trained_is_refused_before_there_is_a_folder(
    laddertop: Laddertop, words: list[str], complaint: str, many: list[str]
) -> None:
    if "cuda" in words and has_gpu():
        pytest.skip("there is a GPU")
    before = set(laddertop.cwd.rglob("*"))
    done = laddertop.here("train", *words, *many)
    assert complaint in done.stderr
    assert (done.returncode, done.stdout) == (2, "")
    assert set(laddertop.cwd.rglob("*")) == before


def test_a_named_data_folder_that_is_not_there_is_not_made(laddertop: Laddertop) -> None:
    done = laddertop("train", "vae-mnist", LADDERTOP_DATA=str(laddertop.cwd / "mistyped"))
    assert done.returncode == 2
    assert "$LADDERTOP_DATA: there is no folder" in done.stderr
    assert not (laddertop.cwd / "mistyped").exists()
