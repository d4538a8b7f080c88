"""What `diagnose` prints: what goes wrong in a run, and how the dashboard's words stand in `show`."""

from __future__ import annotations

import shlex
from pathlib import Path
from textwrap import wrap
from typing import Any

from laddertop.journal.folder import RunFolder, find_run, runs_folder
from laddertop.tui.cli.print import json_result, number, result, terminal_width
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.diagnoses.diagnoses import findings_of
from laddertop.tui.watch.diagnoses.finding import Ask, Evidence, Finding
from laddertop.tui.watch.summary import finding_as_json

NOTHING = "nothing is found"


def diagnose(runs: Path | None, text: str, as_json: bool) -> None:
    """Prints what goes wrong in a run, and what went wrong and is over. Raises ValueError where it can't be read."""
    run = find_run(runs_folder(runs), text)
    _ = run.spec
    found = findings_of(run)
    if as_json:
        json_result([finding_as_json(one) for one in found])
        return
    if not found:
        result(f"{run.name}: {NOTHING}")
    for one in found:
        for line in describe_finding(run, one):
            result(line)


def describe_finding(run: RunFolder, found: Finding) -> list[str]:
    """One finding in lines for people: what is seen, what it means, where to look, what helps."""
    told = [f"means: {found.means}", f"source: {found.source}", f"look at: {_where_to_look(found.evidence)}"]
    remedy = found.remedy
    if remedy and found.until is None:
        told.append(f"helps: {remedy.words}")
        told += [f"  {typed(run, ask)}" for ask in remedy.commands]
        if remedy.settings:
            told.append(f"the next run: {' '.join(f'--set {one}' for one in remedy.settings)}")
        if found.helped:
            told.append(f"it has helped when {found.helped.words}, within {thousands(found.helped.within)} steps")
    width = (terminal_width() or 100) - 4
    lines = [line for one in told for line in (wrap(one, width, subsequent_indent="  ") if one[0] != " " else [one])]
    return [in_a_line(finding_as_json(found)), *(f"    {line}" for line in lines)]


def in_a_line(plain: dict[str, Any]) -> str:
    """A finding in plain values: what it is called, since when, and what is seen."""
    sign = {"grave": "✗", "warning": "▲", "note": "·"}[plain["severity"]]
    when = f"since step {thousands(plain['since'])}"
    if plain["until"] is not None:
        sign, when = "✓", f"from step {thousands(plain['since'])} to {thousands(plain['until'])}"
    return f"{sign} {plain['kind'].replace('-', ' ')} {when}: {plain['sees']}"


def typed(run: RunFolder, ask: Ask) -> str:
    """A command as one types it."""
    name = shlex.quote(run.name)
    if ask.action == "rollback":
        return f"laddertop rollback {name} --step {int(ask.changes['step'])}"
    changes = " ".join(f"{knob}={number(value)}" for knob, value in ask.changes.items())
    return f"laddertop {ask.action} {name} {changes}".rstrip()


def _where_to_look(evidence: Evidence) -> str:
    what = [*evidence.columns, *([f"layer {evidence.layer}"] if evidence.layer is not None else [])]
    what += [evidence.value] if evidence.value else []
    return f"{', '.join(what) or 'the evaluations'}, steps {thousands(evidence.first)} to {thousands(evidence.last)}"
