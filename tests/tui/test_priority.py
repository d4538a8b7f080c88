"""The dashboard gives way to the training; what it starts does not."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import os, subprocess, sys, threading
from laddertop.tui.steer.priority import NICE, FullPriority
before = os.getpriority(os.PRIO_PROCESS, 0)
full = FullPriority()
full.step_back()
ask = [sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"]
started = int(full(subprocess.check_output, ask))
found = []
thread = threading.Thread(target=lambda: found.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start()
thread.join()
print(os.getpriority(os.PRIO_PROCESS, 0) - min(before + NICE, 19), found[0] - min(before + NICE, 19), started - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a priority belongs to the process there")
def test_the_dashboard_steps_back_and_the_engines_it_starts_do_not() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "0 0 0\n"
