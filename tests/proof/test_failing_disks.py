"""A real engine whose C library refuses what it writes for a while: it waits, goes on, and comes out as if nothing had
been."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from laddertop.journal.events import Checkpointed, Logged, RunStarted
from laddertop.journal.metrics import MetricsReader
from tests.conftest import Tally
from tests.processes import Laddertop, wait_for
from tests.shim import shim

pytestmark = pytest.mark.stress

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
/* $SHIM_DISK names a file: "CALL ERRNO PART" has that call fail for files with that part in their path. */
static int refused(const char *call, int file, const char *name) {
    char wanted[256] = "", which[64], part[128], link[64], path[4096] = "";
    int number, control = syscall(SYS_openat, AT_FDCWD, getenv("SHIM_DISK"), O_RDONLY);
    if (control < 0) return 0;
    int there = syscall(SYS_read, control, wanted, sizeof wanted - 1);
    syscall(SYS_close, control);
    if (there <= 0 || sscanf(wanted, "%63s %d %127s", which, &number, part) != 3 || strcmp(which, call)) return 0;
    if (!name) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        if (readlink(link, path, sizeof path - 1) < 0) return 0;
        name = path;
    }
    if (!strstr(name, part)) return 0;
    errno = number;
    return 1;
}
ssize_t write(int file, const void *data, size_t size) {
    if (refused("write", file, 0)) return -1;
    return ((ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write"))(file, data, size);
}
int fsync(int file) {
    if (refused("fsync", file, 0)) return -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(file);
}
int renameat(int from, const char *old, int to, const char *new) {
    if (refused("rename", to, new)) return -1;
    return ((int (*)(int, const char *, int, const char *))dlsym(RTLD_NEXT, "renameat"))(from, old, to, new);
}
"""

REFUSED = [("write", part) for part in ("events.jsonl", "metrics-0001.bin", "step-")]
REFUSED += [("fsync", "events.jsonl"), ("fsync", "step-"), ("rename", "step-")]
"""Each call with what of a run it is refused for."""
NUMBERS = (errno.EIO, errno.ENOSPC, errno.EDQUOT)


def test_a_training_waits_for_a_disk_that_fails_and_nothing_is_lost(
    laddertop: Laddertop, tally: Tally, tmp_path: Path
) -> None:
    control = tmp_path / "control"
    variables = {"LD_PRELOAD": shim(tmp_path, SHIM), "SHIM_DISK": str(control)}
    settings = ("--set", "checkpoint.every=100", "--set", "evaluate.every=100", "--steps", "100000000")
    done = laddertop("train", "tiny.toml", "--name", "failing", "--detach", *settings, **variables)
    assert done.returncode == 0, done.stderr
    run, held, lost = laddertop.run_folder("failing"), 0, list[str]()

    def told() -> list[str]:
        return [event.text for event in laddertop.events("failing") if isinstance(event, Logged)]

    for call, part in REFUSED:
        for number in NUMBERS:
            before = len(told())
            (tmp_path / "new").write_text(f"{call} {number} {part}")
            os.replace(tmp_path / "new", control)
            wait_for(run.engine_waits)
            control.unlink()
            (text,) = wait_for(lambda before=before: told()[before:])  # type: ignore[misc]
            held += 1
            if os.strerror(number) not in text or part not in text:
                lost.append(f"{call} {part} {os.strerror(number)}: {text}")
    stopped = laddertop("stop", "failing")
    assert stopped.returncode == 0, stopped.stderr
    wait_for(lambda: not run.engine_alive())
    events = laddertop.events("failing")
    saved = [event.step for event in events if isinstance(event, Checkpointed)]
    if saved != sorted(set(saved)) or sum(isinstance(event, RunStarted) for event in events) != 1:
        lost.append(f"checkpoints {saved}")
    metrics = MetricsReader(run.path)
    metrics.poll()
    if metrics.steps.tolist() != list(range(1, saved[-1] + 1)):
        lost.append("its metrics have not every step once")
    again = laddertop("replay", "failing", "--train", "--json", "--name", "again")
    if again.returncode:
        lost.append(f"an undisturbed training differs: {again.stdout[-300:]} {again.stderr[-300:]}")
    tally("write, fsync or rename refused for a while", held, len(lost))
    assert lost == []
