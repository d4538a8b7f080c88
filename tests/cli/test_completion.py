"""Words are completed in real shells: commands, options, recipes, runs and knobs, at once."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import pytest

from laddertop.journal.events import EventWriter, Knob
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe
from laddertop.tui.cli.completion import SCRIPTS
from tests.cli.test_help import ASK, HEAVY, of_typer
from tests.processes import COMMAND, ROOT, Laddertop
from tests.starts import start
from tests.terminal import Terminal
from tests.warm import COLD


@pytest.fixture(scope="module")
def shells(laddertop: Laddertop) -> dict[str, str]:
    """The environment of a shell with `laddertop` in its path and two runs, the script of each shell in a file."""
    folder = laddertop.cwd / "bin"
    folder.mkdir()
    (folder / "laddertop").write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    (folder / "laddertop").chmod(0o755)
    for name in ("mine-first", "mine-second", "it $(costs) one"):
        run = create_run(laddertop.runs, load_recipe("ladder-digits"), name)
        knobs = [
            Knob(name=name, label=name, kind=kind, unit="", low=0, high=1, factor=2, help="", value=1)
            for name, kind in (("noise", "switch"), ("noise.std.0", "number"))
        ]
        EventWriter(run.events_path).append(start(knobs=knobs))
    for shell in SCRIPTS:
        (laddertop.cwd / f"script.{shell}").write_text(laddertop.here("completion", shell).stdout)
    return {**laddertop.environment, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(laddertop.cwd)}


TYPED = [
    ("laddertop tra", ["train", "traverse"]),
    ("laddertop train ladder-di", ["ladder-digits"]),
    ("laddertop train x --preci", ["--precision"]),
    ("laddertop train x --precision b", ["bf16"]),
    ("laddertop show mine-f", ["mine-first"]),
    ("laddertop compare mine-first --runs checkpoints mine-s", ["mine-second"]),
    ("laddertop set mine-first noise", ["noise=on", "noise=off", "noise.std=", "noise.std.0="]),
    ("laddertop set mine-first note=1 noise=of", ["off"]),
    ("laddertop nothing x", []),
]


@pytest.mark.parametrize(("line", "expected"), TYPED)
def test_bash_completes(laddertop: Laddertop, shells: dict[str, str], line: str, expected: list[str]) -> None:
    code = 'source script.bash; COMP_LINE=$1; COMP_POINT=${#1}; _laddertop laddertop; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(
        ["bash", "--norc", "-c", code, "bash", line], cwd=laddertop.cwd, env=shells, capture_output=True, text=True
    )
    replies = [reply.replace("\\", "") for reply in done.stdout.split("\n") if reply]
    assert replies == expected
    assert done.stderr == ""


def test_a_tab_in_bash_completes_to_the_end_and_runs_nothing_that_a_name_holds(
    laddertop: Laddertop, shells: dict[str, str]
) -> None:
    with Terminal(["bash", "--norc", "--noprofile"], laddertop.cwd, {**shells, "PS1": "$ "}, 100, 30) as terminal:
        terminal.press("source script.bash\r")
        terminal.press("laddertop trai\tladder-di\t--dev\tcp\t")
        terminal.wait_for(lambda lines: any("$ laddertop train ladder-digits --device cpu" in line for line in lines))
        terminal.press("\x15echo laddertop; : laddertop set\x01\x0b")
        terminal.press("laddertop set mine-f\tnoise=o\t\t")
        terminal.wait_for(lambda lines: any(line.split() == ["off", "on"] for line in lines))
        terminal.press("\x15laddertop note it\t")
        terminal.wait_for(lambda lines: any(r"$ laddertop note it\ \$\(costs\)\ one" in line for line in lines))


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_another_shell_reads_its_script(laddertop: Laddertop, shells: dict[str, str], shell: str) -> None:
    if not (program := shutil.which(shell)):
        pytest.skip(f"there is no {shell}")
    words = [program, "-f", "-n"] if shell == "zsh" else [program, "--no-config", "--no-execute"]
    done = subprocess.run([*words, "script." + shell], cwd=laddertop.cwd, env=shells, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("line", ["laddertop train lad", "laddertop show ", "laddertop set mine-first "])
def test_an_answer_loads_nothing_heavy_and_costs_little_more_than_importing_typer(
    laddertop: Laddertop, line: str
) -> None:
    words, env = ["completion", "words", line], {**laddertop.environment, **COLD}
    done = subprocess.run(
        [sys.executable, "-P", "-c", ASK, *words],
        cwd=laddertop.cwd,
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert HEAVY & {name.partition(".")[0] for name in done.stderr.split()} == set()
    assert of_typer(*COMMAND[1:], *words, cwd=laddertop.cwd, env=env) < 3


def test_a_shell_without_a_script_is_refused(laddertop: Laddertop) -> None:
    done = laddertop.here("completion", "tcsh")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bash, zsh and fish (you gave 'tcsh')" in done.stderr


def test_the_page_says_where_the_scripts_go() -> None:
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert all(f"laddertop completion {shell}" in page for shell in SCRIPTS)
