"""The plan of the packages, held as data: who may import whom, how long a file may get, what has to be documented."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PACKAGES = {
    "journal": {"numpy", "pydantic"},
    "engine": {"PIL", "numpy", "pyarrow", "pydantic", "safetensors", "sklearn", "torch", "torchvision"},
    "tui": {
        "PIL",
        "aiohttp",
        "numpy",
        "psutil",
        "optuna",
        "pyarrow",
        "pynvml",
        "rich",
        "tensorboard",
        "textual",
        "typer",
    },
}
"""What each package may import beside the standard library and ourselves."""

ROOMS = {
    "tui.cli": [
        "tui.serve",
        "tui.dashboard",
        "tui.learn",
        "tui.export",
        "tui.sweep",
        "tui.steer",
        "tui.watch",
        "tui.watch.diagnoses",
        "tui.draw",
        "journal",
    ],
    "tui.serve": [],
    "tui.dashboard": ["tui.learn", "tui.sweep", "tui.steer", "tui.watch", "tui.watch.diagnoses", "tui.draw", "journal"],
    "tui.learn": ["tui.watch", "tui.draw", "journal"],
    "tui.export": ["tui.steer", "tui.watch", "tui.watch.diagnoses", "tui.draw", "journal"],
    "tui.sweep": ["tui.steer", "journal"],
    "tui.steer": ["tui.watch", "tui.watch.diagnoses", "tui.draw", "journal"],
    "tui.watch": ["tui.watch.diagnoses", "tui.draw", "journal"],
    "tui.watch.diagnoses": ["tui.draw", "journal"],
    "tui.draw": [],
    "engine.__main__": ["engine.saved", "engine.sizes", "engine.trial", "engine.training", "engine.own", "journal"],
    "engine.trial": [
        "engine.own_model",
        "engine.contract",
        "engine.data",
        "engine.randomness",
        "journal",
    ],
    "engine.saved": [
        "engine.training",
        "engine.explore",
        "engine.build",
        "engine.contract",
        "engine.data",
        "engine.randomness",
        "journal",
    ],
    "engine.training": [
        "engine.sizes",
        "engine.ranks",
        "engine.explore",
        "engine.build",
        "engine.own_model",
        "engine.contract",
        "engine.data",
        "engine.randomness",
        "journal",
    ],
    "engine.sizes": ["engine.build", "engine.contract", "engine.data", "engine.randomness", "journal"],
    "engine.explore": ["engine.contract", "engine.parts", "engine.data", "engine.randomness", "journal"],
    "engine.build": ["engine.models", "engine.own_model", "engine.contract", "engine.data", "journal"],
    "engine.own_model": [
        "engine.contract",
        "engine.loop",
        "engine.data",
        "engine.randomness",
        "journal",
    ],
    "engine.models": [
        "engine.contract",
        "engine.ladder",
        "engine.parts",
        "engine.data",
        "engine.randomness",
        "journal",
    ],
    "engine.contract": ["engine.data", "engine.randomness", "journal"],
    "engine.ladder": ["engine.parts", "engine.data", "engine.randomness", "journal"],
    "engine.parts": ["engine.ranks", "engine.data", "engine.randomness", "journal"],
    "engine.data": ["engine.own", "engine.randomness", "journal"],
    "engine.loop": ["journal"],
    "engine.own": ["journal"],
    "engine.ranks": ["engine.randomness"],
    "engine.randomness": [],
    "journal": [],
}
"""Every room of the plan, a folder or a file, and the rooms below it that it may import from, also for types alone."""

WRITERS = [
    "journal.events.EventWriter",
    "journal.metrics.MetricsWriter",
    "journal.metrics.write_columns",
    "journal.samples.write_samples",
    "journal.explore.write_answer",
]
"""Records of what happened come from the engine alone."""

NEVER = {
    "tui": WRITERS,
    "tui.cli": ["textual", "tui.dashboard.screens", "tui.dashboard.widgets"],
    "tui.dashboard.widgets": [
        "tui.dashboard.widgets",
        "tui.dashboard.screens",
        "tui.dashboard.app",
        "tui.steer.engine_process",
        "journal.commands",
        "journal.files",
    ],
    "tui.dashboard.views": ["textual", "tui.dashboard.screens", "tui.dashboard.widgets", "tui.dashboard.app"],
    "tui.dashboard.screens": ["tui.dashboard.app", "tui.dashboard.program"],
    "tui.dashboard.app": ["tui.dashboard.program"],
    "tui.learn": ["textual", "rich", "typer"],
    "tui.serve": ["textual", "rich", "typer"],
    "tui.export": ["textual", "rich", "typer"],
    "tui.sweep": ["textual", "rich", "typer"],
    "tui.steer": ["textual", "rich", "typer"],
    "tui.watch": ["textual", "rich", "typer"],
    "tui.draw": ["textual", "rich", "typer"],
    "engine": ["journal.commands.send", "journal.commands.sender", "journal.explore.ask", "journal.folder.create_run"],
    "engine.models": ["engine.models"],
    "journal.events": ["numpy"],
    "journal.folder": ["numpy"],
    "journal.commands": ["numpy"],
    "journal.files": ["numpy"],
    "journal.origin": ["numpy"],
}
"""What a room, or a file, must not import beyond that; a name forbids what is in it too."""

LOADS_NOT = {
    "laddertop": ["laddertop.tui", "laddertop.engine", "laddertop.journal", "torch", "textual", "numpy", "pydantic"],
    "laddertop.tui.dashboard.app": [
        "torch",
        "torchvision",
        "sklearn",
        "laddertop.engine",
        "laddertop.tui.dashboard.screens.runs",
        "laddertop.tui.dashboard.screens.run",
    ],
    "laddertop.tui.dashboard.screens.runs": [
        "laddertop.tui.dashboard.screens.run",
        "laddertop.tui.watch.run_view",
        "laddertop.tui.watch.watcher",
        "laddertop.journal.explore",
    ],
    "laddertop.tui.dashboard.screens.live": [
        "laddertop.tui.dashboard.screens.model_screen",
        "laddertop.tui.dashboard.screens.new",
        "laddertop.tui.dashboard.screens.compare",
    ],
    "laddertop.tui.cli.main": [
        "torch",
        "textual",
        "rich",
        "numpy",
        "pydantic",
        "aiohttp",
        "optuna",
        "laddertop.journal.events",
        "laddertop.engine",
    ],
    "laddertop.tui.steer.sizing": ["torch", "textual", "rich", "typer", "laddertop.engine"],
    "laddertop.tui.steer.engine_process": ["torch", "textual", "rich", "typer", "laddertop.engine"],
    "laddertop.engine.loop.loop": ["torch", "textual", "rich", "typer", "laddertop.tui"],
    "laddertop.engine.training.train": ["textual", "rich", "typer", "laddertop.tui"],
    "laddertop.tui.watch.summary": ["torch", "textual", "rich", "typer", "laddertop.engine"],
}
"""What must not be loaded once a module is imported, by whatever way."""

AT_MOST = 400
LONGER: dict[str, str] = {}
"""Files that may be longer than 400 lines, each with its reason."""


def modules(*folders: str) -> list[str]:
    """Every module below some folders, as dotted names."""
    files = sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def source(module: str) -> Path:
    """The file of a module of ours."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def imports(module: str) -> frozenset[str]:
    """Everything that a module imports, inside functions, under conditions and for types alone too: `a.b.c` for
    `from a.b import c`, and `tui.watch` for `laddertop.tui.watch`."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    for name in found:
        assert name.partition(".")[0] not in PACKAGES, f"{module} imports {name}; the name is laddertop.{name}"
    return frozenset(name.removeprefix("laddertop.") for name in found)


OURS = modules(*PACKAGES)
OTHERS = modules("tests", "benchmarks", "docs")


def within(name: str, place: str) -> bool:
    """Whether a module, or a name in one, is a place of the plan or in it."""
    return name == place or name.startswith(f"{place}.")


def room_of(name: str) -> str | None:
    """The room that an imported name of ours is in, the innermost; None for others' names and for the packages
    themselves."""
    return max((room for room in ROOMS if within(name, room)), key=len, default=None)


def test_there_is_something_to_check() -> None:
    assert len(OURS) > 40
    assert "torch" in imports("engine.training.train")
    assert "tui.dashboard.program.open_app" in imports("tui.cli.open"), "imports inside functions are not seen"
    assert "tui.watch.watcher.News" in imports("tui.dashboard.messages"), "imports for types are not seen"


def test_every_module_is_in_a_room() -> None:
    assert [module for module in OURS if not room_of(module) and module not in PACKAGES] == []


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_from_those_below_them_that_the_plan_names_and_from_no_others(room: str) -> None:
    rooms = list(ROOMS)
    assert all(rooms.index(below) > rooms.index(room) for below in ROOMS[room]), "the plan itself points upwards"
    used = {room_of(name) for module in OURS if room_of(module) == room for name in imports(module)} - {None, room}
    assert used == set(ROOMS[room]), "the plan says more, or less, than the code does"


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_what_the_plan_allows(package: str) -> None:
    allowed = PACKAGES[package] | set(PACKAGES) | {"laddertop"} | sys.stdlib_module_names
    inside = [module for module in OURS if within(module, package)]
    wrong = {m: {name for name in imports(m) if name.partition(".")[0] not in allowed} for m in inside}
    assert {module: names for module, names in wrong.items() if names} == {}


def test_ours_has_one_name_everywhere() -> None:
    for module in OTHERS:
        imports(module)


@pytest.mark.parametrize("place", NEVER)
def test_a_module_imports_nothing_that_is_forbidden_to_it(place: str) -> None:
    wrong = [
        (module, name)
        for module in OURS
        if within(module, place)
        for name in imports(module)
        if any(within(name, one) for one in NEVER[place])
    ]
    assert wrong == []


@pytest.mark.parametrize("place", NEVER)
def test_every_rule_is_about_something(place: str) -> None:
    assert any(within(module, place) for module in OURS)
    for forbidden in NEVER[place]:
        if room_of(forbidden):
            module, _, name = forbidden.rpartition(".")
            assert any(within(one, forbidden) for one in OURS) or name in source(module).read_text(encoding="utf-8")


def test_imports_point_down_only() -> None:
    graph = {m: {o for o in OURS if o != m and any(within(name, o) for name in imports(m))} for m in OURS}
    # A package is no more than its modules: importing one is not importing the others.
    packages = {m for m in OURS if source(m).name == "__init__.py"}
    graphlib.TopologicalSorter({m: others - packages for m, others in graph.items()}).prepare()


def test_imports_are_written_out() -> None:
    hidden = re.compile(r"\bimport_module\(|__import__\(")
    assert [module for module in OURS if hidden.search(source(module).read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("module", LOADS_NOT)
def test_importing_loads_nothing_of_the_other_side(module: str) -> None:
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert module in loaded
    assert [name for name in LOADS_NOT[module] if name in loaded] == []


def test_a_file_is_short_enough_to_hold_one_idea() -> None:
    files = sorted(file for place in (*PACKAGES, "tests") for file in (ROOT / place).rglob("*.py"))
    lengths = {f.relative_to(ROOT).as_posix(): len(f.read_text(encoding="utf-8").splitlines()) for f in files}
    assert {file for file, lines in lengths.items() if lines > AT_MOST} == set(LONGER)
    assert all(LONGER.values())


def public(tree: ast.Module) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """What a module is, has and its classes can do, but for what begins with _."""
    yield tree
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
            for inside in node.body if isinstance(node, ast.ClassDef) else []:
                if isinstance(inside, ast.FunctionDef | ast.AsyncFunctionDef) and not inside.name.startswith("_"):
                    yield inside


def test_everything_public_says_what_it_is() -> None:
    silent = [
        (module, getattr(one, "name", "itself"))
        for module in OURS
        for one in public(ast.parse(source(module).read_text(encoding="utf-8")))
        if not ast.get_docstring(one)
    ]
    assert silent == []
