"""Who is let in to the dashboard in a browser: whoever knows the token, by a name of this machine, from our own page.

On one machine every user, and every page that a browser has open, reaches what listens on the loopback interface.
The token keeps out those who were not told the address; the name that the browser asked for (Host) those pages whose
own name was made to lead here ("DNS rebinding"); and the page that a websocket is opened from (Origin) other pages.
"""

from __future__ import annotations

import contextlib
import socket
from ipaddress import ip_address
from secrets import compare_digest, token_urlsafe
from urllib.parse import urlsplit

from aiohttp import web


def headers(asked: str) -> dict[str, str]:
    """What an answer tells the browser to keep to: nothing is loaded from, nor told to, anybody else than the host that
    was `asked` for; empty: than nobody."""
    # Not every browser takes a websocket for the page's own; and xterm.js writes styles of its own into the page.
    own = f"'self' ws://{asked} wss://{asked}" if asked else "'none'"
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "font-src": "'self'",
        "connect-src": own,
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{what} {where}" for what, where in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-cache",
    }


class Guard:
    """Says of a request why it is refused."""

    def __init__(self, host: str, exposed: bool) -> None:
        """For a server that listens at `host`, `exposed` to other machines or not."""
        self.token = token_urlsafe(24)
        """What every path begins with: 24 random bytes in letters, told to nobody but the user."""
        self._names = {"localhost", host.lower(), *([socket.gethostname().lower()] if exposed else [])}
        self._exposed = exposed

    def problem(self, request: web.Request) -> str | None:
        """Why a request is refused, in a sentence; None: it is not."""
        asked = request.headers.get("Host", "")
        if not self._is_ours(asked):
            return "this is no name of this machine; open the address that `laddertop serve` printed"
        if not compare_digest(request.path.split("/")[1].encode(), self.token.encode()):
            return "the token is missing or wrong; open the whole address that `laddertop serve` printed"
        if "Upgrade" in request.headers and urlsplit(request.headers.get("Origin", "")).netloc != asked:
            return "the page of somebody else asks for this"
        return None

    def _is_ours(self, asked: str) -> bool:
        """Whether a browser that asked for this was led here by us: no name server has a say in an address."""
        with contextlib.suppress(ValueError):
            name = urlsplit(f"//{asked}").hostname or ""
            return name in self._names or ip_address(name).is_loopback or self._exposed
        return False
