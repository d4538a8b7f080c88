"""Compares the memory that the form for a new run tells of a run with the peak of the engine that trains it.

    python -m benchmarks.memory --data-root DIR

Each run takes a few steps on the CPU, uncompiled in float32 with one thread, is evaluated once, and its process tells
the peak of its resident memory before it goes (Linux); that of a process that only imports torch and multiplies is
subtracted. `at least` is what a run is refused for where less is free, with the data: it must not be more than what was
measured.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from laddertop.engine.sizes import follow, sizes
from laddertop.engine.training.room import needed
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
    "dae-mnist data.batch=20000",
    "conv-fc-mnist-100 data.batch=1000",
    "vae-mnist data.batch=20000",
    "lvae-mnist data.batch=10000",
    "sdae-mnist data.batch=10000",
    "gsn-mnist data.batch=2000",
    "ladder-unsupervised-mnist data.batch=2000",
]
"""Recipes with settings."""


PEAK = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')), flush=True)"
"""Tells the peak so far, in KiB. What a process touches while it ends is not of the run."""
BARE = f"import torch; torch.ones(8, 8) @ torch.ones(8, 8); {PEAK}"
"""What a process does that only imports torch."""
TRAIN = f"import sys; from laddertop.engine.__main__ import main; status = main(); {PEAK}; sys.exit(status)"
"""What the engine does, and then tells its peak."""


def main() -> None:
    """Measures and prints a line per run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    parser.add_argument(
        "words", nargs="*", default=RUNS, help="recipes with settings, instead of all that are compared"
    )
    arguments = parser.parse_args()
    bare = peak([sys.executable, "-c", BARE], arguments.data_root)
    print(
        f"torch alone {bare / 1e6:.0f} MB\n\n| run | measured besides | told | told / measured "
        "| at least | at least / measured |\n|---|---|---|---|---|---|"
    )
    for words in arguments.words:
        recipe, *settings = words.split()
        few = ["steps=30", "threads=1", "device=cpu", "compile=off", "precision=fp32", *settings]
        spec = override(load_recipe(recipe), few)
        with tempfile.TemporaryDirectory() as folder:
            run = create_run(Path(folder), spec, "run")
            measured = peak([sys.executable, "-c", TRAIN, "train", str(run.path)], arguments.data_root) - bare
        told, least = sizes(spec).memory, needed(spec, compiled=spec.compile == "on") + follow(spec).stored
        row = f"{words} | {measured / 1e6:.0f} MB"
        row += "".join(f" | {one / 1e6:.0f} MB | {one / measured:.2f}" for one in (told, least))
        print(f"| {row} |", flush=True)


def peak(command: list[str], root: Path) -> int:
    """The peak of resident memory that a process tells last, in bytes. Raises CalledProcessError when it fails."""
    environment = {**os.environ, "LADDERTOP_DATA": str(root), "OMP_NUM_THREADS": "1"}
    told = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return int(told.split()[-1]) * 1024


if __name__ == "__main__":
    main()
