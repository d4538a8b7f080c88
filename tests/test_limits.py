"""Real processes have patience: no test fails because the machine has much else to do."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
LIMIT = re.compile(
    r"\btimeout(?:: float)? ?= ?\d|"
    r"\.wait\(\d+\)|\bseconds: float = \d|monotonic\(\) \+ \d{2}|wait_for\(.*[\])}], \d{2,}\)$",
    re.MULTILINE,
)


def test_how_long_a_real_process_may_take_is_said_in_one_place() -> None:
    found = {file: LIMIT.findall(file.read_text(encoding="utf-8")) for file in sorted(TESTS.rglob("*.py"))}
    assert {file: limits for file, limits in found.items() if limits} == {}
