"""Times the start of a training against a bare `import torch`, interleaved.

    python benchmarks/start.py [--rounds 9]

The start is from `laddertop train ladder-digits` on the shell to the engine's first completed step, as recorded.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from laddertop.journal.metrics import MetricsReader
from tests.processes import compile_sources


def main() -> None:
    """Measures and prints medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    compile_sources()
    imports, starts = [], []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(rounds):
            began = time.time()
            subprocess.run([sys.executable, "-c", "import torch"], check=True)
            imports.append(time.time() - began)
            began = time.time()
            train = [str(Path(sys.executable).with_name("laddertop")), "train", "ladder-digits", "--steps", "1"]
            subprocess.run([*train, "--runs", folder, "--name", f"r{i}"], check=True, capture_output=True)
            reader = MetricsReader(Path(folder) / f"r{i}")
            reader.poll()
            starts.append(float(reader.times[0]) - began)
    torch, start = statistics.median(imports), statistics.median(starts)
    print(f"import torch {torch:.2f} s, laddertop train to the first step {start:.2f} s: {start / torch:.2f} times")


if __name__ == "__main__":
    main()
