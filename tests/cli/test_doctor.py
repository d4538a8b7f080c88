"""`doctor` finds what is missing, each in a machine that misses it, and leaves nothing behind."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from laddertop.journal.start import has_gpu
from tests.cli.test_surroundings import SHIM
from tests.processes import COMMAND, Laddertop
from tests.shim import shim
from tests.terminal import Terminal


def test_without_locks_device_and_data_it_says_so_and_fails(laddertop: Laddertop, tmp_path: Path) -> None:
    if has_gpu():
        pytest.skip("there is a GPU")
    before = set(laddertop.cwd.rglob("*"))
    variables = {"LD_PRELOAD": shim(tmp_path, SHIM), "SHIM_FLOCK": str(errno.ENOLCK)}
    nowhere = str(tmp_path / "mistyped")
    done = laddertop("doctor", "--json", LADDERTOP_DEVICE="cuda:9", LADDERTOP_DATA=nowhere, **variables)
    assert (done.returncode, done.stderr) == (1, "")
    found = {one["about"]: one for one in json.loads(done.stdout)}
    assert found["terminal"]["state"] == "note"
    assert found["torch"]["state"] == found["disk"]["state"] == "good"
    assert found["device"]["state"] == "problem"
    assert "device cuda:9" in found["device"]["text"]
    assert found["data root"]["state"] == "problem"
    assert found["data root"]["text"].startswith(f"$LADDERTOP_DATA: there is no folder {nowhere}")
    assert found["locks"]["state"] == "note"
    assert found["locks"]["text"].startswith("none: ")
    assert set(laddertop.cwd.rglob("*")) == before


@pytest.mark.stress
def test_where_all_is_well_it_says_so_and_what_the_terminal_told(laddertop: Laddertop, tmp_path: Path) -> None:
    environment = {**laddertop.environment, "XDG_CACHE_HOME": str(tmp_path), "COLORFGBG": ""}
    with Terminal([*COMMAND, "doctor"], laddertop.cwd, environment, 150, 40) as terminal:
        terminal.screen.background = "rgb:ffff/ffff/ffff"
        status = terminal.ended()
        shown = {
            line[3:16].strip(): (line[0], line[16:].strip()) for line in terminal.lines if line[:1] in ("✓", "▲", "✗")
        }
    assert status == 0, shown
    assert shown["background"] == ("✓", "light, told by the terminal or by COLORFGBG")
    assert shown["locks"][0] == shown["torch"][0] == shown["device"][0] == "✓"


def test_a_dumb_terminal_a_broken_torch_and_a_folder_that_takes_nothing_stand_in_the_way(
    laddertop: Laddertop, tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('libcudart.so.12 is not there')")
    (tmp_path / "file").write_text("")
    path = {"PYTHONPATH": f"{laddertop.environment['PYTHONPATH']}:{tmp_path}"}
    words = ["env", "TERM=dumb", *COMMAND, "doctor", "--runs", str(tmp_path / "file" / "runs")]
    with Terminal(words, laddertop.cwd, {**laddertop.environment, **path}, 150, 40) as terminal:
        status = terminal.ended()
        shown = [line for line in terminal.lines if line.startswith("✗")]
    assert status == 1
    assert [line.split()[1] for line in shown] == ["terminal", "torch", "runs"], shown
    assert "TERM=dumb can't" in shown[0]
    assert "libcudart.so.12 is not there" in shown[1]
