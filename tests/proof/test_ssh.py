"""Links that end in every way, through a real sshd: the dashboard behind each is gone soon, the training goes on."""

from __future__ import annotations

import contextlib
import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests import PATIENCE
from tests.conftest import Tally
from tests.processes import COMMAND, Laddertop, wait_for
from tests.terminal import Terminal

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(not SSHD or not shutil.which("ssh"), reason="there is no sshd or no ssh"),
]

CONFIG = """
ListenAddress 0.0.0.0:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/key.pub
PidFile none
StrictModes no
UsePAM no
ClientAliveInterval 1
ClientAliveCountMax 3
"""
OPTIONS = "ControlMaster=no ControlPath=none StrictHostKeyChecking=no UserKnownHostsFile=/dev/null LogLevel=ERROR"
SOON = 30.0
"""Seconds within which a dashboard is gone on a busy machine; the server notices a silent client after 4."""
EACH = 3
"""How often a link ends in each way."""


class Server:
    """An sshd of our own, on every address, that gives up clients which say nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("host", "key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "config").write_text(CONFIG.format(port=self.port, folder=folder))
        if not os.geteuid():
            Path("/run/sshd").mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        """Begins to listen."""
        assert SSHD
        self.process = subprocess.Popen([SSHD, "-D", "-f", self._folder / "config"], stderr=subprocess.DEVNULL)
        wait_for(lambda: self._listens())

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
            return True
        return False

    def client(self, address: str) -> list[str]:
        """The command of a client that is given a terminal there."""
        options = [word for option in OPTIONS.split() for word in ("-o", option)]
        return ["ssh", "-F", "none", *options, "-i", str(self._folder / "key"), "-p", str(self.port), "-tt",
                f"{getpass.getuser()}@{address}"]  # fmt: skip

    def all(self) -> list[psutil.Process]:
        """It, and what it started for its clients, without what these run."""
        mine = psutil.Process(self.process.pid)
        return [mine, *(one for one in mine.children(recursive=True) if one.name().startswith("sshd"))]


class Link:
    """A dashboard that somebody watches over a link."""

    def __init__(self, server: Server, laddertop: Laddertop, name: str, address: str, within: list[str]) -> None:
        told = laddertop.cwd / f"pid-{name}"
        variables = [f"{key}={laddertop.environment[key]}" for key in ("PYTHONPATH", "PATH")]
        words = ["env", *variables, "TERM=xterm-256color", "LANG=C.UTF-8", *COMMAND, "attach", "live"]
        remote = (
            f"cd {shlex.quote(str(laddertop.cwd))}; echo $$ $(tty) > {shlex.quote(str(told))}; exec {shlex.join(words)}"
        )
        self.terminal = Terminal(
            [*within, *server.client(address), remote], laddertop.cwd, laddertop.environment, 80, 24
        )
        self.terminal.wait_for(lambda lines: any("● training" in line for line in lines))
        pid, self._tty = told.read_text().split()
        self.dashboard = psutil.Process(int(pid))
        shown = time.monotonic()
        self.terminal.wait_for(lambda _: time.monotonic() > shown + 1.5)  # it is asked where its cursor is, and answers
        listener = server.process.pid
        self.session = [
            one for one in self.dashboard.parents() if one.name().startswith("sshd") and one.pid != listener
        ]

    def fill(self) -> None:
        """Lets everything on the way take nothing more, as where a client is frozen."""
        slave = os.open(self._tty, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        silent = 0
        while silent < 5:
            try:
                os.write(slave, bytes(4096))
                silent = 0
            except BlockingIOError:
                silent += 1
                time.sleep(0.1)
        os.close(slave)
        for _ in range(60):
            self.terminal.press("m")
            time.sleep(0.02)

    def gone(self) -> bool:
        """Whether the dashboard ends soon."""
        with contextlib.suppress(psutil.TimeoutExpired):
            self.dashboard.wait(SOON)
            return True
        self.dashboard.kill()
        return False


def frozen(link: Link) -> None:
    """The client is there and says nothing."""
    psutil.Process(link.terminal.process.pid).suspend()


def full_and_killed(link: Link) -> None:
    """Its terminal is full, then the client is gone."""
    link.fill()
    link.terminal.process.kill()


def full_and_left(link: Link) -> None:
    """Its terminal is full, and somebody leaves."""
    link.fill()
    link.terminal.press("d")


WAYS: dict[str, Callable[[Link], object]] = {
    "client killed": lambda link: link.terminal.process.kill(),
    "terminal closed": lambda link: link.terminal.hang_up(),
    "session killed": lambda link: [one.kill() for one in link.session],
    "client frozen": frozen,
    "full, then killed": full_and_killed,
    "full, then left": full_and_left,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, ended with all that it started."""
    made = Server(tmp_path_factory.mktemp("sshd"))
    yield made
    for process in made.all():
        process.kill()


@pytest.fixture(scope="module", autouse=True)
def live(laddertop: Laddertop) -> Iterator[None]:
    """A training that goes on and on."""
    settings = ("--steps", "100000000", "--set", "checkpoint.every=0", "--set", "evaluate.every=0")
    done = laddertop("train", "tiny.toml", "--name", "live", "--detach", *settings)
    assert done.returncode == 0, done.stderr
    yield
    assert laddertop("stop", "live").returncode == 0


def goes_on(laddertop: Laddertop) -> bool:
    """Whether the training does."""
    size = laddertop.size("live")
    wait_for(lambda: laddertop.size("live") > size)
    return laddertop.run_folder("live").engine_alive()


@pytest.mark.parametrize("way", WAYS)
def test_a_dashboard_is_gone_soon_after_its_link(server: Server, laddertop: Laddertop, tally: Tally, way: str) -> None:
    lost = 0
    for number in range(EACH):
        link = Link(server, laddertop, f"{way.replace(' ', '-')}-{number}", "127.0.0.1", [])
        with link.terminal:
            WAYS[way](link)
            lost += not link.gone()
    tally("link ended", EACH, lost)
    assert not lost
    assert goes_on(laddertop)


def test_dashboards_are_gone_with_the_whole_server(server: Server, laddertop: Laddertop, tally: Tally) -> None:
    links = [Link(server, laddertop, f"server-{number}", "127.0.0.1", []) for number in range(2)]
    for process in server.all():
        process.kill()
    server.process.wait(PATIENCE)
    lost = sum(not link.gone() for link in links)
    for link in links:
        link.terminal.close()
    server.start()
    tally("link ended", len(links), lost)
    assert not lost
    assert goes_on(laddertop)


@pytest.fixture
def cable() -> Iterator[tuple[list[str], str, Callable[[], None]]]:
    """A network of its own: what runs a command in it, the address of this machine there, and what cuts the link."""
    name, near, far = f"lt{os.getpid()}", f"lta{os.getpid()}", f"ltb{os.getpid()}"

    def ip(words: str) -> None:
        subprocess.run(["ip", *words.split()], check=True, capture_output=True)

    try:
        ip(f"netns add {name}")
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no network can be made here")
    try:
        ip(f"link add {near} type veth peer name {far} netns {name}")
        ip(f"addr add 10.213.77.1/30 dev {near}")
        ip(f"link set {near} up")
        ip(f"-n {name} addr add 10.213.77.2/30 dev {far}")
        ip(f"-n {name} link set {far} up")
        yield ["ip", "netns", "exec", name], "10.213.77.1", lambda: ip(f"link set {near} down")
    finally:
        ip(f"netns del {name}")


def test_a_dashboard_is_gone_soon_after_its_link_is_cut(
    server: Server, laddertop: Laddertop, tally: Tally, cable: tuple[list[str], str, Callable[[], None]]
) -> None:
    within, address, cut = cable
    links = [Link(server, laddertop, f"cut-{number}", address, within) for number in range(2)]
    cut()
    lost = sum(not link.gone() for link in links)
    for link in links:
        link.terminal.close()
    tally("link ended", len(links), lost)
    assert not lost
    assert goes_on(laddertop)
