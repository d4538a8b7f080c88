"""`denoise`, `inpaint`, … on a real run: files that others read, pictures on a terminal, and sentences."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from laddertop.tui.steer.explorer import PICTURED
from tests.processes import COMMAND, ROOT, Laddertop

POINTS = ["train", "dae-mnist", "--device=cpu", "--data=moons", "--steps=50", "--name=points"]
SMALL = [
    f"--set={s}" for s in ("model.hidden=[16]", "compile=off", "threads=1", "data.batch=50", "noise.kind=gaussian")
]


@pytest.fixture(scope="module")
def run(laddertop: Laddertop) -> str:
    """A denoising autoencoder that was trained on the digits."""
    words = ["train", "dae-mnist", "--data=digits", "--device=cpu", "--steps=200", "--name=digits"]
    done = laddertop(*words, *SMALL, "--set=checkpoint.every=100")
    assert done.returncode == 0, done.stderr
    return "digits"


def test_a_picture_and_arrays_are_written_and_told(laddertop: Laddertop, run: str) -> None:
    words = ["denoise", run, "--item=3", "--item=5", "--level=0.25", "--corruption=masking"]
    told = laddertop.json(*words, "--out=d.npz", "--step=100")
    assert (told["kind"], told["step"], told["checkpoint"]) == ("denoise", 100, laddertop.checkpoint(run, 100).name)
    assert told["arrays"]["reconstruction"] == {"dtype": "uint8", "shape": [2, 8, 8]}
    with np.load(laddertop.cwd / told["file"]) as file:
        assert sorted(file.files) == ["corrupted", "input", "reconstruction", "step"]
        original = file["input"]
    done = laddertop(*words, "--out=d.png")
    assert done.returncode == 0, done.stderr
    source = f"step 200, from {laddertop.checkpoint(run, 200).name}"
    assert done.stdout == f"input, corrupted, reconstruction of each item; {source}; wrote d.png\n"
    sheet = np.asarray(Image.open(io.BytesIO((laddertop.cwd / "d.png").read_bytes())))
    assert sheet.shape == (2 * 58 - 2, 3 * 58 - 2)
    assert np.array_equal(sheet[:56:7, :56:7], original[0])


def test_a_terminal_shows_the_picture(laddertop: Laddertop, run: str) -> None:
    with laddertop.in_terminal("inpaint", run, "--item=0", "--steps=4") as terminal:
        terminal.wait_for(lambda lines: any("input of each item, then steps 0, 1, 2, 4;" in line for line in lines))
        assert terminal.ended() == 0
        assert sum(any(c in "▘▝▀▖▌▞▛▗▚▐▜▄▙▟█" for c in line) for line in terminal.lines) > 3


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            ["sample", "digits", "--out=x.png"],
            "sample: a dae on digits is no model that can; ask it to denoise or inpaint or interpolate",
        ),
        (["denoise", "digits"], "no terminal to show a picture on"),
        (["denoise", "digits", "--out=x.jpg"], "x.jpg ends neither in .png"),
        (["denoise", "digits", "--out=x.png", "--item=-1"], "--item: input should be greater than or equal to 0"),
        (["denoise", "digits", "--out=x.png", "--corruption=fog"], "--corruption: input should be 'none', 'gaussian'"),
        (["denoise", "digits", "--out=x.png", "--item=999"], "there is no test item 999; there are 360"),
        (["interpolate", "digits", "--out=x.png", "--item=9"], "give --item twice"),
        (
            ["manifold", "digits", "--out=x.png"],
            "manifold: a dae on digits is no model with a way back from codes of two",
        ),
        (["field", "digits", "--out=x.png"], "field: a dae on digits is no model with points of the plane"),
        (["denoise", "digits", "--out=absent/x.png"], "--out: there is no folder absent; make it"),
        (["denoise", "digits", "--out=folder.png"], "--out: folder.png is a folder; name a file in it"),
        (["denoise", "digits", "--out=x.png", "--step=7"], "no checkpoint of step 7; there are 100, 200"),
    ],
)
def test_what_can_not_be_asked_is_one_sentence(
    laddertop: Laddertop, run: str, words: list[str], complaint: str
) -> None:
    (laddertop.cwd / "folder.png").mkdir(exist_ok=True)
    done = laddertop.here(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("laddertop: ")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


READ_ONLY = """
set -e
mount --bind checkpoints checkpoints
mount -o remount,ro,bind checkpoints
exec "$@"
"""
"""A shell in a mount namespace of its own, in which nobody can write to the runs, not even root."""


@pytest.mark.skipif(
    subprocess.run(["unshare", "--map-root-user", "--mount", "true"], capture_output=True).returncode != 0
    if shutil.which("unshare")
    else True,
    reason="this machine lets nobody have mounts of his own",
)
@pytest.mark.parametrize("asked_before", [False, True])
def test_what_needs_a_file_in_a_store_that_can_not_be_written_says_so_at_once(
    laddertop: Laddertop, run: str, asked_before: bool
) -> None:
    (laddertop.run_folder(run).path / "explore").mkdir(exist_ok=True)
    if not asked_before:
        shutil.rmtree(laddertop.run_folder(run).path / "explore")
    for words, told in (
        (["denoise", run, "--out=x.png"], f"nothing can be asked of {run}: a question is a file in its folder, and "),
        (["inpaint", run, "--json"], "copy .*checkpoints/digits to a folder of your own and name that with --runs"),
        (["denoise", run, "--out=checkpoints/x.png"], "--out: the folder checkpoints can't be written to"),
        (["note", run, "hello"], "checkpoints/digits/note.txt: Read-only file system"),
    ):
        shell = ["unshare", "--map-root-user", "--mount", "sh", "-c", READ_ONLY, "sh"]
        began = time.monotonic()
        done = subprocess.run(
            [*shell, *COMMAND, *words], cwd=laddertop.cwd, env=laddertop.environment, capture_output=True, text=True
        )
        assert done.returncode in (1, 2), done.stdout
        assert re.search(told, done.stderr), done.stderr
        assert done.stderr.startswith("laddertop: ")
        assert done.stderr.count("\n") == 1
        assert time.monotonic() - began < 60, "it waited for an answer that can't come"


def test_what_the_readme_asks_of_the_newest_run_works_on_the_ladder_that_make_run_trains(
    laddertop: Laddertop, run: str
) -> None:
    done = laddertop("train", "ladder-digits", "--device=cpu", "--steps=20", "--set=compile=off", "--name=as-made")
    assert done.returncode == 0, done.stderr
    kinds = "|".join(PICTURED)
    readme = (ROOT / "README.md").read_text()
    told = re.findall(rf"^laddertop ((?:{kinds}) last.*?)\s+#", readme, re.MULTILINE)
    assert told, "the README shows how a model is asked"
    for words in told:
        done = laddertop(*words.split())
        assert done.returncode == 0, done.stderr
    done = laddertop("sample", "as-made", "--out=s.png")
    assert done.returncode == 2
    assert "a ladder on digits is no model that can; ask it to denoise or inpaint\n" in done.stderr


@pytest.mark.stress
def test_a_model_of_points_has_a_field(laddertop: Laddertop) -> None:
    words = [*POINTS, *SMALL, "--set=model.loss=squared", "--set=noise.std=0.1"]
    assert laddertop(*words).returncode == 0
    told = laddertop.json("field", "points", "--lines=5", "--extent=2", "--out=f.npz")
    with np.load(laddertop.cwd / told["file"]) as file:
        assert file["x"][0, 0].tolist() == [-2, -2]
        assert file["x"][0, 4].tolist() == [2, -2]
        assert file["shift"].shape == (5, 5, 2)
        assert file["data"].shape == (1000, 2)
    done = laddertop("denoise", "points", "--out=p.png")
    assert done.returncode == 0, done.stderr


@pytest.mark.stress
def test_evaluate_reports_what_the_paper_reports_of_any_part_and_checkpoint(laddertop: Laddertop, run: str) -> None:
    told = laddertop.json("evaluate", run, "--step=100", "--split=training", "--representation")
    assert (told["name"], told["step"], told["split"]) == ("digits", 100, "training")
    assert told["seconds"] > 0
    assert {"reconstruction", "linear_probe.hidden.1", "neighbours.pixels"} <= set(told["values"])
    assert all(value["unit"] for value in told["values"].values())
    quick = laddertop.json("evaluate", run, "--quick")
    assert (quick["step"], quick["split"]) == (200, "test")
    assert set(quick["values"]) < set(told["values"])
    assert "training images" in told["values"]["reconstruction"]["unit"]
    assert "test images" in quick["values"]["reconstruction"]["unit"]
    for words, complaint in (
        (["--split=held_back"], "digits holds no images back"),
        (["--split=half"], "--split: test, held_back or training"),
        (["--step=5"], "no checkpoint of step 5; there are 100, 200"),
    ):
        done = laddertop.here("evaluate", run, *words)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert complaint in done.stderr
