"""Text in HTML and SVG. What a run says may be a stranger's: nothing of it is more than text there."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

SHORT = 12
"""Signs of a cell that is not broken into lines."""


def inert(text: object) -> str:
    """Text as it may stand in an element or an attribute; what can't be printed becomes a replacement character."""
    line = str(text).replace("\n", " ")
    return escape("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line))


def element(tag: str, content: str, **attributes: object) -> str:
    """An element with content that is markup already; an underscore at the end of an attribute's name is dropped, one
    within it is a hyphen."""
    return f"<{tag}{_said(attributes)}>{content}</{tag}>"


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> str:
    """A table of texts."""
    top = "".join(element("th", inert(cell)) for cell in head)
    lines = ["".join(_cell(str(cell)) for cell in row) for row in rows]
    body = element("tbody", "".join(element("tr", line) for line in lines))
    return element("div", element("table", element("thead", element("tr", top)) + body), class_="scroll")


def _cell(text: str) -> str:
    return element("td", inert(text), class_="short") if len(text) <= SHORT else element("td", inert(text))


def _said(attributes: dict[str, object]) -> str:
    names = {name: name.rstrip("_").replace("_", "-") for name in attributes}
    return "".join(f' {names[name]}="{inert(value)}"' for name, value in attributes.items())
