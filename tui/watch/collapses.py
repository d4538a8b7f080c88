"""Which KL terms have been about zero for long: a posterior that is the prior encodes nothing."""

from __future__ import annotations

import numpy as np

from laddertop.journal.events import Term

COLLAPSED_BELOW = 0.01
"""Nats below which a KL term says that nothing is encoded."""
COLLAPSED_FOR = 500
"""Steps that a KL term must have stayed below."""


class Collapses:
    """Watches the KL terms: since when has each been about zero."""

    def __init__(self) -> None:
        self._alive_at: dict[str, int] = {}

    def take(self, terms: list[Term], columns: list[str], rows: np.ndarray) -> None:
        """Take up the newest records."""
        for term in terms:
            if term.name.partition(".")[0] != "kl" or term.name not in columns:
                continue
            values = rows["values"][:, columns.index(term.name)]
            alive = np.flatnonzero(~(np.abs(values) < COLLAPSED_BELOW))
            if len(alive):
                self._alive_at[term.name] = int(rows["step"][alive[-1]])
            else:
                self._alive_at.setdefault(term.name, int(rows["step"][0]) - 1)

    def forget(self) -> None:
        """A new start begins."""
        self._alive_at.clear()

    def since(self, term: str, step: int) -> int | None:
        """The step since which a term has been about zero at a step, if it has been for long; else None."""
        alive_at = self._alive_at.get(term, step)
        return alive_at + 1 if step - alive_at >= COLLAPSED_FOR else None
