"""A run that somebody else owns, or can write to, is looked at and not driven until its user says so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe
from laddertop.tui.cli.main import app
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.steer.engine_process import NoEngineError
from laddertop.tui.steer.trust import stranger
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_wishes import contents

LOOKING = ("attach", "show", "compare", "replay", "serve", "diagnose")
"""The commands that only look at a run."""
MORE = {
    "set": ["noise=off"],
    "export": ["--to=safetensors", "--out=weights"],
    "tag": ["word"],
    "rename": ["renamed"],
    "note": ["words"],
    "delete": ["--yes"],
}
"""What else a command is given."""
COMMANDS = {
    name: ["RUN", *MORE.get(name, [])]
    for name, command in typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]
    if name not in LOOKING and any(parameter.name == "run" for parameter in command.params)
} | {"replay": ["RUN", "--train"]}
EXPLORING = ("sample", "denoise", "inpaint", "interpolate", "traverse", "manifold", "field", "errors")


def another(path: Path) -> None:
    """Somebody else's."""
    if os.geteuid():
        pytest.skip("only root can give files away")
    os.chown(path, 54321, -1)


def open_to(mode: int, name: str = "") -> Callable[[Path], None]:
    """Others may read the run; what `name` names has a mode of its own."""

    def change(path: Path) -> None:
        path.chmod(0o755)
        (path / name).chmod(mode)

    return change


STRANGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "owner": (another, "it belongs to user 54321"),
    "owner of a file": (
        lambda path: (path.chmod(0o755), another(path / "spec.json"))[-1],
        "/spec.json belongs to user ",
    ),
    "group": (open_to(0o775), "others can write to "),
    "all": (open_to(0o707), "others can write to "),
    "file": (open_to(0o666, "spec.json"), "/spec.json (mode 0666; `chmod -R go-w "),
    "inbox": (open_to(0o733, "commands"), "/commands (mode 0733; "),
    "command": (open_to(0o666, "commands/x.json"), "/commands/x.json (mode 0666; "),
}
"""By what makes a run strange: how, and what is said of it."""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    made = create_run(tmp_path / "runs", load_recipe("ladder-digits"), "theirs")
    (made.path / "commands" / "x.json").touch(0o600)
    return made


@pytest.mark.parametrize("kind", STRANGE)
def test_a_run_that_others_own_or_can_write_to_is_a_strangers(run: RunFolder, kind: str) -> None:
    change, told = STRANGE[kind]
    assert stranger(run) == ""
    change(run.path)
    said = stranger(run)
    assert said.startswith("theirs is looked at and not driven: ")
    assert told in said
    assert said.endswith("; --trust drives it all the same")


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750, 0o500])
def test_a_run_that_others_can_only_read_is_the_users_own(run: RunFolder, mode: int) -> None:
    (run.path / "note.txt").touch(0o644)
    (run.path / "events.jsonl").symlink_to("spec.json")  # its mode means nothing, and nobody follows it
    run.path.chmod(mode)
    assert stranger(run) == ""


def test_what_nobody_gets_at_is_no_mans_to_write_to(run: RunFolder) -> None:
    (run.path / "spec.json").chmod(0o666)
    assert stranger(run) == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_drives_a_run_or_writes_to_it_refuses_a_strangers(run: RunFolder, command: str) -> None:
    run.path.chmod(0o777)
    before = contents(run.path.parent)
    words = [command, *(word.replace("RUN", "theirs") for word in COMMANDS[command])]
    out = ["--out", f"{run.path.parent}/picture.png", *(["--item", "0", "--item", "1"] * (command == "interpolate"))]
    with pytest.raises(ValueError, match=r"theirs is looked at and not driven: .*; --trust drives it all the same$"):
        app([*words, "--runs", str(run.path.parent), *(out if command in EXPLORING else [])], standalone_mode=False)
    assert contents(run.path.parent) == before


def test_with_trust_a_strangers_run_is_driven(run: RunFolder) -> None:
    run.path.chmod(0o777)
    last = ["theirs", "--runs", str(run.path.parent), "--trust"]
    with pytest.raises(NoEngineError):
        app(["pause", *last], standalone_mode=False)
    for command in ("fork", "rollback", "replay"):
        with pytest.raises(ValueError, match=r"has no checkpoint|has not been trained"):
            app([command, *last, *(["--train"] * (command == "replay"))], standalone_mode=False)
    app(["note", *last, "mine now"], standalone_mode=False)
    assert run.note == "mine now"
    app(["archive", *last], standalone_mode=False)
    assert run.archived
    app(["delete", *last, "--yes"], standalone_mode=False)
    assert not run.path.exists()


@pytest.mark.parametrize("trust", [False, True])
async def test_the_dashboard_only_looks_at_a_strangers_run_and_says_why_unless_it_is_trusted(
    engine: PlayedEngine, until: Until, trust: bool
) -> None:
    path = engine.run.path
    path.chmod(0o777)
    before = contents(path.parent)
    app = LaddertopApp(path.parent, path, trust=trust)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        told = "played is looked at and not driven: others can write to" in screen_text(app)
        assert told is ("read-only" in screen_text(app)) is not trust
        await pilot.press("space")
        if trust:
            await until(pilot, lambda: len(list((path / "commands").iterdir())) == 1, "the command")
            return
        await pilot.press("n", "Z", "s", "f", "R", "2")
        await until(pilot, lambda: "read-only: the model is not asked" in screen_text(app), "the model's screen")
        await pilot.press("escape")
        assert isinstance(app.screen, RunScreen)
        await pilot.press("r")
        await until(pilot, lambda: "● training" in screen_text(app), "the list")
        for keys in (["R"], ["f"], ["a"], ["N", *"words", "enter"], ["E", *"new", "enter"]):
            app.screen.tell("")  # type: ignore[attr-defined]
            await pilot.press(*keys)
            await until(
                pilot, lambda: "played is looked at and not driven" in screen_text(app), f"the sentence, {keys}"
            )
    assert {p: v for p, v in contents(path.parent).items() if ".cache" not in p} == {
        p: v for p, v in before.items() if ".cache" not in p
    }
