"""The samples of a run over its training: which sampling is shown, and what is known of it. No textual here."""

from __future__ import annotations

import numpy as np

from laddertop.journal.samples import read_samples
from laddertop.tui.draw.numbers import thousands
from laddertop.tui.watch.run_view import RunView

KEPT = 20
"""Samplings that are kept in memory."""


class SamplesView:
    """A walk through the samplings of a run."""

    def __init__(self, view: RunView) -> None:
        self.view = view
        self.step: int | None = None
        """The step of the sampling that is shown; None: the newest."""
        self.problem = ""
        """Why what is chosen can't be shown."""
        self._kept: dict[str, dict[str, np.ndarray]] = {}

    def steps(self) -> list[int]:
        """The steps at which there are samples."""
        return [sampled.step for sampled in self.view.state.samplings]

    def idle(self, action: str) -> bool:
        """Whether a key, by its action, changes nothing with the samples that there are."""
        coloured = any(images.ndim == 4 for images in self.view.images.values())
        least = 2 if action.startswith("scrub") else 1
        return len(self.steps()) < least or (action == "colour" and not coloured)

    def go(self, by: int) -> None:
        """Earlier or later samples; beyond the last, the newest as they come."""
        steps = self.steps()
        if not steps:
            return
        at = steps.index(self.step) if self.step in steps else len(steps) - 1
        at = max(at + by, 0)
        self.step = steps[at] if at < len(steps) - 1 else None

    def nearest(self, step: int) -> int | None:
        """The step of the samples nearest to a step; None where there are none."""
        return min(self.steps(), key=lambda s: abs(s - step), default=None)

    def go_to(self, step: int) -> None:
        """The samples nearest to a step."""
        nearest = self.nearest(step)
        self.step = None if nearest in self.steps()[-1:] else nearest

    def load(self) -> bool:
        """Reads the file of what is chosen, in a thread; whether there is something new to show."""
        chosen = [s for s in self.view.state.samplings if s.step == self.step]
        if self.step is None or not chosen or chosen[-1].file in self._kept:
            return False
        try:
            self._kept[chosen[-1].file] = read_samples(self.view.run.path, chosen[-1].file)
            self.problem = ""
        except ValueError as error:
            self.problem = str(error)
            return False
        if len(self._kept) > KEPT:
            del self._kept[next(iter(self._kept))]
        return True

    def sampling(self) -> tuple[dict[str, np.ndarray], int] | None:
        """The images of an earlier step that is chosen, once they are read; None: the newest."""
        chosen = [s for s in self.view.state.samplings if s.step == self.step]
        if self.step is None or not chosen or chosen[-1].file not in self._kept:
            return None
        return self._kept[chosen[-1].file], chosen[-1].step

    def said(self) -> str:
        """What is shown, in a line."""
        steps = self.steps()
        if not steps:
            how = "; s on its screen asks the engine for some" if self.view.steerable and self.view.alive else ""
            return f"the run has recorded no samples yet{how}"
        shown = self.sampling()
        step = shown[1] if shown else self.view.images_step
        at = steps.index(step) + 1 if step in steps else len(steps)
        waiting = " · reading an earlier one" if self.step is not None and shown is None and not self.problem else ""
        return (
            self.problem or f"samples {at} of {len(steps)}, recorded by the engine at step {thousands(step)}{waiting}"
        )
