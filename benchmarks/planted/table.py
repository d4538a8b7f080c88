"""The results of the planted faults as the page of results has them."""

from __future__ import annotations

import hashlib
import statistics
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.planted.faults import DRAWN, FAULTS, OPEN, Fault
from laddertop.tui.watch.diagnoses import diagnoses

Result = dict[str, Any]


@cache
def version() -> str:
    """A checksum of the diagnoses."""
    files = sorted(Path(diagnoses.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()[:12]


def table(results: list[Result]) -> str:
    """Markdown of everything that was measured with the diagnoses as they stand."""
    mine = {(r["base"], r["fault"], r["seed"]): r for r in results if r["version"] == version()}
    faulty = [result for result in mine.values() if result["fault"] in FAULTS]
    sound = [result for result in mine.values() if not result["fault"]]
    halves = [line for half, faults in (("open", OPEN), ("drawn", DRAWN)) for line in _half(half, faults, faulty)]
    seeds = sorted({result["seed"] for result in mine.values()})
    dates = sorted({result["date"] for result in mine.values()})
    return "\n".join(
        [
            f"Diagnoses {version()}, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}, seeds {_listed(seeds)}."
            if mine
            else f"Nothing is measured with the diagnoses {version()}.",
            "",
            "| fault | trainings | runs | did harm | found | steps until found, of 1000 | repaired, of those advised |",
            "|---|---|---|---|---|---|---|",
            *halves,
            "",
            _alarms(sound),
        ]
    )


def _half(half: str, faults: tuple[Fault, ...], results: list[Result]) -> list[str]:
    """A line for each fault of a half that was measured, and their sum."""
    rows = [(fault, [r for r in results if r["fault"] == fault.name]) for fault in faults]
    lines = [
        _line(fault.name, ", ".join(dict.fromkeys(r["base"] for r in mine)), mine, fault.in_code)
        for fault, mine in rows
        if mine
    ]
    return [*lines, _line(f"**{half}**", "", [r for _, mine in rows for r in mine])]


def _line(name: str, bases: str, results: list[Result], in_code: bool = False) -> str:
    found = [r for r in results if r["found"] is not None]
    # A bug in the code of a model is repaired in the code; what did no harm has nothing to repair.
    advised = [r for r in found if r["as_good"] is not None and r["harmed"] and not FAULTS[r["fault"]].in_code]
    good = sum(r["as_good"] for r in advised)
    at = f"{statistics.median(1000 * r['found'] / r['steps'] for r in found):.0f}" if found else ""
    silent = "" if not found else "not tried" if any(r["remedy"] for r in found) else "not advised"
    repaired = "in the code" if in_code else f"{good} of {len(advised)}" if advised else silent
    harmed = sum(r["harmed"] for r in results)
    return f"| {name} | {bases} | {len(results)} | {harmed} | {_share(len(found), len(results))} | {at} | {repaired} |"


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.0%})" if whole else "0"


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _alarms(sound: list[Result]) -> str:
    """What was said of sound trainings, notes apart."""
    loud = [(r["base"], r["seed"], kind) for r in sound for kind, _, severity, *_ in r["said"] if severity != "note"]
    notes = sum(severity == "note" for r in sound for _, _, severity, *_ in r["said"])
    which: dict[str, list[str]] = {}
    for base, seed, kind in loud:
        which.setdefault(kind, []).append(f"{base} (seed {seed})")
    told = "; ".join(f"{kind}: {', '.join(where)}" for kind, where in sorted(which.items()))
    runs = len({(base, seed) for base, seed, _ in loud})
    per = f", {40 * len(loud) / len(sound):.1f} in 40 runs" if sound else ""
    where = f" in {runs} of them" if runs else ""
    words = f"Sound trainings: {len(sound)}. False alarms: {len(loud)}{where}{per}; notes: {notes}."
    return f"{words} {told}." if told else words
