"""The benchmark of planted faults: its list is whole, and what it counts is counted right."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from benchmarks.planted.faults import BASES, DRAWN, FAULTS, MISSING, MORE, OPEN, OWN, Fault
from benchmarks.planted.table import table, version
from laddertop.tui.watch.diagnoses.table import DIAGNOSES

CLASSES = {node.name for node in ast.parse(OWN.read_text()).body if isinstance(node, ast.ClassDef)}
EVERY = OPEN + MORE


def test_half_of_the_faults_is_open_and_the_other_is_drawn_from_a_longer_list() -> None:
    assert len(OPEN) == len(DRAWN)
    assert len(FAULTS) == len(OPEN) + len(DRAWN) >= 15
    assert len({fault.name for fault in EVERY}) == len(EVERY)
    assert all(fault in MORE for fault in DRAWN)
    assert len(DRAWN) < len(MORE)


@pytest.mark.parametrize("fault", EVERY, ids=lambda fault: fault.name)
def test_what_plants_a_fault_is_a_valid_spec_other_than_that_of_the_sound_training(fault: Fault) -> None:
    assert fault.settings or fault.model or fault.turned
    assert fault.model in {"", *CLASSES}
    assert not fault.in_code or fault.model
    for base in fault.bases:
        sound, planted = BASES[base].spec(1), BASES[base].spec(1, *fault.settings)
        assert (planted != sound) == bool(fault.settings)


def test_what_is_to_be_found_can_be_found_or_is_known_as_missing() -> None:
    kinds = {one.kind for one in DIAGNOSES}
    assert {kind for fault in EVERY for kind in fault.found_by} <= kinds | MISSING


def result(base: str, fault: str, **told: Any) -> dict[str, Any]:
    """A result as it is kept."""
    usual = {"seed": 1, "steps": 2000, "version": version(), "date": "2026-11-29", "said": []}
    return {"base": base, "fault": fault, **usual, **told}


def test_the_table_counts_what_was_found_when_and_what_was_repaired_and_alarms_of_sound_trainings() -> None:
    harm = {"harmed": True, "as_good": True, "found": 200, "remedy": "diverged"}
    results = [
        result("vae", OPEN[0].name, **harm | {"found": None}),  # measured again since
        result("vae", OPEN[0].name, **harm),
        result("dae", OPEN[0].name, **harm | {"found": 600, "as_good": False}),
        result("lvae", OPEN[0].name, **harm | {"found": None, "as_good": None}),
        result("vae", OPEN[0].name, seed=2, **harm | {"version": "of old"}),
        result("vae", "", said=[["diverged", "", "grave", 1, 2, None], ["plateau", "", "note", 1, 2, None]]),
        result("dae", ""),
    ]
    told = table(results)
    assert f"| {OPEN[0].name} | vae, dae, lvae | 3 | 3 | 2 (67%) | 200 | 1 of 2 |" in told
    assert "Sound trainings: 2. False alarms: 1 in 1 of them, 20.0 in 40 runs; notes: 1. diverged: vae (seed 1)" in told
