"""The cost is a thousand times what it was."""

from __future__ import annotations

import math

from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Seen
from laddertop.tui.watch.diagnoses.way_back import back_with_less


def _look(facts: Facts) -> list[Seen]:
    said, total = facts.state.diverged, facts.course.now("total")
    if said is None or facts.course.lost_since is not None:
        return []
    sound = said.sound_until if said.sound_until is not None else said.step
    cost = f"the cost is {number(total)}, over" if math.isfinite(total) else "the cost is over"
    return [
        Seen(
            said.step,
            f"{cost} a thousand times what it was",
            Evidence(("total", "grad_norm"), sound, facts.step),
            back_with_less(facts, sound + 1),
            Helped("the cost is within a tenth of that bound again", 100),
            time=said.time,
        )
    ]


DIVERGED = Diagnosis(
    kind="diverged",
    severity="grave",
    means="Steps lead uphill: the learning rate is larger than the curvature of the cost allows, by itself or since "
    "something was changed.",
    source="LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 5.1: a rate above 2/λmax diverges",
    threshold="As the engine says it: the median of the last 20 steps is a thousand times the lowest such median, "
    "and twice the cost that the run began with, at the weights of now; neither a wild batch nor a warm-up is that "
    "much.",
    look=_look,
    safe=True,
)
