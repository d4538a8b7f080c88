"""Run folders: made once, found by what people type, and an engine's lock that dies with it."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from laddertop.journal.folder import RunFolder, create_run, find_run, list_runs, runs_folder
from laddertop.journal.spec import load_recipe

DIGITS = load_recipe("ladder-digits")


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, oldest first: ladder-a, ladder-b, vae; the working folder is an empty one."""
    for age, name in enumerate(("ladder-a", "ladder-b", "vae")):
        run = create_run(tmp_path / "runs", DIGITS, name)
        os.utime(run.path / "spec.json", (1000 + age, 1000 + age))
    (tmp_path / "runs" / "no-run").mkdir()
    (tmp_path / "runs" / "README.md").write_text("")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "runs"


def test_a_new_run_can_be_read_back(tmp_path: Path) -> None:
    run = create_run(tmp_path / "deep" / "runs", DIGITS)
    assert run.spec == DIGITS
    assert "ladder-digits" in run.name
    assert (run.path / "commands").is_dir()
    assert (run.path / "samples").is_dir()
    assert create_run(tmp_path / "deep" / "runs", DIGITS).name != run.name


@pytest.mark.parametrize("name", ["a/b", "..", ".hidden", "-n", "", "last", "a\nb", "a\x1b[31m"])
def test_a_name_that_would_not_work_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="can't name a run"):
        create_run(tmp_path, DIGITS, name)
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_taken_once(runs: Path) -> None:
    before = (runs / "vae" / "spec.json").read_bytes()
    with pytest.raises(ValueError, match=r"there is a run vae in .* already"):
        create_run(runs, load_recipe("vae-mnist"), "vae")
    assert (runs / "vae" / "spec.json").read_bytes() == before


@pytest.mark.parametrize("place", ["file", "/proc/laddertop"])
def test_a_place_that_takes_no_folder_is_named(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"can't make the run folder .*; choose another with --runs"):
        create_run(tmp_path / place / "runs", DIGITS, "x")


def test_runs_are_listed_newest_first_and_other_things_are_not(runs: Path) -> None:
    assert [run.name for run in list_runs(runs)] == ["vae", "ladder-b", "ladder-a"]
    assert list_runs(runs / "nowhere") == []
    assert list_runs(runs / "README.md") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [("vae", "vae"), ("v", "vae"), ("ladder-b", "ladder-b"), ("last", "vae"), ("../runs/ladder-a", "ladder-a")],
)
def test_a_run_is_found_by_name_beginning_folder_or_last(runs: Path, text: str, name: str) -> None:
    assert find_run(runs, text).name == name
    assert find_run(runs, str(runs / name)).name == name


def test_a_whole_name_wins_over_longer_ones(runs: Path) -> None:
    create_run(runs, DIGITS, "ladder-a-2")
    assert find_run(runs, "ladder-a").name == "ladder-a"


def test_a_run_can_be_called_dot_from_inside(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs / "ladder-b")
    assert find_run(runs, ".").name == "ladder-b"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ladder", "'ladder' begins 2 runs: .*ladder-"),
        ("lader-a", "no run 'lader-a' in .*; did you mean ladder-a"),
        ("qqq", "no run 'qqq' in .*; `laddertop runs` lists them"),
        ("../runs/no-run", "no run folder: it has no spec.json"),
        ("../nowhere", "there is no folder ../nowhere"),
    ],
)
def test_a_run_that_is_not_there_is_named_with_the_nearest(runs: Path, text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        find_run(runs, text)


@pytest.mark.parametrize("text", ["last", "x"])
def test_without_runs_the_first_one_is_suggested(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match=r"there are no runs in .*; start one with `laddertop train"):
        find_run(tmp_path, text)


def test_the_folder_of_the_runs_is_the_option_the_variable_or_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LADDERTOP_RUNS", "/somewhere")
    assert runs_folder(Path("here")) == Path("here")
    assert runs_folder() == Path("/somewhere")
    monkeypatch.delenv("LADDERTOP_RUNS")
    assert runs_folder() == Path("checkpoints")


def test_a_spec_cut_off_anywhere_is_one_sentence(runs: Path) -> None:
    file = runs / "vae" / "spec.json"
    whole = file.read_bytes()
    for cut in range(0, len(whole), 5):
        file.write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"spec\.json.* can't be read: ") as caught:
            _ = RunFolder(runs / "vae").spec
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[]", "holds no spec"),
        ("{}", "name the model"),
        (DIGITS.model_dump_json().replace('"seed":1', '"seed":-1'), "seed: .*greater than or equal to 0"),
        (DIGITS.model_dump_json().replace('"seed"', '"sead"'), "sead: unknown key .*did you mean seed"),
        ("\udcff", "can't be read"),
    ],
)
def test_a_damaged_spec_is_named(runs: Path, text: str, complaint: str) -> None:
    (runs / "vae" / "spec.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match=complaint) as caught:
        _ = RunFolder(runs / "vae").spec
    assert str(runs / "vae" / "spec.json") in str(caught.value)


HOLDER = """
import sys, time
from pathlib import Path
from laddertop.journal.folder import RunFolder
with RunFolder(Path(sys.argv[1])).engine_lock():
    print("held", flush=True)
    time.sleep(3600)
"""


def test_an_engine_is_alive_until_it_is_killed_and_never_twice(runs: Path) -> None:
    run = RunFolder(runs / "vae")
    assert not run.engine_alive()
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(run.path)], stdout=subprocess.PIPE) as engine:
        assert engine.stdout is not None
        engine.stdout.readline()
        assert run.engine_alive()
        with pytest.raises(ValueError, match="another engine is training vae"), run.engine_lock():
            pass
        os.kill(engine.pid, signal.SIGKILL)
        engine.wait()
        assert not run.engine_alive()
    with run.engine_lock():
        assert run.engine_alive()
    assert not run.engine_alive()


def test_a_link_to_a_run_is_no_second_run(tmp_path: Path):
    run = create_run(tmp_path, load_recipe("ladder-digits"), "real")
    (tmp_path / "best").symlink_to(run.path)
    assert [found.path for found in list_runs(tmp_path)] == [run.path]


def test_a_run_without_a_name_takes_one_that_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draws, real = iter(["aaaa", "aaaa", "aaaa", "bbbb"]), secrets.token_hex
    monkeypatch.setattr(secrets, "token_hex", lambda size: next(draws) if size == 2 else real(size))
    spec = load_recipe("vae-digits")
    names = [create_run(tmp_path, spec).name for _ in range(2)]
    assert [name[-4:] for name in names] == ["aaaa", "bbbb"]
