"""What a sweep varies: the values of a grid, the ranges of a search, the seeds; and the folder that says so.

A sweep is a folder beside its runs. `sweep.json` in it is written once; `optuna.log` is the queue (see `queue`).
"""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path

from laddertop.journal import inside
from laddertop.journal.folder import check_name
from laddertop.journal.record import Record
from laddertop.journal.spec import Spec, keys, override
from laddertop.journal.start import check_start

PLAN = "sweep.json"
"""The file that says what a sweep varies."""
MOST = 10_000
"""Runs of one sweep at most."""
_RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>.+?)(?P<log>:log)?")


class Range(Record):
    """The values between two bounds that a search may take for one key."""

    key: str
    """Dotted name of the key."""
    low: float
    """Smallest value."""
    high: float
    """Largest value."""
    whole: bool
    """Whether only whole numbers are taken."""
    log: bool
    """Whether the logarithm is drawn evenly, not the value."""


class Plan(Record):
    """Everything that decides which runs a sweep has."""

    name: str
    """Name of the sweep, and the tag of its runs."""
    spec: Spec
    """What every run is made from."""
    seeds: list[int]
    """The seeds that every setting is trained with."""
    grid: dict[str, list[str]]
    """By key the values that are taken one after the other, in the words that were typed."""
    search: list[Range]
    """What is searched."""
    settings: int
    """How many settings there are; where something is searched they take the points of the grid in turn."""
    prune: bool
    """Whether runs that are worse than the others at the same step are stopped."""

    def point(self, setting: int) -> dict[str, str]:
        """The values of the grid that the setting of a number takes, counted from 0."""
        points = list(itertools.product(*self.grid.values()))
        return dict(zip(self.grid, points[setting % len(points)], strict=True))


def planned(
    spec: Spec, name: str, *, seeds: int, grid: list[str], search: list[str], trials: int | None, prune: bool
) -> Plan:
    """The plan of a sweep in the words of the command line, all of its settings checked.

    Raises ValueError that names the words that are wrong.
    """
    check_name(name)
    if name.split() != [name]:
        raise ValueError(f"{name!r} can't name a sweep: its runs are tagged with it, so take one word")
    values = {key: choices(words) for key, words in _by_key("--grid", grid).items()}
    ranges = [span(spec, key, words) for key, words in _by_key("--search", search).items()]
    if twice := [one.key for one in ranges if one.key in values]:
        raise ValueError(f"{twice[0]} stands in --grid and in --search; leave it out of one of them")
    if trials is not None and not ranges:
        raise ValueError("--trials says how many settings are searched; name what varies with --search")
    if not values and not ranges and seeds == 1:
        raise ValueError("a sweep varies something: give --grid, --search or --seeds")
    points = 1
    for key, words in values.items():
        if double := [word for i, word in enumerate(words) if word in words[:i]]:
            raise ValueError(f"--grid: {key} has {double[0]} twice")
        points *= len(words)
    settings = (trials or 20) if ranges else points
    if settings * seeds > MOST:
        raise ValueError(f"{settings} settings with {seeds} seeds are {settings * seeds} runs; {MOST} is the most")
    plan = Plan(
        name=name,
        spec=override(spec, ["threads=1"]) if spec.threads is None else spec,
        seeds=list(range(spec.seed, spec.seed + seeds)),
        grid=values,
        search=ranges,
        settings=settings,
        prune=prune,
    )
    for setting in range(min(points, settings)):
        check(override(plan.spec, as_settings(plan.point(setting))))
    for one in ranges:
        for end in (one.low, one.high):
            check(override(plan.spec, as_settings({**plan.point(0), one.key: number(one, end)})))
    override(plan.spec, [f"seed={plan.seeds[-1]}"])
    return plan


def check(spec: Spec) -> None:
    """Raises ValueError when a run of the spec can't be trained here, or asks for the data to be looked at again."""
    if not spec.data.known:
        raise ValueError("what is read of your own data can't be varied; begin a sweep for each way to read them")
    check_start(spec)


def as_settings(values: dict[str, str]) -> list[str]:
    """Values by key as `override` takes them."""
    return [f"{key}={value}" for key, value in values.items()]


def number(one: Range, value: float) -> str:
    """A value of a range as it is written in a setting."""
    return str(int(value)) if one.whole else repr(float(value))


def choices(words: str) -> list[str]:
    """The values of a list, which are divided by commas that stand in no brackets and quotes."""
    found, depth, quote = [""], 0, ""
    for char in words:
        if quote or char in "\"'":
            quote = "" if char == quote else quote or char
        depth += (char in "[{") - (char in "]}")
        if char == "," and not depth and not quote:
            found.append("")
        else:
            found[-1] += char
    if not all(one.strip() for one in found):
        raise ValueError(f"--grid: {words!r} has an empty value; write them as in optimizer.lr=1e-3,2e-3")
    return [one.strip() for one in found]


def span(spec: Spec, key: str, words: str) -> Range:
    """The range that is meant by `low..high` or `low..high:log`; of whole numbers where the key takes no others.

    Raises ValueError for what is none.
    """
    said = _RANGE.fullmatch(words)
    try:
        low, high = (float(said["low"]), float(said["high"])) if said else (0.0, 0.0)
    except ValueError:
        said = None
    if said is None:
        raise ValueError(f"--search: {words!r} is no range of {key}; write 0.1..0.5, 1e-4..1e-2:log or 2..10")
    if not -float("inf") < low < high < float("inf"):
        raise ValueError(f"--search: {key}={words}: the first number is to be smaller than the second")
    if said["log"] and low <= 0:
        raise ValueError(f"--search: {key}={words}: a logarithm needs numbers above 0")
    kinds = next((one.type.split(" | ") for one in keys(spec) if one.name in (key, f"model.{key}")), [])
    whole = "whole number" in kinds and "number" not in kinds
    if whole and not (low.is_integer() and high.is_integer()):
        raise ValueError(f"--search: {key}={words}: {key} takes whole numbers")
    return Range(key=key, low=low, high=high, whole=whole, log=bool(said["log"]))


def _by_key(option: str, typed: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for words in typed:
        key, equals, values = (part.strip() for part in words.partition("="))
        if not equals or not key or not values:
            example = "optimizer.lr=1e-3,2e-3" if option == "--grid" else "noise.std=0.1..0.5"
            raise ValueError(f"{option}: {words!r} names no values; write key=values, such as {example}")
        if key == "seed":
            raise ValueError(f"{option}: seeds are given with --seeds, from the recipe's up")
        if key in found:
            raise ValueError(f"{option}: {key} is there twice")
        found[key] = values
    return found


def run_name(sweep: str, trial: int, seed: int) -> str:
    """The name of the run of a trial."""
    return f"{sweep}-{trial:03d}-s{seed}"


def claim(folder: Path, trial: int) -> Path:
    """The file whose lock the worker holds that works at a trial."""
    return folder / "claims" / f"{trial:05d}.lock"


def is_sweep(folder: Path) -> bool:
    """Whether a folder is that of a sweep, and of no run."""
    return (folder / PLAN).is_file() and not (folder / "spec.json").exists()


def sweeps_in(runs: Path) -> list[tuple[str, tuple[int, int]]]:
    """The sweeps in a folder, each by its name and what tells it from another one of that name: number and time of its
    plan. Reads none of them."""
    try:
        with os.scandir(runs) as entries:
            # A link to a sweep is another name of it, not another sweep.
            names = sorted(entry.name for entry in entries if not entry.is_symlink() and entry.name[0] != ".")
    except OSError:
        return []
    plans = ((name, inside.look(runs / name, PLAN)) for name in names)
    return [(name, (plan.st_ino, plan.st_mtime_ns)) for name, plan in plans if plan and is_sweep(runs / name)]


def find_sweep(runs: Path, text: str) -> Path:
    """The folder of the sweep that a user means: a folder, or a name in the folder of the runs.

    Raises ValueError when there is none.
    """
    for folder in (Path(text), runs / text):
        if is_sweep(folder):
            return folder.absolute()
    there = sorted(path.parent.name for path in runs.glob(f"*/{PLAN}"))
    listed = f"there are {', '.join(there)}" if there else "there is none"
    raise ValueError(f"no sweep {text!r} in {runs.absolute()}; {listed}")


def read_plan(folder: Path) -> Plan:
    """The plan of the sweep in a folder. Raises ValueError when it can't be read."""
    try:
        return Plan.model_validate_json(inside.read(folder, PLAN))
    except (OSError, ValueError) as error:
        why = " ".join(str(error).splitlines()[:3])
        raise ValueError(f"{folder / PLAN} can't be read: {why}") from None


def check_free(runs: Path, plan: Plan) -> None:
    """Raises ValueError when the name of the sweep is taken in the folder of the runs, by it or by runs of its own."""
    if os.path.lexists(runs / plan.name):
        raise ValueError(f"there is a run or a sweep {plan.name} in {runs} already; take another --name")
    if taken := next(runs.glob(f"{plan.name}-[0-9]*-s[0-9]*"), None):
        raise ValueError(f"there is a run {taken.name} in {runs} already; take another --name")
