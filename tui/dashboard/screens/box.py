"""What lies over a screen: a frame with what it is about on top and its keys at the bottom.

In every box `enter` takes what is chosen or typed and `esc` goes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Generic, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import OptionList

from laddertop.tui.dashboard.key_line import key_line
from laddertop.tui.draw.text import harmless

Answer = TypeVar("Answer")


class Box(ModalScreen[Answer | None], Generic[Answer]):
    """A question, whose answer is its result, or a page; None when the user goes back."""

    DEFAULT_CSS = """
    Box { align: center middle; background: transparent; }
    Box > VerticalScroll { width: 90; max-width: 100%; height: auto; max-height: 100%; padding: 0 1;
        scrollbar-size-vertical: 1; background: $background;
        border: solid $primary; border-title-color: $foreground; border-title-style: bold;
        border-subtitle-color: $foreground; border-subtitle-align: left; }
    Box Static { width: 100%; height: auto; }
    Box Input, Box Input:focus { height: 1; border: none; padding: 0; background: ansi_blue; color: ansi_bright_white; }
    Box Input:focus > .input--placeholder { color: ansi_bright_white; text-style: italic; }
    Box OptionList, Box OptionList:focus { height: auto; border: none; padding: 0;
        background: $background; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis; }
    Box OptionList > .option-list--option-highlighted, Box OptionList:blur > .option-list--option-highlighted {
        color: $block-cursor-foreground; background: $block-cursor-background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(None)", "back, as if it had not been asked")]

    def __init__(self, title: str, *hints: tuple[str, str]) -> None:
        """`title` says what it is about, in a line; each of the `hints` is a key and what it does, in a word or two."""
        super().__init__()
        self._title, self._hints = title, hints

    def content(self) -> Iterable[Widget]:
        """What stands in the frame."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """The frame."""
        content = list(self.content())
        frame = VerticalScroll(*content, can_focus=not any(widget.can_focus for widget in content))
        frame.border_title = Text(harmless(self._title))
        frame.border_subtitle = key_line((*self._hints, ("esc", "back")), self.app)
        yield frame

    def on_resize(self, event: Resize) -> None:
        """A list takes at most three fifths of the rows."""
        # Said in the style, as a share of the terminal, it would count for the list and not for the frame around it.
        for options in self.query(OptionList):
            options.styles.max_height = max(event.size.height * 3 // 5, 1)
