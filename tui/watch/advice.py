"""Findings and their remedies in words, as banner, event log and charts say them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.markers import Marker
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.diagnoses.advised import Advised
from laddertop.tui.watch.diagnoses.finding import SEVERITIES, Finding, Severity

SIGNS: dict[Severity, tuple[str, Ink]] = {
    "grave": ("✗", Ink.BAD),
    "warning": ("▲", Ink.WARN),
    "note": ("•", Ink.STRONG),
}
"""What the name of something wrong begins with, and the ink of both, by how bad it is."""
SO_FAR = {True: ", which helped", False: ", which did not help", None: ""}
"""Whether a remedy that was sent has helped, after the word that says that it was."""


def by_kind(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings of one kind together, the worst kinds first."""
    ordered = sorted(findings, key=lambda one: (SEVERITIES.index(one.severity), one.kind))
    groups = [list(group) for _, group in groupby(ordered, key=lambda one: one.kind)]
    return sorted(groups, key=lambda group: (SEVERITIES.index(group[0].severity), min(one.since for one in group)))


def together(findings: Iterable[Finding], one: Finding) -> list[Finding]:
    """The findings of its kind whose remedy is the same as that of `one`, which is among them."""
    commands = one.remedy.commands if one.remedy else ()
    alike = [other for other in findings if other.kind == one.kind and other.key != one.key]
    return [one, *(other for other in alike if other.remedy and other.remedy.commands == commands)]


def places(findings: Iterable[Finding]) -> str:
    """Where some findings are: layer 2; layers 3, 4, 5; the terms by name."""
    where = [one.where for one in findings if one.where]
    numbers = [one.removeprefix("layer ") for one in where]
    if len(where) > 1 and all(number.isdigit() for number in numbers):
        return f"layers {', '.join(sorted(numbers, key=int))}"
    return ", ".join(where)


def sent(advised: Iterable[Advised], finding: Finding) -> list[Advised]:
    """The remedies that were sent for a finding while it stood, oldest first."""
    mine = [one for one in advised if one.finding.key == finding.key and one.finding.found >= finding.since]
    return [one for one in mine if finding.until is None or one.finding.found <= finding.until]


def verdict(one: Advised) -> str:
    """Whether a remedy helped, once that can be told: helped: the KL of layer 2 is above 0.01 nats (0.42)."""
    helped = one.finding.helped
    if helped is None or one.helped is None:
        return ""
    value = f" ({one.measured})" if one.measured else ""
    if one.helped:
        return f"helped: {helped.words}{value}"
    return f"did not help: after {thousands(helped.within)} steps it is not so that {helped.words}{value}"


def mark_of(finding: Finding, origin: float) -> Marker:
    """The mark on the charts where something began to go wrong; `origin` is the time of the run's first start."""
    label = " ".join(filter(None, (finding.name, finding.where))) if finding.until is None else ""
    at = max(finding.time - origin, 0.0)
    return Marker(finding.since, at, label, "finding", SIGNS[finding.severity][1] if label else Ink.DIM)
