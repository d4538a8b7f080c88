"""Real processes have patience: no test fails because the machine has much else to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LIMIT = re.compile(
    r"\btimeout(?:: float)? ?= ?\d|"
    r"\.wait\(\d+\)|\bseconds: float = \d|monotonic\(\) \+ \d{2}|wait_for\(.*[\])}], \d{2,}\)$",
    re.MULTILINE,
)


@pytest.mark.parametrize("file", sorted(f.relative_to(TESTS).as_posix() for f in TESTS.rglob("*.py")))
def test_how_long_a_real_process_may_take_is_said_in_one_place(file: str) -> None:
    assert LIMIT.findall((TESTS / file).read_text(encoding="utf-8")) == []
