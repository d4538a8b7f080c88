"""Draws the pictures of the pages: the real dashboard in a real terminal, on runs that are trained for them.

    python -m docs.pictures --data-root DIR [SCENE …]

`make pictures DATA=DIR` does that; DIR holds MNIST. It trains one run at a time, some fifteen minutes in all. Look
at what comes out before you commit it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docs.camera import Camera
from docs.svg import still
from laddertop.journal.files import kept_for_user
from laddertop.tui.learn.lesson import lesson_of
from tests.cli.test_learn import Player
from tests.processes import COMMAND
from tests.test_stories import DEEP

FOLDER = Path(__file__).parent
SIZE = (120, 40)


class Studio:
    """A folder of runs, and what is done in it."""

    def __init__(self, folder: Path, data_root: Path) -> None:
        self.folder, self.data_root = folder, data_root
        self.cache = folder / ".cache"
        """What the dashboard that is looked at remembers."""
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LADDERTOP", "NO_COLOR"))},
            "XDG_CACHE_HOME": str(self.cache),
            "XDG_CONFIG_HOME": str(folder / ".config"),
            "PYTHONPATH": str(FOLDER.parent),
            # Small models are fastest so, and least in the way of whatever else the machine does.
            "OMP_NUM_THREADS": "1",
        }

    def do(self, *words: str) -> None:
        """Runs a command to its end; raises subprocess.CalledProcessError when it fails."""
        subprocess.run([*COMMAND, *words], cwd=self.folder, env=self.environment, check=True)

    @contextlib.contextmanager
    def training(self, recipe: str, name: str, *words: str) -> Iterator[None]:
        """A run that is trained meanwhile."""
        data = ("--data-root", str(self.data_root)) if "mnist" in recipe else ()
        self.do("train", recipe, "--name", name, *data, *words, "--detach")
        try:
            yield
        finally:
            self.do("stop", name)

    @contextlib.contextmanager
    def looking(self, *words: str, size: tuple[int, int] = SIZE) -> Iterator[Camera]:
        """The dashboard, as somebody sees it who has arranged nothing yet."""
        self.cache = Path(tempfile.mkdtemp(dir=self.folder, prefix=".cache"))
        fresh = {"XDG_CACHE_HOME": str(self.cache)}
        with Camera([*COMMAND, *words], self.folder, self.environment | fresh, *size) as camera:
            yield camera

    def keep(self, camera: Camera, page: str, *words: str) -> None:
        """Writes what the terminal shows into the picture of a page."""
        (FOLDER / f"{page}.svg").write_text(
            still(camera.photograph(), " ".join(("laddertop", *words))), encoding="utf-8"
        )


def shows(*words: str) -> Callable[[list[str]], bool]:
    """Whether a screen shows all of some words."""
    return lambda lines: all(any(word in line for line in lines) for word in words)


def beyond(step: int) -> Callable[[list[str]], bool]:
    """Whether the status bar tells of a later step."""

    def reached(lines: list[str]) -> bool:
        told = re.search(r"\bstep +(\d[\d \u202f]*) / ", lines[0])
        return told is not None and int(re.sub(r"\D", "", told[1])) >= step

    return reached


def ladder(studio: Studio) -> None:
    """A ladder network on MNIST: its run, its layers, its samples, its replay."""
    small = ("model.widths=[256, 128, 64, 64]", "model.denoising=[1000, 10, 0.1, 0.1, 0.1, 0.1]", "data.batch=100")
    often = ("samples.every=50", "evaluate.every=100", "checkpoint.every=200", "warmup.steps=100", "compile=off")
    settings = (word for one in (*small, *often) for word in ("--set", one))
    with studio.training("ladder-mnist-100-fast", "ladder", *settings):
        with studio.looking("attach", "ladder") as camera:
            for step in (300, 500):
                camera.wait_for(beyond(step))
                camera.press("n")
            camera.wait_for(beyond(800))
            camera.rest(2)
            studio.keep(camera, "run-screen", "attach", "ladder")
            camera.press("i")
            camera.wait_for(shows("before → after"))
            camera.rest(1)
            studio.keep(camera, "interventions", "attach", "ladder")
            camera.press("\x1b")
            camera.rest(1)
            camera.press("2")
            camera.wait_for(shows("principal axes"))
            camera.rest(4)
            studio.keep(camera, "layers", "attach", "ladder")
            camera.press("5")
            camera.rest(2)
            camera.press("\x1b[D" * 6)
            camera.rest(3)
            studio.keep(camera, "samples", "attach", "ladder")
        with studio.looking("attach", "ladder", size=(80, 24)) as camera:
            camera.wait_for(shows("● training"))
            camera.press("\t\t\t")
            camera.rest(2)
            studio.keep(camera, "small", "attach", "ladder")
    with studio.looking("replay", "ladder") as camera:
        camera.wait_for(shows("replay"))
        camera.rest(2)
        camera.press(" 7")
        camera.rest(4)
        studio.keep(camera, "replay", "replay", "ladder")


def vae(studio: Studio) -> None:
    """A VAE on MNIST that is looked into."""
    settings = ("--set", "samples.every=250", "--set", "compile=off", "--set", "checkpoint.every=500")
    with studio.training("vae-mnist", "vae", *settings), studio.looking("attach", "vae") as camera:
        camera.wait_for(beyond(1500))
        camera.press("3")
        camera.wait_for(shows("codes of 500 items"))
        camera.press("\x1b[C" * 4)
        camera.rest(5)
        studio.keep(camera, "latent", "attach", "vae")
        camera.press("4")
        camera.wait_for(shows("error, root mean square"))
        camera.press("\x1b[A" * 4)
        camera.rest(5)
        studio.keep(camera, "explore", "attach", "vae")


def wild(studio: Studio) -> None:
    """A ladder network on the digits whose learning rate somebody raises to 10."""
    settings = ("--set", "checkpoint.every=200", "--set", "samples.every=100")
    with studio.training("ladder-digits", "wild", *settings), studio.looking("attach", "wild") as camera:
        camera.wait_for(beyond(300))
        camera.press("]" * 22)
        camera.wait_for(lambda lines: shows("✗ diverged")(lines) or shows("✗ not finite")(lines))
        camera.rest(4)
        studio.keep(camera, "diverged", "attach", "wild")


def deep(studio: Studio) -> None:
    """A deep VAE on the digits whose upper layer collapses."""
    (studio.folder / "deep-vae.toml").write_text(DEEP)
    settings = ("--steps", "20000", "--set", "samples.every=100")
    with studio.training("deep-vae.toml", "deep", *settings), studio.looking("attach", "deep") as camera:
        camera.wait_for(shows("▲ posterior collapse"))
        camera.wait_for(beyond(700))
        camera.rest(2)
        studio.keep(camera, "collapsed", "attach", "deep")


def several(studio: Studio) -> None:
    """Runs that are listed and compared, and the form for a new one."""
    often = (
        "--set",
        "checkpoint.every=250",
        "--set",
        "checkpoint.keep=9",
        "--set",
        "evaluate.every=100",
        "--set",
        "warmup.steps=200",
    )
    studio.do("train", "ladder-digits", "--name", "baseline", "--steps", "700", *often)
    studio.do("train", "ladder-digits", "--name", "no-noise", "--steps", "700", "--set", "noise.on=off", *often)
    studio.do("fork", "baseline", "--step", "250", "noise=off", "--name", "forked", "--steps", "700")
    studio.do("train", "vae-digits", "--name", "vae-digits", "--steps", "700")
    studio.do("note", "baseline", "the one for table 2")
    with (
        studio.training("dae-digits", "denoiser", "--set", "samples.every=100"),
        studio.looking("open") as camera,
    ):
        camera.wait_for(shows("denoiser", "baseline"))
        camera.rest(4)
        for name in ("forked", "no-noise", "baseline"):
            camera.press(f"/{name}\r")
            camera.rest(1)
            camera.press(" \x1b")
            camera.rest(1)
        camera.rest(2)
        studio.keep(camera, "runs")
        camera.press("c")
        camera.wait_for(shows("3 runs"))
        camera.rest(3)
        studio.keep(camera, "compare")
    with studio.looking("new", size=(100, 30)) as camera:
        camera.wait_for(shows("ladder-digits"))
        camera.rest(5)
        studio.keep(camera, "new-run", "new")


def lecture(studio: Studio) -> None:
    """Four lessons, each where there is most to see."""
    for number, step, phase, keys, words in (
        (1, 3, "seen", "", "Why?"),
        (4, 2, "seen", "\t", "[field]"),
        (10, 5, "seen", "", "sideways"),
        (12, 3, "told", "!", "sends warm-up on"),
    ):
        lesson = lesson_of(number)
        with studio.looking("learn", str(number)) as camera:
            player = Player(camera)
            while ((place := _place(studio)).get("step"), place.get("phase")) != (step - 1, phase):
                if place:
                    player.move(place, lesson.steps[place["step"]])
                camera.rest(0.05)
            while not shows(words)(camera.lines):
                camera.press(keys)
                camera.rest(2)
            camera.rest(4)
            studio.keep(camera, f"lesson-{number:02d}", "learn", str(number))
            camera.press("\x1b")
            camera.rest(2)
            camera.press("d")
            camera.ended()


def _place(studio: Studio) -> dict[str, Any]:
    """Where the guide is in the lesson that is played; empty before it is anywhere."""
    known = kept_for_user(studio.cache / "laddertop" / "lessons.json")
    place = next(iter(known.values()), {})
    return place if isinstance(place, dict) else {}


SCENES = (vae, wild, deep, several, ladder, lecture)


def main() -> None:
    """Trains, photographs, stops."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--data-root", type=Path, required=True, help="folder that holds MNIST in torchvision's layout")
    words.add_argument("scenes", nargs="*", help=f"of {', '.join(scene.__name__ for scene in SCENES)}; otherwise all")
    chosen = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), chosen.data_root.resolve())
        for scene in SCENES:
            if not chosen.scenes or scene.__name__ in chosen.scenes:
                print(scene.__name__, flush=True)
                scene(studio)


if __name__ == "__main__":
    main()
