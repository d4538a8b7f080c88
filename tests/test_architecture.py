"""The plan of the packages, held as data: who may import whom, how long a file may get, what has to be documented."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PACKAGES = {
    "journal": {"numpy", "pydantic", "journal"},
    "engine": {"numpy", "sklearn", "torch", "torchvision", "journal", "engine"},
    "tui": {"numpy", "psutil", "pynvml", "rich", "textual", "typer", "journal", "tui"},
}
"""What each package may import beside the standard library."""

WRITERS = [
    "journal.events.EventWriter",
    "journal.metrics.MetricsWriter",
    "journal.metrics.write_columns",
    "journal.samples.write_samples",
    "journal.explore.write_answer",
]
"""Records of what happened come from the engine alone."""

NEVER = {
    "tui.*": WRITERS,
    "tui.widgets.*": [
        "tui.widgets",
        "tui.screens",
        "tui.app",
        "tui.engine_process",
        "journal.commands",
        "journal.files",
    ],
    "tui.draw.*": ["textual", "rich", "typer", "journal", "tui.[!d]*"],
    "tui.cli*": ["textual", "tui.screens", "tui.widgets"],
    "tui.[!ads]*": ["tui.screens"],
    "engine.*": [
        "journal.commands.send",
        "journal.commands.sender",
        "journal.explore.ask",
        "journal.folder.create_run",
        "journal.summary",
    ],
    "engine.models.*": ["engine.models", "engine.train", "engine.recorder", "engine.checkpoint", "engine.controls"],
    "journal.[!mse]*": ["numpy"],
    "journal.events": ["numpy"],
}
"""What modules must not import, by pattern; a name forbids what is in it too."""

LOADS_NOT = {
    "tui.app": ["torch", "torchvision", "sklearn", "engine", "tui.screens.runs", "tui.screens.run"],
    "tui.screens.runs": ["tui.screens.run", "tui.run_view", "tui.watcher", "journal.explore"],
    "tui.screens.run": ["tui.screens.model_screen", "tui.screens.new", "tui.screens.compare"],
    "tui.cli": ["torch", "textual", "rich", "numpy", "pydantic", "journal", "engine"],
    "tui.engine_process": ["torch", "textual", "rich", "typer", "engine"],
    "engine.train": ["textual", "rich", "typer", "tui"],
    "journal.summary": ["torch", "textual", "rich", "typer", "engine", "tui"],
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
def imports(module: str, *, for_types: bool = True) -> frozenset[str]:
    """Everything that a module imports, inside functions and under conditions too: `a.b.c` for `from a.b import c`."""
    tree = ast.parse(source(module).read_text(encoding="utf-8"))
    nodes = set(ast.walk(tree))
    if not for_types:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
                nodes -= {inner for statement in node.body for inner in ast.walk(statement)}
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively; write the whole name"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


OURS = modules(*PACKAGES)


def fits(name: str, pattern: str) -> bool:
    """Whether an imported name is the forbidden one, or something in it."""
    return fnmatch(name, pattern) or fnmatch(name, f"{pattern}.*")


def test_there_is_something_to_check() -> None:
    assert len(OURS) > 40
    assert "torch" in imports("engine.train")
    assert "tui.app.open_app" in imports("tui.cli_open"), "imports inside functions are not seen"


@pytest.mark.parametrize("module", OURS)
def test_a_package_imports_what_the_plan_allows(module: str) -> None:
    package = module.partition(".")[0]
    outside = {name.partition(".")[0] for name in imports(module)} - sys.stdlib_module_names
    assert outside <= PACKAGES[package]


@pytest.mark.parametrize("module", OURS)
def test_a_module_imports_nothing_that_is_forbidden_to_it(module: str) -> None:
    wrong = [
        name
        for pattern, forbidden in NEVER.items()
        if fnmatch(module, pattern)
        for name in imports(module)
        if any(fits(name, one) for one in forbidden)
    ]
    assert wrong == []


@pytest.mark.parametrize("pattern", NEVER)
def test_every_rule_is_about_something(pattern: str) -> None:
    assert any(fnmatch(module, pattern) for module in OURS)
    for forbidden in NEVER[pattern]:
        package, _, name = forbidden.partition(".")
        if package in PACKAGES and "*" not in forbidden:
            module = forbidden if name and source(forbidden).is_file() else forbidden.rpartition(".")[0] or forbidden
            assert source(module).is_file()
            assert module == forbidden or forbidden.rpartition(".")[2] in source(module).read_text(encoding="utf-8")


def test_imports_point_down_only() -> None:
    needs = {m: imports(m, for_types=False) for m in OURS}
    graph = {m: {o for o in OURS if o != m and any(fits(name, o) for name in needs[m])} for m in OURS}
    # A package is no more than its modules: importing one is not importing the others.
    packages = {m for m in OURS if source(m).name == "__init__.py"}
    graphlib.TopologicalSorter({m: others - packages for m, others in graph.items()}).prepare()


@pytest.mark.parametrize("module", OURS)
def test_imports_are_written_out(module: str) -> None:
    assert not re.search(r"\bimport_module\(|__import__\(", source(module).read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", LOADS_NOT)
def test_importing_loads_nothing_of_the_other_side(module: str) -> None:
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert module in loaded
    assert [name for name in LOADS_NOT[module] if name in loaded] == []


@pytest.mark.parametrize(
    "file", sorted(f.relative_to(ROOT).as_posix() for p in (*PACKAGES, "tests") for f in (ROOT / p).rglob("*.py"))
)
def test_a_file_is_short_enough_to_hold_one_idea(file: str) -> None:
    lines = len((ROOT / file).read_text(encoding="utf-8").splitlines())
    assert lines <= AT_MOST or file in LONGER
    assert file not in LONGER or (lines > AT_MOST and LONGER[file])


@pytest.mark.parametrize("module", OURS)
def test_everything_public_says_what_it_is(module: str) -> None:
    tree = ast.parse(source(module).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    silent = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            inside = node.body if isinstance(node, ast.ClassDef) else []
            methods = [
                m
                for m in inside
                if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef) and not m.name.startswith("_")
            ]
            silent += [one.name for one in (node, *methods) if not ast.get_docstring(one)]
    assert silent == []
