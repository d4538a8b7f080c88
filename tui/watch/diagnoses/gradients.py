"""Gradients that are far larger than they were, or next to nothing while nothing was learnt."""

from __future__ import annotations

import numpy as np

from laddertop.tui.draw.numbers import number
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Remedy, Seen, turning

TIMES = 1000
"""How many times larger, or smaller, a gradient must have become. In trainings that were sound the norm moved by a
factor of 12 at most over a whole run, so this is two powers of ten away from what is usual."""
LEAST = 200
"""Steps that must have been taken."""
FALL = 0.1
"""Share of the cost of the untrained model: where less than that was learnt, a gradient that vanished is a fault and no
success."""


def _norms(facts: Facts) -> np.ndarray | None:
    """The gradient's norm in the blocks after the last stage began and anything was turned; None where that is too
    few."""
    course = facts.course
    if "grad_norm" not in course or course.lost_since is not None:
        return None
    norms = course.mean("grad_norm")[course.first > max(facts.turned(), facts.newest_stage())]
    norms = norms[np.isfinite(norms)]
    return norms if len(norms) >= 32 and len(norms) * course.size >= LEAST else None


def _exploding(facts: Facts) -> list[Seen]:
    if (norms := _norms(facts)) is None:
        return []
    tenth = max(len(norms) // 10, 8)
    now = float(np.median(norms[-tenth:]))
    lowest = min(float(np.median(part)) for part in np.array_split(norms, 10))
    if not now > TIMES * lowest > 0:
        return []
    since = int(facts.course.first[-tenth])
    clip = float(f"{10 * lowest:.1g}")
    return [
        Seen(
            since,
            f"the norm of the gradient is {number(now)}; it was {number(lowest)}",
            Evidence(("grad_norm", "total"), since, facts.step),
            turning(f"clip it at {number(clip)}, ten times what it was", "clip", clip, "optimizer.clip"),
            Helped(f"its norm is below {number(TIMES * lowest / 10)}", 500, "grad_norm", below=TIMES * lowest / 10),
        )
    ]


def _vanishing(facts: Facts) -> list[Seen]:
    if (norms := _norms(facts)) is None:
        return []
    tenth = max(len(norms) // 10, 8)
    now, first = float(np.median(norms[-tenth:])), float(np.median(norms[:tenth]))
    cost = facts.cost()
    if not np.isfinite(cost).all():
        return []
    began, ends = float(np.median(cost[:tenth])), float(np.median(cost[-tenth:]))
    if not now < first / TIMES or not began - ends < FALL * abs(began):
        return []
    since = int(facts.course.first[-tenth])
    return [
        Seen(
            since,
            f"the norm of the gradient is {number(now)}; it was {number(first)}, and the cost fell from "
            f"{number(began)} to {number(ends)} only",
            Evidence(("grad_norm", "total"), since, facts.step),
            Remedy(
                "units that are saturated or dead get no gradient: begin anew with a smaller learning rate, batch "
                "normalisation, or fewer layers"
            ),
        )
    ]


EXPLODING_GRADIENTS = Diagnosis(
    kind="exploding-gradients",
    severity="warning",
    means="Steps are taken along gradients that a few places of the cost make huge: what was learnt may be undone "
    "by one.",
    source="Pascanu, Mikolov & Bengio 2013",
    threshold="The median of the newest tenth of the gradient's norms is a thousand times the lowest such median "
    "since anything was turned; in sound trainings it moved by a factor of 12 at most.",
    look=_exploding,
    safe=True,
)
VANISHING_GRADIENTS = Diagnosis(
    kind="vanishing-gradients",
    severity="warning",
    means="The weights get no gradient although little was learnt: units are saturated or dead.",
    source="Glorot & Bengio 2010; Hochreiter 1998",
    threshold="The median of the newest tenth of the gradient's norms is a thousandth of the first tenth's, and the "
    "cost fell by less than a tenth: a small gradient after much was learnt is a minimum.",
    look=_vanishing,
)
