"""What reaches a real terminal: its bytes, whatever the terminal is and does. Real processes in pseudo-terminals."""

from __future__ import annotations

import base64
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
import pytest

from benchmarks.dashboard import Counting, Engine, dashboard
from tests import PATIENCE
from tests.tui.played import PlayedEngine
from tests.tui.test_manners import ROOT, is_tidy
from tests.tui.test_recorded_run import RECORDED

OPEN = """
import sys, threading, time
from pathlib import Path
from laddertop.tui.dashboard.program import load, open_app
LaddertopApp = load()
{more}
sys.exit(open_app(*map(Path, sys.argv[1:])))
"""
COLOUR = re.compile(rb"\x1b\[(?:[0-9]*;)*(?:3[0-7]|38|4[0-7]|48|9[0-7])(?:;[0-9]*)*m")
"""A sequence that sets a colour."""
BRAILLE = re.compile("[\u2801-\u28ff]")
"""A part of a curve."""


class Terminal:
    """A dashboard over some paths in a pseudo-terminal of some size, which answers where its cursor is."""

    def __init__(
        self,
        *paths: Path,
        size: tuple[int, int] = (80, 24),
        more: str = "",
        command: list[str] | None = None,
        **variables: str,
    ) -> None:
        self.master, slave = pty.openpty()
        self._resize(slave, *size)
        usual = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "COLORTERM")}
        cache = paths[0] / ".cache"
        self.process = subprocess.Popen(
            [*(command or [sys.executable, "-c", OPEN.format(more=more)]), *map(str, paths)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={**usual, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache), **variables},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        self.name = os.ttyname(slave)
        """What the other side is called."""
        os.close(slave)
        self.output = b""
        self._answered = 0

    def resize(self, columns: int, rows: int) -> None:
        """Another size."""
        self._resize(self.master, columns, rows)

    def take(self, seconds: float) -> None:
        """Takes up what is drawn for a while, and answers."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.master], [], [], left)[0]:
                try:
                    self.output += os.read(self.master, 65536)
                except OSError:
                    return
                asked = self.output.count(b"\x1b[6n")
                os.write(self.master, b"\x1b[1;1R" * (asked - self._answered))
                self._answered = asked

    def read_until(self, wanted: bytes, seconds: float = PATIENCE, since: int = 0) -> None:
        """Takes up what is drawn until `wanted` appears behind the first `since` bytes."""
        end = time.monotonic() + seconds
        while wanted not in self.output[since:]:
            assert time.monotonic() < end, f"no {wanted!r} in {self.output[-3000:]!r}"
            self.take(0.1)

    def leave(self) -> int:
        """Leaves with ctrl+q; returns the exit status."""
        os.write(self.master, b"\x11")
        self.read_until(b"\x1b[?1049l")
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        with suppress(OSError):
            os.close(self.master)

    @staticmethod
    def _resize(descriptor: int, columns: int, rows: int) -> None:
        fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[PlayedEngine]:
    """A played engine in the middle of a training with a diverged stretch and samples."""
    with PlayedEngine.new(tmp_path) as played:
        played.keep_time(time.time() - 2)
        played.train(900)
        played.sample()
        played.train(50, nan=True)
        yield played


def test_a_terminal_without_colours_gets_none(engine: PlayedEngine) -> None:
    runs = engine.run.path.parent
    with Terminal(runs, engine.run.path, NO_COLOR="1") as terminal:
        terminal.read_until(b" played ")
        terminal.take(1)
        os.write(terminal.master, b"r")
        terminal.read_until(b"enter")
        assert terminal.leave() == 0
    assert COLOUR.findall(terminal.output) == []


@pytest.mark.parametrize(("term", "depth"), [("xterm", b"8;5;"), ("xterm-256color", b"8;2;")])
def test_a_terminal_gets_no_colours_it_does_not_know(engine: PlayedEngine, term: str, depth: bytes) -> None:
    with Terminal(engine.run.path.parent, engine.run.path, TERM=term) as terminal:
        terminal.read_until(b" played ")
        terminal.take(1)
        assert terminal.leave() == 0
    found = COLOUR.findall(terminal.output)
    assert found
    assert [sequence for sequence in found if depth in sequence] == []


def test_a_terminal_that_speaks_ascii_gets_ascii(engine: PlayedEngine) -> None:
    runs = engine.run.path.parent
    with Terminal(runs, engine.run.path, PYTHONIOENCODING="ascii", LC_ALL="C", PYTHONUTF8="0") as terminal:
        terminal.read_until(b" played ")
        os.write(terminal.master, b"r")
        terminal.read_until(b"enter")
        os.write(terminal.master, b"n")
        terminal.read_until(b"new run")
        assert terminal.leave() == 0
    assert terminal.output.isascii()


def test_a_small_terminal_is_told_how_large_it_must_be(engine: PlayedEngine) -> None:
    with Terminal(engine.run.path.parent, engine.run.path, size=(20, 5)) as terminal:
        terminal.read_until(b"too small")
        terminal.resize(80, 24)
        terminal.read_until(b"labelled")
        assert terminal.leave() == 0
        assert is_tidy(terminal.output)


def test_a_terminal_may_change_its_size_at_any_moment(engine: PlayedEngine) -> None:
    with Terminal(engine.run.path.parent, engine.run.path) as terminal:
        terminal.read_until(b"labelled")
        for i in range(60):
            terminal.resize(1 + i * 37 % 200, 1 + i * 23 % 60)
            terminal.take(0.01)
            if i % 10 == 0:
                os.write(terminal.master, b"\tm?\x1b")
        terminal.resize(80, 24)
        terminal.output = b""
        terminal.read_until(b" played ")
        assert terminal.leave() == 0
        assert is_tidy(b"\x1b[?1049h\x1b[?25l\x1b[?1000h" + terminal.output)


CRASHES = {
    "where keys act": "LaddertopApp.action_new_run = lambda self: 1 / 0",
    "where keys are read": "import laddertop.tui.dashboard.hearing as h; h.Listener._awaits = lambda self: 1 / 0\n"
    "h._BEGUN = h.re.compile('n')",
}


@pytest.mark.parametrize("crash", CRASHES.values(), ids=CRASHES)
def test_a_crash_of_the_dashboard_leaves_a_tidy_terminal_and_a_status(tmp_path: Path, crash: str) -> None:
    with Terminal(tmp_path, more=crash) as terminal:
        terminal.read_until(b"no runs here yet")
        os.write(terminal.master, b"n")
        terminal.read_until(b"\x1b[?1049l")
        terminal.take(1)
        assert terminal.process.wait(PATIENCE) == 1
    assert is_tidy(terminal.output)
    assert b"ZeroDivisionError" in terminal.output.rpartition(b"\x1b[?1049l")[2]


def test_what_other_code_prints_does_not_reach_the_screen(tmp_path: Path) -> None:
    talk = """
def talk():
    while True:
        print("BABBLE")
        print("BABBLE", file=sys.stderr)
        time.sleep(0.05)
thread = threading.Thread(target=lambda: (time.sleep(1.5), talk()), daemon=True)
thread.start()
"""
    with Terminal(tmp_path, more=talk) as terminal:
        terminal.read_until(b"no runs here yet")
        before = len(terminal.output)
        terminal.take(2.5)
        assert b"BABBLE" not in terminal.output[before:]
        terminal.process.send_signal(signal.SIGTERM)
        terminal.read_until(b"\x1b[?1049l")
        assert terminal.process.wait(PATIENCE) == 128 + signal.SIGTERM


def test_a_live_run_costs_few_bytes(tmp_path: Path) -> None:
    with (
        Engine(tmp_path) as played,
        dashboard(played.run.path, grid=True) as usual,
        dashboard(played.run.path, "--slow-link", grid=True) as slow,
    ):
        ceilings = {usual: 0.7, slow: 0.3}
        for terminal in ceilings:
            terminal.wait_for(lambda lines: sum(bool(BRAILLE.search(line)) for line in lines) > 12)
        rates: list[dict[Counting, float]] = []
        # The opening paint may reach into the first seconds; what goes on later costs as much in every one.
        while len(rates) < 4 and not (rates and all(rates[-1][t] <= ceiling for t, ceiling in ceilings.items())):
            began, sent, step = time.monotonic(), {t: t.bytes for t in ceilings}, played.step
            while time.monotonic() < began + 2.5:
                for terminal in ceilings:
                    terminal.watch(0.1)
            seconds = time.monotonic() - began
            assert played.step > step + 20
            rates.append({t: (t.bytes - sent[t]) / seconds / 1024 for t in ceilings})
        for terminal, ceiling in ceilings.items():
            assert rates[-1][terminal] <= ceiling, [list(rate.values()) for rate in rates]
        assert rates[-1][usual] > 0, "it shows nothing"


def test_images_in_pixels_reach_the_terminal_once_and_are_forgotten_at_the_end(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "vae-digits"
    shutil.copytree(RECORDED, run)
    samples = np.load(sorted((run / "samples").iterdir())[-1])
    open_it = "sys.exit(open_app(*map(Path, sys.argv[1:]), pixels=True))"
    with Terminal(run.parent, run, size=(120, 40), more=open_it) as terminal:
        terminal.read_until("\U0010eeee".encode())
        terminal.take(1)
        sent = sent_images(terminal.output)
        held = {image.tobytes() for image, _ in sent.values()}
        for name in ("input", "corrupted", "reconstruction", "prior"):
            assert samples[name][0].tobytes() in held, name
        assert shown_sizes(terminal.output) == {number: size for number, (_, size) in sent.items()}
        transmissions = terminal.output.count(b"a=T,")
        for keys, drawn in ((b"v", "▀"), (b"vvvv", "\U0010eeee")):  # in quadrants, and on through all others
            before = len(terminal.output)
            os.write(terminal.master, keys)
            terminal.read_until(drawn.encode(), since=before)
        assert terminal.output.count(b"a=T,") == transmissions == len(sent)
        assert terminal.leave() == 0
        terminal.take(0.5)
        forgotten = re.findall(rb"\x1b_Ga=d,d=I,i=(\d+),q=2\x1b\\", terminal.output)
        assert sorted(map(int, forgotten)) == sorted(sent)


@pytest.mark.parametrize("variables", [{"TMUX": "/tmp/tmux-0/default,1,0"}, {"NO_COLOR": "1"}])
def test_pixels_are_refused_where_no_image_gets_through(tmp_path: Path, variables: dict[str, str]) -> None:
    open_it = "sys.exit(open_app(*map(Path, sys.argv[1:]), pixels=True))"
    with Terminal(tmp_path, more=open_it, **variables) as terminal:
        terminal.read_until(b"without")
        assert terminal.process.wait(PATIENCE) == 2
        assert b"--pixels: " in terminal.output


def sent_images(output: bytes) -> dict[int, tuple[np.ndarray, tuple[int, int]]]:
    """By number of the images that the terminal was sent: the 8×8 image, and its rows and columns of cells."""
    found: dict[int, tuple[np.ndarray, tuple[int, int]]] = {}
    data, number, size = b"", 0, (0, 0)
    for keys, chunk in re.findall(rb"\x1b_G([^;]*q=2,m=[01]);([^\x1b]*)\x1b\\", output):
        if head := re.match(rb"a=T,U=1,f=100,i=(\d+),c=(\d+),r=(\d+),", keys):
            data, number, size = b"", int(head[1]), (int(head[3]), int(head[2]))
        data += chunk
        if keys.endswith(b"m=0"):
            image = grey_png(base64.b64decode(data))
            times = len(image) // 8
            found[number] = np.ascontiguousarray(image[::times, ::times]), size
            assert (image == found[number][0].repeat(times, 0).repeat(times, 1)).all()
    return found


def grey_png(data: bytes) -> np.ndarray:
    """The image in a PNG file of 8-bit greys without filters, as its specification says."""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (data[:8], depth, kind) == (b"\x89PNG\r\n\x1a\n", 8, 0)
    start = data.index(b"IDAT")
    (length,) = struct.unpack(">I", data[start - 4 : start])
    lines = np.frombuffer(zlib.decompress(data[start + 4 : start + 4 + length]), np.uint8).reshape(height, width + 1)
    assert not lines[:, 0].any()
    return lines[:, 1:]


def shown_sizes(output: bytes) -> dict[int, tuple[int, int]]:
    """By number of the images in placeholders: one more than the largest row and column that is named."""
    found: dict[int, tuple[int, int]] = {}
    marks = "\u0305\u030d\u030e\u0310\u0312\u033d\u033e\u033f\u0346\u034a\u034b\u034c\u0350\u0351\u0352\u0357"
    for colour, row, column, high in re.findall("38;5;([0-9]+)m\U0010eeee(.)(.)(.)", output.decode(errors="ignore")):
        number = int(colour) + (marks.index(high) << 24)
        rows, columns = found.get(number, (0, 0))
        found[number] = max(rows, marks.index(row) + 1), max(columns, marks.index(column) + 1)
    return found
