"""Every diagnosis there is, the worst first."""

from __future__ import annotations

from laddertop.tui.watch.diagnoses.dead_layer import DEAD_LAYER
from laddertop.tui.watch.diagnoses.decay_too_late import DECAY_TOO_LATE
from laddertop.tui.watch.diagnoses.diverged import DIVERGED
from laddertop.tui.watch.diagnoses.finding import Diagnosis
from laddertop.tui.watch.diagnoses.gradients import EXPLODING_GRADIENTS, VANISHING_GRADIENTS
from laddertop.tui.watch.diagnoses.learning_rate import LEARNING_RATE_TOO_HIGH, LEARNING_RATE_TOO_LOW
from laddertop.tui.watch.diagnoses.noise_too_strong import NOISE_TOO_STRONG
from laddertop.tui.watch.diagnoses.noise_too_weak import NOISE_TOO_WEAK
from laddertop.tui.watch.diagnoses.not_finite import NOT_FINITE
from laddertop.tui.watch.diagnoses.overfitted_labels import OVERFITTED_LABELS
from laddertop.tui.watch.diagnoses.plateau import PLATEAU
from laddertop.tui.watch.diagnoses.posterior_collapse import POSTERIOR_COLLAPSE
from laddertop.tui.watch.diagnoses.warm_up_too_long import WARM_UP_TOO_LONG

DIAGNOSES: tuple[Diagnosis, ...] = (
    NOT_FINITE,
    DIVERGED,
    LEARNING_RATE_TOO_HIGH,
    LEARNING_RATE_TOO_LOW,
    EXPLODING_GRADIENTS,
    VANISHING_GRADIENTS,
    POSTERIOR_COLLAPSE,
    DEAD_LAYER,
    NOISE_TOO_STRONG,
    NOISE_TOO_WEAK,
    OVERFITTED_LABELS,
    WARM_UP_TOO_LONG,
    DECAY_TOO_LATE,
    PLATEAU,
)
