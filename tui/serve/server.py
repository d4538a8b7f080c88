"""The server: a page, the files that it is made of, and a websocket behind which every page has its own dashboard.

Of textual-serve the page has its script, which is xterm.js, and its font. The rest of textual-serve asks nobody who he
is, and gives a program pipes and no terminal: then nothing would hold here of what a dashboard does with its terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from laddertop.tui.serve.guard import Guard, headers
from laddertop.tui.serve.terminal import LEAVING, Terminal

ALIVE = 15.0
"""Seconds after which a browser that says nothing is asked whether it is there, and half of it until it is given up."""
CLOSING = 2.0
"""Seconds that a browser has to say goodbye."""
OURS = {"": "page.html", "page.js": "page.js"}
"""The files of the page that are ours, each by its name behind the token."""


class Server:
    """Serves dashboards at a socket until it is told to end."""

    def __init__(self, guard: Guard, command: list[str], environment: Mapping[str, str]) -> None:
        """Lets in whom `guard` does; every page runs `command` in its `environment`."""
        self._guard = guard
        self._command, self._environment = command, environment
        self._pages: set[web.WebSocketResponse] = set()

    async def serve(self, listening: socket.socket, begun: Callable[[], None]) -> int:
        """Serves until a signal, and calls `begun` once it does; returns the number of the signal, with every
        dashboard gone."""
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(one, _settle, told, one)
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=CLOSING + LEAVING)
        await runner.setup()
        await web.SockSite(runner, listening).start()
        begun()
        number = await told
        await runner.cleanup()
        return number

    def _application(self) -> web.Application:
        """What answers requests."""
        application = web.Application(middlewares=[self._examine])
        application.on_response_prepare.append(_tell)
        application.on_shutdown.append(self._say_goodbye)
        behind = f"/{self._guard.token}/"
        (theirs,) = find_spec("textual_serve").submodule_search_locations  # type: ignore[union-attr, misc]
        application.add_routes([web.get(behind + name, partial(_file, file)) for name, file in OURS.items()])
        application.add_routes([web.get(f"{behind}websocket", self._page)])
        application.add_routes([web.static(f"{behind}static", Path(theirs) / "static")])
        return application

    @web.middleware
    async def _examine(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answers 403, and why, or hands on."""
        if problem := self._guard.problem(request):
            return web.Response(status=403, text=f"laddertop: {problem}\n")
        request["asked"] = request.headers["Host"]
        return await handler(request)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """A dashboard for a page, until one of them is gone."""
        page = web.WebSocketResponse(heartbeat=ALIVE, timeout=CLOSING)
        await page.prepare(request)
        self._pages.add(page)
        terminal = Terminal(*(_cells(request.query.get(name, "")) for name in ("width", "height")))
        showing = asyncio.create_task(_show(terminal, page))
        try:
            await terminal.start(self._command, self._environment)
            async for message in page:
                match _said(message):
                    case ["stdin", str(typed)]:
                        terminal.type(typed)
                    case ["resize", {"width": int(columns), "height": int(rows)}]:
                        terminal.resize(columns, rows)
                    case ["ping", said]:
                        await page.send_json(["pong", said])
        finally:
            self._pages.discard(page)
            showing.cancel()
            await terminal.close()
        return page

    async def _say_goodbye(self, _: web.Application) -> None:
        """Closes the websocket of every page, with which its dashboard ends."""
        await asyncio.gather(*(page.close(code=WSCloseCode.GOING_AWAY) for page in self._pages))


async def _show(terminal: Terminal, page: web.WebSocketResponse) -> None:
    await terminal.show(page.send_bytes)
    await page.close()


async def _tell(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(headers(request.get("asked", "")))


async def _file(name: str, _: web.Request) -> web.FileResponse:
    return web.FileResponse(Path(__file__).with_name(name))


def _said(message: WSMessage) -> object:
    """What a page tells; None where that is nothing that it should."""
    with contextlib.suppress(ValueError):
        return message.json() if message.type is WSMsgType.TEXT else None
    return None


def _cells(text: str) -> int:
    """A size that a page tells; what can't be one is told again once the page is there."""
    return int(text) if re.fullmatch("[0-9]{1,3}", text) else 80


def _settle(told: asyncio.Future[int], number: int) -> None:
    if not told.done():
        told.set_result(number)
