"""Compares the memory that the form for a new run tells of a run with the peak of the engine that trains it.

    python -m benchmarks.memory --data-root DIR

Each run takes a few steps on the CPU, uncompiled in float32 with one thread, is evaluated once, and its process tells
the peak of its resident memory before it goes (Linux); that of a process that only imports torch and multiplies is
subtracted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from laddertop.engine.sizes import sizes
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override

RUNS = [
    "dae-mnist",
    "dae-mixture",
    "ladder-digits",
    "dae-walkback-mnist",
    "vae-mnist data.batch=5000",
    "ladder-mnist-100 data.batch=2000",
    "gsn-mnist",
    "vae-mnist",
    "lvae-mnist",
]
"""Recipes with settings."""


_PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), flush=True)"
"""Tells the peak so far, in KiB. What a process touches while it ends is not of the run."""
_BARE = f"import torch; torch.ones(8, 8) @ torch.ones(8, 8); {_PEAK}"
_TRAIN = f"import sys; from laddertop.engine.__main__ import main; status = main(); {_PEAK}; sys.exit(status)"


def main() -> None:
    """Measures and prints a line per run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument(
        "words", nargs="*", default=RUNS, help="recipes with settings, instead of all that are compared"
    )
    arguments = parser.parse_args()
    bare = peak([sys.executable, "-c", _BARE], arguments.data_root)
    print(f"torch alone {bare / 1e6:.0f} MB\n\n| run | measured besides | told | told / measured |\n|---|---|---|---|")
    for words in arguments.words:
        recipe, *settings = words.split()
        few = ["steps=30", "threads=1", "device=cpu", "compile=off", "precision=fp32", *settings]
        spec = override(load_recipe(recipe), few)
        with tempfile.TemporaryDirectory() as folder:
            run = create_run(Path(folder), spec, "run")
            measured = peak([sys.executable, "-c", _TRAIN, "train", str(run.path)], arguments.data_root) - bare
        told = sizes(spec).memory
        row = f"{words} | {measured / 1e6:.0f} MB | {told / 1e6:.0f} MB | {told / measured:.2f}"
        print(f"| {row} |", flush=True)


def peak(command: list[str], root: Path) -> int:
    """The peak of resident memory that a process tells last, in bytes. Raises CalledProcessError when it fails."""
    environment = {**os.environ, "LADDERTOP_DATA": str(root), "OMP_NUM_THREADS": "1"}
    told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return int(told.split()[-1]) * 1024


if __name__ == "__main__":
    main()
