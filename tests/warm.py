"""Engines that the tests start are forks of one process that has loaded torch already, which takes them longer than all
else that most of them do. They are processes as any other, with a session, folder, environment, streams and exit status
of their own, and are killed as others are. COLD are the variables of a command whose engines start from nothing.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ADDRESS = "LADDERTOP_TESTS_WARM"
"""The variable in which workers find the socket of the process that forks."""
COLD = {ADDRESS: ""}
THREADS = {"OMP_NUM_THREADS": "1"}
"""What torch reads when it is loaded, so that no fork can choose it."""
FORKED = [
    [sys.executable, "-P", "-m", "laddertop.engine", word]
    for word in ("train", "evaluate", "weights", "explore", "sizes", "look", "look-model")
]
"""How the command lines begin of engines that may be forks: all but those that tell how torch can be loaded."""


class Popen(subprocess.Popen[Any]):
    """A process as of subprocess; a fork of the warm one where it is an engine that might be."""

    _line: socket.socket | None = None

    def _execute_child(  # type: ignore[no-untyped-def]
        self, args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell, p2cread,
        p2cwrite, c2pread, c2pwrite, errread, errwrite, *rest
    ) -> None:  # fmt: skip
        # What subprocess calls once it has made the pipes, and to which it leaves self.pid.
        pipes = (p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)
        environment = dict(os.environ if env is None else env)
        if not (
            isinstance(args, list)
            and args[:5] in FORKED
            and "--nproc" not in args
            and environment.items() >= THREADS.items()
            and "LD_PRELOAD" not in environment
            and not preexec_fn
            and environment.get(ADDRESS)
        ):
            super()._execute_child(  # type: ignore[misc]
                args, executable, preexec_fn, close_fds, pass_fds, cwd, env, startupinfo, creationflags, shell, *pipes,
                *rest,
            )  # fmt: skip
            return
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect("\0" + environment[ADDRESS])
        told = pickle.dumps((args[4:], os.fspath(cwd or os.getcwd()), environment, os.nice(0)))
        streams = [own if fd == -1 else fd for own, fd in enumerate((p2cread, c2pwrite, errwrite))]
        socket.send_fds(self._line, [len(told).to_bytes(8, "little")], streams)
        self._line.sendall(told)
        self.pid = number_of(self._line)
        self._child_created = True
        self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._line is None:
            return super()._try_wait(wait_flags)  # type: ignore[misc,no-any-return]
        if self._line.fileno() == -1:  # collected before this object, which subprocess keeps to wait for its process
            return self.pid, 0
        if wait_flags & os.WNOHANG and not select.select([self._line], [], [], 0)[0]:
            return 0, 0
        return self.pid, number_of(self._line)

    def _internal_poll(self, **told: Any) -> int | None:
        if self._line is None:
            return super()._internal_poll(**told)  # type: ignore[misc,no-any-return]
        # A signal may come while this thread waits, which then knows more than whoever asks.
        if self._waitpid_lock.acquire(blocking=False):  # type: ignore[attr-defined]
            try:
                if self.returncode is None and (ended := self._try_wait(os.WNOHANG))[0]:
                    self._handle_exitstatus(ended[1])  # type: ignore[attr-defined]
            finally:
                self._waitpid_lock.release()  # type: ignore[attr-defined]
        return self.returncode


def number_of(line: socket.socket) -> int:
    """The next number on a socket: the pid of a fork, later the status with which it ended."""
    told = line.recv(8, socket.MSG_WAITALL)
    assert len(told) == 8, "the process that forks engines is gone"
    return int.from_bytes(told, "little")


@contextlib.contextmanager
def forks() -> Iterator[None]:
    """While this lasts, engines that this process and its children start by `Popen` are forks."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # the kernel finds a name that is in no folder
        listener.listen(64)
        server = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.warm", str(listener.fileno())],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,  # at whose end it ends, too
            env={**os.environ, **THREADS, "PYTHONPATH": str(Path(__file__).parents[1])},
            start_new_session=True,
        )
        address = listener.getsockname()[1:].decode()
    # Closed here, so that nobody waits for a process that is gone.
    os.environ[ADDRESS] = address
    try:
        yield
    finally:
        del os.environ[ADDRESS]
        server.terminate()
        server.wait()


def serve(listener: socket.socket) -> None:
    """Forks until standard input ends; returns in each fork, with the streams, folder and words of an engine."""
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    lines: dict[int, socket.socket] = {}
    while True:
        ready, _, _ = select.select([listener, woken, 0], [], [])
        if 0 in ready:
            sys.exit()
        if woken in ready:
            os.read(woken, 4096)
            for pid, line in list(lines.items()):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    with lines.pop(pid), contextlib.suppress(OSError):  # who started it may be gone
                        line.sendall(status.to_bytes(8, "little"))
        if listener in ready:
            line, _ = listener.accept()
            # Who asks may be killed at any moment, before all is said or before it is told what became of it.
            head, streams, _, _ = socket.recv_fds(line, 8, 3)
            size = int.from_bytes(head, "little")
            said = line.recv(size, socket.MSG_WAITALL)
            if not said or len(said) < size:
                for fd in (line.detach(), *streams):
                    os.close(fd)
                continue
            words, folder, environment, nice = pickle.loads(said)
            if not (pid := os.fork()):
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for held in (listener, line, *lines.values()):
                    held.close()
                for own, fd in enumerate(streams):
                    os.dup2(fd, own)
                for fd in (woken, wake, *streams):
                    os.close(fd)
                os.setsid()
                os.nice(nice - os.nice(0))
                os.chdir(folder)
                os.environ.clear()
                os.environ.update(environment)
                sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
                sys.argv[1:] = words
                return
            for fd in streams:
                os.close(fd)
            lines[pid] = line
            with contextlib.suppress(OSError):
                line.sendall(pid.to_bytes(8, "little"))


if __name__ == "__main__":
    listening = socket.socket(fileno=int(sys.argv[1]))
    if 0 in select.select([listening, 0], [], [])[0]:
        sys.exit()  # where no engine is started, none needs torch
    import runpy

    import laddertop.engine.saved.evaluate
    import laddertop.engine.saved.serve
    import laddertop.engine.sizes
    import laddertop.engine.training.train
    import laddertop.engine.trial  # noqa: F401

    gc.freeze()
    serve(listening)
    runpy.run_module("laddertop.engine", run_name="__main__", alter_sys=True)
