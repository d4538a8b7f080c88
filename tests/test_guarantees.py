"""Every test that docs/guarantees.md names is there, so that no promise stands alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`( \((?:partly )?stress\))?", (ROOT / "docs/guarantees.md").read_text())


@pytest.mark.parametrize(("file", "name", "when"), NAMED)
def test_a_promise_names_a_test_that_runs_when_it_says(file: str, name: str, when: str) -> None:
    text = (ROOT / file).read_text()
    found = re.search(rf"((?:^@.*\n(?:(?:    |\)|\]).*\n)*)*)^(?:async )?def {name}\(", text, re.MULTILINE)
    assert found, f"{file} has no {name}"
    marks = found[1] + "".join(re.findall(r"^pytestmark = .*(?:\n    .*)*", text, re.MULTILINE))
    marked = any(mark in marks for mark in ("mark.stress", "usual_ones", '"times"', '"every"'))
    assert marked == bool(when), "runs with `make stress`" if marked else "runs with `make test`"


def test_there_are_promises() -> None:
    assert len(NAMED) > 20
