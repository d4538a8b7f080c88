"""`doctor`: what terminal, machine and folders can do for a training, with advice where they can't."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from laddertop.journal.files import knows_locks, user_cache
from laddertop.journal.folder import runs_folder
from laddertop.journal.sections import DataSpec
from laddertop.journal.settings import held, look
from laddertop.journal.start import data_root
from laddertop.tui.cli.print import json_result, result, table, terminal_width
from laddertop.tui.dashboard.background import QUICKLY, asked
from laddertop.tui.dashboard.terminal import pixels_problem, speaks_unicode, terminal_problem
from laddertop.tui.steer.engine_process import command, environment
from laddertop.tui.steer.keymap import settled, sign

Sign = Literal["✓", "▲", "✗"]
LITTLE, MUCH = 200 << 20, 2 << 30
"""Bytes of free disk below which a training will soon wait, and above which nothing is said."""
PATIENCE = 120.0
"""Seconds that an engine may take to load torch."""
NETWORK = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "gpfs",
    "beegfs",
    "fuse.",
)
"""Kinds of file systems that lie on other machines, by the beginning of their name."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    about: str
    """What."""
    sign: Sign
    """✓ as it should be, ▲ good to know, ✗ stands in the way."""
    text: str
    """What was found, with advice where something is missing."""


def examine(runs: Path | None, as_json: bool) -> int:
    """Prints what was found; the exit status is 1 where something stands in the way, else 0."""
    found: list[Finding] = []
    for look_at in (_settings, _terminal, _torch, _data, _runs(runs), _cache):
        found += look_at()
    if as_json:
        words = {"✓": "good", "▲": "note", "✗": "problem"}
        json_result([{"about": one.about, "state": words[one.sign], "text": one.text} for one in found])
    else:
        for line in table([[one.sign, one.about, one.text] for one in found], width=terminal_width()):
            result(line)
    return int(any(one.sign == "✗" for one in found))


def _settings() -> Iterator[Finding]:
    for problem in look()[1] + settled().problems:
        yield Finding("settings", "✗", problem)


def _terminal() -> Iterator[Finding]:
    if problem := terminal_problem():
        here = all(stream is not None and stream.isatty() for stream in (sys.__stdin__, sys.__stderr__))
        yield Finding("terminal", "✗" if here else "▲", problem)
        return
    term, many = os.environ.get("TERM", ""), os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
    if os.environ.get("NO_COLOR"):
        yield Finding("colours", "▲", "none, as NO_COLOR is set")
    elif many or "256" in term or "kitty" in term:
        yield Finding("colours", "✓", "256 or more")
    else:
        yield Finding("colours", "▲", f"16, as TERM is {term}; TERM=xterm-256color where the terminal has more")
    if speaks_unicode():
        yield Finding("Unicode", "✓", "curves are drawn in braille")
    else:
        yield Finding("Unicode", "▲", "none: curves are drawn in ASCII; LANG=C.UTF-8 where the terminal has more")
    pixels = pixels_problem()
    yield Finding("pixels", "▲" if pixels else "✓", pixels or "--pixels, if this terminal knows kitty's graphics")
    with asked(QUICKLY) as question:
        question.end(QUICKLY)
        paper = question.paper()
    told = (
        f"{paper}, told by the terminal or by COLORFGBG"
        if paper
        else f"not told within a second; {sign('everywhere.colours')} chooses"
    )
    yield Finding("background", "✓" if paper else "▲", told)


def _torch() -> Iterator[Finding]:
    try:
        done = subprocess.run(
            command("about", "--device", str(held("device").value)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment(),
            timeout=PATIENCE,
        )
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        yield Finding("torch", "✗", f"an engine did not answer within {PATIENCE:.0f} s")
        return
    except ValueError:
        last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        yield Finding("torch", "✗", f"an engine can't start: {last}; install laddertop with its dependencies again")
        return
    yield Finding("torch", "✓", told["torch"])
    if told["problem"]:
        yield Finding("device", "✗", told["problem"])
    else:
        yield Finding("device", "✓", f"{told['device']}, {told['threads']} CPU threads")
    compiled = told["uncompiled"] or "steps of long runs are compiled"
    yield Finding("compiler", "▲" if told["uncompiled"] else "✓", compiled)


def _data() -> Iterator[Finding]:
    try:
        root = data_root(DataSpec(name="mnist"))
    except ValueError as error:
        yield Finding("data root", "✗", str(error))
        return
    if (place := _there(root)) is None or not os.access(place, os.W_OK | os.X_OK):
        yield Finding("data root", "▲", f"{root} can't be written to: what is there is read, nothing downloaded")
    else:
        yield Finding("data root", "✓", f"{root}{'' if root.is_dir() else ', made for the first download'}")


def _runs(runs: Path | None) -> Callable[[], Iterator[Finding]]:
    def look_at() -> Iterator[Finding]:
        folder = runs_folder(runs).absolute()
        place = _there(folder)
        try:
            if place is None:
                raise FileNotFoundError(2, "is no folder")
            probe = Path(tempfile.mkdtemp(prefix=".doctor-", dir=place))
        except OSError as error:
            yield Finding("runs", "✗", f"{folder} can't be written to ({error.strerror}); choose another with --runs")
            return
        try:
            yield Finding("runs", "✓", f"{folder}{'' if place == folder else ', made for the first run'}")
            yield _space(place)
            kind = _file_system(place)
            if kind.startswith(NETWORK):
                text = f"{kind}, on another machine: a training waits for it where it is slow; a local disk is faster"
                yield Finding("file system", "▲", text)
            elif kind:
                yield Finding("file system", "✓", kind)
            if knows_locks(probe / "lock"):
                yield Finding("locks", "✓", "a second engine in a run is kept out")
            else:
                text = "none: lease files do instead, by which another machine sees minutes later that an engine died"
                yield Finding("locks", "▲", f"{text}; a local disk has locks")
        finally:
            shutil.rmtree(probe, ignore_errors=True)

    return look_at


def _space(place: Path) -> Finding:
    free = shutil.disk_usage(place).free
    words = f"{free / (1 << 30):.1f} GiB free"
    if free < LITTLE:
        return Finding("disk", "✗", f"{words}: a training will wait for room; delete or archive elsewhere what is old")
    return Finding("disk", "▲" if free < MUCH else "✓", words)


def _cache() -> Iterator[Finding]:
    cache = user_cache()
    place = _there(cache)
    if place is None or not os.access(place, os.W_OK | os.X_OK):
        text = f"{cache} can't be written to: compiled steps and choices are forgotten; set XDG_CACHE_HOME"
        yield Finding("cache", "▲", text)
    else:
        yield Finding("cache", "✓", str(cache))


def _there(folder: Path) -> Path | None:
    """A folder, or the nearest above it that is there; None where a file is in the way."""
    nearest = next(one for one in (folder, *folder.parents) if os.path.lexists(one))
    return nearest if nearest.is_dir() else None


def _file_system(place: Path) -> str:
    """The kind of the file system of a folder; empty where the system does not say."""
    whole, best, kind = f"{place.resolve()}/", "", ""
    try:
        mounts = Path("/proc/self/mounts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for mount in mounts:
        _, point, name, *_ = mount.split(" ")
        point = point.replace("\\040", " ").rstrip("/") + "/"
        if whole.startswith(point) and len(point) >= len(best):
            best, kind = point, name
    return kind
