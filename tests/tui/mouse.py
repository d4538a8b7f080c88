"""The mouse in tests: what textual's own pilot lacks."""

from __future__ import annotations

from textual.events import MouseScrollDown, MouseScrollUp
from textual.pilot import Pilot
from textual.widget import Widget


async def scroll(pilot: Pilot[None], widget: Widget, offset: tuple[int, int], notches: int) -> None:
    """Turn the wheel over a cell of a widget, so many notches up, or down where they are negative."""
    turn = MouseScrollUp if notches > 0 else MouseScrollDown
    for _ in range(abs(notches)):
        await pilot._post_mouse_events([turn], widget, offset)
