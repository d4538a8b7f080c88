"""Knobs and commands in words, as the event line and the chart markers say them."""

from __future__ import annotations

from collections.abc import Mapping

from laddertop.journal.actions import ACTIONS
from laddertop.journal.courses import course_in
from laddertop.journal.events import Commanded, Knob
from laddertop.journal.knobs import members
from laddertop.journal.names import group_of
from laddertop.journal.value import Value
from laddertop.tui.draw.numbers import number, setting, thousands
from laddertop.tui.draw.text import fit


def knob_name(name: str, knobs: Mapping[str, Knob]) -> str:
    """The short name of a knob or of a group of them: noise.std.3 → σ 3, noise.std → σ."""
    found = members(name, knobs)
    if not found:
        return name
    member = name.removeprefix(f"{group_of(name)}.")
    return knobs[found[0]].short + ("" if member == name else f" {member}")


def knob_value(knob: Knob | None, value: float | str) -> str:
    """A value of a knob: on or off for a switch."""
    if isinstance(value, str):
        try:
            return course_in(value).words()
        except ValueError:
            return value
    if knob is not None and knob.kind == "switch":
        return "on" if value else "off"
    return setting(value)


def changes_in_words(changes: Mapping[str, float | str], knobs: Mapping[str, Knob]) -> str:
    """What a set command does, briefly: "noise off", "lr 0.001", "σ 0.33" for a whole group at once."""
    left = dict(changes)
    words = []
    groups: dict[str, list[str]] = {}
    for name in left:
        groups.setdefault(group_of(name), []).append(name)
    for group, names in groups.items():
        if len(names) > 1:
            values = [left.pop(name) for name in names]
            numbers = [v for v in values if not isinstance(v, str)]
            low, high = (min(numbers), max(numbers)) if numbers else (values[0], values[0])
            span = knob_value(None, low) if low == high else f"{knob_value(None, low)} … {knob_value(None, high)}"
            words.append(f"{knob_name(group, knobs)} {span}")
    words += [f"{knob_name(name, knobs)} {knob_value(knobs.get(name), value)}" for name, value in left.items()]
    return ", ".join(words)


def command_in_words(action: str, changes: Mapping[str, float | str], note: str, knobs: Mapping[str, Knob]) -> str:
    """What a command asks for."""
    if action == "set":
        return changes_in_words(changes, knobs) or "no change"
    if action == "rollback" and isinstance(step := changes.get("step"), float | int):
        return f"back to step {thousands(int(step))}"
    words = next((about.words for name, about in ACTIONS.items() if name == action), action)
    return f"{words}: {note}" if note else words


def outcome_in_words(done: Commanded, asked: Mapping[str, float | str], knobs: Mapping[str, Knob]) -> str:
    """A command and what became of it: "noise off → applied", "lr 50 → refused: at most 10"."""
    changes = asked if done.outcome == "refused" else {c.knob: c.set_to for c in done.changes}
    what = command_in_words(done.action, changes, done.note, knobs)
    return f"{what} → {done.outcome}" + (f": {done.reason}" if done.reason else "")


def measure(name: str, value: Value) -> str:
    """A measured number with what it is called: error 1.23 %, −ELBO 98.1."""
    return measured(value.called(name), number(value.value) + value.sign)


def measured(label: str, shown: str, width: int | None = None) -> str:
    """A number beside its label; in `width` columns the label is cut, never the number."""
    return f"{label if width is None else fit(label, width - len(shown) - 1)} {shown}"
