"""Courses of knobs: functions of the step alone, against what numpy computes of the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from laddertop.journal.courses import Course, course_in
from laddertop.journal.events import Knob
from laddertop.journal.knobs import asked_of, now

BETA = Knob(
    name="beta",
    label="β",
    kind="number",
    unit="",
    low=0,
    high=100,
    factor=1.25,
    help="",
    value=1.0,
    short="β",
    keys="bB",
)


def test_a_linear_course_is_an_interpolation_and_stays_at_its_end() -> None:
    course, steps = course_in("0.25..4:linear:200@50"), np.arange(0, 400)
    expected = np.interp(steps, [50, 250], [0.25, 4.0])
    assert [course.at(int(step)) for step in steps] == pytest.approx(expected)
    assert (course.at(49), course.at(250), course.over(249), course.over(250)) == (0.25, 4.0, False, True)


def test_a_cosine_course_is_half_a_wave() -> None:
    # Loshchilov & Hutter 2017, eq. 5: η = η_min + (η_max - η_min) (1 + cos(π T_cur / T)) / 2.
    course, steps = course_in("0.01..1e-4:cosine:300"), np.arange(0, 301)
    expected = 1e-4 + 0.5 * (0.01 - 1e-4) * (1 + np.cos(np.pi * steps / 300))
    assert [course.at(int(step)) for step in steps] == pytest.approx(expected)
    assert course.at(10**9) == 1e-4


def test_a_cyclical_course_is_that_of_fu_et_al() -> None:
    # Fu et al. 2019: τ = mod(t - 1, T/M) / (T/M), β = τ/R where τ <= R, else 1; t counts steps from 1, R = 0.5.
    total, cycles, r = 400, 4, 0.5
    course = course_in(f"0..1:cyclical:{total // cycles}")
    for t in range(1, 2 * total):
        tau = math.fmod(t - 1, total / cycles) / (total / cycles)
        assert course.at(t - 1) == pytest.approx(tau / r if tau <= r else 1.0)
    assert not course.over(10**6)


def test_a_course_is_the_same_once_it_was_written_down() -> None:
    for text in ("0..1:linear:2000", "-1.5..2.25e-3:COSINE:1", ".5..7.:cyclical:9@12"):
        course = course_in(text, 30)
        assert course_in(course.word(), 99) == course
    assert course_in("0..1:linear:2000", 30) == Course(0.0, 1.0, "linear", 2000, 30)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("0..1", "is no course; write FROM..TO:SHAPE:STEPS, such as 0..1:linear:2000"),
        ("0..1:line:20", "a course is linear, cosine, cyclical, not line"),
        ("0..1:linear:0", "takes 1 to 1000000000 steps"),
        ("0..1:linear:99999999999999999999999999", "takes 1 to 1000000000 steps"),
        ("0..101:linear:20", "beta must lie between 0 and 100, not 101"),
        ("-1..1:linear:20", "beta must lie between 0 and 100, not -1"),
        ("nan..1:linear:20", "is no course"),
    ],
)
def test_what_is_no_course_is_said_in_one_sentence(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=r"^beta") as caught:
        asked_of(BETA, text)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_switch_goes_no_way() -> None:
    with pytest.raises(ValueError, match=r"noise takes on or off, not '0\.\.1:linear:5'"):
        asked_of(BETA.model_copy(update={"name": "noise", "kind": "switch", "high": 1}), "0..1:linear:5")


def test_a_knob_is_where_its_course_has_it() -> None:
    moving = BETA.model_copy(update={"course": "0..1:linear:100@10"})
    assert (now(moving, 60).value, now(moving, 60).course != "") == (0.5, True)
    assert (now(moving, 110).value, now(moving, 110).course) == (1.0, "")
    assert now(BETA, 60) is BETA
