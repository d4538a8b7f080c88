"""The remedy for a training that is lost: back to a checkpoint from before, with a smaller learning rate."""

from __future__ import annotations

from laddertop.tui.draw.numbers import setting, thousands
from laddertop.tui.watch.diagnoses.facts import Facts
from laddertop.tui.watch.diagnoses.finding import Ask, Remedy

LESS = 10
"""What the learning rate is divided by. Rates are told apart on a logarithmic scale (Bengio 2012), where
10 is a step that nobody overlooks; half of a rate that made a cost a thousand times larger is too much as well."""
MOST = 0.002
"""What it is then at most: the rate of Adam that Rasmus et al. (2015) train ladder networks with."""


def back_with_less(facts: Facts, before: int) -> Remedy | None:
    """Back to the newest checkpoint from before a step, with a smaller learning rate; the rate alone for a loop of
    somebody's own, which can't be sent back. None where neither can be done."""
    lr = facts.knob("lr")
    less = float(f"{min(lr / LESS, MOST):.2g}") if lr > 0 else None
    lower = f"lower the learning rate from {setting(lr)} to {setting(less)}" if less else ""
    rate = (Ask("set", {"lr": less}),) if less else ()
    if not facts.spec.model.ours:
        words = "its program alone can go back to what it saved"
        return Remedy(f"{lower}; {words}", rate) if less else None
    if (back := facts.way_back(before)) is None:
        return None
    where = f"back to the checkpoint of step {thousands(back)}" if back else "begin again"
    return Remedy(
        ", and ".join(filter(None, (where, lower))),
        (Ask("rollback", {"step": back}), *rate),
        (f"optimizer.lr={less:g}",) if less else (),
    )
