"""A ladder network with so little noise that its lateral connections copy."""

from __future__ import annotations

from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Seen, turning

WEAK = 0.05
"""σ below which a copy costs less than σ² = 0.0025 of the variance of a unit."""
COPIES = 0.1
"""Cost below which every layer is copied: what noise is left comes from the layers below."""
USUAL = 0.3
"""The σ that Rasmus et al. (2015) train with."""


def _look(facts: Facts) -> list[Seen]:
    course = facts.course
    layers = [t for t in facts.state.terms if t.layer and t.layer.noise and t.name in course and facts.weight(t)]
    noise = [course.now(t.layer.noise) for t in layers if t.layer and t.layer.noise]
    settled = facts.settled()
    if len(layers) < 2 or facts.knob("noise") != 1 or settled.sum() * course.size < 200 or not 0 < max(noise) < WEAK:
        return []
    costs = facts.late_costs(layers)
    if not all(cost < COPIES for cost in costs.values()):
        return []
    since, worst = facts.turned(), max(costs, key=lambda name: costs[name])
    return [
        Seen(
            since,
            f"the noise is {number(max(noise))} of units whose deviation is 1, and every layer is denoised to "
            f"{number(costs[worst])} of its variance or less",
            Evidence(tuple(costs), since, facts.step),
            turning(f"raise the noise to {number(USUAL)}", "noise.std", USUAL, "noise.std"),
            Helped(f"{worst} is above {number(COPIES)}", 500, worst, above=COPIES),
        )
    ]


NOISE_TOO_WEAK = Diagnosis(
    kind="noise-too-weak",
    severity="warning",
    means="What comes from the side is clean enough to be copied: no layer has to be predicted from above, so "
    "nothing is learnt from the unlabelled items.",
    source="Rasmus et al. 2015; Valpola 2015: the optimal denoising of a value with noise σ² and prior variance 1 "
    "is worth σ²/(1 + σ²)",
    threshold="The noise is on and below 0.05 at every layer, and for 200 steps every layer costs less than a tenth "
    "of its variance: with the usual 0.3 the lowest hidden layer of the published network costs 0.06 to 0.25, upper "
    "ones more.",
    look=_look,
)
