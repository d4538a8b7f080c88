"""The layers as the run screen shows them: cost, weight, noise, what an intervention changed, what is dead."""

from __future__ import annotations

from dataclasses import dataclass

from laddertop.journal.events import Activity
from laddertop.tui.draw.numbers import number, tick
from laddertop.tui.watch.cost_terms import TermRow, term_rows
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.layer_life import activities, collapsed
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.wording import changes_in_words


@dataclass
class LayerRow:
    """One layer, 0 the input."""

    layer: int
    name: str
    """What the engine calls it beside its number: x, h500, c64, y; empty where the number says it all."""
    units: int | None
    """None where it is a stack of maps, or not known yet."""
    cost: TermRow
    """The term of the cost that is about this layer."""
    noise: float
    """σ in the newest step; nan where there is none."""
    activity: Activity | None
    """What its units did in the newest evaluation that tells it."""
    changed: str
    """What became of its cost since the last intervention, in words; empty before enough steps have followed it."""

    trouble: str
    """That it has collapsed, and by which measure, in words; empty where it has not."""


def layer_rows(view: RunView) -> list[LayerRow]:
    """The layers that have a cost of their own, top first; empty for models without such, or with a single one."""
    found = [(term.layer, row) for row in term_rows(view) if (term := row.term).layer]
    told = activities(view)
    dead = {layer: _dead(one, told.get(layer)) for layer, one in collapsed(view.findings).items()}
    rows = [
        LayerRow(
            layer.index,
            layer.name if layer.noise else "",
            layer.units or (told[layer.index].units if layer.index in told else None),
            row,
            view.latest.get(layer.noise or "", float("nan")),
            told.get(layer.index),
            _changed(view, row),
            dead.get(layer.index, ""),
        )
        for layer, row in found
        if layer and (layer.noise or len(found) > 1)
    ]
    return sorted(rows, key=lambda row: row.layer, reverse=True)


def _dead(found: Finding, units: Activity | None) -> str:
    return f"dead: {found.measured}" if units is None else f"dead: sd {tick(float(f'{units.sd:.1g}'))}"


def _changed(view: RunView, row: TermRow) -> str:
    deeds = [c for c in view.state.commands if c.outcome == "applied" and c.action == "set" and c.changes]
    effect = view.effects.get(deeds[-1].id) if deeds else None
    before = effect.before.get(row.term.name) if effect is not None else None
    if before is None:
        return ""
    what = changes_in_words({c.knob: c.set_to for c in deeds[-1].changes}, view.state.knobs)
    return f"{number(before.mean)} → {number(row.raw)} since {what}"
