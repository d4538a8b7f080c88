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
    """Back to the newest checkpoint from before a step, with a smaller learning rate; None where there is none."""
    if (back := facts.way_back(before)) is None:
        return None
    where = f"back to the checkpoint of step {thousands(back)}" if back else "begin again"
    asks = [Ask("rollback", {"step": back})]
    lr, settings = facts.knob("lr"), tuple[str, ...]()
    words = f"{where}, and lower the learning rate"
    if lr > 0:
        less = float(f"{min(lr / LESS, MOST):.2g}")
        asks.append(Ask("set", {"lr": less}))
        words, settings = f"{words} from {setting(lr)} to {setting(less)}", (f"optimizer.lr={less:g}",)
    return Remedy(words, tuple(asks), settings)
