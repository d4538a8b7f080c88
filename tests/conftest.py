"""What the tests of several folders share."""

from __future__ import annotations

import os

import pytest

from tests.processes import Laddertop


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than cores: tests of real processes and terminals mostly wait."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="module")
def laddertop(tmp_path_factory: pytest.TempPathFactory) -> Laddertop:
    """The command line in a new folder, shared by the tests of a module."""
    return Laddertop(tmp_path_factory.mktemp("work"))
