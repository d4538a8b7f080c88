"""What a terminal shows before textual is loaded. Real processes in pseudo-terminals."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests import PATIENCE
from tests.tui.test_manners import ROOT

LADDERTOP = str(Path(sys.executable).with_name("laddertop"))


def output_of(code: list[str], **variables: str) -> tuple[bytes, int]:
    """All that a command writes to a pseudo-terminal until it ends, and its exit status."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), **variables}
    process = subprocess.Popen(code, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT)
    os.close(theirs)
    output = b""
    with suppress(OSError):
        while data := os.read(ours, 65536):
            output += data
    os.close(ours)
    return output, process.wait(PATIENCE)


def test_a_line_is_shown_before_anything_heavy_is_loaded() -> None:
    code = (
        "import sys; from laddertop.tui.dashboard.terminal import first_frame\n"
        "with first_frame('opening this'): print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    output, status = output_of([sys.executable, "-c", code])
    assert status == 0
    shown, _, loaded = output.partition(b"opening this")
    assert shown.startswith(b"\x1b[?1049h")
    assert shown.endswith(b"laddertop   ")
    assert not set(loaded.split()) & {b"textual", b"pydantic", b"numpy", b"journal"}


def test_a_run_that_is_not_there_is_told_on_the_screen_as_it_was(tmp_path: Path) -> None:
    output, status = output_of([LADDERTOP, "attach", "nothing", "--runs", str(tmp_path)])
    assert status == 2
    shown, _, left = output.partition(b"\x1b[?25h\x1b[?1049l")
    assert b"opening nothing" in shown
    assert left.startswith(b"laddertop: there are no runs in")
    assert b"\x1b" not in left


def test_a_terminal_that_cant_move_its_cursor_gets_a_sentence_alone(tmp_path: Path) -> None:
    output, status = output_of([LADDERTOP, "--runs", str(tmp_path)], TERM="dumb")
    assert status == 2
    assert b"\x1b" not in output
    assert b"TERM=dumb" in output
