"""The documentation: its links lead somewhere, it says what the code says, and it becomes a site that asks nobody."""

from __future__ import annotations

import html.parser
import importlib.util
import os
import re
import shlex
import socket
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from textual.binding import Binding

from docs import reference, site
from docs.svg import INK
from laddertop.tui.dashboard.grammar import EVERYWHERE, ON_CHARTS
from laddertop.tui.dashboard.run_keys import KEYS
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.steer.keys import key_sign
from tests.processes import Laddertop

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for pattern in site.PAGES for page in ROOT.glob(pattern))
PICTURES = sorted(picture for ending in ("svg", "gif", "png") for picture in (ROOT / "docs").glob(f"*.{ending}"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
LARGEST = 1_500_000
"""Bytes of a picture in docs/, the moving one included."""


def prose(page: Path) -> str:
    """A page without what is typed or printed in it."""
    return re.sub(r"^```.*?^```|^ {4}.*?$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, on a forge."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower() for title in titles)
    return {re.sub(r"[^\w\- ]", "", title).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    lost = []
    for target in LINK.findall(re.sub(r"`[^`]*`", "", prose(page))):
        file, _, anchor = target.partition("#")
        if re.match(r"https?:", file):
            continue
        there = (page.parent / file).resolve() if file else page
        if not there.is_file() or (anchor and anchor not in anchors(there)):
            lost.append(target)
    assert lost == []


def test_links_are_found() -> None:
    found = {page.name: len(LINK.findall(prose(page))) for page in PAGES}
    assert found["README.md"] > 15
    assert sum(found.values()) > 100


def test_the_pages_that_repeat_the_code_say_what_it_says_now() -> None:
    for name, text in reference.pages().items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, "run `make reference`"


def test_every_key_has_a_sign_that_is_on_a_keyboard() -> None:
    signs = re.findall(r"^\| `([^`]*)` \|", reference.keys_page(), re.MULTILINE)
    assert len(signs) > 100
    assert [sign for sign in signs if "_" in sign] == []


SCREENS = {
    "run-screen": [key.binding() for key in KEYS],
    **{page.removesuffix(".md"): bindings for page, bindings in reference.SCREENS.values()},
}


@pytest.mark.parametrize("name", SCREENS)
def test_a_page_about_a_screen_names_keys_that_it_has(name: str) -> None:
    everywhere = [*EVERYWHERE, *ON_CHARTS, *reference.LaddertopApp.BINDINGS, *Box.BINDINGS]
    bound = [binding for binding in (*SCREENS[name], *everywhere) if isinstance(binding, Binding)]
    known = {sign for binding in bound for sign in key_sign(binding.key).split()} | {"esc", "F1"}
    text = (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| key \| \|\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    named = [
        key for table in tables for row in table.splitlines() for key in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    assert [key for key in named if key not in known] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_shown_is_small_asks_nobody_and_knows_no_machine(picture: Path) -> None:
    content = picture.read_bytes()
    assert len(content) < LARGEST
    assert any(picture.name in page.read_text(encoding="utf-8") for page in PAGES)
    text = content.decode(errors="ignore")
    assert set(re.findall(r"https?://([\w.]+)", text)) <= {"www.w3.org"}
    if picture.suffix == ".svg":
        assert not re.search(r"@import|@font-face|<script|<image|/(?:home|root|tmp|work)/", text)
        assert f"@{socket.gethostname()}" not in text


def test_every_page_is_in_the_menu_of_the_site_once() -> None:
    def pages(entries: object) -> list[str]:
        if isinstance(entries, dict):
            entries = list(entries.values())
        return [entries] if isinstance(entries, str) else [page for entry in entries for page in pages(entry)]  # type: ignore[attr-defined]

    menu = tomllib.loads((ROOT / "docs" / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]
    assert sorted(pages(menu)) == sorted(page.relative_to(ROOT).as_posix() for page in PAGES)


class Loaded(html.parser.HTMLParser):
    """What a page of the site loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Links that are followed by a click alone are left out."""
        if tag != "a":
            self.found += [value or "" for name, value in attrs if name in ("src", "srcset", "href", "data")]


@pytest.mark.skipif(importlib.util.find_spec("zensical") is None, reason="the site is built by the extra `docs`")
def test_the_site_is_built_without_a_warning_and_its_pages_load_nothing_from_elsewhere(tmp_path: Path) -> None:
    site.build(tmp_path)
    built = sorted((tmp_path / "site").rglob("*.html"))
    assert len(built) == len(PAGES) + 1, "every page, and one for what is not there"
    for page in built:
        loaded = Loaded()
        loaded.feed(page.read_text(encoding="utf-8"))
        assert len(loaded.found) > 3
        assert [where for where in loaded.found if re.match(r"(?:https?:)?//", where)] == []
    for sheet in (tmp_path / "site").rglob("*.css"):
        assert re.findall(r"(?:@import\s+|url\()[\"']?(?:https?:)?//", sheet.read_text(encoding="utf-8")) == []


@pytest.mark.stress
def test_every_line_of_the_list_of_every_day_works_once_those_above_it_were_typed(laddertop: Laddertop) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Every day")[2]
    lines = [shlex.split(line, comments=True)[1:] for line in text.split("```")[1].splitlines()[1:]]
    assert len(lines) > 12
    for words in lines:
        if words[0] in ("attach", "replay"):
            with laddertop.in_terminal(*words) as dashboard:
                dashboard.wait_for(lambda rows: any(" first " in row for row in rows[:1]))
                dashboard.press("d")
                assert dashboard.ended() == 0
        else:
            done = laddertop(*words)
            assert done.returncode == 0 or words == ["doctor"], (words, done.stderr)
    assert laddertop("stop", "first").returncode == 0
    assert laddertop("stop", "second").returncode == 0
    assert sorted(path.name for path in laddertop.cwd.glob("*.[hp][tn]*")) == ["digits.png", "report.html"]


def test_what_a_terminal_shows_is_drawn_with_its_colours_as_shapes_and_as_text(tmp_path: Path) -> None:
    pytest.importorskip("pyte", reason="pictures are made by what the extra `docs` brings")
    from docs.camera import Camera
    from docs.svg import moving, still

    print_it = r"printf '\033[38;5;74m\342\226\210\342\226\210\033[0m \342\240\207 a<b\033[1m c\033[0m'; read line"
    with Camera(["sh", "-c", print_it], tmp_path, {"PATH": os.environ["PATH"]}, 20, 3) as camera:
        camera.wait_for(lambda lines: "c" in lines[0])
        first = camera.photograph()
        camera.press("more")
        camera.wait_for(lambda lines: "more" in lines[0])
        second = camera.photograph()
    one = ElementTree.fromstring(still(first, "a title"))
    texts = [text.text for text in one.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a title", "a<b", "c"]
    paths = {path.get("class"): path for path in one.iter("{http://www.w3.org/2000/svg}path")}
    assert (paths["q"].get("fill"), paths["q"].get("d")) == ("#5fafd7", "M0 0h20v20h-20z")
    assert (paths["d"].get("stroke"), paths["d"].get("d", "").count("M")) == (INK, 3)
    film = moving([(first, 1.0), (second, 3.0)], "a title")
    ElementTree.fromstring(film)
    assert "25.000%{transform:translateY(-60px)}" in film
    assert "animation:k 4.00s" in film
