"""Trains the published ladder network on MNIST for a short schedule and prints the test error after every epoch.

    python benchmarks/trajectory.py --data-root DIR [--epochs 15] [--seed 1] [--set precision=bf16 …]

Beside each error stands that of an independent implementation of the same specification (100 labels, seed 1, learning
rate 0.002, its own random numbers). One seed is a sanity check, not a claim:
100-label results vary with the label draw.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from journal.events import Evaluated, EventReader
from journal.folder import create_run
from journal.spec import load_recipe, override
from journal.state import RunState

REFERENCE = (11.92, 7.64, 5.25, 4.45, 4.53, 3.19, 3.12, 2.92, 2.95, 2.60, 2.23, 2.22, 1.96, 1.81, 1.94)
"""Test error in % after each of 15 epochs; the learning rate falls from epoch 12 on, so that a run over fewer epochs
than 15 follows it while its own rate is constant."""


def main() -> None:
    """Trains in a folder of its own and prints one line per epoch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", help="torchvision root that holds MNIST/raw")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    settings = [f"epochs={arguments.epochs}", f"seed={arguments.seed}", "evaluate.every=600", "checkpoint.every=0"]
    if arguments.data_root:
        settings.append(f'data.root="{Path(arguments.data_root).absolute()}"')
    spec = override(load_recipe("ladder-mnist-100"), [*settings, *arguments.settings])
    with tempfile.TemporaryDirectory() as folder:
        run = create_run(Path(folder), spec, "trajectory")
        subprocess.run([sys.executable, "-m", "engine", "train", str(run.path)], check=True)
        events = EventReader(run.events_path).read_all()
    state = RunState().apply_all(events)
    assert state.started
    began = state.started.time
    print("epoch  error %  reference  seconds since the start")
    for event in events:
        if isinstance(event, Evaluated):
            epoch = event.step // 600
            reference = f"{REFERENCE[epoch - 1]:9.2f}" if epoch <= len(REFERENCE) else " " * 9
            error = event.values["error_percent"].value
            print(f"{epoch:5d}  {error:7.2f}  {reference}  {event.time - began:.0f}")


if __name__ == "__main__":
    main()
