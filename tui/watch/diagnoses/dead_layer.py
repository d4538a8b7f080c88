"""A layer without a prior of its own of which no unit is active: an autoencoder's or a ladder network's."""

from __future__ import annotations

from laddertop.tui.watch.diagnoses.activity import dead_units
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Diagnosis, Evidence, Remedy, Seen


def _look(facts: Facts) -> list[Seen]:
    stochastic = {term.layer.index for term in facts.kl_terms() if term.layer}
    if not facts.told():
        return []
    return [
        Seen(
            one.since,
            f"layer {one.layer} tells nothing: {one.measured}",
            Evidence((), one.since, facts.step, one.layer),
            Remedy(
                "train anew with a smaller learning rate or batch normalisation: units that are dead get no gradient"
            ),
            where=f"layer {one.layer}",
            measured=one.measured,
            time=one.time,
        )
        for one in dead_units(facts)
        if one.layer not in stochastic
    ]


DEAD_LAYER = Diagnosis(
    kind="dead-layer",
    severity="warning",
    means="The layer puts out the same whatever is shown: nothing above it can tell two items apart.",
    source="dying units: Glorot, Bordes & Bengio 2011; the measure: Burda et al. 2015",
    threshold="No unit of the layer is active (variance over the items above 0.01) in the newest evaluation.",
    look=_look,
)
