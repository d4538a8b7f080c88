"""Text from a run can do nothing to the terminal, and every text has an ASCII form."""

from __future__ import annotations

from laddertop.tui.draw.cells import Cells, Ink, grey
from laddertop.tui.draw.text import ascii_only, fit, harmless


def test_control_characters_and_escape_sequences_do_not_survive() -> None:
    text = harmless("a\x1b[31mred\x1b]0;title\x07 \x9b2J \r\n tab\t \x00 \u202e reversed \u200b")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text)
    assert "\u202e" not in text
    assert "\n" not in text
    assert "red" in text


def test_characters_that_are_not_one_column_wide_are_replaced() -> None:
    assert harmless("ok 漢字 e\u0301") == "ok ?? e"
    assert harmless("σ λ β → × ± μ") == "σ λ β → × ± μ"
    assert harmless("[bold]not markup[/]") == "[bold]not markup[/]"


def test_long_text_is_cut() -> None:
    assert len(harmless("x" * 10_000)) == 500
    assert fit("learning rate", 8) == "learnin…"
    assert fit("lr", 8) == "lr"
    assert fit("lr", 0) == ""


def test_a_picture_takes_no_control_characters() -> None:
    cells = Cells(1, 20)
    cells.put(0, 0, "a\x1b[2Jb\nc")
    assert cells.text() == "a[2Jb c"


def test_ascii_keeps_every_column() -> None:
    text = "● on → σ 0.3 × 1 000 ▼ ─│┤└ ▁▂▃▄▅▆▇█ ━╸ – … 漢"
    assert ascii_only(text).isascii()
    assert len(ascii_only(text)) == len(text)


def test_a_row_becomes_few_stretches_and_images_keep_to_themselves() -> None:
    cells = Cells(1, 12)
    cells.put(0, 0, "ab cd", Ink.DIM)
    cells.put(0, 6, "x", Ink.BAD)
    assert list(cells.runs(0)) == [("ab cd ", Ink.DIM), ("x     ", Ink.BAD)]
    image = Cells(1, 2)
    image.inks[:] = grey(0, 15)
    cells = Cells(1, 8)
    cells.paste(0, 1, image)
    cells.paste(0, 4, image)
    assert [text for text, _ in cells.runs(0)] == [" ", "  ", " ", "  ", "  "]
