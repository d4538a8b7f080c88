"""Trains the published ladder network on MNIST for a short schedule and prints the test error after every epoch.

    python benchmarks/trajectory.py --data-root DIR [--epochs 15] [--seeds 1] [--set precision=bf16 …]

Beside each error stands that of an independent implementation of the same specification (100 labels, seed 1, learning
rate 0.002, its own random numbers). One seed is a sanity check, not a claim: 100-label results vary with the label
draw. With several seeds, a last line sums up the final errors.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from laddertop.journal.events import Evaluated, EventReader
from laddertop.journal.folder import create_run
from laddertop.journal.spec import Spec, load_recipe, override

REFERENCE = (11.92, 7.64, 5.25, 4.45, 4.53, 3.19, 3.12, 2.92, 2.95, 2.60, 2.23, 2.22, 1.96, 1.81, 1.94)
"""Test error in % after each of 15 epochs; the learning rate falls from epoch 12 on, so that a run over fewer epochs
than 15 follows it while its own rate is constant."""


def train(spec: Spec) -> tuple[list[tuple[int, float]], float]:
    """Trains a spec in a folder of its own: step and test error in % of every evaluation, and seconds from the first
    evaluation to the end."""
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(Path(folder), spec, "benchmark")
        subprocess.run([sys.executable, "-m", "laddertop.engine", "train", str(run.path)], check=True)
        events = EventReader(run.events_path).read_all()
    evaluations = [event for event in events if isinstance(event, Evaluated)]
    first = next(event for event in events if event.step > 0)
    errors = [(event.step, event.values["error_percent"].value) for event in evaluations]
    return errors, events[-1].time - first.time


def main() -> None:
    """Trains seed after seed and prints one line per epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", help="torchvision root that holds MNIST/raw")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    settings = [f"epochs={arguments.epochs}", "evaluate.every=600", "checkpoint.every=0"]
    if arguments.data_root:
        settings.append(f'data.root="{Path(arguments.data_root).absolute()}"')
    final = []
    for seed in arguments.seeds:
        errors, seconds = train(
            override(load_recipe("ladder-mnist-100"), [*settings, f"seed={seed}", *arguments.settings])
        )
        print(f"seed {seed}, {seconds:.0f} s from the first evaluation to the end\nepoch  error %  reference")
        for step, error in errors:
            epoch = step // 600
            reference = f"{REFERENCE[epoch - 1]:9.2f}" if epoch <= len(REFERENCE) else ""
            print(f"{epoch:5d}  {error:7.2f}  {reference}", flush=True)
        final.append(errors[-1][1])
    if len(final) > 1:
        listed = ", ".join(f"{error:.2f}" for error in final)
        print(f"final errors {listed}: median {statistics.median(final):.2f}, {min(final):.2f} … {max(final):.2f}")


if __name__ == "__main__":
    main()
