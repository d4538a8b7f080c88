"""The dashboard in a browser: real servers, a real Chromium, a real training that is begun and steered there."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import psutil
import pytest
from PIL import Image

from laddertop.journal.commands import send
from laddertop.journal.events import Commanded
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe, override
from tests import PATIENCE
from tests.browser import CHROMIUM, browser
from tests.processes import Laddertop, wait_for
from tests.terminal import Screen

pytest.importorskip("textual_serve", reason="needs laddertop[serve]")


class Served:
    """A `laddertop serve` that serves; a context manager, which ends it for certain."""

    def __init__(self, laddertop: Laddertop, *words: str) -> None:
        environment = {**laddertop.environment, "XDG_CACHE_HOME": str(laddertop.cwd / "cache")}  # as nobody left it
        self.process = laddertop.start("serve", "--port", "0", *words, env=environment)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        """What it prints."""
        self.site = urlsplit(self.address).netloc

    def dashboards(self) -> list[psutil.Process]:
        """The processes of the pages."""
        return psutil.Process(self.process.pid).children()

    def ended(self, number: int) -> tuple[int, str]:
        """Sends a signal; returns the status and what was said."""
        self.process.send_signal(number)
        said = self.process.communicate(timeout=PATIENCE)[1]
        return self.process.returncode, said

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def served(laddertop: Laddertop) -> Iterator[Served]:
    with Served(laddertop) as server:
        yield server


async def test_a_page_asks_nobody_else_for_anything(served: Served) -> None:
    async with aiohttp.ClientSession() as session, session.get(served.address) as page:
        text = await page.text()
        assert page.status == 200
        policy = dict(rule.strip().split(" ", 1) for rule in page.headers["Content-Security-Policy"].split(";"))
        assert policy.pop("default-src") == "'none'"
        assert policy.pop("connect-src") == f"'self' ws://{served.site} wss://{served.site}"
        assert {name: words.replace("'unsafe-inline'", "").strip() for name, words in policy.items()} == {
            **dict.fromkeys(("script-src", "style-src", "font-src"), "'self'"),
            **dict.fromkeys(("base-uri", "form-action", "frame-ancestors"), "'none'"),
        }
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert not re.search(r"//|https?:|\bws:", text), "another host"
        for file in re.findall(r'(?:src|href)="([^"]+)"|url\("([^"]+)"\)', text):
            async with session.get(served.address + "".join(file)) as answer:
                assert answer.status == 200, file


@pytest.mark.parametrize(
    ("path", "headers", "why"),
    [
        ("/", {}, "the token is missing or wrong"),
        ("/websocket", {"Upgrade": "websocket"}, "the token is missing or wrong"),
        ("/static/js/textual.js", {}, "the token is missing or wrong"),
        ("{wrong}", {}, "the token is missing or wrong"),
        ("{right}", {"Host": "evil.example:8612"}, "no name of this machine"),
        ("{right}", {"Host": "192.0.2.1"}, "no name of this machine"),
        ("{right}", {"Host": "[::1"}, "no name of this machine"),
        ("{right}websocket", {"Upgrade": "websocket"}, "the page of somebody else"),
        ("{right}websocket", {"Upgrade": "websocket", "Origin": "http://evil.example"}, "the page of somebody else"),
        ("{right}websocket", {"Upgrade": "websocket", "Origin": "http://127.0.0.1:1"}, "the page of somebody else"),
        ("{right}websocket", {"Upgrade": "websocket", "Origin": "null"}, "the page of somebody else"),
    ],
)
async def test_who_does_not_know_the_token_or_comes_by_another_name_or_page_gets_nothing(
    served: Served, path: str, headers: dict[str, str], why: str
) -> None:
    right = urlsplit(served.address).path
    wrong = right[:-2] + ("A" if right[-2] != "A" else "B") + "/"
    asked = f"http://{served.site}{path.format(right=right, wrong=wrong)}"
    if headers.pop("Upgrade", None):
        headers |= {"Upgrade": "websocket", "Connection": "Upgrade"}
        headers |= {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    async with aiohttp.ClientSession() as session, session.get(asked, headers=headers) as answer:
        assert answer.status == 403
        assert why in await answer.text()
    assert served.dashboards() == []


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"])
async def test_the_page_is_reached_by_a_port_that_ssh_forwards(served: Served, host: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(served.address, headers={"Host": host}) as page:
        assert page.status == 200


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
async def test_dashboards_end_with_the_server_however_it_ends(laddertop: Laddertop, number: int, status: int) -> None:
    with Served(laddertop, "--runs", "none") as server:
        async with aiohttp.ClientSession() as session:
            options = {"headers": {"Origin": f"http://{server.site}"}, "params": {"width": "100", "height": "30"}}
            async with session.ws_connect(f"{server.address}websocket", **options) as page:
                answers: list[str] = []
                screen = Screen(100, 30, answers.append)
                for nothing in ('["nothing", {"that": "is known"}]', "no JSON", "[]"):
                    await page.send_str(nothing)
                while not any("no runs here yet" in line for line in screen.lines):
                    screen.draw(await page.receive_bytes(timeout=PATIENCE))
                    while answers:
                        await page.send_json(["stdin", answers.pop(0)])
                (dashboard,) = server.dashboards()
                ended, said = server.ended(number)
                assert ended == status
                assert "Traceback" not in said
                dashboard.wait(PATIENCE)


def test_other_machines_are_let_in_when_the_user_says_so_plainly_alone(laddertop: Laddertop) -> None:
    done = laddertop("serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "--host: 0.0.0.0 is reached from other machines, unencrypted" in done.stderr
    assert "`ssh -L`" in done.stderr
    assert "--expose" in done.stderr
    with Served(laddertop, "--host", "0.0.0.0", "--expose") as exposed:
        sockets = psutil.Process(exposed.process.pid).net_connections()
        listening = {one.laddr for one in sockets if one.status == "LISTEN"}
        assert listening == {("0.0.0.0", urlsplit(exposed.address).port)}
        assert exposed.ended(signal.SIGTERM)[0] == 128 + signal.SIGTERM


def test_what_can_not_be_served_is_said(laddertop: Laddertop, served: Served) -> None:
    port = str(urlsplit(served.address).port)
    for words, why in (
        (["--port", port], f"nothing can be served at 127.0.0.1, port {port}: Address already in use"),
        (["--host", "no.such.invalid"], "--host: no machine is called no.such.invalid"),
        (["no-such-run", "--runs", "none"], "there are no runs in"),
    ):
        done = laddertop.here("serve", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert why in done.stderr, done.stderr


def test_without_its_package_the_command_says_what_to_install(
    laddertop: Laddertop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laddertop.tui.cli.serve.find_spec", lambda name: None)
    done = laddertop.here("serve")
    assert done.returncode == 2
    assert (
        "serve needs the package textual-serve, which is not installed: pip install 'laddertop[serve]'" in done.stderr
    )


@pytest.fixture
def unbegun(laddertop: Laddertop) -> Iterator[RunFolder]:
    """A run that nobody has begun to train; whoever does is stopped at the end."""
    quiet = [f"{what}.every=1000000" for what in ("checkpoint", "evaluate")]  # in the event log
    spec = override(load_recipe(str(laddertop.cwd / "tiny.toml")), ["steps=100000000", *quiet])
    run = create_run(laddertop.runs, spec, "browsed")
    os.utime(run.path / "spec.json", (0, 0))  # made long ago: no engine is on its way
    yield run
    send(run.path, 1, "stop", by="tests")
    wait_for(lambda: not run.engine_alive())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here to open the page with")
async def test_a_training_is_begun_and_steered_in_a_browser_and_goes_on_without_it(
    laddertop: Laddertop, served: Served, unbegun: RunFolder, tmp_path: Path
) -> None:
    with Served(laddertop, unbegun.name) as server:
        async with browser(1200, 800) as page:
            await page.open(server.address)
            await page.until(lambda text: "R resume" in text)
            await page.type("R")
            await page.until(lambda text: "noise ● on" in text)
            await page.type("n")
            await page.until(lambda text: "noise ○ off" in text and "you: noise off → applied   cost" in text)
            picture = await page.picture()
            Image.fromarray(picture).save(tmp_path / "page.png")
            assert {urlsplit(address).netloc for address in page.requested} == {server.site}
            # Not even a page that wants to asks somebody else, who would answer here.
            outside = f"fetch('http://{served.site}/', {{mode: 'no-cors'}}).then(() => 'asked', () => 'kept in')"
            assert await page.evaluate(outside) == "kept in"
            (dashboard,) = server.dashboards()
            await page.call("Page.navigate", url="about:blank")
            dashboard.wait(PATIENCE)
        assert server.ended(signal.SIGINT)[0] == 0
    commands = [event for event in laddertop.events(unbegun.name) if isinstance(event, Commanded)]
    assert [(one.changes[0].knob, one.outcome) for one in commands] == [("noise", "applied")]
    recorded = laddertop.size(unbegun.name)
    wait_for(lambda: laddertop.size(unbegun.name) > recorded)
    blue, ground = (88, 166, 214), (0, 0, 0)
    assert (np.abs(picture.astype(int) - ground).max(2) < 8).mean() > 0.7
    assert (np.abs(picture.astype(int) - blue).max(2) < 24).sum() > 1000, "curves and keys"
