"""What comes from the terminal before textual listens, and answers to our own question that come while it does."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

from textual._xterm_parser import XTermParser
from textual.message import Message

from laddertop.tui.dashboard.background import ANSWERS, Question, paper_of
from laddertop.tui.dashboard.messages import PaperTold

_BEGUN = re.compile(r"\x1b(?:\](?:1(?:1(?:;[^\x07\x1b]*\x1b?)?)?)?|\[(?:\?[\d;]*)?)?\Z")
"""The beginning of an answer at the end of a text; up to its fourth character it may be keys as well."""
_SURELY = "\x1b]11;"
LATE = 10.0
"""Seconds after the question in which the beginning of an answer is waited for that could also be keys."""
TOGETHER = 0.5
"""Seconds between two parts of an answer then."""
WHOLE = 5.0
"""Seconds after which a beginning that can be nothing else is given up, and dropped."""


class Listener(XTermParser):
    """Textual's parser, which begins with what was typed before; an answer is no key, in how many parts it comes."""

    def __init__(self, question: Question, debug: bool = False) -> None:
        super().__init__(debug)
        self._question = question
        self._before, question.typed = question.typed, ""
        self._held, self._since = "", 0.0

    def feed(self, data: str) -> Iterable[Message]:
        """What keys and answers mean; the empty text is the end."""
        if not data:
            yield from super().feed(data)
            return
        text, self._before = self._before + self._held + data, ""
        for answer in ANSWERS.finditer(text):
            if (paper := paper_of(answer[0])) is not None:
                yield PaperTold(paper)
            self._question.due = self._question.due and not answer[1]
        text = ANSWERS.sub("", text)
        begun = _BEGUN.search(text)
        holds = begun is not None and (begun[0].startswith(_SURELY) or self._awaits())
        end = begun.start() if begun is not None and holds else len(text)
        self._held, self._since = text[end:], time.monotonic()
        if end:
            yield from super().feed(text[:end])

    def tick(self) -> Iterable[Message]:
        """What was held for the rest of an answer that does not come was keys."""
        if self._before:
            before, self._before = self._before, ""
            yield from self.feed(before)
        surely = self._held.startswith(_SURELY)
        if self._held and time.monotonic() - self._since > (WHOLE if surely else TOGETHER):
            held, self._held = self._held, ""
            if not surely:
                yield from super().feed(held)
        yield from super().tick()

    def _awaits(self) -> bool:
        return self._question.due and time.monotonic() - self._question.asked < LATE
