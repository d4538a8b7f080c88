"""Text from a run can do nothing to the terminal, and every text has an ASCII form."""

from __future__ import annotations

import itertools

from rich.cells import cell_len

from laddertop.tui.draw.cells import Cells, Ink, grey
from laddertop.tui.draw.text import ascii_only, columns, fit, harmless, pad


def test_control_characters_and_escape_sequences_do_not_survive() -> None:
    text = harmless("a\x1b[31mred\x1b]0;title\x07 \x9b2J \r\n tab\t \x00 \u202e reversed \u200b")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text)
    assert "\u202e" not in text
    assert "\n" not in text
    assert "red" in text


def test_characters_that_take_no_column_are_left_out() -> None:
    assert harmless("ok e\u0301") == "ok e"
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
    assert len(ascii_only(text)) == columns(text)


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


def test_names_in_wide_characters_are_shown_whole_in_the_columns_that_they_take() -> None:
    assert harmless("実験 한국어 ｗｉｄｅ 🙂") == "実験 한국어 ｗｉｄｅ 🙂"
    cells = Cells(2, 12)
    assert cells.put(0, 1, "実験2") == 6
    assert cells.put(0, 7, "x", Ink.MARK) == 8
    assert cells.text() == " 実験2 x\n"
    assert sum(columns(text) for text, _ in cells.runs(0)) == 12
    assert cells.right(1, 12, "実験") == 8


def test_no_half_of_a_wide_character_is_left_where_it_is_cut_or_written_over() -> None:
    for x in range(-3, 12):
        cells = Cells(1, 8)
        cells.put(0, 0, "実験実験")
        for text in ("a", "漢", "漢b", "b漢"):
            cells.put(0, x, text)
            assert columns("".join(cells.chars[0])) == 8, (x, text)
        other = Cells(1, 3)
        other.put(0, 0, "漢字")
        assert columns("".join(other.chars[0])) == 3
        if x >= 0:
            cells.paste(0, x, other)
            assert columns("".join(cells.chars[0])) == 8, x


def test_of_a_wide_character_both_columns_are_sent_when_it_comes_goes_or_changes() -> None:
    pictures = []
    for text in ("ab", "漢", "字", "c", " 漢"):
        cells = Cells(1, 20)
        cells.put(0, 5, text)
        pictures.append(cells)
    for before, after in itertools.pairwise(pictures):
        ((_, first, end),) = after.changed_spans(before)
        for cells in (before, after):
            assert cells.chars[0, first] != ""
            assert end == 20 or cells.chars[0, end] != ""


def test_columns_are_counted_as_the_screen_counts_them() -> None:
    for code in (*range(0xD800), *range(0xE000, 0x20000), 0x20000, 0x3FFFD):
        text = harmless(chr(code))
        assert columns(text) == cell_len(text), hex(code)
    assert fit("実験一の名前", 7) == "実験一…"
    assert fit("実験一の名前", 6) == "実験…"
    assert pad("実験", 6) == "実験  "
    assert ascii_only("実験a") == "????a"
