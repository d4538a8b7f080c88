"""What asks a command to end while its engines are at work: it is taken up, so that they stop in good order."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator
from types import FrameType


@contextlib.contextmanager
def signals_taken(then: Callable[[int, bool], None] | None = None) -> Iterator[list[int]]:
    """Takes SIGINT, SIGTERM and SIGHUP up instead of ending by them; yields those received, in order.

    `then` is told each, and whether another came before. What was ignored on the way here (nohup, background jobs)
    stays ignored.
    """
    received: list[int] = []

    def take(number: int, frame: FrameType | None) -> None:
        again = bool(received)
        received.append(number)
        if then is not None:
            then(number, again)

    ends = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, take) for number in ends}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
