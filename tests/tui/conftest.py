"""What the tests of the dashboard share."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

import laddertop.tui.dashboard.pace
import laddertop.tui.dashboard.screens.list_screen
import laddertop.tui.dashboard.screens.run
from laddertop.tui.dashboard.panels import PANELS
from tests import PATIENCE
from tests.processes import pause
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

Until = Callable[..., Awaitable[None]]


@pytest.fixture(autouse=True)
def _quick_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Look at the folder more often than a user needs, so that tests wait less; remember nothing of other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.setattr(laddertop.tui.dashboard.pace, "INTERVAL", 0.2)
    at_once = {name: about._replace(interval=0.0) for name, about in PANELS.items()}
    monkeypatch.setattr(laddertop.tui.dashboard.screens.run, "PANELS", at_once)
    monkeypatch.setattr(laddertop.tui.dashboard.screens.list_screen, "INTERVAL", 0.2)
    monkeypatch.delenv("NO_COLOR", raising=False)


def started(played: PlayedEngine) -> PlayedEngine:
    """Let an engine begin so long ago that its step 2000 is now."""
    played.keep_time(time.time() - 2000 / played.rate)
    return played


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PlayedEngine]:
    """A played engine of a ladder network in the middle of its training, with numbers that are fresh now."""
    with started(PlayedEngine.new(tmp_path)) as played:
        played.train(2000)
        yield played


@pytest.fixture
def vae(tmp_path: Path) -> Iterator[PlayedEngine]:
    """A played engine of a VAE."""
    with started(PlayedEngine.new(tmp_path, "vae-mnist")) as played:
        played.train(2000)
        yield played


@pytest.fixture
def until() -> Until:
    """Waits for a condition, or fails with a description of it."""

    async def wait(pilot: Pilot[None], condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        began = time.monotonic()
        while not condition():
            waited = time.monotonic() - began
            assert waited < seconds, f"waited in vain for {what}:\n{screen_text(pilot.app)}"
            await pilot.pause(pause(waited))

    return wait


@pytest.fixture
def eyes(engine: PlayedEngine) -> Eyes:
    return Eyes(engine.run)
