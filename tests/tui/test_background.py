"""The dashboard asks the terminal whether its background is dark or light, and takes colours that can be read there."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from textual.drivers import linux_driver
from textual.events import Key

from laddertop.tui.dashboard.background import paper_of
from laddertop.tui.dashboard.program import _ignore_late_answers
from tests.processes import Laddertop
from tests.terminal import Terminal
from tests.test_end_to_end import shows

ASKS = """
import sys
from laddertop.tui.dashboard.background import asked
with asked(float(sys.argv[1])) as paper:
    print(f"told {paper()}.")
print(f"typed {sys.stdin.readline().strip()}.")
"""


@pytest.mark.parametrize(
    ("answer", "paper"),
    [
        (b"\x1b]11;rgb:0000/0000/0000\x1b\\", "dark"),
        (b"\x1b]11;rgb:2828/2a2a/3636\x07", "dark"),
        (b"x\x1b]11;rgb:fd/f6/e3\x1b\\\x1b[?62c", "light"),
        (b"\x1b]11;rgba:ffff/ffff/ffff/0000\x1b\\", "light"),
        (b"\x1b[?62c", None),
        (b"\x1b]11;rgb:zz/00/00\x1b\\", None),
        (b"", None),
    ],
)
def test_a_colour_is_dark_or_light(answer: bytes, paper: str | None) -> None:
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
    """Who does not answer at all costs no more than the patience; what is typed later is read by a line."""
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLORFGBG": environment}
    variables.pop("NO_COLOR", None)
    with Terminal([sys.executable, "-c", ASKS, "60"], Path.cwd(), variables, 80, 24) as terminal:
        terminal.background = background
        terminal.wait_for(lambda lines: shows(lines, f"told {told}."))
        terminal.press("hello\r")
        terminal.wait_for(lambda lines: shows(lines, "typed hello."))
        assert not shows(terminal.lines, "rgb:"), "the answer is not echoed"
        assert terminal.ended() == 0


def test_a_dashboard_on_a_light_terminal_takes_the_colours_for_it(tmp_path: Path) -> None:
    laddertop = Laddertop(tmp_path)  # whose user has chosen no colours yet
    with laddertop.in_terminal("--runs", "none", columns=80, rows=24) as dashboard:
        dashboard.background = "rgb:ffff/ffff/ffff"
        dashboard.wait_for(lambda lines: shows(lines, "no runs here yet"))
        dashboard.press("\x1b]11;rgb:dddd/dddd/bbbb\x1b\\\x1b[?62;22c")  # late, and no d that leaves
        dashboard.press("\x14")
        dashboard.wait_for(lambda lines: shows(lines, "colours: colour-blind, on a light background"))
        dashboard.press("d")
        assert dashboard.ended() == 0


def test_an_answer_that_comes_late_and_alone_is_no_end_of_what_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linux_driver, "XTermParser", linux_driver.XTermParser)
    _ignore_late_answers()
    parser = linux_driver.XTermParser(False)
    assert list(parser.feed("\x1b]11;rgb:dddd/dddd/bbbb\x1b\\\x1b[?62;22c")) == []
    assert [message.key for message in parser.feed("n") if isinstance(message, Key)] == ["n"]
