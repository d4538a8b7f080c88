"""What lies where, by names alone and without loading anything: recipes, runs, and the knobs of a run."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path

from laddertop.journal import inside

RECIPES = Path(__file__).parent / "recipes"
"""The folder of the recipes that come with the package."""
MODELS_GROUP, DATA_GROUP = "laddertop.models", "laddertop.data"
"""Entry points by which installed packages offer models and data."""
BEGINNING = 1 << 18
"""Bytes of the events in which the first start stands."""


def recipes() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    return sorted(f.name.removesuffix(".toml") for f in RECIPES.iterdir() if f.name.endswith(".toml"))


def offered(group: str) -> list[str]:
    """The names of what installed packages offer, sorted; nothing of it is loaded."""
    from importlib.metadata import entry_points  # asked for seldom, and not quick

    return sorted(entry_points(group=group).names)


def runs_in(runs: Path) -> list[str]:
    """Paths of the runs in a folder, newest first; empty when there is no such folder."""
    try:
        with os.scandir(runs) as entries:
            # A link to a run is another name of it, not another run.
            places = [entry.path for entry in entries if not entry.is_symlink() and entry.name[0] != "."]
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = []
    for place in places:
        with contextlib.suppress(OSError):  # no run, or one that was deleted just now
            made = os.lstat(f"{place}/spec.json")
            if stat.S_ISREG(made.st_mode) or stat.S_ISLNK(made.st_mode):  # what can't be read is damaged, not absent
                found.append((made.st_mtime_ns, os.path.basename(place), place))
    return [place for _, _, place in sorted(found, reverse=True)]


def knobs_of(run: Path) -> dict[str, str]:
    """The knobs that the first start of a run declares, each with its kind; empty where that can't be read."""
    try:
        with inside.reading(run, "events.jsonl") as file:
            lines = file.read(BEGINNING).splitlines()
        start = next(line for line in lines if b'"run_started"' in line)
        return {str(knob["name"]): str(knob["kind"]) for knob in json.loads(start)["knobs"]}
    except (OSError, ValueError, StopIteration, KeyError, TypeError, RecursionError):
        return {}
