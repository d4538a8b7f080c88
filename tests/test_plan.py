"""The plan in docs/design.md is the tree: every path that it names is there, and every room of the code is in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.test_architecture import ROOMS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
PLAN = PAGE.partition("## The rooms")[2].split("```")[1].strip().splitlines()
NAMED = re.compile(r"(?<![\w/.])[\w]+(?:/|\.py|\.md)(?!\w)")


def places() -> list[tuple[str, list[Path]]]:
    """Every path in the plan, with where it may be: beside its line's first name or in it."""
    found, above = [], [ROOT]
    for line in PLAN:
        names = NAMED.findall(line)
        depth = (len(line) - len(line.lstrip())) // 4
        above = [*above[: depth + 1], above[depth] / names[0]]
        found += [(name, [above[-2] / name, above[-1] / name]) for name in names]
    return found


def test_there_is_a_plan() -> None:
    assert len(places()) > 30


@pytest.mark.parametrize(("name", "where"), places())
def test_every_path_in_the_plan_is_there(name: str, where: list[Path]) -> None:
    assert any(path.is_dir() if name.endswith("/") else path.is_file() for path in where)


@pytest.mark.parametrize("room", [room for room in ROOMS if "." in room and "__" not in room])
def test_every_room_is_in_the_plan(room: str) -> None:
    lines = PLAN
    for depth, name in enumerate(room.split(".")):
        begins = [i for i, line in enumerate(lines) if re.match(rf"{'    ' * depth}{name}(/|\.py) ", line)]
        assert begins, name
        lines = lines[begins[0] + 1 :]
        lines = lines[: next((i for i, line in enumerate(lines) if not line.startswith("    " * (depth + 1))), None)]


PAGES = ["README.md", "CHANGELOG.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_of_ours_that_a_page_names_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tui|engine|journal|tests|benchmarks)/[\w/.]+)`", text)
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert re.findall(r"python -m (?:engine|tui|journal)\b", text) == []
