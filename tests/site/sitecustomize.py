"""What commands that the tests start as processes read first: the engines that they start are forks, see tests.warm."""

import os

if os.environ.get("LADDERTOP_TESTS_WARM"):
    import subprocess

    from tests.warm import Popen

    subprocess.Popen = Popen  # type: ignore[misc]
