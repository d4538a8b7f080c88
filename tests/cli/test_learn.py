"""`laddertop learn N` in a real terminal, with a real engine: one is left and taken up, all of them are played."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.names import group_of
from laddertop.tui.learn.lesson import Lesson, Seen, lessons
from laddertop.tui.steer.keys import USUAL, key_sign
from tests import PATIENCE
from tests.processes import Laddertop, wait_for
from tests.terminal import Terminal

KNOBS = {"beta": "bB", "warmup": "w", "noise": "n", "noise.level": "<>", "noise.std": "<>", "lr": "[]", "lambda": "yY"}
"""The keys of the knobs that lessons turn."""

CLAIMS: dict[tuple[int, int], dict[str, str]] = {
    (1, 2): {"kl": "up", "reconstruction": "down"},
    (2, 2): {"reconstruction": "up"},
    (2, 4): {"reconstruction": "down"},
    (3, 2): {"reconstruction": "up"},
    (4, 3): {"test.score_cosine": "up"},
    (5, 3): {"kl": "down", "reconstruction": "up", "total": "up"},
    (5, 4): {"kl": "up", "reconstruction": "down"},
    (5, 6): {"kl": "down"},
    (7, 3): {"test.kl_q_p": "down", "test.kl_p_q": "down"},
    (9, 3): {"test.active_units": "up", "test.kl": "up", "test.reconstruction": "down"},
    (11, 3): {"denoise.0": "down", "denoise.1": "down", "denoise.2": "down", "denoise.3": "down"},
    (12, 3): {"kl.2": "up"},
    (12, 4): {"kl.2": "up", "reconstruction": "down"},
    (12, 6): {"total": "up"},
    (13, 2): {"test.error_percent": "down"},
}
"""By lesson and step, from 1: where its text has the numbers go."""


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


class Player:
    """Does what the last line of the guide says it waits for, with the keys alone."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._pressed = 0.0

    def press(self, keys: str, pause: float = 0.3) -> None:
        """Keys, unless others were pressed just before; the dashboard has to answer them."""
        if time.monotonic() - self._pressed >= pause:
            self.terminal.press(keys)
            self._pressed = time.monotonic()

    def move(self, seen: Seen | None, right: str) -> None:
        """What is to be done now, given what is waited for and the right answer."""
        last = self.terminal.lines[-1]
        back = key_sign(USUAL["model.run"])  # means nothing on the run screen
        if "enter  " in last:
            self.press("\r")
        elif "answers" in last:
            self.press(right)
        elif seen is not None and seen.knob:
            keys = KNOBS[group_of(seen.knob)]
            self.press(back + (keys if len(keys) == 1 else keys[math.isfinite(seen.at_least)]), 3.0 * (len(keys) == 1))
        elif seen is not None and seen.screen:
            self.press(key_sign(USUAL[f"run.{seen.screen}"]), 3.0)
        elif seen is not None and seen.asked:
            self.press("\t" if seen.asked in ("inpaint", "sample", "field") else "\x1b[C", 2.0)
        elif seen is not None and seen.evaluated:
            self.press(back + key_sign(USUAL["run.evaluate"]), 3.0)


def play(learning: Laddertop, lesson: Lesson, columns: int, rows: int) -> dict[tuple[int, int], dict[str, str]]:
    """Plays a lesson to its end; by lesson and step where each number went."""
    went: dict[tuple[int, int], dict[str, str]] = {}
    with learning.in_terminal("learn", str(lesson.number), columns=columns, rows=rows) as terminal:
        player, until = Player(terminal), time.monotonic() + 10 * PATIENCE
        while (place := kept(learning, lesson.run)).get("phase") != "over":
            assert time.monotonic() < until, "\n".join(terminal.lines)
            if place:
                step = lesson.steps[place["step"]]
                seen = step.seen[place["met"]] if place["phase"] == "told" and place["met"] < len(step.seen) else None
                player.move(seen, step.right)
                if place["phase"] == "seen":
                    before, after = place["before"], place["after"]
                    went[lesson.number, place["step"] + 1] = {
                        name: "up" if after[name] > before[name] else "down" for name in after if name in before
                    }
            time.sleep(0.05)
        assert place["right"] == sum(bool(step.question) for step in lesson.steps)
        terminal.press("d")
        assert terminal.ended() == 0
    return went


@pytest.mark.stress
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("lesson", lessons().values(), ids=lambda lesson: lesson.name)
def test_every_lesson_is_played_by_its_keys_and_the_numbers_go_where_it_says(
    tmp_path: Path, lesson: Lesson, size: tuple[int, int]
) -> None:
    learning = Laddertop(tmp_path)
    learning.environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    went = play(learning, lesson, *size)
    wait_for(lambda: not learning.run_folder(lesson.run).engine_alive())
    for at, claims in CLAIMS.items():
        if at[0] == lesson.number:
            assert {name: went[at][name] for name in claims} == claims, at
