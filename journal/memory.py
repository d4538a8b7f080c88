"""The memory of this machine that is free now, and what is left of it to this process."""

from __future__ import annotations

import math
import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
"""Where Linux tells what groups of processes may take."""


def free_memory() -> int:
    """Bytes that the system can give without swapping, and no more than is left to the control groups that this process
    is in."""
    return int(min(available(Path("/proc/meminfo")), left_to_groups(_GROUPS, Path("/proc/self/cgroup"))))


def available(meminfo: Path) -> float:
    """Bytes that Linux can give without swapping; elsewhere all of the machine's."""
    try:
        lines = dict(line.split(":") for line in meminfo.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def left_to_groups(groups: Path, mine: Path) -> float:
    """Bytes that the control groups of a process, and those above them, may still take; infinite without a limit.

    `groups` is where they are mounted, of version 1 or 2; `mine` the file that names those of the process. What is
    cached of files counts as free.
    """
    left = math.inf
    try:
        told = mine.read_text().splitlines()
    except OSError:
        return left
    for line in told:
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            top, names = groups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            top = groups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        # In a container the path may be that of the host, and what is mounted the container's own group.
        for inner in (*[Path(path.lstrip("/")), *Path(path.lstrip("/")).parents], Path()):
            left = min(left, _left(top / inner, *names))
    return left


def _left(group: Path, limit: str, usage: str, cached: str) -> float:
    try:
        most, taken = float((group / limit).read_text()), float((group / usage).read_text())
        stat = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return most - taken + float(stat.get(cached, 0))
    except (OSError, ValueError):  # "max", or no such group
        return math.inf
