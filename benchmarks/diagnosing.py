"""What the diagnoses cost the watcher of a run: processor time of its looks, with and without them.

    python benchmarks/diagnosing.py RUN [--steps 20000] [--a-look 200] [--rounds 3]

RUN is a run that was trained to its end. What it recorded is written again, over and over, until a journal of that many
steps is whole, so many steps at a time, as an engine does five times a second; its evaluations come in proportion.
After each piece two watchers look at it in turns, of which one has no diagnoses. Only looks are timed, by the processor
time of the process, which neighbours disturb little.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np

from laddertop.journal.events import Evaluated, EventReader, EventWriter, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader, MetricsWriter
from laddertop.tui.watch.watcher import Watcher


class Blind:
    """In the place of the diagnoses, and sees nothing."""

    complete = True

    def look(self, events: object = (), at_most: int = 0) -> None:
        """Takes up nothing."""

    def findings(self) -> list[object]:
        """Nothing stands."""
        return []


def looks(run: RunFolder, steps: int, a_look: int, folder: Path) -> dict[str, list[float]]:
    """Seconds of processor time of every look, with and without diagnoses, at a journal that grows."""
    events, metrics = EventReader(run.events_path).read_all(), MetricsReader(run.path)
    metrics.poll()
    records = metrics.records()[-1]
    start = next(event for event in events if isinstance(event, RunStarted))
    evaluations = [event for event in events if isinstance(event, Evaluated) and event.step]
    every = max(a_look, steps // len(evaluations) // a_look * a_look)
    grown = folder / run.name
    grown.mkdir()
    for name in ("spec.json", "metrics.json"):
        shutil.copy(run.path / name, grown / name)
    (grown / "commands").mkdir()
    told, seeing, blind = dict[str, list[float]](), Watcher(RunFolder(grown)), Watcher(RunFolder(grown))
    blind._diagnoses = Blind()  # type: ignore[assignment]
    with EventWriter(grown / "events.jsonl") as writer:
        writer.append(start.model_copy(update={"steps": steps, "segment": 1}))
        numbers = MetricsWriter(grown, 1, records["values"].shape[1])
        for end in range(a_look, steps + 1, a_look):
            at = np.arange(end - a_look, end)
            numbers.append(at + 1, at / 1000, records["values"][at % len(records)])
            if end % every == 0 and (found := evaluations[end // every - 1 : end // every]):
                writer.append(found[0].model_copy(update={"step": end}))
            for name, watcher in (("with", seeing), ("without", blind))[:: 1 if end // a_look % 2 else -1]:
                began = time.process_time()
                watcher.look()
                told.setdefault(name, []).append(time.process_time() - began)
        numbers.close()
    return told


def main() -> None:
    """Measures and prints, over all rounds, the median look and the sum of a run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--a-look", type=int, default=200, metavar="STEPS")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    rounds = []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            rounds.append(looks(RunFolder(given.run.absolute()), given.steps, given.a_look, Path(folder)))
    for name in ("without", "with"):
        each = [1000 * seconds for one in rounds for seconds in one[name]]
        sums = [sum(one[name]) for one in rounds]
        low, high = np.percentile(each, [10, 90])
        print(
            f"{name} diagnoses: {statistics.median(each):.2f} ms a look ({low:.2f} … {high:.2f}), "
            f"{statistics.median(sums):.2f} s of the {len(each) // len(rounds)} looks of a run"
        )


if __name__ == "__main__":
    main()
