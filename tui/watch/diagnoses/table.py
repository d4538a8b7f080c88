"""Every diagnosis there is, the worst first."""

from __future__ import annotations

from laddertop.tui.watch.diagnoses.dead_layer import DEAD_LAYER
from laddertop.tui.watch.diagnoses.diverged import DIVERGED
from laddertop.tui.watch.diagnoses.finding import Diagnosis
from laddertop.tui.watch.diagnoses.not_finite import NOT_FINITE
from laddertop.tui.watch.diagnoses.posterior_collapse import POSTERIOR_COLLAPSE

DIAGNOSES: tuple[Diagnosis, ...] = (
    NOT_FINITE,
    DIVERGED,
    POSTERIOR_COLLAPSE,
    DEAD_LAYER,
)
