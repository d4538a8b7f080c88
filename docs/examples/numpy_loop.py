"""A loop without torch: a line is fitted to points by hand, and steered while it is.

python numpy_loop.py [steps]
"""

import sys
import time

import numpy as np

import laddertop

draw = np.random.default_rng(1)
x = draw.normal(size=200)
y = 3 * x + 1 + 0.1 * draw.normal(size=200)
slope, height = 0.0, 0.0

run = laddertop.start(
    steps=int(sys.argv[1]) if len(sys.argv) > 1 else 2000,
    terms={"error": None, "decay": "weight"},
    knobs={"lr": 0.01, "weight": 0.1, "slow": True},
)
for step in run:
    off = slope * x + height - y
    rate = run.knob("lr")
    slope -= rate * (2 * (off * x).mean() + run.knob("weight") * 2 * slope)
    height -= rate * 2 * off.mean()
    run.record(error=(off**2).mean(), decay=slope**2)
    if run.knob("slow"):
        time.sleep(0.01)
    if step % 500 == 499:
        run.evaluated(error=(off**2).mean())
