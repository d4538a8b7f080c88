"""What was found in a run, whole: what is seen, what it means, where to look, what helps, and what became of that."""

from __future__ import annotations

from dataclasses import replace

from laddertop.tui.draw.numbers import clock, thousands
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.advice import SIGNS, SO_FAR, sent, verdict
from laddertop.tui.watch.chart_choice import EVALUATED, curve_names
from laddertop.tui.watch.diagnoses.advised import Advised, keys_in
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.event_line import ADVISED, UNDO, who
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import command_in_words

PAST = 20
"""Findings that are over, of which the newest are listed."""


def listed(view: RunView) -> list[Finding]:
    """What stands, the worst first, then what is over, the newest first; also what a way back threw away."""
    found = [*view.findings, *view.past[::-1][:PAST]]
    lost = [one for one in view.advised[::-1] if not any(one in sent(view.advised, other) for other in found)]
    return [*found, *(replace(one.finding, until=max(one.step, one.finding.found)) for one in lost)]


def in_a_line(view: RunView, finding: Finding) -> str:
    """One finding in the list: what, where, since when, and whether it is over or a remedy was sent."""
    words = f"{SIGNS[finding.severity][0]} {finding.name:<22} {finding.where:<12} since {thousands(finding.since):>9}"
    if finding.until is not None:
        return f"{words}  over at {thousands(finding.until)}"
    given = sent(view.advised, finding)
    return f"{words}  advised{SO_FAR[given[-1].helped]}" if given else words


def curves(view: RunView, finding: Finding) -> list[str]:
    """The names of the curves that show it, the one that shows it best first."""
    evidence = finding.evidence
    wanted = [*evidence.columns, *([f"{EVALUATED}{evidence.value}"] if evidence.value else [])]
    there = {curve.name for curve in curve_names(view.state)}
    return [name for name in wanted if name in there]


def why_not_sent(view: RunView, finding: Finding) -> str:
    """Why its remedy can't be sent from here now; empty where it can."""
    if finding.until is not None:
        return "it is over: nothing is to be sent"
    if finding.remedy is None or not finding.remedy.commands:
        return "no command does it"
    if not view.steerable:
        return f"{view.looking}: nothing is sent from here"
    if not view.alive:
        return f"no engine at work: {sign('run.roll-back')} sends the run back, {sign('run.resume')} resumes it"
    if any(finding.key in keys_in(command.note) for command in view.pending()):
        return "sent; the engine has not answered yet"
    return ""


def in_full(view: RunView, finding: Finding) -> list[tuple[str, str]]:
    """Everything that is known of it: what each row is about, in a word, and what it says."""
    given = sent(view.advised, finding)
    # What was sent says more of one that is over than what would help now.
    of = given[-1].finding if given and finding.until is not None else finding
    remedy, helped = of.remedy, of.helped
    at = f", {clock(finding.time)}" if finding.time else ""
    over = f"; over at step {thousands(finding.until)}" if finding.until is not None else ""
    rows = [
        ("seen", finding.sees),
        ("since", f"step {thousands(finding.since)}{at}; found at step {thousands(finding.found)}{over}"),
        ("means", finding.means),
        ("source", finding.source),
        ("evidence", _evidence(view, finding)),
    ]
    if remedy is not None:
        rows.append(("helps", remedy.words))
        asks = ", then ".join(command_in_words(*ask, "", view.state.knobs) for ask in remedy.commands)
        sends = f"it is: {asks}" if asks else ""
        refusal = why_not_sent(view, finding)
        if finding.until is None:
            rows.append(("enter", "; ".join(filter(None, (refusal, sends))) if refusal else f"sends {asks}"))
        if remedy.settings:
            rows.append(("next run", " ".join(f"--set {one}" for one in remedy.settings)))
        if helped is not None and remedy.commands:
            rows.append(("helped", f"when within {thousands(helped.within)} steps {helped.words}"))
    return [*rows, *(("advised", _given(view, one)) for one in given)]


def _given(view: RunView, one: Advised) -> str:
    """A remedy that was sent: when, by whom, and what became of it."""
    done = [command for command in view.state.commands if command.id in one.commands]
    by = f" by {who(done[0].by.removesuffix(ADVISED))}" if done else ""
    begun = f"step {thousands(one.step)}{by}; "
    notes = {f"{UNDO}{id}" for id in one.commands}
    if back := [c for c in view.state.commands if c.note in notes and c.outcome == "applied"]:
        return f"{begun}taken back at step {thousands(back[-1].step)}"
    if words := verdict(one):
        return begun + words
    if one.told_at is None:
        return f"{begun}nothing says when it has helped"
    over = "; the run ended before that" if not view.alive and view.step < one.told_at else ""
    return f"{begun}whether it helped is told at step {thousands(one.told_at)}{over}"


def _evidence(view: RunView, finding: Finding) -> str:
    evidence = finding.evidence
    labels = {curve.name: curve.label for curve in curve_names(view.state)}
    where = [labels[name] for name in curves(view, finding)] or ["the evaluations"]
    layer = f", layer {evidence.layer}" if evidence.layer is not None else ""
    return f"{', '.join(where)}{layer}, steps {thousands(evidence.first)} to {thousands(evidence.last)}"
