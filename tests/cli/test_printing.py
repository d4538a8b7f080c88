"""What the command line prints is inert, whoever's words it is about."""

from __future__ import annotations

import json

import pytest

from laddertop.tui.cli.print import json_result, result, table

WORDS = "a\x1b[2J\x07\x9b31m\u202e\u2066\ufeff\U000e0001 é 実"
"""Escape sequences, C1, bidirectional marks and other characters that are not shown, between some that are."""


def test_json_says_the_same_to_a_program_and_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"note": WORDS, WORDS: [WORDS, 1.5]}
    json_result(told)
    text = capsys.readouterr().out
    assert json.loads(text) == told
    assert text.replace("\n", "").isprintable()
    assert "é 実" in text


def test_a_line_for_people_shows_where_something_is_that_can_not_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    result(WORDS)
    assert capsys.readouterr().out == "a�[2J��31m���� é 実\n"


def test_a_table_that_is_too_wide_for_the_terminal_is_broken_between_words() -> None:
    rows = [["error", "10.8", "% of images, statistics of the labelled images"], ["cost", "0.5", "nats"]]
    whole = ["  error  10.8  " + rows[0][2], "  cost   0.5   nats"]
    assert table(rows, "  ") == table(rows, "  ", 80) == whole
    assert table(rows, "  ", 40) == [
        "  error  10.8  % of images, statistics",
        "               of the labelled images",
        "  cost   0.5   nats",
    ]
    assert table(rows, "  ", 20) == whole, "too narrow for words below each other"
