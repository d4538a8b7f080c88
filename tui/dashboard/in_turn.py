"""Keys in turn: each finds what those before it have made of the screen, however fast they come.

Textual hands every key on at once, to what has the focus now. What a key sets off, such as a field that opens, what was
typed changing what a list shows, an answer that closes a box, is a chain of messages that takes a while; keys of one
burst would act on the screen as it was before all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump

PATIENCE = 1.0
"""Seconds after which a key is handed on although something that was set off is still under way."""


class InTurn:
    """Hands what is typed to an app, one after another."""

    def __init__(self, app: App[None], hand_on: Callable[[Event], Awaitable[None]]) -> None:
        """`hand_on` is what the app does with an event."""
        self._app, self._do = app, hand_on
        self._typed: deque[Key | Paste] = deque()
        self._after: list[Callable[[], None]] = []
        self._busy = False

    def after(self, call: Callable[[], None]) -> None:
        """Calls something once all that was typed so far, and maybe more, is taken up."""
        if self._busy:
            self._after.append(call)
        else:
            call()

    def take(self, event: Key | Paste) -> bool:
        """Whether the next one may be handed on now; else it is kept, and comes to the app again in its turn."""
        if self._busy:
            self._typed.append(event)
            return False
        self._busy = True
        # Called once the worker runs, which it never does where this key was the last: the dashboard is left.
        self._app.run_worker(self._hand_on, group="typed")  # type: ignore[arg-type]
        return True

    async def _hand_on(self) -> None:
        await self._settled()
        while self._typed:
            self._app.call_later(self._do, self._typed.popleft())
            await self._settled()
        self._busy = False
        while self._after:
            self._after.pop()()

    async def _settled(self) -> None:
        """Returns when the app and all that is on the screen have taken up what there was for them to take up, and what
        came of that."""
        deadline = time.monotonic() + PATIENCE
        # Where the app leaves, there are no screens any more.
        while time.monotonic() < deadline and self._app.screen_stack:
            screen = self._app.screen
            everyone: list[MessagePump] = [self._app, *screen.walk_children(with_self=True)]
            # A queue is empty, too, while its last message is being dealt with; so it is asked twice.
            quiet = _quiet(everyone)
            await _passed(everyone, deadline)
            if quiet and _quiet(everyone) and screen in self._app.screen_stack[-1:]:
                return


def _quiet(everyone: list[MessagePump]) -> bool:
    return not any(one.message_queue_size for one in everyone)


async def _passed(everyone: list[MessagePump], deadline: float) -> None:
    """Returns when everyone has taken up what is in their queues now."""
    left, all_passed = len(everyone), asyncio.Event()

    def passed() -> None:
        nonlocal left
        left -= 1
        if not left:
            all_passed.set()

    for one in everyone:
        if not one.call_later(passed):  # it is on its way out
            passed()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(all_passed.wait(), max(deadline - time.monotonic(), 0))
