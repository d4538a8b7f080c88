"""A headless Chromium for the tests of what a browser shows, asked over its DevTools protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import numpy as np
from PIL import Image

from tests import PATIENCE
from tests.terminal import Screen

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One tab, with every address that it asked for, and the screen of the terminal in it."""

    def __init__(self, devtools: aiohttp.ClientWebSocketResponse) -> None:
        self._devtools = devtools
        self._numbers = itertools.count(1)
        self._awaited: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.requested: list[str] = []
        """Addresses, in order."""
        self.said: list[str] = []
        """What was written to the console, and errors in the page."""
        self.screen = Screen(1, 1, len)
        """What the last websocket that was opened drew; the browser itself answers."""

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """What a method of the protocol answers."""
        number = next(self._numbers)
        answer = self._awaited[number] = asyncio.get_running_loop().create_future()
        await self._devtools.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, PATIENCE)

    async def open(self, address: str) -> None:
        """Goes to a page."""
        for domain in ("Network", "Page", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def type(self, text: str) -> None:
        """Presses keys, one after the other."""
        for key in text:
            code = {"\r": 13}.get(key, ord(key.upper()))
            about = {"key": "Enter" if key == "\r" else key, "text": key, "windowsVirtualKeyCode": code}
            await self.call("Input.dispatchKeyEvent", type="keyDown", **about)
            await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page, a promise awaited."""
        told = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        return told["result"].get("value")

    async def picture(self) -> np.ndarray:
        """What is seen: rows × columns × RGB."""
        told = await self.call("Page.captureScreenshot")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("RGB"))

    async def until(self, what: Callable[[str], object]) -> None:
        """Waits until the terminal shows something; fails with its screen when it does not in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not what("\n".join(self.screen.lines)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError("\n".join(["never shown; the screen is", *self.screen.lines, *self.said])) from None

    async def listen(self) -> None:
        """Takes up what the browser tells, until it ends."""
        async for message in self._devtools:
            told = json.loads(message.data)
            parameters = told.get("params", {})
            match told.get("method"):
                case None:
                    self._awaited.pop(told["id"]).set_result(told.get("result", {}))
                case "Network.requestWillBeSent":
                    self.requested.append(parameters["request"]["url"])
                case "Network.webSocketCreated":
                    self.requested.append(parameters["url"])
                    size = parse_qs(urlsplit(parameters["url"]).query)
                    self.screen = Screen(int(size["width"][0]), int(size["height"][0]), len)
                case "Network.webSocketFrameReceived" if parameters["response"]["opcode"] == 2:
                    self.screen.draw(base64.b64decode(parameters["response"]["payloadData"]))
                case "Runtime.consoleAPICalled":
                    self.said += [str(one.get("value")) for one in parameters["args"]]
                case "Runtime.exceptionThrown":
                    self.said.append(json.dumps(parameters["exceptionDetails"]))


@contextlib.asynccontextmanager
async def browser(width: int, height: int) -> AsyncIterator[Browser]:
    """A browser with an empty tab, of a size in pixels."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        words = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--hide-scrollbars"]
        words += [f"--window-size={width},{height}", f"--user-data-dir={folder}", "--remote-debugging-port=0"]
        chromium = await asyncio.create_subprocess_exec(
            str(CHROMIUM), *words, "about:blank", stderr=asyncio.subprocess.PIPE
        )
        assert chromium.stderr is not None
        try:
            async with aiohttp.ClientSession() as session:
                told = (await asyncio.wait_for(chromium.stderr.readuntil(b"/devtools/browser/"), PATIENCE)).decode()
                port = re.findall(r"ws://127\.0\.0\.1:(\d+)/devtools", told)[-1]
                errors = asyncio.create_task(chromium.stderr.read())  # or it would wait for a reader
                while not (tabs := [tab for tab in await _tabs(session, port) if tab["type"] == "page"]):
                    await asyncio.sleep(0.05)
                async with session.ws_connect(tabs[0]["webSocketDebuggerUrl"], max_msg_size=0) as devtools:
                    opened = Browser(devtools)
                    listening = asyncio.create_task(opened.listen())
                    yield opened
                    listening.cancel()
        finally:
            chromium.terminate()
            await chromium.wait()
            await errors


async def _tabs(session: aiohttp.ClientSession, port: str) -> list[dict[str, Any]]:
    async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
        tabs: list[dict[str, Any]] = await answer.json()
        return tabs
