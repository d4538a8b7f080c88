"""Where a user is in the lessons, by run: kept in the user's cache, never in a run, so that a later visit goes on."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path

from laddertop.journal.files import keep_for_user, kept_for_user, user_cache
from laddertop.journal.folder import RunFolder
from laddertop.tui.learn.guide import Place
from laddertop.tui.learn.lesson import Lesson


def keep(run: RunFolder, lesson: Lesson, place: Place) -> None:
    """Writes down where one is. Raises OSError when the cache can't be written."""
    now = {**kept_for_user(_file()), str(run.path.resolve()): {"lesson": lesson.name, **asdict(place)}}
    keep_for_user(_file(), json.dumps(now, indent=1).encode())


def place_in(run: RunFolder, lesson: Lesson) -> Place:
    """Where one is in a lesson beside its run; its beginning where nothing is known, or it has changed."""
    known = kept_for_user(_file()).get(str(run.path.resolve()))
    if not isinstance(known, dict) or known.get("lesson") != lesson.name:
        return Place()
    try:
        place = Place(**{f.name: type(getattr(Place(), f.name))(known[f.name]) for f in fields(Place)})
    except (KeyError, TypeError, ValueError):
        return Place()
    whole = place.step < len(lesson.steps) and place.met <= len(lesson.steps[place.step].seen)
    return place if whole else Place()


def done(runs: Path) -> dict[str, Place]:
    """How far one came in each lesson, by its name, in the runs of a folder: the furthest."""
    found: dict[str, Place] = {}
    for path, known in kept_for_user(_file()).items():
        if Path(path).parent == runs.resolve() and isinstance(known, dict) and isinstance(known.get("step"), int):
            place = Place(step=known["step"], phase=known.get("phase", "told"))
            best = found.get(str(known.get("lesson")))
            if best is None or _rank(place) > _rank(best):
                found[str(known.get("lesson"))] = place
    return found


def _rank(place: Place) -> tuple[bool, int]:
    return place.phase == "over", place.step


def _file() -> Path:
    return user_cache() / "lessons.json"
