"""The process that forks engines for the tests outlives whoever asks it, as tests kill those at any moment."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
from pathlib import Path

from tests import PATIENCE, warm


def test_who_asks_for_a_fork_may_be_gone_before_all_is_said_and_before_it_is_told(tmp_path: Path) -> None:
    words = [*warm.FORKED[0], str(tmp_path / "none")]
    told = pickle.dumps((words[4:], str(tmp_path), dict(os.environ), 0))
    size = len(told).to_bytes(8, "little")
    with Path(os.devnull).open("r+b") as nothing:
        for said in (b"", size, size + told[:9], size + told):
            with socket.socket(socket.AF_UNIX) as line:
                line.connect("\0" + os.environ[warm.ADDRESS])
                if said:
                    socket.send_fds(line, [said], [nothing.fileno()] * 3)
    ended = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    assert isinstance(ended, warm.Popen)
    _, err = ended.communicate(timeout=PATIENCE)
    assert ended.returncode == 1, err
    assert "none" in err
