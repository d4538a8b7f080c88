"""What a babysitter does to a run: whether one is at work, and what it sent, in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from laddertop.journal.commands import sender
from laddertop.journal.events import Commanded
from laddertop.journal.folder import RunFolder
from laddertop.journal.names import kind_in_words
from laddertop.journal.state import RunState
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.watch.advice import SO_FAR
from laddertop.tui.watch.diagnoses.advised import Advised, keys_in

_NAME = "babysitter"
BABYSITTER = sender(_NAME)
"""Who sends its commands."""


def by_babysitter(command: Commanded) -> bool:
    """Whether a babysitter sent a command, whoever's it was."""
    return command.by.endswith(f" ({_NAME})")


def told(run: RunFolder, state: RunState, advised: Iterable[Advised]) -> dict[str, Any] | None:
    """The same in plain values; None where nobody asked for one."""
    policy = run.spec.policy
    if not policy.babysat:
        return None
    helped = {command: one.helped for one in advised for command in one.commands}
    sent = {command.id: command for command in state.commands if by_babysitter(command) and keys_in(command.note)}
    return {
        "kinds": sorted(policy.babysat),
        "at_work": run.babysitter_alive() and run.engine_alive(),
        "sent": [
            {
                "step": command.step,
                "kind": next(kind for kind, _ in keys_in(command.note)),
                "action": command.action,
                "changes": {change.knob: change.applied for change in command.changes},
                "outcome": command.outcome,
                "helped": helped.get(command.id),
            }
            for command in sent.values()
        ],
    }


def in_words(told: dict[str, Any]) -> list[str]:
    """The same in lines for people."""
    what = ", ".join(kind_in_words(kind) for kind in told["kinds"])
    lines = [f"babysitter {'at work' if told['at_work'] else 'not at work'}, for what is {what}"]
    for one in told["sent"]:
        changes = "".join(f" {knob} {number(value)}" for knob, value in one["changes"].items())
        verdict = SO_FAR[one["helped"]] if one["outcome"] == "applied" else ", which was refused"
        kind = kind_in_words(one["kind"])
        lines.append(f"  step {thousands(one['step'])}: {one['action']}{changes} for {kind}{verdict}")
    return lines
