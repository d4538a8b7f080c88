"""The latent space: a map of the codes of test items, a code that is changed unit by unit, the way between two items.
No textual here.

Shape letters: N items, U units, S steps, L bins.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from laddertop.journal.explore import Codes, Interpolate, Manifold, Traverse
from laddertop.tui.steer.asking import Asking
from laddertop.tui.watch.layer_life import layer_title
from laddertop.tui.watch.run_view import RunView

CODES, WALK, ORIGIN, BETWEEN, MANIFOLD = "codes", "walk", "origin", "between", "manifold"
"""The uses under which the model is asked: the map; the code as it is changed; the item's own; interpolation; the plane
of a code of two units."""
ITEMS = 500
"""Test items on the map."""
PRIOR = 3.0
"""Standard deviations of the prior that are shown."""
DECODING = ("turn", "restore", "other", "swap", "strip", "next_mode")
"""Actions of keys that only what is decoded from a code shows."""
PACES = 20
"""Key presses from one end of a unit's range to the other."""


class Unit(NamedTuple):
    """One unit of the code."""

    number: int
    mean: float
    """Of its values over the items."""
    std: float
    """Standard deviation of its values: where codes are means of posteriors, of draws from these."""
    value: float | None
    """In the code that is decoded."""
    changed: bool
    """Whether that is not the item's own value."""


class LatentView:
    """What is looked at in the latent space."""

    def __init__(self, view: RunView, asking: Asking) -> None:
        self.view, self.asking = view, asking
        self.item, self.other = 0, 1
        """The item whose code is changed, A, and the other end of the interpolation, B."""
        self.axes = "pca"
        """pca, or first: the first two units."""
        self.changes: dict[int, float] = {}
        """Values of units that are not the item's own."""
        self.between = False
        """Whether the interpolation is shown where there is room for one row of images only."""
        self.manifold = False
        """Whether the plane of a code of two units is shown in the place of the map."""
        self._unit: int | None = None

    # Asking

    def question(self, steps: int, lines: int) -> None:
        """Ask for what is shown, with so many images side by side, and so many across and up on the plane."""
        self.asking.want(CODES, Codes(rows=ITEMS))
        if CODES not in self.asking.got or not self.decodes():
            return
        unit = self.unit()
        assert unit is not None
        low, high = self.range()
        given = dict(self.changes)
        self.asking.want(WALK, Traverse(item=self.item, given=given, units=[unit], low=low, high=high, steps=steps))
        self.asking.want(ORIGIN, Traverse(item=self.item, units=[0], steps=2))
        self.asking.want(BETWEEN, Interpolate(items=(self.item, self.other), steps=steps))
        if self.manifold:
            self.asking.want(MANIFOLD, Manifold(lines=lines))

    def decodes(self) -> bool:
        """Whether the model has a way back from its codes."""
        return bool(self.asking.able("traverse"))

    def has_prior(self) -> bool:
        """Whether codes are means of posteriors that a prior is set against."""
        got = self.asking.got.get(CODES)
        return got is not None and "spread" in got.arrays

    # What is known

    def units(self) -> list[Unit]:
        """The units, those whose codes vary most over the items first."""
        got = self.asking.got.get(CODES)
        if got is None:
            return []
        mean, std = got.arrays["mean"], got.arrays["std"]
        spread = got.arrays.get("spread", np.zeros_like(std))
        code = self.code()
        return [
            Unit(
                int(i),
                float(mean[i]),
                float(np.hypot(std[i], spread[i])),
                None if code is None else float(code[i]),
                int(i) in self.changes,
            )
            for i in np.argsort(-std, kind="stable")
        ]

    def unused(self) -> set[int]:
        """Units whose code varies by no more than 0.01 over the items: not active (Burda et al. 2015)."""
        got = self.asking.got.get(CODES)
        return set() if got is None else set(np.flatnonzero(got.arrays["std"] ** 2 <= 0.01).tolist())

    def code(self) -> np.ndarray | None:
        """The code that is decoded [U]: the item's own, changed."""
        got = self.asking.got.get(ORIGIN)
        if got is None or not isinstance(got.question, Traverse) or got.question.item != self.item:
            return None
        code = np.array(got.arrays["code"])
        for unit, value in self.changes.items():
            code[unit] = value
        return code

    def range(self) -> tuple[float, float]:
        """The values that a unit is taken through: those of the prior, or those of all codes."""
        if self.has_prior():
            return -PRIOR, PRIOR
        edges = self.asking.got[CODES].arrays["edges"]
        low, high = float(edges[0]), float(edges[-1])
        return (low, high) if high > low else (low - 1, high + 1)

    def points(self) -> np.ndarray | None:
        """Where the items lie on the map [N, 2]."""
        got = self.asking.got.get(CODES)
        return None if got is None else got.arrays[self.axes]

    def layer(self) -> str:
        """Which layer the codes are of, by the name that it has on every screen; empty before there is an answer."""
        got = self.asking.got.get(CODES)
        return layer_title(int(got.arrays["layer"])) if got is not None and "layer" in got.arrays else ""

    def classes(self) -> np.ndarray:
        """Their classes [N]."""
        return self.asking.got[CODES].arrays["classes"]

    def shares(self) -> str:
        """What the axes of the map are, in words."""
        got = self.asking.got.get(CODES)
        if got is None:
            return ""
        if self.axes == "first":
            return "units 0 and 1"
        first, second = got.arrays["variance"][:2]
        return f"PCA {100 * first:.0f} % + {100 * second:.0f} %"

    def unit(self) -> int | None:
        """The unit that the arrow keys change."""
        units = self.units()
        if self._unit is None and units:
            self._unit = units[0].number
        return self._unit

    # Keys

    def turn(self, by: int) -> None:
        """Change the value of the chosen unit."""
        unit, code = self.unit(), self.code()
        if unit is not None and code is not None:
            low, high = self.range()
            self.changes[unit] = round(float(code[unit]) + by * (high - low) / PACES, 6)

    def choose(self, by: int) -> None:
        """Another unit."""
        order = [unit.number for unit in self.units()]
        now = self.unit()
        if now in order:
            self._unit = order[min(max(order.index(now) + by, 0), len(order) - 1)]

    def take(self, unit: int) -> None:
        """That unit."""
        self._unit = unit

    def restore(self) -> None:
        """Back to the item's own code."""
        self.changes = {}

    def lie_at(self, code: np.ndarray) -> None:
        """Change the whole code [U] to one of the plane."""
        self.changes = {unit: round(float(value), 6) for unit, value in enumerate(code)}

    def go_to(self, item: int) -> None:
        """Another item."""
        points = self.points()
        if points is not None:
            self.item = min(max(item, 0), len(points) - 1)
            self.restore()

    def idle(self, action: str) -> bool:
        """Whether what a key does would show nowhere with this model."""
        name = action.partition("(")[0]
        if self.asking.able("codes") is False:
            return name != "checkpoint"
        if name == "manifold":
            return not self.asking.able("manifold")
        return name in DECODING and self.asking.able("traverse") is False

    def lacks(self) -> str:
        """Why nothing is decoded; empty when something is, or it is not known yet."""
        if self.asking.able("codes") is False:
            return f"a {self.view.spec.model.called} has no codes"
        if self.asking.able("traverse") is False:
            return (
                f"a {self.view.spec.model.called} model has no decoder from its codes alone: there is nothing to "
                "traverse or to interpolate; what it makes of images is on the explore screen, 4"
            )
        return self.asking.problems.get(WALK, "") or self.asking.problems.get(BETWEEN, "")
