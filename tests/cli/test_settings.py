"""Settings: one file, under the environment, under the options; what is wrong in it is told and in nobody's way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from laddertop.journal import settings
from laddertop.journal.folder import create_run, runs_folder
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.start import on_settled_device
from laddertop.tui.dashboard.manners import Kept
from laddertop.tui.dashboard.palette import THEMES
from tests.processes import ROOT, Laddertop


@pytest.fixture
def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of settings of a user of their own, not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for about in settings.SETTINGS.values():
        monkeypatch.delenv(about.variable, raising=False)
    (tmp_path / "config" / "laddertop").mkdir(parents=True)
    return tmp_path / "config" / "laddertop" / "config.toml"


def test_an_option_wins_over_the_environment_the_environment_over_the_file_and_that_over_the_usual(
    settle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings._read.cache_clear()
    assert runs_folder() == Path("checkpoints")
    settle.write_text('runs = "~/runs"\n')
    settings._read.cache_clear()
    assert runs_folder() == Path.home() / "runs"
    monkeypatch.setenv("LADDERTOP_RUNS", "here")
    assert runs_folder() == Path("here")
    assert runs_folder(Path("there")) == Path("there")


def test_a_settled_device_is_that_of_new_runs_that_name_none(settle: Path) -> None:
    settle.write_text('device = "cuda:1"\n')
    recipe = load_recipe("ladder-digits")
    assert on_settled_device(recipe).device == "cuda:1"
    assert on_settled_device(override(recipe, ["device=cpu"])).device == "cpu"


def test_what_a_key_chose_wins_over_the_file_and_a_variable_over_both(
    settle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle.write_text('theme = "contrast"\nbell = false\n')
    assert (Kept().theme, Kept().alerts) == ("contrast", False)
    kept = settings.file().parents[2] / "cache" / "laddertop" / "dashboard.json"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({"alerts": True}))
    assert (Kept().theme, Kept().alerts) == ("contrast", True)
    monkeypatch.setenv("LADDERTOP_BELL", "off")
    assert not Kept().alerts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '# mine\nthem = "usual"\n',
            ", line 2: unknown setting 'them' (did you mean theme?); `laddertop config` lists",
        ),
        ('theme = "contarst"\n', ", line 1: theme takes usual, colour-blind or contrast (you gave 'contarst')"),
        ("bell = 3\n", ", line 1: bell takes true or false (you gave 3)"),
        ('runs = "runs"\n', ", line 1: runs takes a folder with its whole path, such as ~/runs (you gave 'runs')"),
        ("[train]\nsteps = 3\n", ", line 1: unknown setting 'train'"),
        ("device = \n", "config.toml is not valid TOML: Invalid value (at line 1"),
        ("x = " + "[" * 5000, "config.toml holds a number that is too long, or nests"),
        ("\0" * (1 << 17), "config.toml is too large for settings: more than 64 KiB"),
    ],
)
def test_what_is_wrong_is_a_sentence_with_file_and_line_and_the_rest_holds(settle: Path, text: str, said: str) -> None:
    settle.write_text(text)
    holds, problems = settings.look()
    assert len(problems) == 1
    assert problems[0].startswith(str(settle))
    assert said in problems[0]
    assert {value.source for value in holds.values()} == {""}


def test_a_file_that_others_can_write_to_and_what_is_no_file_is_not_read(settle: Path) -> None:
    settle.write_text('theme = "contrast"\n')
    settle.chmod(0o666)
    holds, problems = settings.look()
    assert holds["theme"].value == "usual"
    assert "is not yours alone" in problems[0]
    settings._read.cache_clear()
    settle.unlink()
    os.mkfifo(settle)
    assert settings.look()[1] == [f"{settle} is no plain file; the usual settings hold"]


def test_wrong_settings_keep_nobody_from_looking_and_begin_no_training(laddertop: Laddertop, settle: Path) -> None:
    create_run(laddertop.runs, load_recipe("ladder-digits"), "looked-at")
    settle.write_text('devise = "cuda"\n')
    home = str(settle.parents[1])
    shown = laddertop("show", "looked-at", XDG_CONFIG_HOME=home)
    assert (shown.returncode, "Traceback" in shown.stderr) == (0, False)
    assert shown.stdout.startswith("looked-at: ")
    assert f"{settle}, line 1: unknown setting 'devise' (did you mean device?)" in shown.stderr
    refused = laddertop.here("train", "ladder-digits", "--name", "begun", XDG_CONFIG_HOME=home)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert not (laddertop.runs / "begun").exists()
    told = laddertop.here("config", "--json", XDG_CONFIG_HOME=home, LADDERTOP_THEME="contrast")
    assert told.returncode == 2
    answer = json.loads(told.stdout)
    assert answer["settings"]["theme"] == {"value": "contrast", "source": "$LADDERTOP_THEME"}
    assert answer["settings"]["runs"] == {"value": "checkpoints", "source": None}
    assert len(answer["problems"]) == 1


def test_the_page_has_the_table_of_settings() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, about in settings.SETTINGS.items():
        assert f"| `{name}` | {about.takes} | `${about.variable}` | {about.about} |\n" in page
    assert settings.THEMES == THEMES
