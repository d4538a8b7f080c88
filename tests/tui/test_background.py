"""The dashboard asks the terminal whether its background is dark or light, and takes colours that can be read there."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from textual.events import Key
from textual.message import Message

from laddertop.tui.dashboard.background import Question, paper_of
from laddertop.tui.dashboard.hearing import Listener
from laddertop.tui.dashboard.messages import PaperTold
from tests import PATIENCE
from tests.processes import Laddertop
from tests.terminal import Terminal
from tests.test_end_to_end import shows
from tests.tui.played import PlayedEngine

ASKS = """
import sys
from laddertop.tui.dashboard.background import asked
with asked(float(sys.argv[1])) as question:
    if sys.argv[1] == "1000000":
        print(f"told {question.paper()}.")
print(f"told {question.paper()}.")
print(f"typed {sys.stdin.readline().strip()}.")
"""


@pytest.mark.parametrize(
    ("answer", "paper"),
    [
        ("\x1b]11;rgb:0000/0000/0000\x1b\\", "dark"),
        ("\x1b]11;rgb:2828/2a2a/3636\x07", "dark"),
        ("x\x1b]11;rgb:fd/f6/e3\x1b\\\x1b[?62c", "light"),
        ("\x1b]11;rgba:ffff/ffff/ffff/0000\x1b\\", "light"),
        ("\x1b[?62c", None),
        ("\x1b]11;rgb:zz/00/00\x1b\\", None),
        ("", None),
    ],
)
def test_a_colour_is_dark_or_light(answer: str, paper: str | None) -> None:
    assert paper_of(answer) == paper


@pytest.mark.parametrize(
    ("background", "environment", "told"),
    [
        ("rgb:ffff/ffff/dddd", "15;0", "light"),
        ("rgb:1e1e/1e1e/2e2e", "0;15", "dark"),
        ("", "0;15", "light"),
        ("", "15;default;0", "dark"),
        ("", "", "None"),
    ],
)
def test_the_terminal_is_asked_and_left_as_it_was(background: str, environment: str, told: str) -> None:
    """What is typed later is read by a line."""
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLORFGBG": environment}
    variables.pop("NO_COLOR", None)
    with Terminal([sys.executable, "-c", ASKS, "60"], Path.cwd(), variables, 80, 24) as terminal:
        terminal.screen.background = background
        terminal.wait_for(lambda lines: shows(lines, f"told {told}."))
        terminal.press("hello\r")
        terminal.wait_for(lambda lines: shows(lines, "typed hello."))
        assert not shows(terminal.lines, "rgb:"), "the answer is not echoed"
        assert terminal.ended() == 0


class Silent(Terminal):
    """A terminal that answers no question, as a serial line does."""

    def _obey(self, parameters: str, end: str) -> None:
        if end != "c":
            super()._obey(parameters, end)


def test_nobody_waits_for_a_terminal_that_does_not_answer() -> None:
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLORFGBG": "0;15"}
    variables.pop("NO_COLOR", None)
    with Silent([sys.executable, "-c", ASKS, "1000000"], Path.cwd(), variables, 80, 24) as terminal:
        terminal.wait_for(lambda lines: shows(lines, "told light."))


ANSWER = "\x1b]11;rgb:ffff/ffff/dddd\x1b\\\x1b[?62;22c"


@pytest.mark.parametrize("at", range(len(ANSWER) + 1))
def test_an_answer_in_two_parts_is_no_key(at: int) -> None:
    question = Question()
    question.due = True
    listener = Listener(question)
    heard: list[Message] = []
    for part in ("a", ANSWER[:at], ANSWER[at:], "b"):
        heard += listener.feed(part) if part else []
        heard += listener.tick()
    assert [message.key for message in heard if isinstance(message, Key)] == ["a", "b"]
    assert [message.paper for message in heard if isinstance(message, PaperTold)] == ["light"]
    assert not question.due


@pytest.mark.parametrize("due", [False, True])
def test_what_only_begins_like_an_answer_is_keys_after_all(due: bool) -> None:
    question = Question()
    question.due, question.typed = due, "xy\r"
    listener = Listener(question)
    heard = [*listener.tick(), *listener.feed("\x1b")]
    end = time.monotonic() + PATIENCE
    while len(heard) < 4 and time.monotonic() < end:
        heard += listener.tick()
    assert [message.key for message in heard if isinstance(message, Key)] == ["x", "y", "enter", "escape"]


def test_the_rest_of_an_answer_that_never_comes_holds_up_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = Listener(Question())
    heard = [*listener.feed("\x1b]11;rgb:ff")]
    monkeypatch.setattr("laddertop.tui.dashboard.hearing.WHOLE", 0.0)
    heard += [*listener.tick(), *listener.feed("z")]
    assert [message.key for message in heard if isinstance(message, Key)] == ["z"]


@pytest.mark.parametrize("when", ["before anything is loaded", "while it loads"])
def test_keys_that_are_typed_while_the_dashboard_opens_arrive_in_their_order(
    tmp_path: Path, laddertop: Laddertop, when: str
) -> None:
    for name in ("one", "two", "three"):
        with PlayedEngine.new(tmp_path, name=name) as engine:
            engine.train(10)
            engine.end("stopped")
    with laddertop.in_terminal("--runs", str(tmp_path), columns=80, rows=24) as dashboard:
        if when == "while it loads":
            dashboard.wait_for(lambda lines: shows(lines, "reading runs"))
        dashboard.press("\x1b[B\x1b[B\x1b[A\r")
        dashboard.wait_for(lambda lines: lines[0].startswith(" two "))
        dashboard.press("d")
        assert dashboard.ended() == 0


def test_a_dashboard_on_a_light_terminal_takes_the_colours_for_it(tmp_path: Path) -> None:
    laddertop = Laddertop(tmp_path)  # whose user has chosen no colours yet
    with laddertop.in_terminal("--runs", "none", columns=80, rows=24) as dashboard:
        dashboard.screen.background = "rgb:ffff/ffff/ffff"
        dashboard.wait_for(lambda lines: shows(lines, "no runs here yet"))
        dashboard.press("\x1b]11;rgb:dddd/dddd/bbbb\x1b\\\x1b[?62;22c")  # late, and no d that leaves
        dashboard.press("\x14")
        dashboard.wait_for(lambda lines: shows(lines, "colours: colour-blind, on a light background"))
        dashboard.press("d")
        assert dashboard.ended() == 0


def test_an_answer_that_comes_late_and_alone_is_no_end_of_what_is_typed() -> None:
    listener = Listener(Question())
    assert [type(message) for message in listener.feed(ANSWER)] == [PaperTold]
    assert [message.key for message in listener.feed("n") if isinstance(message, Key)] == ["n"]
