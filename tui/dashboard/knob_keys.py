"""The keys of a run's knobs, as the engine declares them: what the run screen listens to, help and palette list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from laddertop.journal.events import Knob
from laddertop.journal.knobs import grouped
from laddertop.tui.steer.keymap import settled, used

_INSTEAD = {"-+": "<>"}
"""Keys that older journals declare for what an engine declares other keys for now, as the screen zooms with them."""


class KnobKey(NamedTuple):
    """What a key does to the knobs of a group."""

    key: str
    """The character that is typed."""
    group: str
    """What to turn: a knob, or all of a group."""
    up: bool | None
    """Whether numbers become larger; None flips a switch."""
    about: str
    """The same in words."""


def taken() -> set[str]:
    """The characters that the run screen itself has a use for; no knob gets them."""
    return {*used("run"), " "}


def usable_keys(knobs: Mapping[str, Knob]) -> dict[str, str]:
    """The keys of each group that has any: those that the user gave it, else as declared, unless the screen or an
    earlier group has a use for them."""
    free, not_free = dict[str, str](), taken()
    for group, members in grouped(knobs).items():
        keys = settled().knobs.get(group) or _INSTEAD.get(members[0].keys, members[0].keys)
        if len(keys) == (1 if members[0].kind == "switch" else 2) and not {*keys} & {
            *not_free,
            *"".join(free.values()),
        }:
            free[group] = keys
    return free


def knob_keys(knobs: Mapping[str, Knob]) -> list[KnobKey]:
    """Every key that turns something in a run."""
    found = []
    groups = grouped(knobs)
    for group, keys in usable_keys(knobs).items():
        first, many = groups[group][0], len(groups[group]) > 1
        if first.kind == "switch":
            found.append(KnobKey(keys, group, None, f"{first.label} on or off"))
            continue
        what = f"every {first.short}, each by its factor" if many else first.label
        found += [KnobKey(keys[0], group, False, f"lower {what}"), KnobKey(keys[1], group, True, f"higher {what}")]
    return found


def key_of(character: str | None, knobs: Mapping[str, Knob]) -> KnobKey | None:
    """What a typed character turns in a run, if anything."""
    return {key.key: key for key in knob_keys(knobs)}.get(character or "")
