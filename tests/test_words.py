"""One name for one thing: what docs/run-screen.md says under "Words" holds on screens, in help and in pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.binding import Binding

from laddertop.tui.dashboard.run_keys import KEYS, NOTES
from laddertop.tui.dashboard.screens.latent import LatentScreen
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.watch.layer_rows import layer_title
from laddertop.tui.watch.wording import command_in_words, measure

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "tests" / "tui" / "pictures").glob("*.txt"))
IN_FILES_ONLY = re.compile(
    r"negative_elbo|-ELBO\b|\bhidden\.\d|\b(?:kl|denoise|layer)\.\d|\bnoise\.(?:std|level)|\bwarmup\b|\beval\b"
)
"""Names of files and commands that stand on no screen."""
BARE_LAYER = re.compile(r"(?<![\w(])[zh][1-9]\b(?!\d)(?![^()]*\))")
"""A layer called by its symbol, outside of a formula such as q(z1)."""


def words() -> dict[str, list[str]]:
    """The table of words: each with the names that it has in files, commands and formulas."""
    text = (ROOT / "docs" / "run-screen.md").read_text(encoding="utf-8")
    table = text.partition("## Words")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("|")][2:]
    return {row[0].strip(): re.findall(r"`([^`]+)`", row[2]) for row in rows}


def spoken() -> list[str]:
    """What keys and notes say."""
    every = [*(key.binding() for key in KEYS), *LayersScreen.BINDINGS, *LatentScreen.BINDINGS]
    return [b.description for b in every if isinstance(b, Binding)] + [NOTES, LayersScreen.NOTES, LatentScreen.NOTES]


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_no_screen_shows_a_name_that_belongs_into_files(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert not IN_FILES_ONLY.findall(text)
    assert not BARE_LAYER.findall(text)


def test_no_key_is_described_by_a_name_that_belongs_into_files() -> None:
    for text in spoken():
        assert not IN_FILES_ONLY.findall(text), text


def test_the_pages_of_the_screens_use_those_names_only_as_names() -> None:
    for page in ("run-screen", "layers", "latent", "samples", "compare", "replay", "runs"):
        text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
        prose = re.sub(r"```.*?```|`[^`]*`|^ {4}.*$", "", text, flags=re.DOTALL | re.MULTILINE)
        assert not IN_FILES_ONLY.findall(prose), page


def test_the_table_tells_of_every_word_what_the_program_calls_it() -> None:
    known = words()
    assert layer_title(5) in known
    assert measure("negative_elbo", 98.1).partition(" ")[0] in known
    assert command_in_words("sample", {}, "", {}).split()[0] in known
    for action in ("evaluate", "continue"):
        assert command_in_words(action, {}, "", {}).split()[0] in known
    steering = {key.does: key.about for key in KEYS}
    assert steering["steer('ask', 'sample')"].startswith("refresh ")
    assert steering["resume"].startswith("resume ")
