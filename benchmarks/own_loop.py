"""What recording costs a loop of one's own: steps that do nothing else, with ten terms and two knobs.

    python benchmarks/own_loop.py [--steps 200000] [--rounds 5]

Both the time that a step takes, and the processor time of all threads, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time

import laddertop

NAMES = [f"term{i}" for i in range(10)]


def main() -> None:
    """Measures and prints medians over rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    values = {name: float(i) for i, name in enumerate(NAMES)}
    wall, processor = [], []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            declared = {"terms": dict.fromkeys(NAMES), "knobs": {"lr": 0.1, "beta": 1.0}}
            run = laddertop.start(runs=folder, steps=given.steps, **declared)
            began, spent = time.perf_counter(), time.process_time()
            for _ in run:
                run.record(**values)
            wall.append((time.perf_counter() - began) / given.steps)
            processor.append((time.process_time() - spent) / given.steps)
    middle, low, high = 1e6 * statistics.median(wall), 1e6 * min(wall), 1e6 * max(wall)
    print(
        f"a step: {middle:.1f} µs ({low:.1f} … {high:.1f}), {1e6 * statistics.median(processor):.1f} µs of a processor"
    )


if __name__ == "__main__":
    main()
