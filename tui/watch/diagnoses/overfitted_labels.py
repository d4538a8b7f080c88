"""A cost of the labelled items at zero while the test error rises."""

from __future__ import annotations

import numpy as np

from laddertop.tui.draw.numbers import number, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Ask, Diagnosis, Evidence, Helped, Remedy, Seen

LEARNT = 0.01
"""Nats per labelled item below which there is nothing left to learn from them."""
POINTS, SHARE = 2.0, 0.2
"""By how many points, and by which share of the best, the error must have risen: of 360 test items with 5 % errors, as
few as a set that comes with this program has, the standard error is 1.1 points."""
IN_A_ROW = 3
"""Evaluations in a row that must say so."""
ERROR = "error_percent"


def _look(facts: Facts) -> list[Seen]:
    name = next((n for n in ("class", "classification") if n in facts.course), "")
    told = [event for event in facts.state.evaluations if ERROR in event.values]
    if not name or len(told) <= IN_A_ROW:
        return []
    values = np.array([event.values[ERROR].value for event in told])
    best = int(np.argmin(values))
    bound = values[best] + max(POINTS, SHARE * values[best])
    cost = float(np.median(facts.course.mean(name)[-16:]))
    if best >= len(told) - IN_A_ROW or not (values[-IN_A_ROW:] > bound).all() or not cost < LEARNT:
        return []
    since = told[best].step
    # A loop of somebody's own can't be sent back.
    saved = facts.state.checkpoints if facts.spec.model.ours else []
    back = [one.step for one in saved if one.step <= since and not one.diverged]
    words = f"it was best at step {thousands(since)}: go back there, and give it more noise or more labels"
    return [
        Seen(
            since,
            f"the labelled items cost {number(cost)} nats, and the test error rose from {number(float(values[best]))} "
            f"% at step {thousands(since)} to {number(float(values[-1]))} %",
            Evidence((name,), since, facts.step, value=ERROR),
            Remedy(words, (Ask("rollback", {"step": max(back)}),) if back else ()),
            Helped("the test error is back where it was best", max(facts.step - since, 1)),
            time=told[best].time,
        )
    ]


OVERFITTED_LABELS = Diagnosis(
    kind="overfitted-labels",
    severity="warning",
    means="The labelled items are known by heart: what is learnt of them now costs what was learnt of their kind.",
    source="Prechelt 1998, Early stopping, but when?; Rasmus et al. 2015 (the supervised baseline)",
    threshold="The labelled items cost less than 0.01 nats, and three evaluations in a row have an error above the "
    "best by two points and by a fifth: less is within what so few test items tell.",
    look=_look,
)
