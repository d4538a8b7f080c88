"""Looks at a run as the run screen does, without a screen."""

from __future__ import annotations

from journal.commands import send
from journal.folder import RunFolder
from tui.event_line import ME
from tui.run_view import RunView
from tui.watcher import Watcher


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
        self.view.sent(send(self.view.run.path, at, action, changes, by=ME))  # type: ignore[arg-type]
