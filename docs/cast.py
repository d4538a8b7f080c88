"""Films what README shows first: `make run` in a terminal of 100 columns and 30 rows, and somebody who steers.

    python -m docs.cast

`make cast` does that, in a minute. Program, training and keys are real, at their own speed but for what loads; a
machine that does nothing else shows more of the training. Look at what comes out before you commit it.
"""

from __future__ import annotations

import shlex
import shutil
import tempfile
from pathlib import Path

from docs.camera import Camera
from docs.pictures import Studio, beyond, shows
from docs.svg import moving
from tests.processes import COMMAND

ROOT = Path(__file__).parents[1]
TITLE = "laddertop: a ladder network learns from 100 labels, and is steered"
SIZE = (100, 30)
EVERY = 0.5
"""Seconds between two frames."""


def main() -> None:
    """Films, and writes docs/cast.svg."""
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(Path(folder), Path(folder))
        installed(studio.folder)
        environment = {**studio.environment, "PS1": "$ ", "MAKEFLAGS": "--no-print-directory"}
        with Camera(["bash", "--norc", "--noprofile", "-i"], studio.folder, environment, *SIZE) as camera:
            play(camera)
        studio.do("stop", "last")
    film = [(screen, seconds) for screen, seconds in camera.film if seconds]
    (ROOT / "docs" / "cast.svg").write_text(moving(film, TITLE), encoding="utf-8")
    print(f"{len(film)} frames, {sum(seconds for _, seconds in film):.0f} s")


def installed(folder: Path) -> None:
    """What `make install` leaves, but that its program is the one that is here."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "pyproject.toml").touch()
    (folder / ".venv" / "bin").mkdir(parents=True)
    program = folder / ".venv" / "bin" / "laddertop"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o700)
    (folder / ".venv" / "ready").touch()


def play(camera: Camera) -> None:
    """What is typed, and how long is looked at what comes of it."""
    camera.wait_for(shows("$"))
    camera.rest(0.4, every=0.4)
    for letter in "make run":
        camera.press(letter)
        camera.rest(0.08, every=0.08)
    camera.press("\r")
    camera.wait_for(beyond(1))
    camera.rest(10, every=EVERY)
    camera.press("w")
    camera.rest(10, every=EVERY)
    camera.press("n")
    camera.rest(9, every=EVERY)
    camera.press("2")
    camera.wait_for(shows("principal axes"))
    camera.rest(5, every=EVERY)
    camera.press("\x1b")
    camera.rest(2, every=EVERY)
    camera.press("d")
    camera.wait_for(lambda lines: any(line.startswith("$") for line in lines[1:]))
    camera.rest(4, every=1)


if __name__ == "__main__":
    main()
