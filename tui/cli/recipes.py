"""What `recipes` prints: the recipes in groups, those that fit some words, one whole, or every key."""

from __future__ import annotations

import shutil

from laddertop.journal.places import MODELS_GROUP, offered
from laddertop.journal.recipe_list import GROUPS, START_WITH, differing, group_of, matching, specs
from laddertop.journal.sizes import of_recipe
from laddertop.journal.spec import Spec, did_you_mean, keys
from laddertop.journal.start import has_gpu
from laddertop.tui.cli.print import json_result, result, say, table, terminal_width
from laddertop.tui.dashboard.views.guess import guessed_from_sizes
from laddertop.tui.draw.numbers import number
from laddertop.tui.draw.text import between_words, fit
from laddertop.tui.learn.lesson import Lesson, lessons


def print_recipes(text: str, as_json: bool) -> None:
    """All recipes in a line each, those that hold every word of `text`, or the one of that name whole.

    Raises ValueError when none fits.
    """
    found = [text] if text in specs() else matching(text)
    if not found:
        raise ValueError(
            f"no recipe has all of {text!r}{did_you_mean(text, list(specs()))}; `laddertop recipes` lists all"
        )
    if as_json:
        json_result([_told(name, specs()[name]) for name in found])
    elif text in specs():
        _print_whole(text, specs()[text])
    else:
        _print_list(found, start=not text)


def print_keys(as_json: bool) -> None:
    """Every key of a recipe, as --set takes them."""
    if as_json:
        json_result([key._asdict() for key in keys()])
    else:
        for key in keys():
            result(f"{key.name} = {key.default}" if key.default else key.name)
            result(f"    {key.type}{f', {key.limits}' if key.limits else ''}. {key.help}")


def _told(name: str, spec: Spec) -> dict[str, object]:
    told = {
        "name": name,
        "about": spec.about,
        "group": group_of(spec),
        "model": spec.model.called,
        "data": spec.data.name,
    }
    sizes = of_recipe(spec)
    guess = None if sizes is None or has_gpu() else list(guessed_from_sizes(spec, sizes))
    return told | {"parameters": sizes and sizes.parameters, "seconds": guess}


def _print_list(names: list[str], start: bool) -> None:
    groups = {group: [name for name in names if group_of(specs()[name]) == group] for group in GROUPS}
    # Last, as that is what stands above the prompt once a hundred lines went by.
    groups |= {"to start with": list(START_WITH)} if start else {}
    gpu, width, played = has_gpu(), terminal_width(), _played()
    for group, members in groups.items():
        if members:
            numbers = sorted({lesson.number for name in members for lesson in played.get(name, ())})
            result(f"{group} · {_in_words(numbers)}" if numbers and group in GROUPS else group)
            rows = [[name, _time(specs()[name], gpu), _size(specs()[name]), _about(name, played)] for name in members]
            for line in table(rows, "  "):
                result(line if width is None else fit(line, width))
    if start and (names := offered(MODELS_GROUP)):
        result("models of installed packages")
        for name in names:
            result(f"  {name}")
    time = "time is not known on a GPU" if gpu else "time on this machine's CPU is a guess"
    say(f"{len(names)} recipes; {time}; size is in parameters")
    say("`laddertop recipes NAME` shows one whole, `laddertop recipes WORD` those with that word")


def _played() -> dict[str, list[Lesson]]:
    """The lessons by the recipe that they play."""
    found: dict[str, list[Lesson]] = {}
    for lesson in lessons().values():
        found.setdefault(lesson.recipe, []).append(lesson)
    return found


def _about(name: str, played: dict[str, list[Lesson]]) -> str:
    about = specs()[name].about
    return f"{_in_words([lesson.number for lesson in played[name]])}: {about}" if name in played else about


def _in_words(numbers: list[int]) -> str:
    return f"{'lesson' if len(numbers) == 1 else 'lessons'} {', '.join(map(str, numbers))}"


def _print_whole(name: str, spec: Spec) -> None:
    from laddertop.journal.folder import runs_folder
    from laddertop.tui.dashboard.views.experience import experience, in_words

    width = shutil.get_terminal_size().columns
    result(f"{name} · {group_of(spec)}")
    for text in (
        spec.about,
        f"{_size(spec, exactly=True)} parameters; {in_words(spec, experience(runs_folder()), of_recipe)}",
    ):
        result("")
        for line in between_words(text, width):
            result(line)
    result("")
    result("what differs from the defaults (`laddertop recipes --keys` explains every key)")
    for line in table([[key, value] for key, value in differing(spec).items()], "  ", terminal_width()):
        result(line)
    result("")
    for lesson in _played().get(name, ()):
        result(f"laddertop learn {lesson.number:<3} {lesson.title}")
    result(f"laddertop train {name}")


def _time(spec: Spec, gpu: bool) -> str:
    """The span of the guess: 4-48 min, 13 min-2 h."""
    sizes = of_recipe(spec)
    if gpu or sizes is None:
        return "-"
    (low, unit), (high, highest) = map(_rough, guessed_from_sizes(spec, sizes))
    return f"{low}–{high} {highest}" if unit == highest else f"{low} {unit}–{high} {highest}"


def _rough(seconds: float) -> tuple[int, str]:
    size, unit = next((pair for pair in ((86400, "d"), (3600, "h"), (60, "min")) if seconds >= 1.5 * pair[0]), (1, "s"))
    return max(round(seconds / size), 1), unit


def _size(spec: Spec, exactly: bool = False) -> str:
    sizes = of_recipe(spec)
    if sizes is None:
        return "-"
    count = sizes.parameters
    if exactly:
        return number(count)
    return f"{count / 1e6:.1f} M" if count >= 1e5 else f"{count / 1e3:.1f} k"
