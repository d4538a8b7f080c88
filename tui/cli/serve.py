"""`serve`: shows the dashboard in browsers, of this machine alone unless its user says otherwise."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from laddertop.journal.folder import find_run, runs_folder
from laddertop.tui.cli.print import result, say
from laddertop.tui.steer.engine_process import environment

ANYWHERE = ("0.0.0.0", "::")
"""Hosts that stand for every address of the machine."""


def serve(runs: Path | None, run: str | None, options: list[str], *, host: str, port: int, expose: bool) -> int:
    """Serves until a signal; returns the exit status. Every page opens with the list of runs, or with one `run`, and
    with `options` as `open` has them.

    Raises ValueError without textual-serve, for a run that is not there, for a host that is none of this machine's or
    that others reach, without `expose`, and for a port that is taken.
    """
    if find_spec("textual_serve") is None:
        raise ValueError(
            "serve needs the package textual-serve, which is not installed: pip install 'laddertop[serve]'"
        )
    folder = runs_folder(runs).absolute()
    what = ["open"] if run is None else ["attach", str(find_run(folder, run).path.absolute())]
    listening = _listen(host, port, expose)
    from laddertop.tui.serve.guard import Guard
    from laddertop.tui.serve.server import Server

    guard = Guard(host, expose)
    command = [sys.executable, "-P", "-m", "laddertop.tui.cli.main", *what, f"--runs={folder}", *options]
    number = asyncio.run(
        Server(guard, command, environment()).serve(
            listening, lambda: _tell(host, listening.getsockname()[1], guard.token, expose)
        )
    )
    say("no page is served any more; trainings go on")
    return 0 if number == signal.SIGINT else 128 + number


def _listen(host: str, port: int, expose: bool) -> socket.socket:
    """A socket that listens at a host and port."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError:
        raise ValueError(f"--host: no machine is called {host}") from None
    if not ip_address(address[0]).is_loopback and not expose:
        raise ValueError(
            f"--host: {host} is reached from other machines, unencrypted, and whoever reads the address on its way can "
            "steer every training; `ssh -L` brings the page of a loopback host to you; --expose serves it all the same"
        )
    listening = socket.socket(family, kind)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen()
    except OSError as error:
        listening.close()
        advice = "end what listens there, or choose another with --port; 0 is a free one"
        raise ValueError(f"nothing can be served at {host}, port {port}: {error.strerror}; {advice}") from None
    return listening


def _tell(host: str, port: int, token: str, expose: bool) -> None:
    """Prints where the page is and how it is reached."""
    name = socket.gethostname() if host in ANYWHERE else f"[{host}]" if ":" in host else host
    result(f"http://{name}:{port}/{token}/")
    if not expose:
        say(f"from another machine: ssh -L {port}:{name}:{port} {socket.gethostname()}, then the same address there")
    say("whoever has the address steers what you can steer; ctrl+c ends the pages, trainings go on")
