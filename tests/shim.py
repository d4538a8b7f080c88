"""C libraries that behave as a broken machine does, put before the real one of a process with LD_PRELOAD."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def shim(folder: Path, source: str) -> str:
    """The file of the library with this `source`, built in `folder`; skips the test where it can't be."""
    if not (compiler := shutil.which("cc")) or sys.platform != "linux":
        pytest.skip("there is no C compiler")
    (folder / "shim.c").write_text(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    return str(folder / "shim.so")
