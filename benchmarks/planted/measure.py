"""What the diagnoses make of one training: what they find and when, and what their remedy does."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from benchmarks.planted.faults import BASES, FAULTS
from benchmarks.planted.runs import Case, remedied, trained, value_of
from benchmarks.planted.table import version
from laddertop.journal.value import Value
from laddertop.tui.watch.diagnoses import diagnoses

NEAR = 0.1
"""Share of the sound training's value that another one may be worse by and still be as good."""
POINTS = 1.0
"""Per cent of the images that an error rate may be worse by: one standard error of 360 test images at 4 %."""


def train_only(runs: Path, base: str, fault: str, seed: int) -> dict[str, Any]:
    """Trains a case and looks at nothing."""
    trained(runs, Case(base, FAULTS.get(fault), seed))
    return {}


def find_only(runs: Path, base: str, fault: str, seed: int) -> dict[str, Any]:
    """The result of a case without training its remedy."""
    return measure(runs, base, fault, seed, remedies=False)


def measure(runs: Path, base: str, fault: str, seed: int, remedies: bool = True) -> dict[str, Any]:
    """The result of a case; `fault` is empty for a sound training."""
    case = Case(base, FAULTS.get(fault), seed)
    run = trained(runs, case)
    began = time.process_time()
    said = sorted(diagnoses.findings_of(run), key=lambda one: one.found)
    result: dict[str, Any] = {
        "base": base,
        "fault": fault,
        "seed": seed,
        "steps": case.steps,
        "version": version(),
        "date": time.strftime("%Y-%m-%d"),
        "seconds": time.process_time() - began,
        "said": [[one.kind, one.where, one.severity, one.since, one.found, one.until] for one in said],
        "words": [f"{one.kind}@{one.found}" for one in said],
    }
    if case.fault is None:
        return result
    name = case.fault.value or BASES[base].value
    sound, faulty = value_of(trained(runs, case.sound), name), value_of(run, name)
    right = [one for one in said if one.kind in case.fault.found_by]
    advised = next((one for one in right if one.remedy and (one.remedy.commands or one.remedy.settings)), None)
    repaired = None
    # A bug in the code of a model is repaired in the code.
    if remedies and advised and advised.remedy and not case.fault.in_code:
        repaired = value_of(remedied(runs, case, advised.remedy, advised.found), name)
    return result | {
        "found": right[0].found if right else None,
        "sound": sound.value if sound else None,
        "faulty": faulty.value if faulty else None,
        "harmed": not as_good(faulty, sound),
        "remedy": advised.kind if advised else "",
        "repaired": repaired.value if repaired else None,
        "as_good": as_good(repaired, sound) if remedies and advised and not case.fault.in_code else None,
    }


def as_good(value: Value | None, sound: Value | None) -> bool:
    """Whether a training came to what the sound one did, within a tenth of it or a point of an error rate."""
    assert sound is not None, "a sound training is evaluated at its end"
    if value is None or not math.isfinite(value.value):
        return False
    near = max(NEAR * abs(sound.value), POINTS if sound.sign else 0)
    worse = sound.value - value.value if sound.better == "higher" else value.value - sound.value
    return worse <= near
