"""The cost is no number any more."""

from __future__ import annotations

from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Helped, Remedy, Seen
from laddertop.tui.watch.diagnoses.way_back import back_with_less


def _look(facts: Facts) -> list[Seen]:
    if (lost := facts.course.lost_since) is None:
        return []
    since, time = lost
    remedy = back_with_less(facts, since)
    return [
        Seen(
            since,
            "the cost is no longer finite",
            Evidence(("total", "grad_norm"), since, facts.step),
            remedy or Remedy("there is no checkpoint from before: begin anew with a smaller learning rate"),
            Helped("the cost is a number again", 100, "total", below=1e30),
            time=time,
        )
    ]


NOT_FINITE = Diagnosis(
    kind="not-finite",
    severity="grave",
    means="A weight, an activation or a cost overflowed, or a logarithm was taken of 0; every later step is lost "
    "with it.",
    source="Goodfellow, Bengio & Courville 2016, section 4.1 (overflow and underflow)",
    threshold="At the first step whose total is not finite, until a step has a finite one: no number comes back "
    "from NaN by itself, so there is nothing to wait for.",
    look=_look,
    safe=True,
)
