"""`laddertop learn N` in a real terminal, with a real engine: one is left and taken up, all of them are played."""

from __future__ import annotations

import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.names import group_of
from laddertop.tui.learn.lesson import Lesson, Seen, Step, lessons
from laddertop.tui.steer.keys import USUAL, key_sign
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.terminal import Terminal

KNOBS = {"beta": "bB", "warmup": "w", "noise": "n", "noise.level": "<>", "noise.std": "<>", "lr": "[]", "lambda": "yY"}
"""The keys of the knobs that lessons turn."""

Numbers = dict[str, tuple[float, float]]
"""By name, before and after."""

CLAIMS: dict[tuple[int, int], dict[str, str]] = {
    (1, 2): {"reconstruction": "down"},
    (2, 2): {"reconstruction": "up"},
    (2, 4): {"reconstruction": "down"},
    (3, 2): {"reconstruction": "up"},
    (4, 4): {"reconstruction": "down", "test.score_cosine": "down"},
    (5, 3): {"kl": "down", "reconstruction": "up", "total": "up"},
    (5, 4): {"kl": "up", "reconstruction": "down"},
    (5, 6): {"kl": "down"},
    (6, 3): {"test.kl": "up", "test.gradient_variance_score": "up"},
    (7, 3): {"test.kl_q_p": "down", "test.kl_p_q": "down"},
    (9, 3): {"test.kl": "up", "test.reconstruction": "down"},
    (10, 2): {"denoise.0": "down", "denoise.1": "down"},
    (10, 4): {"denoise.0": "up", "denoise.1": "up"},
    (10, 5): {"total": "up", "denoise.0": "up", "denoise.2": "up", "denoise.3": "up"},
    (11, 3): {"denoise.0": "down", "denoise.1": "down", "denoise.2": "down", "denoise.3": "down"},
    (12, 3): {"kl.2": "up"},
    (12, 4): {"test.negative_elbo": "down"},
    (12, 5): {"kl.1": "up", "kl.2": "up", "reconstruction": "down"},
    (12, 6): {"total": "up", "grad_norm": "up"},
    (12, 7): {"total": "down", "grad_norm": "down"},
    (13, 2): {"test.error_percent": "down"},
    (14, 3): {"test.kl_y": "up", "test.kl": "down", "test.error_percent": "down"},
}
"""By lesson and step, from 1: where its text has the numbers go, in time or from the first run to the second."""
ALIVE: dict[tuple[int, int], dict[str, float]] = {
    (12, 4): {"kl.2": 0.5, "test.active_units.2": 1},
    (12, 7): {"kl.2": 0.5},
}
"""What has to be that much or more at the end of a step, as its text says that something is alive."""


@pytest.fixture(scope="module")
def learning(laddertop: Laddertop) -> Laddertop:
    """The command line of somebody who keeps his place in the lessons here."""
    laddertop.environment["XDG_CACHE_HOME"] = str(laddertop.cwd / "cache")
    return laddertop


def kept(learning: Laddertop, run: str) -> dict[str, Any]:
    """Where one is, as it is kept."""
    file = learning.cwd / "cache" / "laddertop" / "lessons.json"
    known = json.loads(file.read_bytes()) if file.exists() else {}
    return dict(known.get(str((learning.runs / run).resolve()), {}))


def test_a_lesson_that_is_left_stops_its_training_and_goes_on_where_it_was(learning: Laddertop) -> None:
    with learning.in_terminal("learn", "5", columns=120, rows=40) as terminal:
        terminal.wait_for(lambda lines: "1 of 6" in lines[-1] and "● training" in lines[0])
        terminal.wait_for(lambda lines: re.search(r"step +[1-9]", lines[0]))
        terminal.press("\r")
        terminal.wait_for(lambda lines: "2 of 6" in lines[-1])
        terminal.press("d")
        assert terminal.ended() == 0
    run = learning.run_folder("lesson-05")
    wait_for(lambda: not run.engine_alive())
    left = kept(learning, "lesson-05")
    assert (left["step"], left["since"] > 0) == (1, True)
    with learning.in_terminal("learn", "5", columns=80, rows=24) as terminal:
        terminal.wait_for(lambda lines: "2 of 6" in lines[-1] and "● training" in lines[0])
        terminal.press("d")
        assert terminal.ended() == 0
    wait_for(lambda: not run.engine_alive())
    assert [path.name for path in learning.runs.iterdir()] == ["lesson-05"], "it is one run"
    ends = [event.reason for event in learning.events("lesson-05") if event.type == "run_ended"]
    assert ends == ["stopped", "stopped"]
    assert "(at step 2 of 6)" in learning.here("learn", XDG_CACHE_HOME=str(learning.cwd / "cache")).stdout


A_LESSON = 10 * PATIENCE
"""Seconds in which a lesson that takes three minutes is over, however busy the machine is."""


class Player:
    """Does what the guide waits for, with the keys alone, and as seldom as a dashboard needs to answer that is slow."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._done: dict[tuple[object, ...], float] = {}

    def press(self, keys: str, *what: object, again: float = 60.0) -> None:
        """Keys for something, once, and again where nothing came of them for some seconds."""
        if time.monotonic() - self._done.get(what, -1e9) >= again:
            self.terminal.press(keys)
            self._done[what] = time.monotonic()

    def move(self, place: dict[str, Any], step: Step) -> None:
        """What is to be done at a place of a lesson."""
        at = place["step"], place["phase"], place["met"]
        last = self.terminal.lines[-1]
        back = key_sign(USUAL["model.run"])  # means nothing on the run screen
        if f"{place['step'] + 1} of " not in last:
            return  # the screen is behind
        if "enter  " in last:
            self.press("\r", *at, last, again=1.0)
            return
        if "answers" in last:
            self.press(step.right, *at)
            return
        seen = step.seen[place["met"]] if place["phase"] == "told" and place["met"] < len(step.seen) else Seen()
        if (seen.knob or seen.found) and "{looking.findings}" in step.do:
            # Its box may not be there yet when enter comes.
            there = any("What was found" in line for line in self.terminal.lines)
            self.press("\r" if there else back + "!", *at, there, again=5.0)
        elif seen.knob:
            keys = KNOBS[group_of(seen.knob)]
            switch = len(keys) == 1
            self.press(
                back + (keys if switch else keys[math.isfinite(seen.at_least)]), *at, again=60 if switch else 0.5
            )
        elif seen.screen:
            self.press(key_sign(USUAL[f"run.{seen.screen}"]), *at)
        elif seen.asked:
            self.press("\t" if seen.asked in ("inpaint", "sample", "field") else "\x1b[C", *at, again=5.0)
        elif seen.evaluated:
            self.press(back + key_sign(USUAL["run.evaluate"]), *at)


def play(learning: Laddertop, lesson: Lesson, columns: int, rows: int) -> dict[tuple[int, int], Numbers]:
    """Plays a lesson to its end; by lesson and step what each number was before and after."""
    told: dict[tuple[int, int], Numbers] = {}
    with learning.in_terminal("learn", str(lesson.number), columns=columns, rows=rows) as terminal:
        player, until = Player(terminal), time.monotonic() + A_LESSON
        while (place := kept(learning, lesson.run)).get("phase") != "over":
            assert time.monotonic() < until, "\n".join(terminal.lines)
            if place:
                step = lesson.steps[place["step"]]
                player.move(place, step)
                if place["phase"] == "seen":
                    before, after = place["before"], place["after"]
                    told[lesson.number, place["step"] + 1] = {name: (before[name], after[name]) for name in after}
            time.sleep(0.05)
        assert place["right"] == sum(bool(step.question) for step in lesson.steps)
        terminal.press("d")
        assert terminal.ended() == 0
    return told


def _went(before: float, after: float) -> str:
    return "up" if after > before else "down" if after < before else "nowhere that is known"


@pytest.mark.stress
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("lesson", lessons().values(), ids=lambda lesson: lesson.name)
def test_every_lesson_is_played_by_its_keys_and_the_numbers_go_where_it_says(
    tmp_path: Path, lesson: Lesson, size: tuple[int, int]
) -> None:
    learning = Laddertop(tmp_path)
    learning.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    told = play(learning, lesson, *size)
    runs = [lesson.run, *([f"{lesson.run}-{lesson.other.name}"] if lesson.other else [])]
    wait_for(lambda: not any(learning.run_folder(run).engine_alive() for run in runs))
    for at, claims in CLAIMS.items():
        if at[0] == lesson.number:
            went = {name: _went(before, after) for name, (before, after) in told[at].items()}
            assert {name: went[name] for name in claims} == claims, told[at]
    for at, least in ALIVE.items():
        assert at[0] != lesson.number or all(told[at][name][1] >= value for name, value in least.items()), told[at]
