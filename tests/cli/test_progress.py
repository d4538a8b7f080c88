"""The speed of a training, from the times of its steps."""

from __future__ import annotations

import numpy as np
import pytest

from laddertop.tui.cli.follow import speed


def test_speed_is_that_of_the_training_whatever_silence_it_was_interrupted_by():
    steady = np.arange(300) * 0.01
    interrupted = np.concatenate([steady, steady + 120.0])
    assert speed(interrupted) == pytest.approx(100)
    assert speed(interrupted[:302]) == pytest.approx(100)


def test_speed_is_the_newest_and_slow_steps_are_no_silence():
    slower = np.concatenate([np.arange(1000) * 0.01, 10 + np.arange(400) * 0.05])
    assert speed(slower) == pytest.approx(20, rel=0.01)
    assert speed(np.arange(9) * 4.0) == pytest.approx(0.25)


def test_no_speed_is_known_before_the_second_step():
    assert speed(np.empty(0)) is None
    assert speed(np.ones(1)) is None
