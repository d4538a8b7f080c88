"""What the dashboard writes is written by a thread of its own, one thing after the other: no key waits for a disk.

What was asked for is still written after the dashboard has closed, before its process ends.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

_WRITER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="aside")


def do(deed: Callable[[], None], failed: Callable[[Exception], None] = lambda error: None) -> None:
    """Does something that needs a disk, after all that was asked for before it.

    `failed` is called in the running event loop with the OSError or ValueError that it raised; whatever else it raises
    is a mistake of ours, and comes up there.
    """
    loop = asyncio.get_running_loop()

    def done(future: Future[None]) -> None:
        if (error := future.exception()) is not None:
            # The dashboard may have closed meanwhile: then nobody is left to be told.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(told, error)

    def told(error: BaseException) -> None:
        if not isinstance(error, OSError | ValueError):
            raise error
        failed(error)

    _WRITER.submit(deed).add_done_callback(done)


def wait() -> None:
    """Returns when all that was asked for so far is written."""
    _WRITER.submit(lambda: None).result()
