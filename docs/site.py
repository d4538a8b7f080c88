"""Builds the documentation as a site of pages that ask nobody for anything.

    python -m docs.site build

`make docs` does that; build/site/index.html is its first page. A warning is an error. It takes the extra `docs`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/*.md", "docs/*.md")
BESIDE = (
    "benchmarks/pictures/*",
    "docs/*.svg",
    "docs/*.png",
    "docs/*.gif",
    "docs/examples/*.py",
    "docs/*.ipynb",
    "docs/*.css",
)
"""What pages show or link to."""


def build(folder: Path) -> None:
    """Lays the pages into `folder` as they lie here, so that the same links lead to the same things, and builds
    `folder`/site from them.

    Raises subprocess.CalledProcessError when anything is wrong with a page, whose words are on the terminal then.
    """
    shutil.rmtree(folder / "pages", ignore_errors=True)
    for pattern in (*PAGES, *BESIDE):
        for file in ROOT.glob(pattern):
            copy = folder / "pages" / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    shutil.copyfile(ROOT / "docs" / "zensical.toml", folder / "zensical.toml")
    subprocess.run([sys.executable, "-m", "zensical", "build", "--strict", "--clean"], cwd=folder, check=True)


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
