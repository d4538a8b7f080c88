"""How a dashboard behaves as its user wants it: colours and alerts are kept from one dashboard to the next."""

from __future__ import annotations

import json
import math
import time
from functools import partial
from typing import Any

from laddertop.journal import settings
from laddertop.journal.events import Evaluated, Event, Logged, RunEnded
from laddertop.journal.files import keep_for_user, user_cache
from laddertop.journal.value import Value
from laddertop.tui.dashboard import aside
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.palette import PAPERS, THEMES
from laddertop.tui.watch.wording import measure


class Kept:
    """What the user chose for all dashboards, in the user's cache."""

    def __init__(self) -> None:
        """Reads what was kept; what was not, is damaged, or is said by the environment is as the user settled it."""
        try:
            found = json.loads((user_cache() / "dashboard.json").read_bytes())
        except (OSError, ValueError):
            found = {}
        self._chosen: dict[str, object] = found if isinstance(found, dict) else {}
        self._settled = settings.look()[0]
        self.theme: str = self._of("theme", "theme", THEMES)
        paper = self._chosen.get("paper")
        self.paper: Paper = paper if paper in PAPERS else PAPERS[0]
        """The background that the user says the terminal has, where it does not tell itself."""
        self.alerts: bool = self._of("alerts", "bell", (True, False))
        """Whether the bell rings at an end, a divergence and a new best."""

    def _of(self, name: str, setting: str, valid: tuple[Any, ...]) -> Any:
        chosen, settled = self._chosen.get(name), self._settled[setting]
        by_key = type(chosen) is type(valid[0]) and chosen in valid and not settled.source.startswith("$")
        return chosen if by_key else settled.value

    def keep(self) -> None:
        """Writes down what a key has chosen, aside; a cache that can't be written is no reason to disturb anybody."""
        usual = {"theme": self._settled["theme"].value, "paper": PAPERS[0], "alerts": self._settled["bell"].value}
        now = {"theme": self.theme, "paper": self.paper, "alerts": self.alerts}
        self._chosen |= {name: value for name, value in now.items() if value != usual[name] or name in self._chosen}
        aside.do(partial(keep_for_user, user_cache() / "dashboard.json", json.dumps(self._chosen).encode()))


class Alerts:
    """Notices what a user wants to be called for: the end of a training, a cost that is no number, a new best."""

    def __init__(self) -> None:
        self._since = time.time()
        self._best: dict[str, Value] = {}

    def take(self, run: str, events: list[Event]) -> list[str]:
        """What to say of the newest events of a run; of those from before the dashboard opened nothing."""
        said = []
        for event in events:
            text = ""
            match event:
                case RunEnded():
                    text = f"{event.reason} at step {event.step}"
                case Logged(level="error"):
                    text = event.text
                case Evaluated():
                    text = self._new_best(run, event)
            if text and event.time >= self._since:
                said.append(f"{run}: {text}")
        return said

    def _new_best(self, run: str, event: Evaluated) -> str:
        if (name := event.headline()) is None:
            return ""
        value, before = event.values[name], self._best.get(run)
        if math.isnan(value.value) or (before is not None and not value.beats(before)):
            return ""
        self._best[run] = value
        # The first one is a best of nothing.
        return "" if before is None else f"new best, {measure(name, value)}"
