"""A whole run as its screens see it, looked at once."""

from __future__ import annotations

from dataclasses import dataclass

from laddertop.journal.folder import RunFolder
from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.bins import Binned
from laddertop.tui.watch.chart_choice import EVALUATED, curve_names, evaluated
from laddertop.tui.watch.comparison import look, open_runs
from laddertop.tui.watch.history import Curves
from laddertop.tui.watch.run_view import RunView


@dataclass(frozen=True)
class Looked:
    """What is known of a run."""

    view: RunView
    curves: Curves
    """Every curve of it over all its steps."""

    @property
    def axis(self) -> XAxis:
        """The axis that the curves are on, in steps."""
        return self.curves.wanted.axis

    def curve(self, name: str) -> Binned:
        """One of its curves, recorded or evaluated."""
        if name.startswith(EVALUATED):
            return evaluated(name, self.view.state, self.axis, self.view.origin)
        return self.curves.of(name)


def look_at(run: RunFolder) -> Looked:
    """Everything that the folder of a run says now.

    Raises ValueError when its spec is damaged, or when no engine has started in it yet.
    """
    (one,) = open_runs([run])
    look([one])
    if one.view.state.started is None:
        raise ValueError(f"no engine has started in {run.name} yet; there is nothing to export")
    wanted = one.view.wanted(tuple(curve.name for curve in curve_names(one.view.state)))
    curves = one.history.all(wanted)
    while not one.history.complete:
        curves = one.history.all(wanted)
    return Looked(one.view, curves)
