"""What the dashboard costs, measured in a real pseudo-terminal: bytes, CPU, memory, first paint, keys, long runs.

    python benchmarks/dashboard.py [--seconds 20] [--steps 10000000] [live] [charts] [start] [keys] [applied] [long]

Everything runs on recorded or made-up runs in a temporary folder. `live` and `keys` need an engine, which is played by
this process: it records fifty steps a second and answers commands between two steps; `applied` trains a real one. CPU
is the process's own time, so other programs disturb it little; times to a picture suffer from whatever else runs.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from laddertop.journal.events import Column, EventWriter, RunStarted
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader, MetricsWriter, write_columns
from laddertop.journal.spec import load_recipe
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.draw.cells import Cells
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.watcher import Watcher
from tests.processes import compile_sources
from tests.terminal import Screen, Terminal
from tests.tui.played import PlayedEngine

ROOT = Path(__file__).parents[1]
LADDERTOP = str(Path(sys.executable).with_name("laddertop"))
RATE = 50
"""Steps per second of the played engine."""
MINIMAL = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("hello there")
Minimal().run()
"""


class Counted(Screen):
    """A screen that counts what is drawn on it."""

    bytes = 0

    def draw(self, data: bytes) -> None:
        """Counts, and draws."""
        self.bytes += len(data)
        super().draw(data)


class Counting(Terminal):
    """A terminal that counts what it is sent."""

    def __init__(self, command: list[str], cwd: Path, environment: dict[str, str], columns: int, rows: int) -> None:
        super().__init__(command, cwd, environment, columns, rows)
        self.screen: Counted = Counted(columns, rows, self.press)

    @property
    def bytes(self) -> int:
        """How many it was sent."""
        return self.screen.bytes

    def watch(self, seconds: float) -> None:
        """Shows what comes for a while."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._take_up(0.05)

    def seconds_until(self, shown: Callable[[str], bool]) -> float:
        """How long until the screen shows something."""
        began = time.perf_counter()
        while not shown("\n".join(self.lines)):
            self._take_up(0.002)
            assert time.perf_counter() - began < 60, "\n".join(self.lines)
        return time.perf_counter() - began

    @property
    def cpu(self) -> float:
        """Seconds of CPU that its process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def peak_megabytes(self) -> float:
        """The most memory that its process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Engine:
    """A played engine in a thread: records steps at a steady rate, as often on disk as the real one."""

    def __init__(self, runs: Path) -> None:
        self.played = PlayedEngine.new(runs, "ladder-mnist-100", "watched", steps=90_000)
        self.played.rate = RATE
        self._stop = threading.Event()
        self.evaluating = 0.0

    def __enter__(self) -> PlayedEngine:
        self.played.__enter__()
        self.played.keep_time(time.time() - 12_000 / RATE)
        self.played.train(12_000)
        self.played.sample()
        self.played.evaluate(2.3)
        self._thread = threading.Thread(target=self._train)
        self._thread.start()
        return self.played

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.played.__exit__(None, None, None)

    def _train(self) -> None:
        while not self._stop.wait(1 / RATE):
            self.played.answer()
            self.played.keep_time(time.time() - 1 / RATE)
            self.played.train(1)


@contextlib.contextmanager
def dashboard(run: Path, *words: str, columns: int = 120, rows: int = 40, grid: bool = False) -> Iterator[Counting]:
    """`laddertop attach` on a run, with nine charts in a grid or as it opens at first."""
    with tempfile.TemporaryDirectory() as cache:
        if grid:
            (Path(cache) / "laddertop").mkdir()
            screen = {"ladder": {"grid": True, "maximised": True}}
            (Path(cache) / "laddertop" / "run-screen.json").write_text(json.dumps(screen))
        environment = {**os.environ, "XDG_CACHE_HOME": cache, "COLORTERM": "truecolor"}
        terminal = Counting([LADDERTOP, "attach", str(run), *words], ROOT, environment, columns, rows)
        with terminal:
            yield terminal
            terminal.press("q")
            with contextlib.suppress(AssertionError):
                terminal.wait_for(lambda _: terminal.process.poll() is not None, 5)


def live(seconds: float) -> Iterator[tuple[str, str]]:
    """Bytes, CPU and memory while a run goes on."""
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder)) as engine:
        for name, words, grid in (
            ("nine charts", (), True),
            ("nine charts, --slow-link", ("--slow-link",), True),
            ("as it opens", (), False),
        ):
            with dashboard(engine.run.path, *words, grid=grid) as terminal:
                terminal.seconds_until(lambda text: ("step 1" in text and "gradient norm" in text) or "terms" in text)
                terminal.watch(4)
                sent, cpu = terminal.bytes, terminal.cpu
                terminal.watch(seconds)
                yield f"{name}: on the wire", f"{(terminal.bytes - sent) / seconds / 1024:.2f} KB/s"
                yield f"{name}: CPU", f"{100 * (terminal.cpu - cpu) / seconds:.1f} % of a core"
                yield f"{name}: memory", f"{terminal.peak_megabytes:.0f} MB"


def charts(rounds: int = 60) -> Iterator[tuple[str, str]]:
    """CPU of looking at the folder and drawing nine charts afresh, without textual."""
    with tempfile.TemporaryDirectory() as folder, PlayedEngine.new(Path(folder)) as engine:
        engine.keep_time(time.time() - 30)
        engine.train(12_000)
        engine.evaluate(2.3)
        view, watcher = RunView(engine.run), Watcher(engine.run)
        panel = Charts(view, id="cost")
        panel.grid = True
        cells = Cells(0, 0)
        looked = drawn = 0.0
        for i in range(rounds):
            engine.train(25)
            began = time.process_time()
            view.apply(watcher.look(view.wanted(panel.wanted())))
            middle = time.process_time()
            before, cells = cells, panel.picture(33, 120)
            cells.changed_spans(before)
            if i >= 5:
                looked, drawn = looked + middle - began, drawn + time.process_time() - middle
        yield "one look at the folder", f"{1000 * looked / (rounds - 5):.2f} ms"
        yield "one chart of nine, drawn and compared", f"{1000 * drawn / (rounds - 5) / 9:.2f} ms"


def start(rounds: int = 7) -> Iterator[tuple[str, str]]:
    """First paint against that of a minimal Textual app, in turns."""
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder)) as engine:
        times: dict[str, list[float]] = {"minimal": [], "first": [], "useful": []}
        for _ in range(rounds):
            environment = dict(os.environ)
            with Counting([sys.executable, "-c", MINIMAL], ROOT, environment, 120, 40) as terminal:
                times["minimal"].append(terminal.seconds_until(lambda text: "hello there" in text))
            with dashboard(engine.run.path) as terminal:
                first = terminal.seconds_until(lambda text: "watched" in text)
                times["first"].append(first)
                times["useful"].append(first + terminal.seconds_until(lambda text: "noise ● on" in text))
        minimal = statistics.median(times["minimal"])
        yield "minimal Textual app", _in_ms(times["minimal"])
        yield (
            "first frame of the dashboard",
            f"{_in_ms(times['first'])}, {statistics.median(times['first']) / minimal:.2f} times",
        )
        useful = statistics.median(times["useful"]) / minimal
        yield "first frame with the run's numbers", f"{_in_ms(times['useful'])}, {useful:.2f} times"


def _in_ms(seconds: list[float]) -> str:
    """Median and range."""
    low, middle, high = (1000 * f(seconds) for f in (min, statistics.median, max))
    return f"{middle:.0f} ms ({low:.0f} … {high:.0f})"


def keys(rounds: int = 20) -> Iterator[tuple[str, str]]:
    """From a key press to the engine's answer on the screen, less the step that it waits for on average."""
    with tempfile.TemporaryDirectory() as folder, Engine(Path(folder)) as engine:
        with dashboard(engine.run.path, grid=True) as terminal:
            terminal.seconds_until(lambda text: "noise ● on" in text)
            terminal.watch(3)
            times = []
            for i in range(rounds):
                terminal.press("n")
                wanted = "noise ○ off" if i % 2 == 0 else "noise ● on"
                times.append(terminal.seconds_until(lambda text, w=wanted: w in text and "→o" not in text))  # type: ignore[misc]
                terminal.watch(0.7 + 0.05 * i)
        times = sorted(1000 * (t - 1 / RATE) for t in times)
        yield "key press to applied, less one step", f"{statistics.median(times):.0f} ms, at most {times[-1]:.0f} ms"


def applied(rounds: int = 20) -> Iterator[tuple[str, str]]:
    """From a key press to the value that the engine has applied, with a real engine that trains `ladder-digits`."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["--runs", folder, "--name", "real"]
        train = [LADDERTOP, "train", "ladder-digits", "--steps", "100000000", "--detach", *words]
        subprocess.run(train, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        run = RunFolder(Path(folder) / "real")
        try:
            with dashboard(run.path) as terminal:
                terminal.seconds_until(lambda text: "noise ● on" in text and "step/s" in text)
                terminal.watch(3)
                times = []
                for i in range(rounds):
                    value = "noise ○ off" if i % 2 == 0 else "noise ● on"
                    terminal.press("n")
                    times.append(1000 * terminal.seconds_until(lambda text, v=value: v in text))  # type: ignore[misc]
                    terminal.watch(1.5 + 0.05 * i)
        finally:
            subprocess.run([LADDERTOP, "stop", "real", "--runs", folder], check=True, stdout=subprocess.DEVNULL)
        reader = MetricsReader(run.path)
        reader.poll()
        steps = np.concatenate([np.diff(records["time"]) for records in reader.records()])
        tenths = statistics.quantiles(times, n=10)
        yield (
            "key press to applied, a real engine",
            f"median {statistics.median(times):.0f} ms, 90th percentile {tenths[-1]:.0f} ms, {rounds} presses",
        )
        yield "median step of that engine", f"{1000 * float(np.median(steps)):.1f} ms"


def long(steps: int) -> Iterator[tuple[str, str]]:
    """Opening and zooming a run of ten million steps."""
    with tempfile.TemporaryDirectory() as folder:
        run = make_long_run(Path(folder), steps)
        with dashboard(run, grid=True) as terminal:
            opened = terminal.seconds_until(lambda text: "0──" in text and "5M" in text and "⣀" in text)
            yield f"{steps:,} steps opened", f"{1000 * opened:.0f} ms from the command to its charts"
            terminal.watch(1.5)
            times = []
            for key in ("\x1b[A",) * 4 + ("\x1b[B",) * 4:
                before = _axis(terminal.lines)
                terminal.press(key)
                times.append(terminal.seconds_until(lambda _, b=before: _axis(terminal.lines) != b))  # type: ignore[misc]
                terminal.watch(0.6)
            yield "zoomed", f"{1000 * statistics.median(times):.0f} ms, at most {1000 * max(times):.0f} ms"
            yield "memory", f"{terminal.peak_megabytes:.0f} MB"


def _axis(lines: list[str]) -> list[str]:
    return [line for line in lines if "└" in line]


def make_long_run(runs: Path, steps: int) -> Path:
    """A finished run of a ladder network with made-up numbers."""
    played = PlayedEngine.new(runs, "ladder-mnist-100", "long", steps=steps)
    run = create_run(runs, load_recipe("ladder-mnist-100"), "very-long")
    with played:
        pass
    started = json.loads((played.run.path / "events.jsonl").read_text().splitlines()[0])
    with EventWriter(run.events_path) as events:
        events.append(RunStarted.model_validate(started))
    columns = json.loads((played.run.path / "metrics.json").read_text())
    write_columns(run.path, [Column(**column) for column in columns])
    writer = MetricsWriter(run.path, 1, len(columns))
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(100_000, len(columns))).astype(np.float32) * 0.1
    for first in range(0, steps, 100_000):
        at = first + 1 + np.arange(min(100_000, steps - first))
        level = 0.05 + np.exp(-at / (steps / 5))
        writer.append(at, 1.7e9 + at / 1000, level[:, None] * (1 + noise[: len(at)]) * np.arange(1, len(columns) + 1))
    writer.close()
    return run.path


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", help="live, charts, start, keys, applied, long; all of them without any")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--steps", type=int, default=10_000_000)
    options = parser.parse_args()
    compile_sources()
    every = {
        "live": lambda: live(options.seconds),
        "charts": charts,
        "start": start,
        "keys": keys,
        "applied": applied,
        "long": lambda: long(options.steps),
    }
    print("| what | measured |\n|---|---|")
    for name in options.what or every:
        for what, value in every[name]():
            print(f"| {what} | {value} |", flush=True)


if __name__ == "__main__":
    main()
