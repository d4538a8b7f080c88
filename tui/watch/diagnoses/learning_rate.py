"""A learning rate that makes the cost worse than it began, or one that hardly moves it."""

from __future__ import annotations

import math

import numpy as np

from laddertop.tui.draw.numbers import number, percent, setting, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Remedy, Seen, turning
from laddertop.tui.watch.diagnoses.way_back import LESS, MOST

LEAST = 200
"""Steps after the warm-up below which a rate is not judged."""
LONG = 800
"""The same for a rate that is too low: what is slow at first, as deep networks are, has moved by then."""
WORSE = 0.1
"""By which share of it a cost must be above that of the untrained model: less may be the noise that a warm-up let
in."""
FAR_WORSE = 1.0
"""The same while the warm-up is under way."""
SMALLEST = 0.02
"""Weights of however many inputs are not taken to be smaller: those of convolutions have fewer."""
ROUNDING = 1e-3
"""What Adam may add to the root of its second moment and still move a weight by about the rate."""
LITTLE = 0.05
"""Share of the cost of the untrained model that a rate which is too low has taken off at most."""
STRAIGHT = 0.75
"""How much of the fall of one third the next must have again for a curve to be a straight line."""


def _high(facts: Facts) -> list[Seen]:
    return _worse_than_untrained(facts) or _longer_than_weights(facts)


def _worse_than_untrained(facts: Facts) -> list[Seen]:
    if not _comparable(facts) or facts.state.diverged is not None or facts.course.lost_since is not None:
        return []
    cost, settled = facts.cost(), facts.settled()
    first = float(cost[0])
    over = int(settled.sum()) * facts.course.size >= LEAST
    since_turned = cost[settled] if over else cost[facts.course.first > facts.turned()]
    if len(since_turned) * facts.course.size < LEAST // 2:
        return []
    newest = since_turned[-max(len(since_turned) // 4, 16) :]
    now = float(np.median(newest))
    if not now > first + (WORSE if over else FAR_WORSE) * abs(first):
        return []
    found = (
        f"after {thousands(facts.step)} steps the cost is {number(now)}, and that of the untrained model was "
        f"{number(first)}"
    )
    return [_seen(facts, found, ("total", "grad_norm"), _lower(facts), first)]


def _longer_than_weights(facts: Facts) -> list[Seen]:
    lr, scale = facts.course.now("lr") if "lr" in facts.course else 0.0, _scale(facts)
    if scale is None or not lr > scale or facts.state.diverged is not None or facts.course.lost_since is not None:
        return []
    found = (
        f"a step of Adam moves each weight by about {number(lr)}, the learning rate, and weights began at about "
        f"{number(scale)}"
    )
    return [_seen(facts, found, ("lr", "total"), _lower(facts), float(np.median(facts.cost()[-16:])))]


def _seen(facts: Facts, found: str, curves: tuple[str, ...], remedy: Remedy, below: float) -> Seen:
    """What was `found` since the rate was turned, and to be seen in `curves`; helped once the cost is `below`."""
    since = facts.turned("lr")
    helped = Helped(f"the cost is below {number(below)}", 500, "total", below=below)
    return Seen(since, found, Evidence(curves, since, facts.step), remedy, helped)


def _scale(facts: Facts) -> float | None:
    """How large weights begin to be that are fed by an input; None where steps can't be compared with that: those of
    another optimizer follow the gradient, those of a loop of somebody's own are not known."""
    spec = facts.spec
    if not spec.model.ours or spec.optimizer.kind != "adam" or spec.optimizer.eps > ROUNDING or not spec.data.known:
        return None
    about = spec.data.facts
    return max(1 / math.sqrt(about.channels * about.height * about.width), SMALLEST)


def _lower(facts: Facts) -> Remedy:
    lr, scale = facts.knob("lr"), _scale(facts)
    most = MOST if scale is not None and lr > scale else lr
    less = float(f"{min(lr / LESS, most):.2g}")
    return turning(f"lower the learning rate from {setting(lr)} to {setting(less)}", "lr", less, "optimizer.lr")


def _low(facts: Facts) -> list[Seen]:
    costs = _judged(facts)
    if costs is None or len(costs[1]) < 48 or len(costs[1]) * facts.course.size < LONG:
        return []
    first, settled = costs
    thirds = np.array_split(settled, 3)
    means = [float(third.mean()) for third in thirds]
    falls = means[0] - means[1], means[1] - means[2]
    # What two means differ by where nothing but the draw of batches moves them.
    chance = 4 * float(np.hypot(*(np.diff(third).std() / np.sqrt(2 * len(third)) for third in thirds[1:])))
    fallen = (first - means[2]) / abs(first)
    if not (falls[1] > chance and falls[1] > STRAIGHT * falls[0] and 0 <= fallen < LITTLE):
        return []
    lr = facts.knob("lr")
    more = float(f"{lr * LESS:.2g}")
    found = (
        f"after {thousands(facts.step)} steps the cost has fallen by {percent(fallen)} of {number(first)} and "
        "still falls along a straight line"
    )
    raised = turning(f"raise the learning rate from {setting(lr)} to {setting(more)}", "lr", more, "optimizer.lr")
    return [_seen(facts, found, ("total",), raised, means[2] - 2 * falls[1])]


def _judged(facts: Facts) -> tuple[float, np.ndarray] | None:
    """The cost of the untrained model and those of the blocks after the warm-up and since anything was turned; None
    where a rate can't be judged by them."""
    if not _comparable(facts):
        return None
    cost = facts.cost()
    settled = cost[facts.settled()]
    if int(facts.settled().sum()) * facts.course.size < LEAST or not np.isfinite(settled).all():
        return None
    return float(cost[0]), settled


def _comparable(facts: Facts) -> bool:
    """Whether costs can be compared with that of the untrained model: not of a run that began with trained weights,
    that is trained in stages, or whose cost only a loop of somebody's own knows."""
    start = facts.state.starts[0] if facts.state.starts else None
    if start is None or start.resumed_from is not None or not facts.spec.model.ours or facts.newest_stage():
        return False
    cost = facts.cost()
    return bool(facts.knob("lr") > 0 and len(cost) and facts.course.first[0] == 1 and np.isfinite(cost[0]))


LEARNING_RATE_TOO_HIGH = Diagnosis(
    kind="learning-rate-too-high",
    severity="warning",
    means="Steps are longer than the valleys of the cost are wide: what one step gains the next ones lose.",
    source="LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, section 5.1; Bengio 2012; of Adam's steps: Kingma & "
    "Ba 2015, section 2.1",
    threshold="At the weights of now, the median cost of the newest quarter of 200 steps or more since the warm-up "
    "and since anything was turned is a tenth above that of the untrained model; while the warm-up is under way, of "
    "100 steps, twice that cost: no sound training is worse than none. Also where one step of Adam, which moves a "
    "weight by about the rate whatever its gradient is, is longer than weights begin to be: 1/√n of n inputs, 0.02 at "
    "least. The recipes have 0.004 at most.",
    look=_high,
    safe=True,
)
LEARNING_RATE_TOO_LOW = Diagnosis(
    kind="learning-rate-too-low",
    severity="warning",
    means="The cost falls as fast as it did at first, by a small part of what there is: the rate holds it up, not "
    "the model.",
    source="Bengio 2012, Practical recommendations: the optimal rate is close to the largest that does not diverge",
    threshold="Of 800 steps or more since the warm-up and since anything was turned, the last third fell by three "
    "quarters of what the one before fell by or more, beyond what the draw of batches explains (four deviations), "
    "and all in all by less than 5 % of the untrained model's cost: a rate that is high enough has bent the curve "
    "by then.",
    look=_low,
)
