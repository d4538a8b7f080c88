"""A ladder network with so much noise that no layer is denoised better than by its mean."""

from __future__ import annotations

from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Seen, turning
from laddertop.tui.watch.diagnoses.noise_too_weak import USUAL

MEAN = 0.95
"""Cost of a layer above which its mean would do as well: its units have the variance 1, so that is what the mean
costs."""
STRONG = 0.5
"""σ up to which noise is in use: Rasmus et al. (2015) train their supervised baselines with it."""
LEAST = 300
"""Steps after the warm-up before it is said."""


def _look(facts: Facts) -> list[Seen]:
    course, settled = facts.course, facts.settled()
    layers = [t for t in facts.state.terms if t.layer and t.layer.noise and t.layer.index > 0 and t.name in course]
    layers = [t for t in layers if facts.weight(t)]
    noise = max((course.now(t.layer.noise) for t in layers if t.layer and t.layer.noise), default=0.0)
    if not layers or not noise > STRONG or settled.sum() * course.size < LEAST:
        return []
    costs = facts.late_costs(layers)
    if not all(cost > MEAN for cost in costs.values()):
        return []
    since, best = facts.turned(), min(costs, key=lambda name: costs[name])
    return [
        Seen(
            since,
            f"with noise of σ {number(noise)} no layer above the input costs less than {number(costs[best])}, where "
            "its mean costs 1",
            Evidence(tuple(costs), since, facts.step),
            turning(f"lower the noise to {number(USUAL)}", "noise.std", USUAL, "noise.std"),
            Helped(f"{best} is below {number(MEAN)}", 1000, best, below=MEAN),
        )
    ]


NOISE_TOO_STRONG = Diagnosis(
    kind="noise-too-strong",
    severity="warning",
    means="Nothing of what a layer was comes through the noise: it is told by its mean, and the denoising costs "
    "teach nothing.",
    source="Rasmus et al. 2015: the targets are normalised to variance 1, so the mean costs 1",
    threshold="The noise is above 0.5, and for the newest quarter of 300 steps or more since the warm-up and since "
    "anything was turned every layer above the input costs more than 0.95. In the published network single layers "
    "cost 0.93 to 1 for long, and the lowest never more than 0.3, so one layer says nothing and all of them do.",
    look=_look,
)
