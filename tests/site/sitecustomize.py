"""What commands that the tests start as processes read first: the engines that they start are forks, see tests.warm.
What engines start, their ranks, are children of theirs."""

import os
import sys

if os.environ.get("LADDERTOP_TESTS_WARM") and "laddertop.engine" not in sys.orig_argv:
    import subprocess

    from tests.warm import Popen

    subprocess.Popen = Popen  # type: ignore[misc]
