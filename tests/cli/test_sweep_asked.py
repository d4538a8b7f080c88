"""A sweep at work is stopped in good order, added to and pinned from another terminal; a stranger's is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from laddertop.journal.events import EventReader, RunEnded
from laddertop.journal.folder import RunFolder
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.cli.main import app
from laddertop.tui.sweep.asked import PINNED
from laddertop.tui.sweep.group import Group
from laddertop.tui.sweep.plan import planned, sweeps_in
from laddertop.tui.sweep.queue import Queue, create
from laddertop.tui.sweep.worker import work
from tests import PATIENCE
from tests.cli.test_sweep_study import small
from tests.processes import Laddertop, wait_for


def test_a_sweep_that_is_told_to_stop_saves_its_runs_and_the_next_worker_goes_on_with_them_and_what_was_added(
    laddertop: Laddertop,
) -> None:
    settings = ("warmup.on=off", "steps=600", "evaluate.every=200")
    sets = [word for setting in settings for word in ("--set", setting)]
    long = ["sweep", "tiny.toml", *sets, "--seeds", "2", "--name", "asked"]
    with laddertop.start(*long) as worker:
        assert worker.stderr is not None
        wait_for(lambda: laddertop.size("asked-000-s3") > 0)
        told = laddertop.here("sweep", "asked", "--stop", "--add", "1", "--pin")
        assert (told.returncode, told.stderr) == (0, "")
        assert "stop in good order" in told.stdout
        out, err = worker.communicate(timeout=PATIENCE)
    assert worker.returncode == 0, err
    assert "(command line) stops the sweep: the engines finish their step and save" in err
    assert "asked: 3 runs of tiny: 2 waiting, 1 left" in out
    ended = laddertop.events("asked-000-s3")[-1]
    assert isinstance(ended, RunEnded)
    assert ended.reason == "stopped"
    group = Group(laddertop.runs / "asked")
    group.look()
    assert group.pinned
    assert group.stopped_by().endswith("(command line)")
    done = laddertop.json("sweep", "--join", "asked", "--at-once", "2")
    assert done["states"] == {"finished": 3}
    assert (done["seeds"], len(done["settings"])) == ([3, 4, 5], 1)
    assert len(laddertop.events("asked-000-s3")) > 3
    assert laddertop.here("sweep", "asked", "--no-pin").returncode == 0
    assert not (laddertop.runs / "asked" / PINNED).exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--stop", "--seeds", "2"], "leave out all that would begin another one"),
        (["--add", "2", "--join"], "leave out --join"),
        (["--add", "10000"], "10000 is the most"),
    ],
)
def test_what_can_t_be_asked_is_refused_and_nothing_is_written(tmp_path: Path, words: list[str], said: str) -> None:
    folder = create(tmp_path, planned(small(), "s", seeds=2, grid=[], search=[], trials=None, prune=False))
    with pytest.raises(ValueError, match=said):
        app(["sweep", "s", *words, "--runs", str(tmp_path)], standalone_mode=False)
    assert list((folder / "commands").iterdir()) == []


def test_a_sweep_that_others_can_write_to_is_asked_nothing_unless_it_is_trusted(tmp_path: Path) -> None:
    folder = create(tmp_path, planned(small(), "s", seeds=2, grid=[], search=[], trials=None, prune=False))
    folder.chmod(0o755)
    (folder / "commands").chmod(0o777)
    for words in (["--stop"], ["--add", "1"], ["--pin"]):
        with pytest.raises(ValueError, match="s is looked at and not driven"):
            app(["sweep", "s", *words, "--runs", str(tmp_path)], standalone_mode=False)
    assert list((folder / "commands").iterdir()) == []
    app(["sweep", "s", "--pin", "--trust", "--runs", str(tmp_path)], standalone_mode=False)
    assert (folder / PINNED).exists()


def test_sweeps_are_found_and_a_link_to_one_or_a_run_is_none(tmp_path: Path) -> None:
    folder = create(tmp_path, planned(small(), "s", seeds=2, grid=[], search=[], trials=None, prune=False))
    (tmp_path / "link").symlink_to("s")
    (tmp_path / "run").mkdir()
    for name in ("sweep.json", "spec.json"):
        (tmp_path / "run" / name).write_text("{}")
    assert [name for name, _ in sweeps_in(tmp_path)] == [folder.name]
    assert sweeps_in(tmp_path / "none") == []


def test_each_of_several_devices_has_one_run_of_a_worker_at_a_time(tmp_path: Path) -> None:
    """By engines on the CPU, which is one device under several names here: there are no two GPUs to try it on."""
    spec = override(load_recipe("dae-digits"), ["device=cpu", "steps=20", "seed=3"])
    plan = planned(spec, "two", seeds=3, grid=[], search=[], trials=None, prune=False)
    assert work(Queue(create(tmp_path, plan)), 2, lambda _: None, ["cpu", "cpu"]) == 0
    runs = [RunFolder(tmp_path / f"two-{i:03d}-s{3 + i}") for i in range(3)]
    spans = [(events[0].time, events[-1].time) for run in runs if (events := EventReader(run.events_path).read_all())]
    assert [run.spec.device for run in runs] == ["cpu"] * 3
    assert min(end for _, end in spans[:2]) <= spans[2][0], "the third began before a device was free"


def test_devices_of_a_sweep_are_named_as_those_of_seeds_are(laddertop: Laddertop) -> None:
    for words in ("cuda:0,0", "cpu,cpu"):
        done = laddertop.here("sweep", "tiny.toml", "--seeds", "2", "--device", words)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"--device {words}: several are written as cuda:0,1, each of them once" in done.stderr
