"""Nothing left to learn: the run may be stopped."""

from __future__ import annotations

import numpy as np

from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Ask, Diagnosis, Evidence, Helped, Remedy, Seen

EVALUATIONS = 8
"""Evaluations without a best that must have followed the best."""
LEAST = 2000
"""Steps after the warm-up that must have been taken."""


def _look(facts: Facts) -> list[Seen]:
    optimizer, headline = facts.spec.optimizer, facts.state.headline()
    falls = optimizer.decay_from < 1 or optimizer.anneal < 1 or optimizer.schedule != "linear"
    settled = facts.settled()
    if falls or facts.newest_stage() or headline is None or settled.sum() * facts.course.size < LEAST:
        return []
    since = headline.evaluated_best.step
    later = [event for event in facts.state.evaluations if event.step > since]
    cost = facts.cost()[settled]
    if len(later) < EVALUATIONS or since > facts.step // 2 or not np.isfinite(cost).all():
        return []
    *_, before, newest = np.array_split(cost, 4)
    chance = 2 * float(np.hypot(newest.std() / np.sqrt(len(newest)), before.std() / np.sqrt(len(before))))
    if before.mean() - newest.mean() > chance:
        return []
    return [
        Seen(
            since,
            f"the best evaluation, {number(headline.best.value)}, was at step {thousands(since)}, {len(later)} have "
            "followed it, and the cost falls no further",
            Evidence(("total",), since, facts.step, value=headline.name),
            Remedy("stop it, or lower the learning rate", (Ask("stop", {}),)),
            Helped("it has stopped", 1),
        )
    ]


PLATEAU = Diagnosis(
    kind="plateau",
    severity="note",
    means="Neither the cost nor what is measured gets better at this learning rate: you may stop, or lower it.",
    source="Prechelt 1998, Early stopping, but when?; Bengio 2012",
    threshold="The best evaluation lies in the first half of the run, eight or more have followed it, the cost of "
    "the newest quarter is that of the quarter before, and no schedule lowers the rate: where one does, the best "
    "comes at its end.",
    look=_look,
)
