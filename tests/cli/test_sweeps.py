"""Sweeps: what they vary, the queue that workers share, pruning, and the table; the same after any number of kills."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import optuna
import pytest
import torch
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from laddertop.journal.events import Commanded, RunStarted
from laddertop.journal.spec import Spec, load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.sweep.plan import choices, planned, span
from laddertop.tui.sweep.queue import Queue, create, mend
from laddertop.tui.sweep.table import outcome, slices
from tests import PATIENCE
from tests.processes import Laddertop, wait_for

SHORT = ["sweep", "tiny.toml", "--set", "steps=20", "--set", "evaluate.every=10", "--set", "warmup.on=off"]


def small() -> Spec:
    return override(load_recipe("ladder-digits"), ["device=cpu", "steps=10", "warmup.on=off"])


def test_values_of_a_grid_are_divided_by_commas_outside_of_brackets() -> None:
    assert choices("1e-3,2e-3") == ["1e-3", "2e-3"]
    assert choices("[16,8],[32]") == ["[16,8]", "[32]"]
    assert choices("'a,b', c") == ["'a,b'", "c"]


def test_a_range_is_of_whole_numbers_where_its_key_is() -> None:
    spec = small()
    assert span(spec, "noise.std", "0..1").whole is False
    batch = span(spec, "data.batch", "10..100:log")
    assert (batch.low, batch.high, batch.whole, batch.log) == (10, 100, True, True)
    assert span(spec, "optimizer.lr", "1e-4..1e-2:log").low == 1e-4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "x"], "a sweep varies something"),
        (["--grid", "optimizer.lrr=1,2"], "unknown key 'optimizer.lrr' (did you mean optimizer.lr"),
        (["--grid", "optimizer.lr=1e-3,fast"], "optimizer.lr: takes a number (you gave 'fast')"),
        (["--grid", "optimizer.lr=1e-3,1e-3"], "optimizer.lr has 1e-3 twice"),
        (["--grid", "optimizer.lr=1e-3,"], "has an empty value"),
        (["--grid", "optimizer.lr"], "write key=values, such as optimizer.lr=1e-3,2e-3"),
        (["--grid", "seed=1,2"], "seeds are given with --seeds"),
        (["--grid", "data.batch=10,5000"], "data.batch: 5000 rows, and digits has"),
        (["--search", "noise.std=0.1-0.5"], "is no range of noise.std; write 0.1..0.5"),
        (["--search", "noise.std=0.5..0.1"], "the first number is to be smaller"),
        (["--search", "noise.std=0..0.1:log"], "a logarithm needs numbers above 0"),
        (["--search", "noise.std=-1..0.1"], "std must not be empty, negative"),
        (["--search", "data.batch=1.5..4"], "data.batch takes whole numbers"),
        (["--search", "noise.std=0..1", "--grid", "noise.std=1,2"], "stands in --grid and in --search"),
        (["--grid", "noise.std=0.1,0.2", "--trials", "4"], "name what varies with --search"),
        (["--seeds", "1000", "--search", "noise.std=0..1"], "10000 is the most"),
        (["--seeds", "2", "--name", "two words"], "take one word"),
        (["--join", "--seeds", "2"], "with --join leave out all but --at-once"),
        (["--join"], "no sweep 'tiny.toml'"),
    ],
)
def test_what_can_t_be_varied_is_refused_before_anything_is_made(
    laddertop: Laddertop, words: list[str], said: str
) -> None:
    done = laddertop.here(*SHORT[:2], *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not laddertop.runs.exists()


def test_workers_share_a_queue_and_seeds_of_one_setting_share_what_was_drawn(tmp_path: Path) -> None:
    words = {"grid": ["optimizer.lr=1e-3,2e-3"], "search": ["noise.std=0.1..0.5:log", "data.batch=10..20"]}
    folder = create(tmp_path, planned(small(), "drawn", seeds=2, trials=3, prune=False, **words))
    with (folder / "optuna.log").open("ab") as file:
        file.write(b'{"op_code":')  # as a power cut leaves it
    mend(folder)
    one, other = Queue(folder), Queue(folder)
    taken = [claimed for _ in range(3) for queue in (one, other) if (claimed := queue.take())]
    assert [claimed.trial.number for claimed in taken] == list(range(6))
    assert one.take() is None
    assert [claimed.values["optimizer.lr"] for claimed in taken] == ["1e-3"] * 2 + ["2e-3"] * 2 + ["1e-3"] * 2
    assert [claimed.seed for claimed in taken] == [small().seed, small().seed + 1] * 3
    assert all(taken[i].values == taken[i + 1].values for i in (0, 2, 4))
    assert len({claimed.values["noise.std"] for claimed in taken}) == 3
    for claimed in taken:
        assert 0.1 <= float(claimed.values["noise.std"]) <= 0.5
        assert int(claimed.values["data.batch"]) in range(10, 21)
    taken[3].close()  # as the system does when its worker dies
    assert outcome(other)["states"] == {"running": 5, "left": 1}
    again = one.take()
    assert again is not None
    assert (again.trial.number, again.values) == (3, taken[3].values)
    for claimed in (*taken[:3], *taken[4:], again):
        claimed.tell(TrialState.COMPLETE, ("score", Value(value=claimed.trial.number, unit="x", better="higher")))
    assert (one.take(), other.take()) == (None, None)
    told = outcome(other)
    assert [row["median"] for row in told["settings"]] == [4.5, 2.5, 0.5], "higher is better, so the highest is first"
    assert [row["best"] for row in told["settings"]] == [5, 3, 1]
    heads, *by_key = slices(told, one.plan)
    assert heads == ["key", "values", "best", "median", "settings"]
    rates = [row[1:] for row in by_key if row[0] == "optimizer.lr"]
    assert rates == [["1e-3", "4.5", "2.5", "2"], ["2e-3", "2.5", "2.5", "1"]]


def test_a_range_is_told_by_its_fifths_of_values_or_of_logarithms(tmp_path: Path) -> None:
    plan = planned(
        small(), "fifths", seeds=1, grid=[], search=["noise.std=0.1..0.6", "optimizer.lr=1e-5..1:log"], trials=4,
        prune=False,
    )  # fmt: skip
    drawn = [("0.1", "1e-5", 4.0), ("0.19", "9e-5", 2.0), ("0.59", "1.0", 1.0), ("0.6", "1e-2", None)]
    settings = [{"values": {"noise.std": std, "optimizer.lr": lr}, "median": told} for std, lr, told in drawn]
    told = {"measure": {"better": "lower"}, "settings": settings}
    assert slices(told, plan)[1:] == [
        ["noise.std", "0.1 … 0.2", "2", "3", "2"],
        ["noise.std", "0.5 … 0.6", "1", "1", "1"],
        ["optimizer.lr", "1e-05 … 0.0001", "2", "3", "2"],
        ["optimizer.lr", "0.1 … 1", "1", "1", "1"],
    ]
    assert slices({**told, "settings": settings[1:3]}, plan) == [], "the table of the settings says as much"


def test_a_worker_that_lacks_the_data_says_so_and_leaves_the_runs_to_others(
    laddertop: Laddertop, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    spec = override(load_recipe("vae-mnist"), ["device=cpu", "steps=1", f'data.root="{data}"'])
    plan = planned(spec, "elsewhere", seeds=2, grid=[], search=[], trials=None, prune=False)
    create(laddertop.runs, plan)
    data.rmdir()
    done = laddertop.here("sweep", "--join", "elsewhere")
    assert done.returncode == 2
    assert f"there is no folder {data}" in done.stderr
    assert laddertop.json("sweep", "elsewhere")["states"] == {"left": 1, "waiting": 1}
    assert not list(laddertop.runs.glob("elsewhere-*"))


def test_a_sweep_says_what_to_install_where_its_queue_is_missing(
    laddertop: Laddertop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laddertop.tui.cli.sweep.find_spec", lambda name: None)
    done = laddertop.here(*SHORT, "--seeds", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'laddertop[sweep]'" in done.stderr


def test_what_is_searched_is_drawn_near_what_did_well_and_once_for_all_seeds_of_a_setting(tmp_path: Path) -> None:
    folder = create(
        tmp_path,
        planned(small(), "near", seeds=2, grid=[], search=["noise.std=0..1"], trials=15, prune=False),
    )
    queue, drawn = Queue(folder), []
    while claimed := queue.take():
        drawn.append(float(claimed.values["noise.std"]))
        cost = Value(value=abs(drawn[-1] - 0.3), unit="x")
        claimed.tell(TrialState.COMPLETE, ("cost", cost))
    assert drawn[::2] == drawn[1::2], "more is known when the second seed begins"
    assert len(set(drawn)) == 15
    first, last = drawn[:20:2], drawn[20::2]
    assert sum(abs(one - 0.3) for one in last) / 5 < sum(abs(one - 0.3) for one in first) / 10


def test_a_sweep_trains_every_value_and_its_table_has_what_the_runs_measured(laddertop: Laddertop) -> None:
    told = laddertop.json(*SHORT, "--grid", "optimizer.lr=1e-3,2e-3", "--name", "two", "--at-once", "2")
    assert told["states"] == {"finished": 2}
    for row in told["settings"]:
        (run,) = row["runs"]
        kept = laddertop.run_folder(run["run"])
        assert kept.spec.optimizer.lr == float(row["values"]["optimizer.lr"])
        assert kept.tags == ["two"]
        shown = laddertop.json("show", run["run"])
        assert shown["state"] == "finished"
        assert row["median"] == row["best"] == shown["evaluation"]["values"]["error_percent"]["value"]
    assert told["settings"][0]["median"] <= told["settings"][1]["median"]
    assert laddertop.json("sweep", "two") == told
    assert laddertop.json("sweep", "--join", "checkpoints/two") == told, "there is nothing left to do"
    printed = laddertop.here("sweep", "two").stdout.splitlines()
    assert printed[0] == "two: 2 runs of tiny: 2 finished; error in % of images"
    assert [line.split()[-1] for line in printed[2:]] == [
        f"optimizer.lr={row['values']['optimizer.lr']}" for row in told["settings"]
    ]
    storage = JournalStorage(JournalFileBackend(str(laddertop.runs / "two" / "optuna.log")))
    study = optuna.load_study(study_name="two", storage=storage)
    assert [trial.params for trial in study.trials] == [{"optimizer.lr": "1e-3"}, {"optimizer.lr": "2e-3"}]
    assert [list(trial.intermediate_values) for trial in study.trials] == [[10, 20], [10, 20]]
    assert study.best_value == told["settings"][0]["best"]
    again = laddertop.here(*SHORT, "--seeds", "2", "--name", "two")
    assert again.returncode == 2
    assert "there is a run or a sweep two in checkpoints already" in again.stderr


@pytest.mark.stress
def test_a_run_that_is_worse_than_the_others_at_the_same_step_is_stopped_by_a_command(laddertop: Laddertop) -> None:
    spec = override(load_recipe(str(laddertop.cwd / "tiny.toml")), ["steps=1000000", "evaluate.every=10"])
    plan = planned(spec, "pruned", seeds=6, grid=[], search=[], trials=None, prune=True)
    queue = Queue(create(laddertop.runs, plan))
    best = Value(value=0.0, unit="% of images", headline=True)
    for _ in range(5):  # the startup trials of Optuna's median pruner
        claimed = queue.take()
        assert claimed is not None
        assert not claimed.report(10, best)
        claimed.tell(TrialState.COMPLETE, ("error_percent", best))
    told = laddertop.json("sweep", "--join", "pruned")
    assert told["states"] == {"finished": 5, "pruned": 1}
    name = told["settings"][0]["runs"][5]["run"]
    (stop,) = (event for event in laddertop.events(name) if isinstance(event, Commanded))
    assert (stop.action, stop.outcome) == ("stop", "applied")
    assert stop.note.startswith("pruned at step 10: ")


@pytest.mark.stress
def test_a_sweep_whose_workers_are_killed_ten_times_ends_with_the_table_of_an_undisturbed_one(
    laddertop: Laddertop,
) -> None:
    vary = ["sweep", "tiny.toml", "--grid", "optimizer.lr=1e-3,2e-3", "--seeds", "3", "--set", "steps=300"]
    vary += ["--set", "checkpoint.every=20", "--set", "checkpoint.keep=2", "--set", "evaluate.every=100"]
    began = time.monotonic()
    undisturbed = laddertop(*vary, "--name", "calm", "--at-once", "2", timeout=PATIENCE * 10)
    took = time.monotonic() - began
    assert undisturbed.returncode == 0, undisturbed.stderr
    draw = random.Random(1)
    workers = [laddertop.start(*vary, "--name", "killed", stdout=None, stderr=None)]
    wait_for(lambda: (laddertop.runs / "killed").exists())
    join = ["sweep", "--join", "checkpoints/killed"]
    killed = resumed = 0
    try:
        while killed < 10:
            if len(workers) < 2:
                workers.append(laddertop.start(*join, stdout=None, stderr=None))
            time.sleep(draw.uniform(0, took / 6))
            chosen = workers.pop(draw.randrange(len(workers)))
            assert chosen.poll() is None, "the sweep ended before it was killed often enough"
            if draw.random() < 0.5:  # the engine with its worker, without a word
                for engine in engines_of(chosen.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(engine, signal.SIGKILL)
            chosen.kill()
            chosen.wait()
            killed += 1
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    done = laddertop(*join, "--at-once", "2", timeout=PATIENCE * 10)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == undisturbed.stdout.splitlines()[1:]
    for number in range(6):
        calm, other = (f"{name}-{number:03d}-s{3 + number % 3}" for name in ("calm", "killed"))
        resumed += sum(isinstance(e, RunStarted) and e.segment > 1 for e in laddertop.events(other))
        ours, theirs = (torch.load(laddertop.checkpoint(name, 300), weights_only=True) for name in (calm, other))
        assert all(torch.equal(tensor, theirs["model"][name]) for name, tensor in ours["model"].items())
    assert resumed, "no run was gone on with"


def engines_of(pid: int) -> list[int]:
    """The processes that a process started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
