"""Looks at a run as the run screen does, without a screen."""

from __future__ import annotations

import time

from laddertop.journal.commands import send
from laddertop.journal.folder import RunFolder
from laddertop.tui.watch.event_line import ME
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import Watcher


class Eyes:
    """A view with its watcher."""

    def __init__(self, run: RunFolder) -> None:
        self.view, self.watcher = RunView(run), Watcher(run)
        self.look()

    def look(self) -> RunView:
        while True:
            wanted = self.view.wanted()
            news = self.watcher.look(wanted)
            self.view.apply(news)
            if not news.more and self.view.wanted() == wanted:
                return self.view

    def send(self, action: str, changes: dict[str, float] | None = None, segment: int | None = None) -> None:
        at = self.view.state.segment if segment is None else segment
        sent = self.view.sent(send(self.view.run.path, at, action, changes, by=ME))  # type: ignore[arg-type]
        sent.written = time.monotonic()
