"""What the parts of the dashboard tell each other."""

from __future__ import annotations

from textual.message import Message

from tui.watcher import News


class Looked(Message):
    """The watcher has looked at the run folder."""

    def __init__(self, news: News) -> None:
        self.news = news
        super().__init__()
