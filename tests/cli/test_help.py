"""Help answers at once: it loads none of the heavy packages and costs little more than importing typer."""

from __future__ import annotations

import contextlib
import importlib.metadata
import math
import re
import resource
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from laddertop.tui.cli.main import app
from laddertop.tui.cli.options import with_value

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
HEAVY = {"torch", "textual", "rich", "numpy", "pydantic", "journal", "engine"}
ASK = """
import sys
from laddertop.tui.cli.main import main
sys.argv = ["laddertop", *sys.argv[1:]]
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_heavy(command: str) -> None:
    words = command.split()
    done = subprocess.run(
        [sys.executable, "-c", ASK, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"Usage: laddertop {command}".rstrip())
    loaded = set(done.stderr.split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_help_lists_every_command_with_a_whole_sentence() -> None:
    command = [sys.executable, "-m", "laddertop.tui.cli.main", "-h"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env={"COLUMNS": "80"})
    listed = done.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)


def test_the_version_is_that_of_the_package_and_loads_nothing_heavy() -> None:
    command = [sys.executable, "-c", ASK, "--version"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"laddertop {importlib.metadata.version('laddertop')}\n"
    assert HEAVY & set(done.stderr.split()) == set()


def of_typer(*words: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> float:
    """Processor time of a Python with these words, as a multiple of what importing typer takes: the least of five each,
    taken in turn, since others' work makes either longer."""
    least = [math.inf, math.inf]
    for _ in range(5):
        for i, command in enumerate((("-c", "import typer"), words)):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *command], cwd=cwd, env=env, stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            least[i] = min(least[i], took)
    return least[1] / least[0]


def test_help_costs_little_more_than_importing_typer() -> None:
    for words in (["--help"], ["train", "--help"]):
        assert of_typer("-m", "laddertop.tui.cli.main", *words) < 2.5


def documented_commands() -> list[str]:
    """Every line of the documentation that is to be typed and calls laddertop, without what a shell does to it."""
    lines = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for line in page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            typed = re.match(r"(?: {4}|\$ )?(?:exec |nohup |\w+=\$\()?(laddertop(?: .*)?)$", line)
            if typed:
                lines.append(re.split(r" [|&>]|\)$|  #", typed[1])[0])
    return sorted(set(lines))


@pytest.mark.parametrize("line", documented_commands())
def test_what_the_documentation_types_can_be_typed(line: str) -> None:
    words = with_value(shlex.split(line)[1:] or ["open"])
    if words[0].startswith("-"):
        return
    command = COMMANDS[words[0]]
    with contextlib.suppress(typer.Exit):
        command.make_context(words[0], words[1:])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert f"laddertop {name}" in page
    for option in COMMANDS[name].params:
        for spelling in option.opts:
            if spelling.startswith("--"):
                assert f"`{spelling}" in page, f"{spelling} of {name}"
