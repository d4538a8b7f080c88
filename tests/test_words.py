"""One name for one thing: what docs/run-screen.md says under "Words" holds on screens, in help and in pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from laddertop.journal.value import Value
from laddertop.tui.dashboard.run_keys import KEYS
from laddertop.tui.watch.layer_life import layer_title
from laddertop.tui.watch.wording import command_in_words, measure

ROOT = Path(__file__).parents[1]
FRONT_ENDS = sorted((ROOT / "tui").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PICTURES = sorted((ROOT / "tests" / "tui" / "pictures").glob("*.txt"))
TYPED = re.compile(r"--set \S+")
"""What a screen advises to type, which names keys of recipes."""
IN_FILES_ONLY = re.compile(
    r"negative_elbo|-ELBO\b|\bhidden\.\d|\b(?:kl|denoise|layer)\.\d|\bnoise\.(?:std|level)|\bwarmup\b|\beval\b"
    r"|\bnegative ELBO\b|\bunpause\b|\bresample\b|\bre-sample\b"
)
"""Names of files and formulas, which stand on no screen, and second names, which stand nowhere."""
SECOND = re.compile(r"\beval\b|\bnegative ELBO\b|\bunpause\b|\bresample\b|\bre-sample\b")
"""Names that nothing has."""
BARE_LAYER = re.compile(r"(?<![\w(])[zh][1-9]\b(?!\d)(?![^()]*\))")
"""A layer called by its symbol, outside of a formula such as q(z1)."""


def words() -> dict[str, list[str]]:
    """The table of words: each with the names that it has in files, commands and formulas."""
    text = (ROOT / "docs" / "run-screen.md").read_text(encoding="utf-8")
    table = text.partition("## Words")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")][2:]
    return {row[0].strip(): re.findall(r"`([^`]+)`", row[2]) for row in rows}


def said(file: Path) -> list[str]:
    """The sentences and names that a file of the front ends may put on a terminal: every text of two words or more in
    it, docstrings only where they are the help of a command; without what is marked as typed."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    notes = {id(line.value) for block in blocks for line in block.body if isinstance(line, ast.Expr)}
    helps = {id(block.body[0].value) for block in blocks if getattr(block, "decorator_list", []) and _is_text(block)}
    found = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value
        if id(node) not in notes or (id(node) in helps and file.parent.name == "cli")
    ]
    return [re.sub(r"`[^`]*`|\S+=\S+", "", text) for text in found]


def _is_text(block: ast.Module | ast.ClassDef | ast.FunctionDef) -> bool:
    return isinstance(block.body[0], ast.Expr)


def test_no_screen_shows_a_name_that_belongs_into_files() -> None:
    for picture in PICTURES:
        text = TYPED.sub("", picture.read_text(encoding="utf-8"))
        assert not IN_FILES_ONLY.findall(text), picture
        assert not BARE_LAYER.findall(text), picture


def test_nothing_that_a_front_end_says_uses_a_name_that_belongs_into_files_or_a_second_one() -> None:
    for file in FRONT_ENDS:
        for text in said(file):
            assert not IN_FILES_ONLY.findall(text), (file, text)
            assert not BARE_LAYER.findall(text), (file, text)


def test_what_front_ends_say_is_found_wherever_it_stands() -> None:
    texts = {text for file in FRONT_ENDS for text in said(file)}
    assert "every term before and after each" in " ".join(texts), "a key"
    assert "Evaluate a checkpoint: what its model's paper reports." in texts, "help of a command"
    assert "Let the running training do it, quickly, and record it in the run." in texts, "help of an option"
    assert any(" tells nothing: " in text for text in texts), "the banner"


def test_no_page_has_a_second_name_for_what_has_one() -> None:
    for page in PAGES:
        assert not SECOND.findall(page.read_text(encoding="utf-8")), page


def test_the_pages_of_the_screens_use_those_names_only_as_names() -> None:
    for page in ("run-screen", "layers", "latent", "samples", "compare", "replay", "runs"):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        prose = re.sub(r"```.*?```|`[^`]*`|^ {4}.*$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not IN_FILES_ONLY.findall(prose), page


def test_the_table_tells_of_every_word_what_the_program_calls_it() -> None:
    known = words()
    assert layer_title(5) in known
    assert measure("negative_elbo", Value(value=98.1, unit="nats")).partition(" ")[0] in known
    assert command_in_words("sample", {}, "", {}).split()[0] in known
    for action in ("evaluate", "continue"):
        assert command_in_words(action, {}, "", {}).split()[0] in known
    steering = {key.does: key.about for key in KEYS}
    assert steering["steer('ask', 'sample')"].startswith("refresh ")
    assert steering["resume"].startswith("resume ")
