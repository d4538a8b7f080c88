"""`learn`: the list of lessons, and a lesson with its run and its guide.

A lesson's run has the name of the lesson, and a number behind it where that is taken; a second one has a word more.
They are trained while the dashboard is open: who leaves stops them, and comes back to where they were.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from dataclasses import asdict
from pathlib import Path

from laddertop.journal.commands import send, sender
from laddertop.journal.events import EventReader
from laddertop.journal.folder import RunFolder, create_run, runs_folder
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.cli.open import show_dashboard
from laddertop.tui.cli.print import json_result, result, say
from laddertop.tui.dashboard.terminal import terminal_problem
from laddertop.tui.draw.text import between_words
from laddertop.tui.learn.beside import Beside, wants_engine
from laddertop.tui.learn.guide import Guide, Place
from laddertop.tui.learn.kept import done, place_in
from laddertop.tui.learn.lesson import Lesson, lesson_of, lessons
from laddertop.tui.steer.engine_process import EngineProcess


def print_lessons(runs: Path | None, as_json: bool) -> None:
    """Prints every lesson in order, and how far one came."""
    known = done(runs_folder(runs))
    if as_json:
        json_result([{**_told(lesson), "done": _how_far(lesson, known) == "done"} for lesson in lessons().values()])
        return
    width = min(shutil.get_terminal_size((100, 24)).columns, 110)
    for lesson in lessons().values():
        result(f"{lesson.number:>3}  {lesson.title}{_aside(_how_far(lesson, known))}")
        for line in between_words(lesson.about, width - 5):
            result(f"     {line}")
    result("\n`laddertop learn 5` begins lesson 5, or goes on with it: three minutes each, nothing is downloaded.")


def _told(lesson: Lesson) -> dict[str, object]:
    return {key: value for key, value in asdict(lesson).items() if key != "steps"} | {"steps": len(lesson.steps)}


def _how_far(lesson: Lesson, known: dict[str, Place]) -> str:
    place = known.get(lesson.name)
    if place is None:
        return ""
    return "done" if place.phase == "over" else f"at step {place.step + 1} of {len(lesson.steps)}"


def _aside(words: str) -> str:
    return f"  ({words})" if words else ""


def play(runs: Path | None, number: int, again: bool, slow_link: bool) -> None:
    """Opens the dashboard beside the guide of a lesson, which goes on where it was left; ends with typer.Exit.

    Raises ValueError when there is no such lesson, or its run can't be made or read.
    """
    lesson = lesson_of(number)
    if (problem := terminal_problem()) is not None:
        say(f"laddertop: {problem}")
        sys.exit(2)
    folder = runs_folder(runs)
    run = None if again else _to_go_on(folder, lesson)
    if run is None:
        spec = override(load_recipe(lesson.recipe), list(lesson.settings))
        run = create_run(folder, spec, _free_name(folder, lesson))
    if wants_engine(run, _state(run)):
        EngineProcess(run)
    beside = Beside(run, lesson, lesson.other) if lesson.other else None
    try:
        show_dashboard(runs, str(run.path), slow_link=slow_link, guide=Guide(lesson, place_in(run, lesson), beside))
    finally:
        trained = [one for one in (run, *([beside.run] if beside else [])) if one.engine_alive()]
        for one in trained:
            send(one.path, _state(one).segment, "stop", by=sender("learn"), note="the lesson was left")
        if trained:
            say(f"`laddertop learn {number}` goes on")


def _to_go_on(folder: Path, lesson: Lesson) -> RunFolder | None:
    """The newest run of the lesson, unless the lesson was played to its end."""
    names = [name for name in _names(folder, lesson) if (folder / name / "spec.json").is_file()]
    run = RunFolder(folder / names[-1]) if names else None
    return None if run is None or place_in(run, lesson).phase == "over" else run


def _free_name(folder: Path, lesson: Lesson) -> str:
    names = _names(folder, lesson)
    return f"{lesson.run}-{len(names) + 1}" if names else lesson.run


def _names(folder: Path, lesson: Lesson) -> list[str]:
    """The names that runs of the lesson have taken, oldest first."""
    names = [lesson.run]
    while (folder / names[-1]).exists():
        names.append(f"{lesson.run}-{len(names) + 1}")
    return names[:-1]


def _state(run: RunFolder) -> RunState:
    with contextlib.suppress(OSError):
        return RunState().apply_all(EventReader(run.events_path).read_all())
    return RunState()
