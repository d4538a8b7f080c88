"""Data that installed packages offer by a name: an entry point, a function that gives the path of a file or folder."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path

from laddertop.journal.places import DATA_GROUP


def path_of(name: str) -> Path:
    """Where the data lie that a package offers under a name. Raises ValueError when it can't say."""
    point = entry_points(group=DATA_GROUP)[name]
    package = f"{point.dist.name} {point.dist.version}" if point.dist else "an unknown package"
    try:
        given = point.load()()
    except Exception as error:  # whatever somebody else's code raises
        raise ValueError(f"{name} of {package} can't be had: {type(error).__name__}: {error}") from None
    if not isinstance(given, str | os.PathLike):
        raise ValueError(f"{name} of {package} gives a {type(given).__name__}, and no path of a file or folder")
    return Path(os.fspath(given)).absolute()
