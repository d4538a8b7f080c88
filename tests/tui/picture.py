"""Pictures of the screen as text, and their comparison with the ones on file.

`LADDERTOP_UPDATE_PICTURES=1 pytest tests/tui` writes the files anew; look at the difference before you commit it.
"""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path

from textual.app import App
from textual.pilot import Pilot

FOLDER = Path(__file__).parent / "pictures"

_CLOCK = re.compile(r"\b(\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\b( {4,})?")
"""A time, and the room behind it up to what stands at the right: just after midnight a date stands before it."""


def _noon(clock: re.Match[str]) -> str:
    return "12:34:56" + " " * (len(clock[1] or "") + len(clock[2]) if clock[2] else 0)


def screen_text(app: App[None]) -> str:
    """The characters on the screen, from the compositor's own strips, without blanks at the ends of lines."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def check_picture(pilot: Pilot[None], name: str) -> None:
    """The screen must come to look as it does in `pictures/NAME.txt`, whatever the time of day.

    Where pictures are written anew it is drawn there once it stands still.
    """
    file = FOLDER / f"{name}.txt"
    anew = bool(os.environ.get("LADDERTOP_UPDATE_PICTURES"))
    on_file = file.read_text(encoding="utf-8") if file.exists() else ""
    text = ""
    # How long a frame takes to come depends on what else the machine does.
    for _ in range(100):
        before, text = text, _CLOCK.sub(_noon, screen_text(pilot.app)) + "\n"
        if text == (before if anew else on_file):
            break
        await pilot.pause(0.15)
    if anew:
        file.write_text(text, encoding="utf-8")
        return
    difference = "\n".join(difflib.unified_diff(on_file.splitlines(), text.splitlines(), "on file", "now", lineterm=""))
    assert not difference, f"{file.name} looks different:\n{difference}"
