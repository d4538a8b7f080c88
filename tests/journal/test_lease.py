"""Leases: who holds a run where the file system knows no locks, or shows late what another machine did."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.journal import lease
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.ours import check_ours
from laddertop.journal.spec import load_recipe
from tests import PATIENCE
from tests.processes import ROOT
from tests.shim import shim

SHIM = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static int made;
int flock(int file, int how) { errno = atoi(getenv("SHIM_FLOCK")); return -1; }
static int opened(const char *name, int at, const char *path, int flags, int mode) {
    if (flags & O_CREAT) made = 1;
    return ((int (*)(int, const char *, int, int))dlsym(RTLD_NEXT, name))(at, path, flags, mode);
}
#define MODE va_list more; va_start(more, flags); int mode = flags & O_CREAT ? va_arg(more, int) : 0; va_end(more)
int openat(int at, const char *path, int flags, ...) { MODE; return opened("openat", at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE; return opened("openat64", at, path, flags, mode); }
struct dirent64 *readdir64(DIR *folder) {
    struct dirent64 *(*real)(DIR *) = dlsym(RTLD_NEXT, "readdir64"), *found = real(folder);
    while (found && getenv("SHIM_LATE") && !made && strstr(found->d_name, ".lease-")) found = real(folder);
    return found;
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int status = ((int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime"))(clock, now);
    if (clock == CLOCK_REALTIME && getenv("SHIM_AHEAD")) now->tv_sec += 86400;
    return status;
}
"""
"""A C library without locks, whose clock is a day ahead, or to which a folder shows the leases of others only once this
process has made a file there, as NFS does while it answers from memory."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """That library."""
    return shim(tmp_path_factory.mktemp("shim"), SHIM)


class Lockless:
    """A process without locks that does what it is told, one line of Python after the other."""

    def __init__(self, library: str, run: RunFolder, **variables: str) -> None:
        first = (
            "import contextlib; from pathlib import Path; from laddertop.journal.folder import RunFolder; "
            f"import sys; run = RunFolder(Path({str(run.path)!r})); held = contextlib.ExitStack()\n"
            "for line in sys.stdin: print(eval(line), flush=True)"
        )
        known = {"LD_PRELOAD": library, "SHIM_FLOCK": str(errno.ENOSYS), "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", first],
            env={**os.environ, **known, **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, line: str) -> str:
        """What a line comes to; the error's text where it fails."""
        assert self.process.stdin
        assert self.process.stdout
        assert self.process.stderr
        print(line, file=self.process.stdin, flush=True)
        told = self.process.stdout.readline().strip()
        return told or self.process.stderr.read().strip().splitlines()[-1]

    def end(self, how: int = signal.SIGKILL) -> None:
        """Ends it."""
        self.process.send_signal(how)
        self.process.wait(PATIENCE)


TAKE = "held.enter_context(run.engine_lock()) and 'taken'"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that nobody trains."""
    return create_run(tmp_path, load_recipe("ladder-digits"), "run")


@pytest.fixture
def holder(library: str, run: RunFolder) -> Iterator[Lockless]:
    """A process that holds the run."""
    process = Lockless(library, run)
    assert process(TAKE) == "taken"
    yield process
    process.end()


def leases(run: RunFolder) -> list[Path]:
    return sorted(run.path.glob("*.lease-*"))


def elsewhere(run: RunFolder, age: float) -> Path:
    """A lease of an engine on another machine whose last sign of life is `age` seconds old."""
    who = lease.this_process().model_copy(update={"host": "box7", "machine": "another", "pid": 1})
    (run.path / "engine.lock").touch()
    file = run.path / "engine.lease-0123abcd"
    file.write_text(who.model_dump_json())
    os.utime(file, (time.time() - age, time.time() - age))
    return file


def test_a_lease_keeps_others_out_with_and_without_locks_and_is_gone_with_its_process(
    run: RunFolder, holder: Lockless, library: str
) -> None:
    assert len(leases(run)) == 1
    assert run.engine_alive(), "who has locks sees the lease, too"
    with pytest.raises(ValueError, match="another engine is training run"), run.engine_lock():
        pass
    other = Lockless(library, run)
    assert other("run.engine_alive()") == "True"
    assert other(TAKE) == "ValueError: another engine is training run; watch it with `laddertop attach run`"
    other.end()
    holder.end()
    assert not run.engine_alive()
    check_ours(run)  # what a killed engine left is of the run
    later = Lockless(library, run)
    assert later(TAKE) == "taken", "at once, on the same machine"
    assert len(leases(run)) == 1, "the lease of the dead one is gone"
    assert later("held.close()") == "None"
    assert leases(run) == []
    later.end()
    with run.engine_lock():
        assert run.engine_alive()


def test_an_engine_of_another_machine_keeps_its_run_as_long_as_it_gives_signs_of_life(
    run: RunFolder, library: str
) -> None:
    file = elsewhere(run, age=lease.SILENCE - 60)
    one = Lockless(library, run, SHIM_AHEAD="1")
    assert one("run.engine_alive()") == "True", "the clock that dates files counts, not that of a machine"
    said = one(TAKE)
    assert said.startswith(
        "ValueError: another engine is training run (process 1 on box7, whose last sign of life is 12"
    )
    assert "counts as gone after 180 s without one" in said
    one.end()
    assert file.exists()
    elsewhere(run, age=lease.SILENCE + 1)
    two = Lockless(library, run)
    assert two("run.engine_alive()") == "False"
    assert two(TAKE) == "taken"
    assert not file.exists()
    two.end()
    elsewhere(run, age=-2 * lease.SILENCE)
    three = Lockless(library, run)
    assert three(TAKE) == "taken", "one from the future would last for ever"
    three.end()


def test_a_lease_is_kept_young_and_noticed_when_it_is_taken(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.05)
    path = run.path / "engine.lock"
    mine = lease.take(path)
    assert mine
    (file,) = leases(run)
    os.utime(file, (0, 0))
    until = time.monotonic() + PATIENCE
    while time.time() - file.stat().st_mtime > 60:
        assert time.monotonic() < until, "nothing renews it"
        time.sleep(0.02)
    assert mine.lost() == ""
    file.unlink()
    assert mine.lost() == f"{file.name} was removed"
    other = lease.take(path)
    assert other
    mine.give_up()
    assert lease.holder(path), "who lost his gives up no one else's"
    other.give_up()


def test_of_many_that_take_a_lease_at_the_same_time_one_has_it(tmp_path: Path) -> None:
    inside: list[int] = []
    together: list[int] = []

    def take(number: int) -> None:
        for _ in range(40):
            if mine := lease.take(tmp_path / "a.lock"):
                inside.append(number)
                together.append(len(inside))
                time.sleep(0.001)
                inside.remove(number)
                mine.give_up()

    threads = [threading.Thread(target=take, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together, "nobody had it"
    assert set(together) == {1}
    assert list(tmp_path.iterdir()) == []


def test_where_a_folder_shows_late_what_others_made_a_second_engine_is_refused_and_a_reader_sees_late_that_one_lives(
    run: RunFolder, holder: Lockless, library: str
) -> None:
    late = Lockless(library, run, SHIM_LATE="1")
    assert late("run.engine_alive()") == "False", "a reader makes nothing, so it is told what is remembered"
    assert late(TAKE).startswith("ValueError: another engine is training run")
    late.end()
    assert holder("run.engine_alive()") == "True"


def test_waiting_for_a_disk_is_seen_without_locks_and_not_after_a_kill(
    run: RunFolder, holder: Lockless, library: str
) -> None:
    assert holder("run.prepare_waiting()") == "None"
    seen = Lockless(library, run)
    assert seen("run.engine_waits()") == "False"
    assert holder("held.enter_context(run.waiting())") == "None"
    assert seen("run.engine_waits()") == "True"
    holder.end()
    assert seen("run.engine_waits()") == "False"
    assert seen(TAKE) == "taken"
    assert seen("run.prepare_waiting() or run.engine_waits()") == "False"
    seen.end()


def test_a_lease_that_is_a_link_or_no_lease_holds_nothing_and_is_not_followed(run: RunFolder, tmp_path: Path) -> None:
    there = tmp_path / "thesis.txt"
    there.write_text(lease.this_process().model_dump_json())
    (run.path / "engine.lease-00000000").symlink_to(there)
    (run.path / "engine.lease-11111111").write_text("[]")
    os.mkfifo(run.path / "engine.lease-22222222")
    path = run.path / "engine.lock"
    assert lease.holder(path) is None
    mine = lease.take(path)
    assert mine
    assert len(leases(run)) == 1
    mine.give_up()
    assert there.exists()


def test_a_sweep_without_locks_is_shared_and_what_a_killed_worker_left_is_taken_up(
    run: RunFolder, library: str
) -> None:
    pytest.importorskip("optuna")
    opened = "__import__('laddertop.tui.sweep.queue', fromlist=['Queue']).Queue(Path(run.path.parent / 'lr'))"
    plan = "__import__('laddertop.tui.sweep.plan', fromlist=['planned']).planned(run.spec, 'lr', seeds=2, grid=[], "
    made = f"__import__('laddertop.tui.sweep.queue', fromlist=['create']).create(run.path.parent, {plan}search=[], "
    one, two = Lockless(library, run), Lockless(library, run)
    assert one(f"{made}trials=None, prune=False)).name") == "lr"
    take = f"getattr(globals().setdefault('mine', []).append({opened}.take()) or mine[-1], 'seed', None)"
    first = run.spec.seed
    assert (one(take), two(take)) == (str(first), str(first + 1))
    assert two(take) == "None"
    one.end()
    assert two(take) == str(first)
    two.end()
