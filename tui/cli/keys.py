"""`keys`: every key of the dashboard that the settings can give to something else."""

from __future__ import annotations

from laddertop.tui.cli.print import json_result, result, say, table, terminal_width
from laddertop.tui.steer.keymap import keys_of, settled
from laddertop.tui.steer.keys import PLACES, USUAL, key_sign


def print_keys(as_json: bool) -> int:
    """Every name with its keys and what they do; what is wrong with the settings is said, and the status then 2."""
    abouts = {f"{place}.{name}": key.about for place, keys in PLACES.items() for name, key in keys.items()}
    problems, knobs = settled().problems, settled().knobs
    if as_json:
        told = {
            name: {"keys": _list(keys_of(name)), "usual": _list(usual), "about": abouts[name]}
            for name, usual in USUAL.items()
        }
        turned = {name: list(characters) for name, characters in knobs.items()}
        json_result({"keys": told, "knobs": turned, "problems": problems})
    else:
        rows = [["name", "keys", "usually", "what it does"]]
        for name, usual in USUAL.items():
            now = keys_of(name)
            rows.append([name, key_sign(now), "" if now == usual else key_sign(usual), abouts[name]])
        rows += [[f"knobs.{name}", " ".join(characters), "", "turns it"] for name, characters in knobs.items()]
        for line in table(rows, width=terminal_width()):
            result(line)
        for problem in problems:
            say(f"laddertop: {problem}")
    return 2 if problems else 0


def _list(keys: str) -> list[str]:
    return [key_sign(key) for key in keys.split(",")]
