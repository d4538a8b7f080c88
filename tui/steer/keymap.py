"""Which keys do what in the dashboard: as it is usual, but for what the table `keys` of the user's settings says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from laddertop.journal import settings
from laddertop.tui.steer.keys import FIXED, PLACES, SCREENS, SIGNS, USUAL, key_sign

_CALLED = {sign: name for name, sign in SIGNS.items()}
_NAMED = re.compile(
    r"(ctrl\+|alt\+){1,2}[a-z0-9]|((ctrl|alt|shift)\+){0,3}(space|tab|enter|escape|backspace|delete|insert|home|end|"
    r"pageup|pagedown|up|down|left|right|f([1-9]|1[0-9]|2[0-4]))"
)
"""Names of keys that are no character."""


class Settled(NamedTuple):
    """What the user's settings give."""

    keys: dict[str, str]
    """By name the keys of what has others than usual, as textual has them."""
    knobs: dict[str, str]
    """By the name of a knob or of a group the characters that turn it: one for a switch, two for a number."""
    problems: list[str]
    """What is wrong with them, each in a sentence; what is usual holds instead."""


def keys_of(name: str) -> str:
    """The keys that do it, as textual has them."""
    return settled().keys.get(name) or USUAL[name]


@cache
def sign(*names: str) -> str:
    """The first key of each as they are printed on the keyboard, in few characters: ←→, 2-5, t /."""
    signs = [key_sign(keys_of(name).partition(",")[0]).replace("escape", "esc") for name in names]
    if len(signs) > 1 and all(map(str.isdigit, signs)) and all(int(b) - int(a) == 1 for a, b in pairwise(signs)):
        return f"{signs[0]}-{signs[-1]}"
    return ("" if all(len(one) == 1 and not one.isalnum() for one in signs) else " ").join(signs)


@cache
def used(screen: str) -> frozenset[str]:
    """The keys that a screen has a use for, as they are printed."""
    return frozenset(key_sign(key) for key in _bound(screen, settled().keys))


@cache
def settled() -> Settled:
    """What the table `keys` of the settings gives; read once."""
    given, where = settings.table("keys")
    keys, knobs, problems = dict[str, str](), dict[str, str](), list[str]()

    def wrong(name: str, why: str) -> None:
        problems.append(f"{where(f'keys.{name}')}: keys.{name}: {why}")

    if not isinstance(given, dict):
        return Settled({}, {}, [f"{where('keys')}: keys: takes a table, as [keys.run]"])
    for name, value in _flat(given):
        try:
            if name.startswith("knobs."):
                knobs[name] = _of_knob(_keys(value))
            else:
                keys[_known(name)] = ",".join(_keys(value))
        except ValueError as error:
            wrong(name, str(error))
    while clash := next(_clashes(keys), None):
        name, why = clash
        del keys[name]
        wrong(name, why)
    for name, characters in list(knobs.items()):
        if taken := [one for one in characters if one in map(key_sign, _bound("run", keys))]:
            del knobs[name]
            wrong(name, f"{taken[0]} is a key of the run screen; take another")
    return Settled(keys, {name.removeprefix("knobs."): characters for name, characters in knobs.items()}, problems)


def _flat(table: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """What a table holds, with the names of the tables in it before a dot."""
    if not isinstance(table, dict):
        yield before.removesuffix("."), table
        return
    for name, value in table.items():
        yield from _flat(value, f"{before}{name}.")


def _known(name: str) -> str:
    if name in USUAL:
        return name
    near = difflib.get_close_matches(name, USUAL, n=1, cutoff=0.5)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ValueError(f"there is no action of that name{hint}; `laddertop keys` lists them all")


def _keys(value: Any) -> list[str]:
    """Keys as textual calls them. Raises ValueError for what is none."""
    given: list[Any] = [value] if isinstance(value, str) else value
    if not isinstance(given, list) or not given or not all(isinstance(key, str) for key in given):
        raise ValueError(f"takes a key, or a list of keys, not {str(value)[:40]}")
    keys: list[str] = [_CALLED.get(key, key) for key in given]
    for key in keys:
        if key not in SIGNS and not (len(key) == 1 and key.isalnum()) and not _NAMED.fullmatch(key):
            raise ValueError(
                f"{key[:40]!r} is no key; one is a character as ?, or a name as space, f5, ctrl+r, shift+tab"
            )
    return keys


def _of_knob(keys: list[str]) -> str:
    signs = [key_sign(key) for key in keys]
    if len(signs) > 2 or not all(len(one) == 1 for one in signs) or len(set(signs)) < len(signs):
        raise ValueError("a knob takes one character for a switch, and for a number two, for less and for more")
    return "".join(signs)


def _bound(screen: str, keys: Mapping[str, str]) -> dict[str, list[str]]:
    """What each key of a screen does, by name; empty for what always means the same."""
    found: dict[str, list[str]] = {}
    for place in SCREENS[screen]:
        for key in FIXED.get(place, ()):
            found.setdefault(key, []).append("")
        for name in (f"{place}.{does}" for does in PLACES[place]):
            for key in keys.get(name, USUAL[name]).split(","):
                found.setdefault(key, []).append(name)
    return found


def _clashes(keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Every name whose key means something else on one of its screens, and what, in a sentence."""
    for name in reversed(keys):
        for screen in (screen for screen, places in SCREENS.items() if name.partition(".")[0] in places):
            bound = _bound(screen, keys)
            for key in keys[name].split(","):
                for other in (other for other in bound[key] if other != name):
                    place, _, does = other.partition(".")
                    whose = f"is the key of {other} ({PLACES[place][does].about})" if other else "always means the same"
                    yield name, f"{key_sign(key)} {whose}; take another"
