"""The start of a run as an engine records it, for tests that write a journal of their own."""

from __future__ import annotations

import os
from typing import Any

from laddertop.journal.events import RunStarted


def start(**told: Any) -> RunStarted:
    """The first start of a run on this machine, of 100 steps and without terms or knobs, but for what is `told`."""
    usual: dict[str, Any] = {
        "step": 0,
        "segment": 1,
        "pid": os.getpid(),
        "host": "box",
        "device": "cpu",
        "precision": "fp32",
        "compiled": False,
        "threads": 1,
        "versions": {},
        "resumed_from": None,
        "steps": 100,
        "epoch_steps": 10,
        "terms": [],
        "knobs": [],
    }
    return RunStarted(**usual | told)
