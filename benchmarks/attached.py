"""Times a training with and without a dashboard attached, in alternating windows of one run.

    python benchmarks/attached.py [--recipe ladder-mnist-100] [--data-root DIR] [--windows 10] [--seconds 6]

The dashboard runs in a pseudo-terminal of 120×40 whose output is read as fast as it comes. The rate of a window is that
of its recorded steps, after three seconds of warming up.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

from journal.folder import create_run
from journal.metrics import MetricsReader
from journal.spec import load_recipe, override

LADDERTOP = str(Path(sys.executable).with_name("laddertop"))


class Dashboard:
    """`laddertop attach` in a pseudo-terminal."""

    def __init__(self, run: Path) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        command = [LADDERTOP, "attach", str(run)]
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self._ours, self.bytes = ours, 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while data := os.read(self._ours, 65536):
                self.bytes += len(data)
                # The terminal answers where the cursor is: the dashboard waits for that before its next frame.
                os.write(self._ours, b"\x1b[1;1R" * data.count(b"\x1b[6n"))
        except OSError:
            pass

    def close(self) -> None:
        """Ends the dashboard; the training goes on."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        os.close(self._ours)


def rate(run: Path, since: float, until: float) -> float:
    """Steps per second that were completed in a stretch of time."""
    reader = MetricsReader(run)
    reader.poll()
    times = reader.times
    inside = times[(times >= since) & (times < until)]
    return float((len(inside) - 1) / (inside[-1] - inside[0]))


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="ladder-mnist-100")
    parser.add_argument("--data-root")
    parser.add_argument("--windows", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=6.0)
    options = parser.parse_args()
    settings = [f'data.root="{Path(options.data_root).absolute()}"'] if options.data_root else []
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(
            Path(folder), override(load_recipe(options.recipe), [*settings, "evaluate.every=0"]), "watched"
        )
        engine = subprocess.Popen([sys.executable, "-m", "engine", "train", str(run.path)])
        reader = MetricsReader(run.path)
        while not reader.poll() or reader.last_step() < 20:  # compiled and at work
            time.sleep(0.2)
        rates: dict[bool, list[float]] = {False: [], True: []}
        sent = []
        for window in range(2 * options.windows):
            watched = window % 2 == 1
            dashboard = Dashboard(run.path) if watched else None
            time.sleep(3.0)  # the dashboard's own start is not what is asked for
            began, bytes_before = time.time(), dashboard.bytes if dashboard else 0
            time.sleep(options.seconds)
            ended = time.time()
            if dashboard:
                sent.append((dashboard.bytes - bytes_before) / (ended - began))
                dashboard.close()
            time.sleep(0.5)
            rates[watched].append(rate(run.path, began, ended))
        engine.terminate()
        engine.wait()
    alone, watched_rate = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"steps per second: {alone:.2f} alone, {watched_rate:.2f} watched: {100 * (1 - watched_rate / alone):+.1f} %")
    pairs = [100 * (1 - b / a) for a, b in zip(rates[False], rates[True], strict=True)]
    print(f"slowdown by pair of windows: {', '.join(f'{p:+.1f} %' for p in pairs)}")
    print(f"on the wire: {statistics.median(sent) / 1024:.1f} KiB/s")


if __name__ == "__main__":
    main()
