"""A loop of somebody's own is a run: recorded, watched and steered as every other one, without torch if it has none."""

from __future__ import annotations

import errno
import math
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import laddertop
from laddertop.engine.loop.loop import Loop
from laddertop.journal.commands import send
from laddertop.journal.events import (
    Commanded,
    Evaluated,
    EventWriter,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
)
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.samples import read_samples
from laddertop.journal.spec import parse
from laddertop.journal.state import RunState
from laddertop.tui.dashboard.knob_keys import usable_keys
from laddertop.tui.dashboard.widgets.knobs import Knobs
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.watch.comparison import difference, open_runs
from tests.loops import events_of, numbers, of, until
from tests.tui.eyes import Eyes

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., Loop]:
    def start(name: str = "mine", **options: object) -> Loop:
        usual = {"steps": 5, "terms": {"kl": "beta", "fit": None}, "knobs": {"beta": 0.5, "lr": 0.1}}
        return laddertop.start(name, runs=tmp_path, **(usual | options))  # type: ignore[arg-type]

    return start


def divide(run: Loop) -> None:
    with run:
        for step in run:
            _ = 1 / step


def test_it_ends_finished_stopped_or_failed_as_the_loop_does(started: Callable[..., Loop], tmp_path: Path) -> None:
    for _ in started("whole"):
        pass
    for _ in started("left"):
        break
    run = started("failed")
    with pytest.raises(ZeroDivisionError):
        divide(run)
    assert of(RunEnded, tmp_path / "whole")[0].reason == "finished"
    until(lambda: of(RunEnded, tmp_path / "left"))
    (end,) = of(RunEnded, tmp_path / "left")
    assert (end.reason, end.detail, end.step) == ("stopped", "its loop was left", 0)
    (end,) = of(RunEnded, tmp_path / "failed")
    assert (end.reason, end.detail) == ("failed", "ZeroDivisionError: division by zero")
    program = "import laddertop\nfor step in laddertop.start('x', steps=3, terms={'a': None}): raise KeyError('w')"
    environment = {**os.environ, "LADDERTOP_RUNS": str(tmp_path)}
    assert subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True).returncode == 1
    (end,) = of(RunEnded, tmp_path / "x")
    assert (end.reason, end.detail) == ("failed", "KeyError: 'w'")


def test_it_is_measured_and_drawn_at_its_end_and_what_comes_later_is_refused(
    started: Callable[..., Loop], tmp_path: Path
) -> None:
    run = started("measured", evaluates=lambda: {"error": 0.25}, draws=lambda: np.ones((3, 4, 4)))
    for _ in run:
        run.record(kl=1, fit=2)
    (measured,), (drawn,) = of(Evaluated, tmp_path / "measured"), of(Sampled, tmp_path / "measured")
    assert (measured.step, measured.values["error"].value, drawn.step) == (5, 0.25, 5)
    with pytest.raises(ValueError, match="the run has ended with its loop"):
        run.evaluated(error=0.5)


def test_after_a_kill_it_goes_on_from_its_newest_checkpoint_with_the_knobs_of_then(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import laddertop, os, pathlib, signal, sys\n"
        f"run = laddertop.start('mine', runs={str(tmp_path)!r}, steps=40, terms={{'a': None}}, knobs={{'lr': 1.0}},\n"
        "                      resume=True)\n"
        "print(run.step, run.resumed_from and run.resumed_from.read_text(), run.knob('lr'), flush=True)\n"
        "for step in run:\n"
        "    run.record(a=step)\n"
        "    if step == 9:\n"
        "        pathlib.Path('w').write_text('weights of ten')\n"
        "        run.checkpoint('w')\n"
        "    if step == 29 and sys.argv[1:]:\n"
        "        import time; time.sleep(1); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = [sys.executable, str(program)]
    first = subprocess.run([*words, "die"], cwd=tmp_path, capture_output=True, text=True)
    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "0 None 1.0\n")
    run = RunFolder(tmp_path / "mine")
    assert RunState().apply_all(events_of(run.path)).status(run.engine_alive()) == "crashed"
    second = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert second.stdout == "10 weights of ten 1.0\n"
    assert [(start.segment, start.step) for start in of(RunStarted, run.path)] == [(1, 0), (2, 10)]
    read = numbers(run.path)
    assert read.steps.tolist() == list(range(1, 41))
    assert read.values("a").tolist() == list(range(40))


def test_scalars_of_torch_are_read_as_they_were_when_they_were_recorded(
    started: Callable[..., Loop], tmp_path: Path
) -> None:
    kl = torch.zeros((), requires_grad=True)
    for step in (run := started()):
        with torch.no_grad():
            kl.fill_(step)
        run.record(kl=kl, fit=torch.tensor(2.0))
    read = numbers(tmp_path / "mine")
    assert read.values("kl").tolist() == [0, 1, 2, 3, 4]
    assert read.values("total").tolist() == [2, 2.5, 3, 3.5, 4]


def test_what_is_not_recorded_is_no_number_and_what_was_not_declared_is_refused(
    started: Callable[..., Loop], tmp_path: Path
) -> None:
    for _ in (run := started()):
        run.record(kl=1.0)
        with pytest.raises(ValueError, match=r"no term 'fits' was declared; did you mean fit\?"):
            run.record(fits=1.0)
        with pytest.raises(ValueError, match="no knob 'gamma' was declared; there are beta, lr"):
            run.knob("gamma")
    assert all(math.isnan(value) for value in numbers(tmp_path / "mine").values("fit"))
    for wrong, words in (
        ({"terms": {"kl": "gamma"}}, "kl is weighted by 'gamma', which is none of the knobs"),
        ({"terms": {"beta": None}}, "'beta' is declared twice"),
        ({"knobs": {"beta": "much"}}, "beta takes a number, or True or False for a switch, not 'much'"),
        ({"steps": 0}, "steps"),
    ):
        with pytest.raises(ValueError, match=words):
            started("wrong", **wrong)
    assert not (tmp_path / "wrong").exists()
    with pytest.raises(ValueError, match="there is a run mine"):
        started()


@pytest.mark.parametrize("shape", [(3, 8, 5), (3, 1, 8, 5), (3, 3, 8, 5), (3, 8, 5, 3)])
def test_images_are_shown_as_they_are(started: Callable[..., Loop], tmp_path: Path, shape: tuple[int, ...]) -> None:
    given = np.random.default_rng(1).random(shape)
    for _ in (run := started(steps=1)):
        run.images({"made": torch.tensor(given)})
    (sampled,) = of(Sampled, tmp_path / "mine")
    made = read_samples(tmp_path / "mine", sampled.file)["made"]
    colour = 3 in (shape[1], shape[-1])
    expected = given if shape[-1] == 3 or len(shape) == 3 else given.transpose(0, 2, 3, 1)
    size = (3, 8, 5, 3) if colour else (3, 8, 5)
    np.testing.assert_array_equal(made, np.rint(255 * expected).reshape(size))
    with pytest.raises(ValueError, match=r"images: samples has the shape \[4\]"):
        run.images(np.zeros(4))


def test_a_function_that_fails_when_it_is_asked_ends_no_training(started: Callable[..., Loop], tmp_path: Path) -> None:
    def broken() -> dict[str, float]:
        raise RuntimeError("no test set")

    run = started(steps=10**6, evaluates=broken)
    for step in run:
        if step == 0:
            send(tmp_path / "mine", 1, "evaluate", by="a test")
        time.sleep(0.01)
        if of(Logged, tmp_path / "mine")[1:] or step > 1000:
            break
    assert "RuntimeError: no test set" in of(Logged, tmp_path / "mine")[1].text
    assert not of(Evaluated, tmp_path / "mine")


def test_a_course_is_refused_as_its_loop_moves_no_knob_by_itself(started: Callable[..., Loop], tmp_path: Path) -> None:
    for step in started(steps=10**6):
        if step == 0:
            send(tmp_path / "mine", 1, "set", {"beta": "0..1:linear:9"}, by="a test")
        if of(Commanded, tmp_path / "mine") or step > 1000:
            break
        time.sleep(0.01)
    (told,) = of(Commanded, tmp_path / "mine")
    assert (told.outcome, "moves no knob by itself" in told.reason) == ("refused", True)


def test_a_disk_that_is_full_for_a_while_costs_the_loop_nothing(started: Callable[..., Loop], tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    longest = 0.0
    try:
        for step in (run := started(steps=600)):
            began = time.perf_counter()
            run.record(kl=float(step), fit=1.0)
            longest = max(longest, time.perf_counter() - began)
            if step == 100:
                resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            if step == 500:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            time.sleep(0.002)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert numbers(tmp_path / "mine").steps.tolist() == list(range(1, 601))
    assert numbers(tmp_path / "mine").values("kl").tolist() == list(range(600))
    assert of(RunEnded, tmp_path / "mine")[0].reason == "finished"


def test_a_name_that_is_taken_is_said_with_what_start_can_do(started: Callable[..., Loop], tmp_path: Path) -> None:
    started().end()
    with pytest.raises(ValueError, match=r"there is a run mine in .* already; start another name, .* resume=True"):
        started()
    assert [run.name for run in tmp_path.iterdir()] == ["mine"]


def test_a_comparison_with_an_engine_lists_no_setting_that_only_the_engine_has(
    started: Callable[..., Loop], tmp_path: Path
) -> None:
    started().end()
    specs = [parse({"model": {"kind": "vae"}, "steps": 5, "optimizer": {"lr": lr}}, "here") for lr in (0.1, 0.2)]
    one, other = (create_run(tmp_path, spec, f"engine-{number}") for number, spec in enumerate(specs))
    loop = RunFolder(tmp_path / "mine")
    assert [key for key, _ in difference(open_runs([one, loop]))] == ["recipe", "model.kind"]
    told = dict(difference(open_runs([one, other, loop])))
    assert told["optimizer.lr"] == ["0.1", "0.2", "–"]


def test_the_samples_panel_says_who_gives_the_images(started: Callable[..., Loop]) -> None:
    with started() as run:
        next(iter(run))
        panel = Samples(Eyes(run.run).view, id="samples")
        assert "a loop of its own shows them by run.images" in " ".join(panel.picture(9, 80).text().split())


def test_the_dashboard_names_only_keys_of_what_its_loop_can_do(started: Callable[..., Loop]) -> None:
    with started() as run, started("able", saves=lambda: "", evaluates=dict, draws=lambda: np.zeros((1, 2, 2))) as able:
        next(iter(run))
        rows = [Knobs(Eyes(one.run).view, id="knobs").picture(6, 120).text() for one in (run, able)]
    for key in ("c save", "e evaluate", "s refresh"):
        assert [key in row for row in rows] == [False, True], key
    assert all("space pause" in row for row in rows)


def test_a_loop_without_epochs_counts_in_steps_alone(started: Callable[..., Loop]) -> None:
    with started() as run, started("other", epoch_steps=2) as epochs:
        next(iter(run))
        rows = [StatusBar(Eyes(one.run).view, id="status").picture(1, 120).text() for one in (run, epochs)]
    assert [re.findall(r"epoch.*? / \S+", row) for row in rows] == [[], ["epoch 0.0 / 2.5"]]


def test_a_kl_is_in_nats_and_other_terms_in_the_unit_of_their_loop(started: Callable[..., Loop]) -> None:
    with started(terms={"kl.1": "beta", "fit": None}) as run:
        (begins,) = of(RunStarted, run.run.path)
    assert [term.unit for term in begins.terms] == ["nats", "as the loop records it"]


def test_images_that_can_not_be_written_are_told_with_their_step(started: Callable[..., Loop], tmp_path: Path) -> None:
    for step in (run := started()):
        run.record(kl=1.0, fit=1.0)
        if step == 2:
            (tmp_path / "mine" / "samples").rmdir()
            (tmp_path / "mine" / "samples").touch()
            run.images(np.zeros((1, 2, 2)))
    told = [event for event in of(Logged, tmp_path / "mine") if event.level == "warning"]
    assert [(event.step, event.text.startswith("the samples can't be written")) for event in told] == [(3, True)]


def test_a_command_whose_answer_the_disk_held_up_leaves_the_inbox(
    started: Callable[..., Loop], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(steps=10**9)
    folder = tmp_path / "mine"
    full: list[bool] = []
    flush = EventWriter.flush

    def refused(events: EventWriter) -> None:
        if full and events.file._left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(events)

    monkeypatch.setattr(EventWriter, "flush", refused)
    until(lambda: of(Logged, folder))
    full.append(True)  # the answer is the first that is refused
    command = send(folder, 1, "set", {"lr": 0.5}, by="a test")
    for _ in run:
        time.sleep(0.01)
        if run.knob("lr") == 0.5 and full:
            until(lambda: run._writer._refused)
            full.clear()
        elif not full and not list((folder / "commands").iterdir()):
            break
    assert [answer.id for answer in of(Commanded, folder)] == [command.id]


def test_every_knob_has_keys_that_the_dashboard_leaves_to_it(started: Callable[..., Loop]) -> None:
    knobs = {"lr": 0.1, "beta": 1.0, "noise": True, "temperature": 2.0, "dropout": 0.5, "fast": True, "weight": 0.1}
    run = started(knobs=knobs, steps=1)
    assert set(usable_keys(run._knobs)) == set(knobs)
    for _ in run:
        pass


LIT = """
import sys
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning_callback import Steered


class Module(LightningModule):
    def __init__(self):
        super().__init__()
        self.net = torch.nn.Linear(8, 2)

    def training_step(self, batch, index):
        kl, reconstruction = (self.net.weight**2).sum(), (self.net(batch[0]) ** 2).mean()
        self.log_dict({"kl": kl, "reconstruction": reconstruction})
        return self.trainer.knob("beta") * kl + reconstruction

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


steered = Steered(terms={"kl": "beta", "reconstruction": None}, knobs={"beta": 0.5}, name="lit")
data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.rand(200, 8)), 10)
quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "accelerator": "cpu"}
Trainer(max_steps=30, callbacks=[steered], **quiet).fit(Module(), data)
"""


@pytest.mark.stress
def test_a_training_by_lightning_is_a_run(tmp_path: Path) -> None:
    pytest.importorskip("lightning", reason="needs what `make install` brings")
    (tmp_path / "lit.py").write_text(LIT)
    paths = os.pathsep.join(filter(None, [str(EXAMPLES), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "LADDERTOP_RUNS": str(tmp_path / "runs"), "PYTHONPATH": paths}
    subprocess.run([sys.executable, "lit.py"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    read = numbers(tmp_path / "runs" / "lit")
    assert read.steps.tolist() == list(range(1, 31))
    np.testing.assert_allclose(read.values("total"), 0.5 * read.values("kl") + read.values("reconstruction"), rtol=1e-5)
    assert of(RunEnded, tmp_path / "runs" / "lit")[0].reason == "finished"


@pytest.mark.parametrize("name", ["numpy_loop.py", pytest.param("torch_loop.py", marks=pytest.mark.stress)])
def test_the_examples_of_the_docs_run(tmp_path: Path, name: str) -> None:
    assert len((EXAMPLES / name).read_text().splitlines()) <= 50
    environment = {**os.environ, "LADDERTOP_RUNS": str(tmp_path / "runs")}
    subprocess.run([sys.executable, EXAMPLES / name, "60"], cwd=tmp_path, env=environment, check=True)
    (run,) = (tmp_path / "runs").iterdir()
    assert of(RunEnded, run)[0].reason == "finished"
    assert np.isfinite(numbers(run).values("total")).all()
