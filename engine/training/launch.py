"""Starting the other ranks of a training on this machine. Under torchrun they are there already.

Nothing here imports torch: all ranks load it at the same time.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path


def asked_for() -> tuple[int, int]:
    """The rank of this process and how many there are, as torchrun or `Launched` say it in the environment."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def follow_to_the_end(launched: bool) -> None:
    """What a rank other than 0 does with signals: rank 0 alone takes them, and says when it ends. A `launched` one is
    gone as soon as rank 0 is, however that died: its standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    if launched:
        threading.Thread(target=_end_with_standard_input, daemon=True).start()


def _end_with_standard_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


class Launched:
    """Ranks 1 and up of a training of which this process is rank 0."""

    def __init__(self, run: Path, count: int) -> None:
        """Starts them, and says in this process's environment, too, where all meet. Raises OSError where no process
        can be started."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free.getsockname()[1]), "WORLD_SIZE": str(count)}
        os.environ.update(place, RANK="0", LOCAL_RANK="0")
        words = [sys.executable, "-P", "-m", "laddertop.engine", "train", str(run), "--foreground"]
        self._processes = {
            rank: subprocess.Popen(
                words, stdin=subprocess.PIPE, env={**os.environ, "RANK": str(rank), "LOCAL_RANK": str(rank)}
            )
            for rank in range(1, count)
        }

    def gone(self) -> str:
        """Which has ended and how, in a sentence; empty while all are there."""
        for rank, process in self._processes.items():
            if (status := process.poll()) is not None:
                how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
                return f"rank {rank} {how}"
        return ""

    def hang(self, rank: int) -> None:
        """Ends a rank that gives no sign of life, so that nobody waits for it any more."""
        self._processes[rank].kill()

    def end(self) -> None:
        """Ends what is still there; who was told that the training is over has a moment to go."""
        for process in self._processes.values():
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
