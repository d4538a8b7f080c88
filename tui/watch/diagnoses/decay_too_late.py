"""A learning rate schedule that the run ends before."""

from __future__ import annotations

from laddertop.journal.schedules import Fall
from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Remedy, Seen


def _look(facts: Facts) -> list[Seen]:
    started, optimizer = facts.state.started, facts.spec.optimizer
    if started is None or not facts.spec.model.ours or optimizer.schedule != "linear" or optimizer.decay_from >= 1:
        return []
    first = Fall.of(optimizer, started.epoch_steps, started.steps).first
    if first < started.steps:
        return []
    return [
        Seen(
            0,
            f"the learning rate is to fall from step {thousands(first)} on and the run has {thousands(started.steps)}: "
            f"it keeps {number(facts.knob('lr'))} to its end",
            Evidence(("lr",), 0, facts.step),
            Remedy(
                "train longer, or let the rate fall earlier; until then lower it by hand in the last third",
                settings=("optimizer.decay_from=0.5",),
            ),
        )
    ]


DECAY_TOO_LATE = Diagnosis(
    kind="decay-too-late",
    severity="warning",
    means="A constant rate leaves the weights wandering about a minimum; the fall at the end is where the last part "
    "of the published numbers comes from.",
    source="Robbins & Monro 1951; Rasmus et al. 2015: the last third of the epochs with a rate that falls to 0",
    threshold="At the start, where the recipe has the rate fall (decay_from below 1) and the first epoch of the "
    "fall lies behind the last step.",
    look=_look,
)
