"""`config`: the settings that hold, and where each comes from."""

from __future__ import annotations

import os

from laddertop.journal.files import user_cache
from laddertop.journal.settings import SETTINGS, Held, file, look
from laddertop.tui.cli.print import json_result, result, say, table, terminal_width
from laddertop.tui.dashboard.manners import Kept
from laddertop.tui.steer.keymap import settled, sign


def print_config(as_json: bool) -> int:
    """Every setting with its value and its source; what is wrong with them is said, and the status then 2."""
    holds, problems = look()
    problems = problems + settled().problems
    kept, by_key = Kept(), {"theme": sign("everywhere.colours"), "bell": sign("everywhere.bell")}
    for name, now in (("theme", kept.theme), ("bell", kept.alerts)):
        if now != holds[name].value:
            holds[name] = Held(now, by_key[name])
    if holds["data-root"].value is None:
        holds["data-root"] = Held(str(user_cache()), "")
    place = file()
    if as_json:
        told = {name: {"value": value, "source": source or None} for name, (value, source) in holds.items()}
        json_result({"file": str(place), "there": os.path.exists(place), "settings": told, "problems": problems})
    else:
        rows = [["setting", "value", "from", "what it is"]]
        for name, (value, source) in holds.items():
            words = {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value
            rows.append([name, str(words), source or "-", SETTINGS[name].about])
        for line in table(rows, width=terminal_width()):
            result(line)
        say(f"{place}{'' if os.path.exists(place) else ' is not there'}; each setting's variable wins over it")
        for problem in problems:
            say(f"laddertop: {problem}")
    return 2 if problems else 0
