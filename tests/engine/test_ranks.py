"""Several processes that share every batch train what one process trains, and end together."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from tests import PATIENCE
from tests.kinds import KINDS
from tests.processes import ROOT


@pytest.fixture(scope="module", params=[(10, 1, 3), pytest.param((50, 1, 2, 3), marks=pytest.mark.stress)], ids=str)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, dict[str, Any]]]:
    """What each rank made of every kind in so many steps, by so many ranks, by their number and rank."""
    out = tmp_path_factory.mktemp("trained")
    steps, *counts = map(str, request.param)
    words = [sys.executable, "-m", "tests.engine.ranked", steps, str(out), *counts]
    subprocess.run(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=PATIENCE, check=True)
    return {file.stem: torch.load(file) for file in sorted(out.iterdir())}


@pytest.mark.parametrize("kind", KINDS)
def test_ranks_that_share_a_batch_train_what_one_process_trains(
    kind: str, trained: dict[str, dict[str, dict[str, Any]]]
) -> None:
    assert {"1-0", "3-0", "3-1", "3-2"} <= set(trained)
    for rank, found in trained.items():
        for name, expected in trained["1-0"][kind].items():
            torch.testing.assert_close(found[kind][name], expected, rtol=1e-5, atol=1e-5, equal_nan=True)
            first = trained[f"{rank[0]}-0"][kind][name]
            torch.testing.assert_close(found[kind][name], first, rtol=0, atol=0, equal_nan=True)
