"""The newest samples of the run that is chosen in a list."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import numpy as np
from textual import work
from textual.widget import Widget

from laddertop.journal.folder import RunFolder
from laddertop.journal.samples import read_samples
from laddertop.tui.draw.image import usable_modes

LEAST = 7
"""Rows that samples take at least, with their title; a quarter of a higher screen."""


class SamplesPreview(Widget):
    """Takes no room while there is nothing to show. What draws samples is loaded with the first ones."""

    DEFAULT_CSS = """
    SamplesPreview { height: auto; display: none; }
    SamplesPreview > Panel { position: relative; width: 100%; }
    """

    def __init__(self, plain: bool) -> None:
        """`plain` draws in ASCII."""
        super().__init__()
        self._plain = plain
        self._wanted: tuple[Path, str, int] | None = None
        """Folder of the run and file of the samples that are shown, and in how many rows."""

    def want(self, run: RunFolder | None, file: str) -> None:
        """Show a file of samples of a run; without one, nothing."""
        rows = self.app.size.height // 4 + 1
        wanted = (run.path, file, rows) if run is not None and file and rows >= LEAST else None
        if wanted != self._wanted:
            self._wanted = wanted
            self._show(wanted)

    @work(exclusive=True)
    async def _show(self, wanted: tuple[Path, str, int] | None) -> None:
        from laddertop.tui.dashboard.widgets.samples import Samples
        from laddertop.tui.watch.run_view import RunView

        images: dict[str, np.ndarray] = {}
        if wanted is not None:
            # Files that are damaged, or are gone with a run that is, show nothing here; the run's own screen says why.
            with contextlib.suppress(ValueError, OSError):
                images = await asyncio.to_thread(read_samples, wanted[0], wanted[1])
        self.display = bool(images)
        if wanted is None or not images:
            return
        if not self.query(Samples):
            panel = Samples(RunView(RunFolder(wanted[0])), id="samples")
            panel.mode = usable_modes(self._plain, not self.app.no_color)[0]
            await self.mount(panel)
        panel = self.query_one(Samples)
        panel.sampling = images, int(Path(wanted[1]).stem.removeprefix("step-"))
        panel.styles.height = wanted[2]
        panel.update()
