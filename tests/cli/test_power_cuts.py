"""What a power cut leaves of a run is told by name, and a resume goes on from what is sound of it."""

from __future__ import annotations

import json
import os

import pytest

from laddertop.journal.events import RunStarted
from tests.processes import Laddertop


@pytest.mark.stress
@pytest.mark.parametrize("lost", ["metrics.json", "events.jsonl", "folders"])
def test_a_resume_goes_on_from_what_a_power_cut_left(laddertop: Laddertop, lost: str) -> None:
    name = f"cut-{lost.partition('.')[0]}"
    done = laddertop("train", "tiny.toml", "--name", name, "--steps", "40", "--set", "checkpoint.every=20")
    assert done.returncode == 0, done.stderr
    path = laddertop.runs / name
    *happened, _ended = (path / "events.jsonl").read_text().splitlines(keepends=True)
    (path / "events.jsonl").write_text("".join(happened))
    (path / "spec.json").write_text((path / "spec.json").read_text().replace('"steps": 40,', '"steps": 60,'))
    if lost == "folders":
        for folder in ("commands", "samples"):
            for file in (path / folder).iterdir():
                file.unlink()
            (path / folder).rmdir()
    else:
        os.truncate(path / lost, 0)
    if lost == "events.jsonl":
        os.truncate(path / lost, 4096)
    shown = laddertop.here("show", name)
    if lost == "metrics.json":
        assert shown.returncode == 2
        assert lost in shown.stderr
    else:
        assert shown.returncode == 0
    if lost == "events.jsonl":
        assert "does not name the checkpoints of step 20, 40" in shown.stdout
        evaluated = laddertop("evaluate", name, "--quick", "--json")
        assert json.loads(evaluated.stdout)["step"] == 40
        assert "found again by what they say of themselves: checkpoints 20, 40" in evaluated.stderr
    resumed = laddertop("resume", name)
    assert resumed.returncode == 0, resumed.stderr
    assert "finished at step 60 of 60" in resumed.stdout
    assert [e for e in laddertop.events(name) if isinstance(e, RunStarted)][-1].resumed_from == 40
    assert json.loads((path / "metrics.json").read_text())[0]["name"] == "total"
