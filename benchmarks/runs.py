"""How long the list of 500 runs takes: the first look at the folder, and every later one.

python benchmarks/runs.py [RUNS]
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from laddertop.journal.files import user_cache
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.views.runs import RunsView
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from tests.processes import compile_sources
from tests.terminal import Terminal
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


def make(runs: Path, number: int) -> None:
    """That many finished runs of 2000 steps with ten evaluations each."""
    for i in range(number):
        with PlayedEngine.new(
            runs, ("ladder-mnist-100", "vae-mnist")[i % 2], f"run-{i:04d}", steps=2000, seed=i
        ) as run:
            for error in range(10):
                run.train(200)
                run.evaluate(5 - error / 3)
                run.checkpoint()
            run.end("finished")


def in_terminal(runs: Path, rounds: int = 7) -> None:
    """Prints how long `laddertop` takes from its start until every row of a terminal of 120 × 40 is filled, where
    nothing was kept of the runs and where an earlier start has kept what it read."""
    for known in (False, True):
        times: dict[str, list[float]] = {"the first frame": [], "the newest rows": [], "all rows read": []}
        for _ in range(rounds):
            if not known:
                shutil.rmtree(user_cache(), ignore_errors=True)
            command = [str(Path(sys.executable).with_name("laddertop")), "--runs", str(runs)]
            began = time.perf_counter()
            with Terminal(command, Path.cwd(), dict(os.environ), 120, 40) as terminal:
                for name, some in times.items():
                    if name == "all rows read":
                        terminal.press("G")
                    while not _shows("\n".join(terminal.lines), name):
                        time.sleep(0.002)
                    some.append(time.perf_counter() - began)
                terminal.press("q")
                terminal.wait_for(lambda _, t=terminal: t.process.poll() is not None)  # type: ignore[misc]
        print("runs known from an earlier start:" if known else "runs never read before:")
        for name, some in times.items():
            print(f"  from the start to {name}: {statistics.median(some):.3f} s ({min(some):.3f} … {max(some):.3f})")


def command(runs: Path, rounds: int = 7) -> None:
    """Prints how long `laddertop runs` takes from its start to its end."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        words = [str(Path(sys.executable).with_name("laddertop")), "runs", "--runs", str(runs)]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    print(f"`laddertop runs`, start to end: {statistics.median(times):.3f} s ({min(times):.3f} … {max(times):.3f})")


def _shows(text: str, what: str) -> bool:
    if what == "the first frame":
        return "reading runs" in text
    return "finished" in text and (what == "the newest rows" or ("run-0000" in text and "◌" not in text))


def main() -> None:
    """Makes the runs in a temporary folder, looks at them, prints the times."""
    compile_sources()
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        make(Path(folder), number)
        view = RunsView(Path(folder))
        began, worked = time.perf_counter(), time.process_time()
        rows, looks = view.look(), 1
        while view.more:
            rows, looks = view.look(), looks + 1
        print(
            f"reading {len(rows)} runs: {time.perf_counter() - began:.3f} s in {looks} looks, "
            f"{time.process_time() - worked:.3f} s of a processor"
        )
        began = time.perf_counter()
        view.look()
        print(f"looking again: {time.perf_counter() - began:.3f} s")
        asyncio.run(on_screen(Path(folder)))
        in_terminal(Path(folder))
        command(Path(folder))


async def on_screen(runs: Path) -> None:
    """Prints how long the runs take to be on a screen of 120 × 40."""
    app = LaddertopApp(runs, form=True)
    async with app.run_test(size=(120, 40)):
        began = time.perf_counter()
        screen = RunsScreen(runs)
        app.push_screen(screen)
        while not screen.query(RunsTable) or "finished" not in screen_text(app):
            await asyncio.sleep(0.01)
        print(f"the newest on the screen: {time.perf_counter() - began:.3f} s")
        while any(row.status == "reading" for row in screen._rows):
            await asyncio.sleep(0.01)
        print(f"all of them in the table: {time.perf_counter() - began:.3f} s")
        began = time.perf_counter()
        screen.show_rows(screen._rows)
        print(f"drawing them again: {time.perf_counter() - began:.3f} s")


if __name__ == "__main__":
    main()
