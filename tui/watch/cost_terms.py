"""Why the cost moves: each term raw × weight = weighted, its share, its schedule."""

from __future__ import annotations

import math
from dataclasses import dataclass

from laddertop.journal.events import Term
from laddertop.tui.draw.bins import Binned
from laddertop.tui.draw.numbers import percent, setting, thousands
from laddertop.tui.watch.run_view import RunView


@dataclass
class TermRow:
    """One term of the cost: raw × weight = weighted, which is `share` of the total."""

    term: Term
    raw: float
    weight: float
    trained: bool
    """False while its weight is 0 and the engine does not compute it."""
    binned: Binned
    share: float = float("nan")

    @property
    def weighted(self) -> float:
        """What the term adds to the cost."""
        return self.raw * self.weight if self.trained else 0.0


def term_rows(view: RunView) -> list[TermRow]:
    """The terms of the cost, smoothed; a value that is not finite now shows as it is."""
    rows = []
    for term in view.state.terms:
        weight = view.weight(term)
        trained = term.watched or not (weight == 0 and math.isnan(view.latest.get(term.name, float("nan"))))
        rows.append(TermRow(term, view.value(term.name), weight, trained, view.curves.of(term.name)))
    total = sum(row.weighted for row in rows)
    for row in rows:
        row.share = row.weighted / total if total else float("nan")
    return rows


def warmup_in_words(view: RunView) -> tuple[str, bool]:
    """The warm-up: what it scales, how far it is, when it is full; and whether somebody holds it."""
    what = {"noise": "noise", "denoising": "weights λ", "kl": "KL weight β"}[view.spec.warmup.of]
    knobs = view.state.knobs
    if not knobs["warmup"].value:
        return f"no warm-up: {what} in full", False
    factor = view.latest.get("warmup", 0.0)
    if factor >= 1:
        return f"warm-up over: {what} in full", False
    at = f"warm-up {percent(factor) or '0 %'} of {what}"
    if "warmup.hold" in knobs and knobs["warmup.hold"].value:
        return f"{at}, held", True
    if not factor and "warmup.after" in knobs and knobs["warmup.after"].value:
        return f"{at}, rises after {thousands(round(knobs['warmup.after'].value))} steps", False
    full = view.step + round((1 - factor) * knobs["warmup.steps"].value)
    return f"{at}, full at step {thousands(full)}", False


def schedules_in_words(view: RunView) -> list[tuple[str, bool]]:
    """What knobs do by themselves in the course of the run, and whether each acts now."""
    told = []
    for schedule in view.state.started.schedules if view.state.started else []:
        if (knob := view.state.knobs.get(schedule.knob)) is None:
            continue
        words, acts = f"{knob.label} {schedule.what}", view.step > schedule.first
        if acts:
            now = view.latest.get(knob.name, knob.value)
            told.append((f"{words}: {setting(now)} of {setting(knob.value)}", True))
        else:
            told.append((f"{words} from step {thousands(schedule.first)}", False))
    return told
