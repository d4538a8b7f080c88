"""A stochastic layer whose posterior is its prior: it tells nothing."""

from __future__ import annotations

import numpy as np

from laddertop.journal.events import Term
from laddertop.tui.draw.numbers import setting
from laddertop.tui.watch.diagnoses.activity import FOR, dead_units
from laddertop.tui.watch.diagnoses.facts import Facts, streak
from laddertop.tui.watch.diagnoses.finding import SINCE, Ask, Diagnosis, Evidence, Helped, Remedy, Seen, turning

BELOW = 0.01
"""Nats below which a KL says that nothing is encoded."""


def _look(facts: Facts) -> list[Seen]:
    of_layer = {term.layer.index: term for term in facts.kl_terms() if term.layer}
    if facts.told():
        # Units that are counted say more than a KL.
        return [
            _seen(facts, one.layer, one.since, one.measured, of_layer[one.layer])._replace(
                time=one.time, helped=_a_unit_wakes(facts, one.layer)
            )
            for one in dead_units(facts)
            if one.layer in of_layer
        ]
    found = []
    for layer, term in sorted(of_layer.items()):
        since = _about_zero_since(facts, term)
        if since is not None and facts.weight(term) != 0:
            found.append(_seen(facts, layer, since, f"KL below {BELOW:g} nats since {SINCE}", term))
    return found


def _about_zero_since(facts: Facts, term: Term) -> int | None:
    course = facts.course
    high = np.fmax(np.abs(course.low(term.name)), np.abs(course.high(term.name)))
    dead = streak((high < BELOW) & (course.bad(term.name) == 0))
    if not dead:
        return None
    since = int(course.first[-dead])
    return since if int(course.last[-1]) - since + 1 >= FOR else None


def _seen(facts: Facts, layer: int, since: int, measured: str, term: Term) -> Seen:
    return Seen(
        since,
        f"layer {layer} tells nothing: {measured}",
        Evidence((term.name,), since, facts.step, layer),
        _remedy(facts),
        Helped(f"the KL of layer {layer} is above {BELOW:g} nats", _window(facts), term.name, above=BELOW),
        where=f"layer {layer}",
        measured=measured,
    )


def _remedy(facts: Facts) -> Remedy:
    """A β of 1, where it is more; a warm-up, where it would weight the KL and is not on: it takes the price off what a
    layer says."""
    if facts.knob("beta") > 1:
        words = f"lower β from {setting(facts.knob('beta'))} to 1: at that price a layer says nothing"
        return turning(words, "beta", 1.0, "knobs.beta")
    of_kl = facts.spec.warmup.of == "kl"
    if of_kl and facts.knob("warmup") == 0:
        words = "begin a warm-up of the KL: without its price a layer may find something to say"
        return Remedy(words, (Ask("set", {"warmup": 1}),), ("warmup.on=on",))
    return Remedy(
        "a layer that died seldom comes back: train anew with a longer warm-up of the KL, batch normalisation, or "
        "fewer layers",
        settings=("warmup.on=on", "warmup.of=kl", f"warmup.steps={2 * facts.spec.warmup.steps}"),
    )


def _a_unit_wakes(facts: Facts, layer: int) -> Helped:
    """Where units are counted a KL above zero is not enough: it may be that of a posterior that is the same whatever is
    shown. The window has an evaluation in it."""
    return Helped(f"a unit of layer {layer} is active", max(_window(facts), facts.spec.evaluate.every))


def _window(facts: Facts) -> int:
    return int(max(facts.knob("warmup.steps"), 2000)) if facts.knob("warmup.steps") > 0 else 2000


POSTERIOR_COLLAPSE = Diagnosis(
    kind="posterior-collapse",
    severity="warning",
    means="The posterior of the layer is its prior whatever is shown: the decoder does without it, and every layer "
    "above it is dead as well.",
    source="Sønderby et al. 2016; active units: Burda et al. 2015",
    threshold="No unit of the layer is active (variance of its mean over the items above 0.01) in the newest "
    "evaluation; where evaluations count none, a KL below 0.01 nats for 500 steps "
    "while it has a weight: less than a hundredth of a nat can't tell two items apart, and a warm-up gives its "
    "layers a KL within fewer steps.",
    look=_look,
)
