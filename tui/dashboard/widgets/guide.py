"""The guide of a lesson, beside or below whatever screen is shown."""

from __future__ import annotations

from textual.events import Key

from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.layout import beside
from laddertop.tui.dashboard.panel import Picture, titled
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.text import between_words, fit
from laddertop.tui.learn.guide import Guide
from laddertop.tui.learn.lesson import LETTERS
from laddertop.tui.learn.words import paragraphs, waiting
from laddertop.tui.steer.keymap import sign
from laddertop.tui.steer.keys import USUAL
from laddertop.tui.watch.run_view import RunView

READS_ON = "enter  reads on"


class GuidePanel(Picture, can_focus=True):
    """A paragraph, what to do, what changed, a question; where there is no room for all of it, in pages."""

    DEFAULT_CSS = """
    GuidePanel { position: absolute; background: transparent; }
    """

    def __init__(self, guide: Guide, view: RunView) -> None:
        super().__init__(id="guide")
        self.guide, self.view = guide, view
        self._page = 0
        self._of: tuple[int, str] = (0, "")
        """Step and phase of the lesson that the page is one of."""

    def lie(self, width: int, height: int) -> None:
        """Where there is room for it in a terminal of that size."""
        place = beside(width, height).guide
        self.styles.offset = (place.x, place.y)
        self.styles.width, self.styles.height = place.width, place.height

    def on_key(self, event: Key) -> None:
        """Enter goes on, a letter answers; every other key is the screen's."""
        mine = self._turn_page() or self.guide.on(self.view) if event.key == "enter" else self._answer(event.character)
        if mine:
            event.stop()
            event.prevent_default()
            self.update()

    def _answer(self, character: str | None) -> bool:
        """Whether a character is one of the guide's: an answer, once more as long as the verdict is shown."""
        if self.guide.place.phase == "answered":
            return character in LETTERS[: len(self.guide.step.answers)] if character else False
        # What is asked stands on the last page.
        return self._page == len(self._shown()) - 1 and self.guide.answer(character or "")

    def sign(self, name: str, side: str) -> str:
        """What is printed on a key: of the dashboard by its name, or of a knob."""
        if name in USUAL:
            return sign(name)
        keys = usable_keys(self.view.state.knobs).get(name, "")
        return keys[side == "+"] if len(keys) == 2 else keys or name

    def _turn_page(self) -> bool:
        """Show the next page; whether there was one."""
        more = self._page + 1 < len(self._shown())
        self._page += more
        return more

    def _shown(self) -> list[list[tuple[str, Ink]]]:
        height, width = self.size.height, self.size.width
        return self.pages(height - 1 - len(self._foot(width)), width)

    def _at(self) -> str:
        """Where in the lesson one is, in words."""
        place = self.guide.place
        return "" if place.phase == "over" else f"{place.step + 1} of {len(self.guide.lesson.steps)}"

    def _foot(self, width: int) -> list[str]:
        """The last lines of the last page: what is waited for, which leaves room for where one is."""
        said = waiting(self.guide, self.view, self.sign)
        return between_words(said.text, max(width - 4 - len(self._at()), 10))

    def picture(self, height: int, width: int) -> Cells:
        """Title, a page, and the last lines."""
        guide, place, foot = self.guide, self.guide.place, self._foot(width)
        if self._of != (now := (place.step, place.phase)):
            self._page, self._of = 0, now
        cells = titled(height, width, fit(f"{guide.lesson.number}  {guide.lesson.title}", width - 5))
        pages = self.pages(height - 1 - len(foot), width)
        # A terminal may have grown.
        self._page = min(self._page, len(pages) - 1)
        for y, (text, ink) in enumerate(pages[self._page], 1):
            cells.put(y, 1, text, ink)
        more = self._page + 1 < len(pages)
        ink = waiting(guide, self.view, self.sign).ink
        for y, text in enumerate(reversed([READS_ON] if more else foot), 1):
            cells.put(height - y, 1, text, Ink.KEY if more else ink)
        cells.right(height - 1, width - 1, self._at(), Ink.DIM)
        return cells

    def pages(self, rows: int, width: int) -> list[list[tuple[str, Ink]]]:
        """The lines of each page, with their inks; what belongs together and fits on one is not torn."""
        blocks: list[tuple[list[tuple[str, Ink]], bool]] = []
        for said in paragraphs(self.guide, self.view, self.sign):
            lines = [(line, said.ink) for line in between_words(said.text, max(width - 2, 10))]
            if said.joined:
                blocks[-1][0].extend(lines)
            else:
                blocks.append((lines, said.apart))
        pages: list[list[tuple[str, Ink]]] = [[]]
        for block, apart in blocks:
            page = pages[-1]
            # Where there is room, what is told and what is asked are set apart, but not one number from the next.
            apart = apart or (rows >= 16 and bool(page) and block[0][1] is not page[-1][1])
            gap = [("", Ink.TEXT)] if page and apart else []
            if page and len(page) + len(gap) + len(block) > rows:
                pages.append([])
                gap = []
            pages[-1] += [*gap, *block[:rows]]
            pages += [block[at : at + rows] for at in range(rows, len(block), rows)]
        return pages
