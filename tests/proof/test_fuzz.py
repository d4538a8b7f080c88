"""Whatever is typed, written into a recipe or left in a run's events is answered in a sentence, or done."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import socket
import sys
import traceback
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laddertop.journal.places import recipes
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.start import check_start
from laddertop.tui.cli.main import app
from laddertop.tui.serve.server import Server
from tests.conftest import Tally
from tests.processes import typed

RECORDED = Path(__file__).parents[1] / "recorded" / "vae-digits"


def parts(few: int, many: int) -> list[Any]:
    """How many examples the parts of a test have: one of few in the usual suite, four of many for `make stress`."""
    return [few, *(pytest.param(many, marks=pytest.mark.stress, id=f"{many}-{part}") for part in range(4))]


LINES, RECIPES, FILES = parts(30, 1250), parts(20, 750), parts(6, 170)
"""Ten thousand together, there being three files of a run."""
FUZZ = {"database": None, "deadline": None, "derandomize": False, "suppress_health_check": list(HealthCheck)}

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = sorted({name for command in COMMANDS.values() for one in command.params for name in one.opts})
WORDS = (
    *("", "-", "--", "-1", "0", "1", "1e308", "-inf", "nan", "1000000000000", "9" * 400, "1,2,3", "0.1..0.5", "[1, 2]"),
    *("run", "ru", "last", "vae-digits", ".", "..", "/", "/etc/passwd", "../run", "run/../run", "x" * 5000, "x/y", "~"),
    *("lr=10", "lr=", "=1", "noise=off", "noise.std=0.1", "noise.std.99=1", "optimizer.lr=1e-3", "model.kind=dae"),
    *("steps=1", "data.batch=0", "model.hidden=[[[[]]]]", "a=b=c", "é実", "\x1b[31m", "\x9b31m", "\u202e", "\udcff"),
)
WORD = st.sampled_from(WORDS) | st.sampled_from(OPTIONS) | st.text(max_size=20).map(lambda t: t.replace("\x00", ""))
LINE = st.tuples(st.sampled_from(sorted(COMMANDS)), st.lists(WORD, max_size=6)).map(lambda pair: [pair[0], *pair[1]])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from([1e308, -1, 10**30]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


OTHERS = (["show", "run"], ["runs", "--json"], ["compare", "run", "run"])
"""What else looks at a run that may be damaged."""
STEERING = ("Cc", "Cf", "Zl", "Zp")
"""Control and format characters, separators of lines."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one run in it, engines that die at once, and pages that are served no longer."""

    async def ended(server: Server, listening: socket.socket, begun: Callable[[], None]) -> int:
        listening.close()
        return signal.SIGINT

    monkeypatch.setattr(Server, "serve", ended)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.delenv("LADDERTOP_RUNS", raising=False)
    renewed(tmp_path)
    return tmp_path


def renewed(folder: Path) -> Path:
    """The run as it was recorded."""
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    run = folder / "checkpoints" / "run"
    shutil.copytree(RECORDED, run)
    return run


def wrong(words: list[str]) -> str:
    """What is wrong with the answer to a command line, mostly nothing."""
    try:
        done = typed(*words)
    except BaseException:
        return traceback.format_exc()
    if done.returncode not in (0, 1, 2, 3):
        return f"exit status {done.returncode}"
    if "Traceback" in done.stdout + done.stderr:
        return "a traceback"
    if any(unicodedata.category(char) in STEERING for char in (done.stdout + done.stderr).replace("\n", "")):
        return f"steers the terminal: {done}"
    if "--json" in words and words[0] in ("show", "runs") and done.returncode == 0:
        json.loads(done.stdout, parse_constant=pytest.fail)
    return ""


@contextlib.contextmanager
def counted(tally: Tally, what: str) -> Iterator[list[str]]:
    """Counts the examples of a test in a list of what was wrong with each, mostly nothing."""
    found: list[str] = []
    try:
        yield found
    finally:
        tally(what, len(found), sum(map(bool, found)))


@pytest.mark.parametrize("times", LINES)
def test_whatever_is_typed_is_answered(here: Path, tally: Tally, times: int) -> None:
    with counted(tally, "command line made up") as found:

        @settings(max_examples=times, **FUZZ)  # type: ignore[arg-type]
        @given(LINE)
        def answered(words: list[str]) -> None:
            if not (here / "checkpoints" / "run").exists():
                renewed(here)
            found.append(wrong(words))
            assert not found[-1], words

        answered()


@pytest.mark.parametrize("times", RECIPES)
def test_whatever_a_recipe_says_is_a_recipe_or_refused(here: Path, tally: Tally, times: int) -> None:
    known = [load_recipe(name) for name in recipes()]
    keys = sorted({key for spec in known for key in flat(spec.model_dump())})

    with counted(tally, "recipe made up") as found:

        @settings(max_examples=times, **FUZZ)  # type: ignore[arg-type]
        @given(
            st.sampled_from(recipes()),
            st.lists(st.tuples(st.sampled_from(keys), JSON | st.sampled_from(WORDS)), min_size=1, max_size=3),
            st.integers(0, 4000),
            st.binary(max_size=6),
        )
        def loaded(name: str, changes: list[tuple[str, object]], at: int, junk: bytes) -> None:
            words = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in changes]
            try:
                with contextlib.suppress(ValueError):
                    check_start(override(load_recipe(name), words))
                text = ("\n".join(["about = 'x'", *words])).encode(errors="replace")
                file = here / "made-up.toml"
                file.write_bytes(text[:at] + junk + text[at:])
                with contextlib.suppress(ValueError):
                    check_start(load_recipe(str(file)))
                found.append("")
            except BaseException:
                found.append(traceback.format_exc())
                raise

        loaded()


def flat(tree: dict[str, object], before: str = "") -> Iterator[str]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}"


def places(tree: object) -> Iterator[tuple[object, object]]:
    """Every container of a JSON text with each of its keys."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield tree, key
        yield from places(value)


@pytest.mark.parametrize("times", FILES)
@pytest.mark.parametrize("name", ["events.jsonl", "metrics.json", "spec.json"])
def test_whatever_a_run_holds_is_shown_or_named_as_damaged(here: Path, tally: Tally, times: int, name: str) -> None:
    file = renewed(here) / name
    lines = file.read_text(encoding="utf-8").splitlines() if name.endswith("l") else [file.read_text(encoding="utf-8")]

    with counted(tally, f"{name} made up") as found:

        @settings(max_examples=times, **FUZZ)  # type: ignore[arg-type]
        @given(st.integers(0, len(lines) - 1), st.integers(0, 10**6), JSON, st.sampled_from(OTHERS))
        def shown(line: int, place: int, value: object, other: list[str]) -> None:
            tree = json.loads(lines[line])
            there = list(places(tree))
            container, key = there[place % len(there)]
            container[key] = value  # type: ignore[index]
            text = json.dumps(tree)
            file.write_text("\n".join([*lines[:line], text, *lines[line + 1 :]]) + "\n", encoding="utf-8")
            found.append(wrong(["show", "run", "--json"]) or wrong(other))
            assert not found[-1], (other, text)

        shown()
