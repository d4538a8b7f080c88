"""The panels of the run screen, each once: what composes it, draws it in time, lays it out and names it in the help."""

from __future__ import annotations

from typing import NamedTuple

from laddertop.tui.dashboard.panel import Panel
from laddertop.tui.dashboard.widgets.banner import Banner
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.dashboard.widgets.event_log import EventLog
from laddertop.tui.dashboard.widgets.knobs import Knobs
from laddertop.tui.dashboard.widgets.layers import Layers
from laddertop.tui.dashboard.widgets.machine import MachineLine
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.dashboard.widgets.terms import Terms


class About(NamedTuple):
    """One panel."""

    widget: type[Panel]
    """Draws it, and knows how many rows it needs at least: see Panel.least_rows."""
    interval: float
    """Seconds between two drawings at least, unless a key asks for one."""
    middle: str = ""
    """What it is called among the panels that share the middle of the screen, through which tab goes; empty: it has a
    place of its own."""


PANELS = {
    "status": About(StatusBar, 0.5),
    "banner": About(Banner, 0.5),
    "cost": About(Charts, 2.0, "charts"),
    "terms": About(Terms, 2.0, "terms"),
    "layers": About(Layers, 2.0, "layers"),
    "samples": About(Samples, 1.0, "samples"),
    "knobs": About(Knobs, 0.5),
    "events": About(EventLog, 0.5),
    "machine": About(MachineLine, 0.0),
}
"""Every panel by its id, in the order in which tab goes through them; see laddertop.tui.dashboard.layout for where
those of the middle lie."""

MIDDLE = tuple(name for name, about in PANELS.items() if about.middle)
