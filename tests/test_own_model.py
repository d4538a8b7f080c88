"""A model of the user's own is trained, steered, resumed, repeated and asked as our own are, and its code is run where
the user asked for it and nowhere else: real processes, one run, the model that the documentation shows."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import laddertop as api
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.engine.trial import look
from laddertop.journal.events import Commanded, Evaluated, EventReader, RunEnded, RunStarted, Sampled
from laddertop.journal.folder import create_run
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.samples import read_samples
from laddertop.journal.settings import TRUSTED
from tests.engine.own_data import bars
from tests.own_models import documented, own_spec
from tests.processes import Laddertop, wait_for

SETTINGS = ("width=20", "data.batch=10", "warmup.on=on", "warmup.steps=50", "samples.every=100", "compile=off")
TRAIN = ("train", "./mine.py:MyVae", "--data", "mine.npz", *(word for one in SETTINGS for word in ("--set", one)))


@pytest.fixture(scope="module")
def mine(laddertop: Laddertop) -> Path:
    """The file of a model, a run of which was steered on own data, stopped on the way, resumed and stopped again."""
    x, y = bars(90)
    np.savez(laddertop.cwd / "mine.npz", x=x, y=y)
    file = laddertop.cwd / "mine.py"
    file.write_text(documented())
    run = laddertop.run_folder("mine")
    done = laddertop.here(*TRAIN, "--steps", "100000000", "--name", "mine", "--detach")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: laddertop.json("show", "mine")["step"] > 60)
    assert laddertop.here("set", "mine", "beta=0.5", "lr=0.01").returncode == 0
    assert laddertop.here("evaluate", "mine", "--now").returncode == 0
    assert laddertop.here("stop", "mine").returncode == 0
    wait_for(lambda: not run.engine_alive())
    at = laddertop.json("show", "mine")["step"]
    assert laddertop.here("resume", "mine", "--detach").returncode == 0
    wait_for(lambda: laddertop.json("show", "mine")["step"] > at)
    assert laddertop.here("stop", "mine").returncode == 0
    wait_for(lambda: not run.engine_alive())
    return file


def test_the_run_has_its_terms_knobs_samples_and_the_text_of_its_model(laddertop: Laddertop, mine: Path) -> None:
    run = laddertop.run_folder("mine")
    model = run.spec.model
    assert isinstance(model, OwnModelSection)
    assert (model.place, model.settings) == (f"{mine}:MyVae", {"width": 20, "latent": 8})
    assert (run.path / "model.py").read_text() == mine.read_text()
    assert model.found
    assert model.found.sha256 == sha256(mine.read_bytes()).hexdigest()
    events = laddertop.events("mine")
    start = next(event for event in events if isinstance(event, RunStarted))
    assert [(term.name, term.weight) for term in start.terms] == [("kl", "beta"), ("reconstruction", None)]
    knobs = {knob.name: knob.keys for knob in start.knobs}
    assert (knobs["beta"], knobs["warmup"], "noise" in knobs) == ("bB", "w", False)
    assert [change.knob for e in events if isinstance(e, Commanded) for change in e.changes] == ["beta", "lr"]
    assert {*next(e for e in events if isinstance(e, Evaluated)).values} == {"cost", "kl", "reconstruction"}
    sampled = [event for event in events if isinstance(event, Sampled)][-1]
    shown = read_samples(run.path, sampled.file)
    assert {"input", "reconstruction", "prior"} <= set(shown)
    told = laddertop.json("show", "mine")
    assert told["state"] == "stopped"


def test_what_was_steered_stopped_and_resumed_is_what_one_training_repeats_bit_for_bit(
    laddertop: Laddertop, mine: Path
) -> None:
    again = laddertop.here("replay", "mine", "--train", "--name", "again")
    assert again.returncode == 0, again.stderr
    assert "equal bit for bit" in again.stdout
    assert (laddertop.run_folder("again").path / "model.py").read_text() == mine.read_text()


def test_programs_ask_it(laddertop: Laddertop, mine: Path) -> None:
    x, _ = bars(90)
    model = api.load("mine", runs=laddertop.runs)
    assert model.encode(x).shape == (90, 8)
    assert model.reconstruct(x).shape == x.shape
    np.testing.assert_allclose(model.sample(5)[:2], model.sample(2), atol=1e-6)
    with pytest.raises(ValueError, match=r"a MyVae on .* tells no classes apart"):
        model.classify(x)


def test_nothing_of_it_is_run_by_looking_and_what_was_changed_asks_for_trust(laddertop: Laddertop, mine: Path) -> None:
    before, events = mine.read_text(), len(laddertop.events("mine"))
    kept, mark = laddertop.run_folder("mine").path / "model.py", laddertop.cwd / "was-run"
    trap = f"open({str(mark)!r}, 'w').close()\n"
    mine.write_text(trap + before)
    try:
        for words in ("runs", "show mine --once", "compare mine again", "export mine --out mine.html"):
            assert laddertop.here(*words.split()).returncode == 0, words
        for words in ("evaluate mine", "resume mine", "fork mine", "replay mine --train", "sample mine --out mine.png"):
            done = laddertop.here(*words.split())
            assert (done.returncode, done.stdout) == (2, ""), words
            assert "the run's model mine.py was changed since: put it back, train anew, or let --trust" in done.stderr
        assert len(laddertop.events("mine")) == events
        mine.unlink()
        assert "the run's model mine.py is gone: " in laddertop.here("evaluate", "mine").stderr
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(TRUSTED, "all")  # as --trust does, for the engines of its command
            assert api.load("mine", runs=laddertop.runs).sample(3).shape == (3, 13, 7)
        kept.write_text(trap + before)
        done = laddertop.here("evaluate", "mine", "--trust")
        assert done.returncode == 2
        assert "model.py is not the text that the run was made with; it is not run" in done.stderr
    finally:
        mine.write_text(before)
        kept.write_text(before)
    assert not mark.exists()


def test_a_file_in_the_folder_of_a_run_is_not_the_users_own(laddertop: Laddertop, mine: Path) -> None:
    run = laddertop.run_folder("mine")
    spec = run.path / "spec.json"
    before = spec.read_text()
    spec.write_text(before.replace(str(mine), str(run.path / "model.py")))
    try:
        done = laddertop.here("evaluate", "mine")
        assert done.returncode == 2
        assert "the run's model model.py lies in the folder of a run, which may be a stranger's" in done.stderr
    finally:
        spec.write_text(before)


def test_a_mistake_makes_no_run(laddertop: Laddertop, mine: Path) -> None:
    (laddertop.cwd / "wrong.py").write_text("print('hello')\n" + documented().replace("def costs", "def cost"))
    before = set(laddertop.runs.iterdir())
    done = laddertop.here("train", "./wrong.py:MyVae", "--name", "wrong")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "laddertop: MyVae has no costs; write def costs(self, labelled, labels, x, draws, knobs)\n"
    done = laddertop.here("train", "./wrong.py")
    assert (done.returncode, done.stdout) == (2, "")
    assert "name the class behind a colon, as in ./wrong.py:MyVae" in done.stderr
    assert set(laddertop.runs.iterdir()) == before


def test_a_failure_on_the_way_is_recorded_with_its_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = "assert x.sum() < 0, 'x is positive'"
    text = documented().replace("    def codes(self, x):\n", f"    def codes(self, x):\n        {told}\n")
    # What a look can't see: it asks for codes of made-up items.
    file = tmp_path / "mine.py"
    spec = look(own_spec(file, text.replace("< 0", "< 4000"), "steps=20", "evaluate.every=10"))
    run = create_run(tmp_path, spec, "mine")
    assert train(run, Stop(foreground=False)) == 1
    (end,) = (event for event in EventReader(run.events_path).read_all() if isinstance(event, RunEnded))
    line = 1 + text.splitlines().index(f"        {told}")
    said = f"{file}, line {line}, in codes (`{told.replace('< 0', '< 4000')}`): AssertionError: x is positive"
    assert (end.reason, end.detail, end.step) == ("failed", said, 10)
    assert "Traceback" in capfd.readouterr().err


def test_front_ends_load_neither_torch_nor_the_model(laddertop: Laddertop, mine: Path) -> None:
    code = (
        "import sys; from laddertop.journal.folder import RunFolder; from pathlib import Path\n"
        f"from laddertop.tui.watch.summary import summary; summary(RunFolder(Path({str(laddertop.runs / 'mine')!r})))\n"
        "print('torch' in sys.modules, 'laddertop_own_model' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=laddertop.environment)
    assert done.stdout == "False False\n", done.stderr


def test_an_installed_package_offers_data_by_its_name(laddertop: Laddertop, mine: Path, tmp_path: Path) -> None:
    told = tmp_path / "my_data-1.2.dist-info"
    told.mkdir()
    told.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: my-data\nVersion: 1.2\n")
    told.joinpath("entry_points.txt").write_text("[laddertop.data]\nbars = my_data:bars\nno-bars = my_data:none\n")
    tmp_path.joinpath("my_data.py").write_text(
        f"def bars():\n    print('here they are')\n    return {str(laddertop.cwd / 'mine.npz')!r}\n\n\n"
        "def none():\n    raise RuntimeError('not today')\n"
    )
    paths = os.pathsep.join([str(tmp_path), laddertop.chosen["PYTHONPATH"]])
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        words = ["train", "./mine.py:MyVae", "--steps", "5", "--name", "offered", "--data"]
        done = laddertop.here(*words, "bars", PYTHONPATH=paths)
        assert (
            done.stderr == f"laddertop: data.batch: 100 rows, and {laddertop.cwd / 'mine.npz'} has 72 training items\n"
        )
        done = laddertop.here(*words, "no-bars", PYTHONPATH=paths)
    assert (done.returncode, done.stderr) == (
        2,
        "laddertop: no-bars of my-data 1.2 can't be had: RuntimeError: not today\n",
    )
    assert "no such data set" in laddertop.here(*words, "bars").stderr
