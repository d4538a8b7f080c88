"""What the tests of several folders share."""

from __future__ import annotations

import pytest

from tests.processes import Laddertop


@pytest.fixture(scope="module")
def laddertop(tmp_path_factory: pytest.TempPathFactory) -> Laddertop:
    """The command line in a new folder, shared by the tests of a module."""
    return Laddertop(tmp_path_factory.mktemp("work"))
