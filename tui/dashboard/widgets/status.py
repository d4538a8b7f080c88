"""The status bar: where the run is."""

from __future__ import annotations

import re

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.views.states import ALONE
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.numbers import ago, estimate, rate, setting, thousands
from laddertop.tui.draw.text import columns, fit
from laddertop.tui.watch.trouble import troubles

_DAY = re.compile(r"^\d{4}-\d\d-\d\d-(?=.)")


class StatusBar(Panel):
    """Name, state, step, epoch, speed, time left, device."""

    def picture(self, height: int, width: int) -> Cells:
        """One row; what matters least goes first when it is narrow."""
        view = self.view
        status = view.status()
        sign, ink = ALONE[status]
        wrong = troubles(view)[:1]
        if wrong and status in ("training", "finished"):
            # Green is for a run with which nothing is wrong.
            ink = wrong[0].ink
            if status == "finished" and wrong[0].grave:
                sign, status = "✗", wrong[0].name
        stale = view.stale()
        numbers = Ink.WARN if stale else Ink.TEXT
        started = view.state.started
        parts: list[tuple[str, Ink]] = []
        if not view.steerable:
            parts.append((view.looking, Ink.WARN))
        if view.state.end:
            digits = len(thousands(view.state.end))
            parts.append((f"step {thousands(view.step):>{digits}} / {thousands(view.state.end)}", numbers))
        else:
            parts.append((f"step {thousands(view.step)}", numbers))
        if stale:
            parts.append((f"stale, {ago(max(view.silence(), 2))} old", Ink.WARN))
        elif view.compiling():
            parts.append(("compiling", numbers))
        elif status == "training":
            left = (f"ETA {estimate(view.seconds_left())}", numbers)
            speed = (f"{rate(view.rate()):>11}", numbers)
            # On a narrow screen there is room for one of the two, and when it is over says more.
            parts += [speed, left] if width >= 100 else [left, speed]
        if view.babysat:
            parts.append(("babysitter", Ink.GOOD))
        if started and not started.compiled and started.note:
            # It was to be compiled; the note says why it is not.
            parts.append(("uncompiled", Ink.WARN))
        # An epoch that is the whole run, as that of a loop which has none, says no more than the steps.
        if started and started.epoch_steps != started.steps:
            epochs = view.state.end / started.epoch_steps
            parts.append((f"epoch {view.step / started.epoch_steps:.1f} / {setting(round(epochs, 1))}", Ink.DIM))
        if started:
            parts.append((started.device, Ink.DIM))
        cells = Cells(height, width)
        gap = 3 if width >= 100 else 2
        room = max(width - 70, 18)
        name = view.run.name
        if columns(name) > room:
            # The day tells runs apart least.
            name = _DAY.sub("", name)
        name = fit(name, room)
        x = cells.put(0, 1, name, Ink.STRONG) + 2
        x = cells.put(0, x, f"{sign} {status:<8}", ink) + 2
        for text, part_ink in parts:
            if x + len(text) > width:
                break
            x = cells.put(0, x, text, part_ink) + gap
        return cells
