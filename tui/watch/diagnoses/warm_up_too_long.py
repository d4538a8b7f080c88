"""A warm-up that the run ends before."""

from __future__ import annotations

import math

from laddertop.tui.draw.numbers import percent, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Ask, Diagnosis, Evidence, Helped, Remedy, Seen

SLACK = 1.02
"""By how much it may be longer than the run: a warm-up that is to end with the run is none that was miscounted."""


def _look(facts: Facts) -> list[Seen]:
    end, steps = facts.state.end, facts.knob("warmup.steps")
    if facts.knob("warmup") != 1 or facts.knob("warmup.hold") == 1 or not steps > 0 or end <= 0:
        return []
    begun = facts.turned("warmup")
    now = facts.course.now("warmup")
    now = now if math.isfinite(now) else 0.0
    waits = max(begun + facts.knob("warmup.after") - facts.step, 0) if now == 0 else 0
    over = facts.step + waits + (1 - now) * steps
    if now >= 1 or over <= SLACK * end + 2:
        return []
    left = end - facts.step - waits
    reached = now + left / steps if left > 0 else now
    shorter = max(round(left / 2 / (1 - now)), 1) if left > 1 else 0
    words = (
        "let it rise within half of what is left"
        if shorter
        else "give the next run a warm-up that it comes to the end of"
    )
    return [
        Seen(
            begun,
            f"the warm-up takes until step {thousands(math.ceil(over))} and the run ends at {thousands(end)}: it comes "
            f"to {percent(reached)} of its way",
            Evidence(("warmup",), begun, facts.step),
            Remedy(
                words,
                (Ask("set", {"warmup.steps": float(shorter)}),) if shorter else (),
                (f"warmup.steps={max(end // 4, 1)}",),
            ),
            Helped("the warm-up is over", int(max(left, 1)), "warmup", above=0.999) if shorter else None,
        )
    ]


WARM_UP_TOO_LONG = Diagnosis(
    kind="warm-up-too-long",
    severity="warning",
    means="What the warm-up multiplies (the noise, the denoising costs, the KL) never gets its full weight, so the "
    "run ends with another model than its recipe says.",
    source="Sønderby et al. 2016: the bound is what is trained once the warm-up is over",
    threshold="As soon as the warm-up's own speed leads past the last step of the run by a fiftieth of it; while it "
    "is held by hand nothing is said.",
    look=_look,
    safe=True,
)
