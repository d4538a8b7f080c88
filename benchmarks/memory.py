"""Compares the memory that the form for a new run tells of a run with the peak of the engine that trains it.

    python benchmarks/memory.py --data-root DIR

Each run takes a few steps on the CPU, uncompiled in float32 with one thread, is evaluated once, and its process's peak
of resident memory is taken; that of a process that only imports torch and multiplies is subtracted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.dashboard.views.sizes import memory_bytes

RUNS = [
    "ladder-digits",
    "ladder-digits data.batch=1400",
    "sdae-digits",
    "dae-mixture",
    "vae-mnist",
    "vae-mnist data.batch=5000",
    "iwae-mnist-50",
    "iwae2-mnist-50",
    "dae-mnist",
    "sdae-mnist",
    "dae-walkback-mnist",
    "gsn-mnist",
    "baseline-mnist-100",
    "gamma-mnist-100",
    "ladder-mnist-100",
    "ladder-mnist-100 data.batch=2000",
    "ladder-amlp-mnist-100",
    "ladder-unsupervised-mnist",
    "conv-small-gamma-mnist-100 steps=1 data.held_back=1000 data.batch=50 data.labelled_batch=50",
    "deep-vae-mnist",
    "lvae-mnist",
]
"""Recipes with settings."""


def main() -> None:
    """Measures and prints a line per run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True)
    root = parser.parse_args().data_root
    bare = peak([sys.executable, "-c", "import torch; torch.ones(8, 8) @ torch.ones(8, 8)"], root)
    print(f"torch alone {bare / 1e6:.0f} MB\n\n| run | measured besides | told | told / measured |\n|---|---|---|---|")
    for words in RUNS:
        recipe, *settings = words.split()
        few = ["steps=30", "threads=1", "device=cpu", "compile=off", *settings]
        spec = override(load_recipe(recipe), few)
        with tempfile.TemporaryDirectory() as folder:
            run = create_run(Path(folder), spec, "run")
            measured = peak([sys.executable, "-m", "laddertop.engine", "train", str(run.path)], root) - bare
        told = memory_bytes(spec)
        row = f"{words} | {measured / 1e6:.0f} MB | {told / 1e6:.0f} MB | {told / measured:.2f}"
        print(f"| {row} |", flush=True)


def peak(command: list[str], root: Path) -> int:
    """The peak of resident memory of a process, in bytes. Raises RuntimeError when it fails."""
    environment = {**os.environ, "LADDERTOP_DATA": str(root), "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(command)} failed")
    return usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
