"""Times a training with and without a dashboard attached, in alternating windows of one run.

    python benchmarks/attached.py [--recipe ladder-mnist-100] [--data-root DIR] [--pairs 150] [--seconds 2]

The dashboard runs in a pseudo-terminal of 120×40 whose output is read as fast as it comes. It is stopped by a signal
for every other window, so that windows can be short: other people's work on a shared machine changes more slowly than
they do. A window's rate is that of its recorded steps, after half a second for the dashboard to catch up; the first
of each pair is watched in every other pair. The interval is that of the median over pairs, 95 %.
"""

from __future__ import annotations

import argparse
import fcntl
import math
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

from laddertop.journal.folder import create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.spec import load_recipe, override

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

    def run(self, running: bool) -> None:
        """Lets it run, or stops it where it is."""
        self._process.send_signal(signal.SIGCONT if running else signal.SIGSTOP)

    def close(self) -> None:
        """Ends the dashboard; the training goes on."""
        self.run(True)
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
    parser.add_argument("--pairs", type=int, default=150)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    settings = [f'data.root="{Path(options.data_root).absolute()}"'] if options.data_root else []
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(
            Path(folder), override(load_recipe(options.recipe), [*settings, "evaluate.every=0"]), "watched"
        )
        engine = subprocess.Popen([sys.executable, "-m", "laddertop.engine", "train", str(run.path)])
        reader = MetricsReader(run.path)
        while not reader.poll() or reader.last_step() < 20:  # compiled and at work
            time.sleep(0.2)
        dashboard = Dashboard(run.path)
        time.sleep(5.0)  # its own start is not what is asked for
        pairs, sent = [], []
        for pair in range(options.pairs):
            rates = {}
            for watched in (True, False) if pair % 2 else (False, True):
                dashboard.run(watched)
                time.sleep(0.5)
                began, bytes_before = time.time(), dashboard.bytes
                time.sleep(options.seconds)
                ended = time.time()
                if watched:
                    sent.append((dashboard.bytes - bytes_before) / (ended - began))
                time.sleep(0.3)  # until the engine has written its steps
                rates[watched] = rate(run.path, began, ended)
            pairs.append(100 * (1 - rates[True] / rates[False]))
        dashboard.close()
        engine.terminate()
        engine.wait()
    pairs.sort()
    reach = round(0.98 * math.sqrt(len(pairs)))  # ranks on either side of the median, by the binomial distribution
    middle = len(pairs) // 2
    low, high = pairs[max(0, middle - reach)], pairs[min(len(pairs) - 1, middle + reach)]
    print(f"watched, the training is slower by {statistics.median(pairs):.2f} % ({low:.2f} … {high:.2f} %)")
    print(f"half of the pairs between {pairs[len(pairs) // 4]:.1f} and {pairs[3 * len(pairs) // 4]:.1f} %")
    print(f"on the wire: {statistics.median(sent) / 1024:.2f} KiB/s")


if __name__ == "__main__":
    main()
