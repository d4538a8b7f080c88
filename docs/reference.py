"""Writes the pages that only repeat the code: every command, every key, every diagnosis and every lesson.

    python -m docs.reference

`make reference` does that; a test compares what it would write with what is there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import typer
from textual.binding import Binding, BindingType

from laddertop.journal.declared import model_knobs, shared_knobs
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.cli.main import app
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.grammar import EVERYWHERE, ON_CHARTS
from laddertop.tui.dashboard.knob_keys import knob_keys, usable_keys
from laddertop.tui.dashboard.run_keys import FIRST, LOOKING, NOW, STEERING, RunKey
from laddertop.tui.dashboard.screens.ask import Confirm
from laddertop.tui.dashboard.screens.box import Box
from laddertop.tui.dashboard.screens.chart_chooser import ChartChooser
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.findings import Findings
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.screens.sweep import SweepScreen
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from laddertop.tui.dashboard.widgets.trials_table import TrialsTable
from laddertop.tui.learn.lesson import LETTERS, Step, lessons
from laddertop.tui.learn.words import with_keys
from laddertop.tui.steer.keys import USUAL, key_sign
from laddertop.tui.watch.diagnoses.table import DIAGNOSES
from tests.kinds import KINDS, small_spec

FOLDER = Path(__file__).parent
WRITTEN = "Written from the code by `make reference`; what is changed here by hand is lost.\n"
FOUND = """A *finding* is one thing that goes wrong in a run: its `kind`, where, since which step, what is seen in
numbers, what it means and where that is known from, the evidence to look at, what helps, and what must happen for it to
have helped. Findings are computed from the [journal](run-folder.md) alone, so those of a live, a finished, a replayed
and a foreign run are the same.

When a finding began and when it was over is told at fixed points of the run, 16 steps or a thirty-second of it apart
and at every evaluation, so it does not depend on who looks how often. A false alarm is worse than silence: where
numbers leave it open, nothing is said.

On [the run screen](run-screen.md#advice) `!` tells each of them whole, and `enter` sends what helps. A
[babysitter](command-line.md#a-babysitter) sends it by itself, of those that are *safe* or of those that it is told:
safe is a remedy without which the run is lost or trains for something else than its recipe says, and which leaves what
is minimised as it is."""
"""What stands before the diagnoses."""
PHOTOGRAPHED = {
    1: "Lesson 1 asks why the classes form regions in the latent space",
    4: "Lesson 4 shows the field of a denoiser, whose arrows point to where the data are",
    10: "Lesson 10 has the costs of two networks side by side, with lateral connections and without",
    12: "Lesson 12: the finding that a layer has collapsed is told whole, and enter sends what helps",
}
"""The lessons of which there is a picture, and what it shows."""
SCREENS: dict[str, tuple[str, list[BindingType]]] = {
    "The list of runs": ("runs.md", [*RunsScreen.BINDINGS, *RunsTable.BINDINGS]),
    "The screen of a sweep": ("sweep.md", [*SweepScreen.BINDINGS, *TrialsTable.BINDINGS]),
    "The form for a new run": ("new-run.md", NewRunScreen.BINDINGS),
    "The comparison": ("compare.md", CompareScreen.BINDINGS),
    "The replay": ("replay.md", ReplayScreen.BINDINGS),
    **{
        f"The {name} screen": (f"{name}.md", list(dict.fromkeys(screen.BINDINGS)))
        for name, screen in MODEL_SCREENS.items()
    },
}
"""The page about each screen but that of a run, and all that it binds."""


def main() -> None:
    """Writes the pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """What stands in each page."""
    return {
        "commands.md": commands_page(),
        "keys.md": keys_page(),
        "diagnoses.md": diagnoses_page(),
        "learn.md": learn_page(),
    }


def commands_page() -> str:
    """Every command with its words, arguments and options, in the order of `laddertop --help`."""
    parts = [
        f"# Every command\n\n{WRITTEN}\n[The command line](command-line.md) tells what they are for, what they print, "
        "and what their exit status means.\n"
    ]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        context = command.make_context(name, [], resilient_parsing=True)
        usage = re.sub("[{}]", "", " ".join(["laddertop", name, *command.collect_usage_pieces(context)]))
        parts.append(f"## laddertop {name}\n\n{inspect.cleandoc(command.help)}\n\n`{usage}`\n")
        if rows := _rows(command, context):
            parts.append(_table(("argument or option", ""), rows))
    return "\n".join(parts)


def _rows(command: Any, context: Any) -> list[tuple[str, str]]:
    """Every argument and option but --help, in the words of `--help`."""
    found = (option.get_help_record(context) for option in command.params if option.name != "help")
    return [(f"`{re.sub(' <.*>', '', typed)}`", " ".join(about.split())) for typed, about in filter(None, found)]


def keys_page() -> str:
    """Every key of every screen, in the words of its help."""
    first = "`, `".join(key_sign(USUAL[name]) for name in FIRST)
    shared = {(binding.key, binding.action) for binding in _bindings([*EVERYWHERE, *ON_CHARTS])}
    parts = [
        f"# Every key\n\n{WRITTEN}\nThe help of a screen, `?` or `f1`, has those that do something there now, and so "
        "has the palette, `ctrl+p`. By its name a key can be [given to something else]"
        "(command-line.md#keys).\n",
        "## On every screen\n",
        _keys([*EVERYWHERE, *LaddertopApp.BINDINGS]),
        "## On every chart\n",
        _keys(ON_CHARTS),
        f"## The run screen\n\n[What it shows](run-screen.md). Help begins with `{first}`.\n",
        "### The training\n",
        _run_keys(STEERING, shared),
        "### The model and the machine\n",
        _run_keys(NOW, shared),
        "### What is looked at\n",
        _run_keys(LOOKING, shared),
        "### Knobs\n\nThe keys that a model's knobs declare; others are set by name, in the palette or with "
        "`laddertop set`.\n",
        _table(("key", "", "`model.kind`"), _knob_rows()),
    ]
    for title, (page, bindings) in SCREENS.items():
        own = [binding for binding in _bindings(bindings) if (binding.key, binding.action) not in shared]
        looked = {(entry.keys, entry.does) for entry in LOOKING} if page == "replay.md" else set()
        parts.append(f"## {title}\n\n[What it shows]({page}).\n")
        parts.append(_keys(binding for binding in own if (binding.key, binding.action) not in looked))
        if looked:
            parts.append("And what is looked at on [the run screen](#what-is-looked-at).\n")
    boxes = [*Confirm.BINDINGS, *ChartChooser.BINDINGS, *Findings.BINDINGS, *Box.BINDINGS]
    parts += ["## Questions and choices\n", _keys(boxes)]
    return "\n".join(parts)


def diagnoses_page() -> str:
    """Every diagnosis: what it means, when it is said and why then, and where that is known from."""
    parts = [
        f"# What goes wrong\n\n{WRITTEN}\n{FOUND}\n",
        _table(
            ("kind", "severity", "safe", "meaning"),
            [(f"[`{one.kind}`](#{one.kind})", one.severity, "yes" if one.safe else "", one.means) for one in DIAGNOSES],
        ),
    ]
    for one in DIAGNOSES:
        parts.append(
            f"## {one.kind}\n\n{one.means}\n\n**When it is said.** {one.threshold}\n\n**Source.** {one.source}.\n"
        )
    return "\n".join(parts)


def learn_page() -> str:
    """Every lesson with its texts, the keys as they are usually, and its questions with the right answers."""
    parts = [
        f"# Lessons\n\n{WRITTEN}\n`laddertop learn` lists the lessons, and `laddertop learn 12` plays one: a model is "
        "trained on data that come with laddertop, and a guide beside the dashboard, below it in a narrow terminal, "
        "says what to look at and which key to press. It watches the journal of the run, sees that it happened, shows "
        "what changed in numbers, and asks. `enter` goes on, `a` `b` `c` answer. Who leaves stops the training, and "
        "later finds run and lesson where they were; `--again` begins anew. All that the guide says stands here.\n"
    ]
    for lesson in lessons().values():
        settings = "".join(f" --set {setting}" for setting in lesson.settings)
        sources = "; ".join(lesson.sources)
        parts.append(
            f"## {lesson.number}. {lesson.title}\n\n{lesson.about} After {sources}.\n\n"
            f"    laddertop train {lesson.recipe}{settings}\n"
        )
        if lesson.other is not None:
            more = "".join(f" --set {setting}" for setting in lesson.other.settings)
            parts.append(f"Its second run has, besides:{more.replace(' --set', ' `--set', 1)}`.\n")
        if lesson.number in PHOTOGRAPHED:
            parts.append(f"![{PHOTOGRAPHED[lesson.number]}](lesson-{lesson.number:02d}.svg)\n")
        spec = override(load_recipe(lesson.recipe), list(lesson.settings))
        knobs = usable_keys({knob.name: knob for knob in shared_knobs(spec) + model_knobs(spec)})
        sign = partial(_usual_sign, knobs)
        parts += [with_keys(_step(number, step), sign) for number, step in enumerate(lesson.steps, 1)]
    return "\n".join(parts)


def _step(number: int, step: Step) -> str:
    told = [f"**{number}.** {step.text}", f"*{step.do}*" if step.do else ""]
    told.append(f"Shown before and after: {', '.join(step.changed.values())}." if step.changed else "")
    told.append(f"Shown of both runs, after as many steps: {', '.join(step.against.values())}." if step.against else "")
    told.append(step.then)
    if step.question:
        told.append(f"**{step.question}**")
        told.append("\n".join(f"- {letter}: {said}" for letter, said in zip(LETTERS, step.answers, strict=False)))
        told.append(f"{step.right}. {step.why}")
    return "\n\n".join(filter(None, told)) + "\n"


def _usual_sign(knobs: dict[str, str], name: str, side: str) -> str:
    keys = key_sign(USUAL[name]) if name in USUAL else knobs[name]
    return f"`{keys[side == '+'] if side else keys}`"


def _bindings(bindings: Iterable[BindingType]) -> Iterator[Binding]:
    return (binding for binding in bindings if isinstance(binding, Binding) and binding.description)


def _keys(bindings: Iterable[BindingType]) -> str:
    found = [(f"`{key_sign(b.key)}`", b.tooltip or b.description, _name(b.id)) for b in _bindings(bindings)]
    tenths = [row for row in found if re.fullmatch("`[0-9]`", row[0]) and "tenths" in row[1]]
    if tenths:
        at = found.index(tenths[0])
        found[at : at + len(tenths)] = [(f"{tenths[0][0]} … {tenths[-1][0]}", "to that many tenths of the run", "")]
    return _table(("key", "", "name"), found)


def _name(name: str | None) -> str:
    return f"`{name}`" if name else ""


def _run_keys(entries: Iterable[RunKey], shared: set[tuple[str, str]]) -> str:
    """Those of the run screen, with when they do something."""
    when = {"always": "", "at work": "while an engine is at work", "over": "once it is gone"}
    rows = [
        (f"`{key_sign(e.keys)}`", e.about, _name(e.name), when[e.when])
        for e in entries
        if (e.keys, e.does) not in shared
    ]
    return _table(("key", "", "name", "does something"), rows)


def _knob_rows() -> list[tuple[str, str, str]]:
    """Every key of a knob, what it does, and the kinds of models that declare it so."""
    found: dict[tuple[str, str], list[str]] = {}
    for kind in KINDS:
        spec = small_spec(kind)
        for key in knob_keys({knob.name: knob for knob in shared_knobs(spec) + model_knobs(spec)}):
            found.setdefault((key.key, key.about), []).append(kind)
    return [
        (f"`{key}`", about, "all" if len(kinds) == len(KINDS) else ", ".join(kinds))
        for (key, about), kinds in sorted(
            found.items(), key=lambda item: (-len(item[1]), item[0][0].swapcase(), item[1])
        )
    ]


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table of Markdown, without columns at the right that are empty throughout."""
    full = max(i for i in range(len(heads)) if heads[i] == "key" or any(row[i] for row in rows)) + 1
    lines = [
        " | ".join(cell.replace("|", "\\|") for cell in row[:full]) for row in (heads, ("---",) * len(heads), *rows)
    ]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


if __name__ == "__main__":
    main()
