"""What `runs`, `show` and `evaluate` print."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from laddertop.journal.event_lines import unreadable
from laddertop.journal.folder import find_run, list_runs, runs_folder
from laddertop.journal.value import Value
from laddertop.tui.cli.diagnose import in_a_line
from laddertop.tui.cli.print import json_result, number, result, say, setting, table, terminal_width
from laddertop.tui.steer.saved import ask_saved
from laddertop.tui.steer.trust import driven
from laddertop.tui.watch.babysat import in_words
from laddertop.tui.watch.summaries import short_summaries


def print_runs(runs: Path | None, archived: bool, tags: list[str], as_json: bool) -> None:
    """The runs in a folder that have all of the `tags`, newest first, with or without those that were put away."""
    folder = runs_folder(runs)
    there = [run for run in list_runs(folder) if archived or not run.archived]
    found = short_summaries(folder, [run for run in there if set(tags) <= set(run.tags)] if tags else there)
    if as_json:
        json_result(found)
    elif not found and tags:
        say(f"no run in {folder.absolute()} has {' and '.join(f'the tag {tag}' for tag in tags)}")
    elif not found:
        say(f"there are no runs in {folder.absolute()}; start one with `laddertop train ladder-digits`")
    else:
        rows = [["run", "state", "step", "of", "evaluation"]]
        for run in found:
            if "problem" in run:
                rows.append([run["name"], run["state"], "-", "-", run["problem"]])
            else:
                evaluation, more = headline(run["evaluation"]), len(run["problems"]) - 1
                if run["problems"]:
                    evaluation += f"; {run['problems'][0]}" + (f"; and {more} more" if more else "")
                rows.append([run["name"], run["state"], str(run["step"]), number(run["steps"]), evaluation])
        for line in table(rows, width=terminal_width()):
            result(line)


def print_run(runs: Path | None, text: str, as_json: bool) -> None:
    """Where one run stands."""
    from laddertop.tui.watch.summary import summary

    told = summary(find_run(runs_folder(runs), text))
    if as_json:
        json_result(told)
    else:
        for line in describe(told):
            result(line)


def describe(told: dict[str, Any]) -> list[str]:
    """A run's summary in lines for people."""
    where = f"step {told['step']} of {number(told['steps'])}"
    lines = [f"{told['name']}: {told['state']}, {where}" + (f", epoch {told['epoch']:.1f}" if told["epoch"] else "")]
    if told["ended"] and told["ended"]["detail"]:
        lines.append(f"  {told['ended']['detail']}")
    if told["device"]:
        engine = f", engine {told['pid']} on {told['host']}" if told["pid"] else f" on {told['host']}"
        how = told["precision"] + (", compiled" if told["compiled"] else ", uncompiled")
        how += f", {told['ranks']} ranks" if told["ranks"] > 1 else ""
        lines.append(f"  {told['recipe']}, {told['device']}, {how}{engine}")
    if told["start_note"]:
        lines.append(f"  {told['start_note']}")
    lines.append(f"  {told['folder']}")
    if told["unreadable_lines"]:
        lines.append(f"  {unreadable(told['unreadable_lines'])}")
    lines += [f"  {problem}" for problem in told["problems"]]
    lines += [f"  {in_a_line(one)}" for one in told["findings"]]
    if told["babysitter"]:
        lines += [f"  {line}" for line in in_words(told["babysitter"])]
    if told["terms"]:
        rows = [["cost", "raw", "× weight", "= share", "unit of raw"]]
        for term in told["terms"].values():
            numbers = [number(term[what]) for what in ("value", "weight", "share")]
            rows.append([term["label"], *numbers, term["unit"]])
        rows.append(["total", "", "", number(told["total"]), ""])
        lines += ["", *table(rows, width=terminal_width())]
    if told["knobs"]:
        rows = [["knob", "set to", "in effect", "unit"]]
        for name, knob in told["knobs"].items():
            rows.append([name, setting(knob["kind"], knob["value"]), number(knob["effective"]), knob["unit"]])
        lines += ["", *table(rows, width=terminal_width())]
    if told["evaluation"]:
        lines += ["", *describe_evaluation(told["evaluation"])]
    if told["checkpoints"]:
        lines += ["", "checkpoints: " + ", ".join(saved["file"] for saved in told["checkpoints"])]
    return lines


def describe_evaluation(evaluation: dict[str, Any]) -> list[str]:
    """An evaluation in lines for people."""
    values = {name: Value.model_validate(plain) for name, plain in evaluation["values"].items()}
    rows = [[one.called(name), number(one.value), one.unit] for name, one in values.items()]
    return [
        f"evaluation at step {evaluation['step']}, {evaluation['split']} data",
        *table(rows, "  ", terminal_width()),
    ]


def headline(evaluation: dict[str, Any] | None) -> str:
    """The one number of an evaluation that people look at first."""
    if evaluation is None or not evaluation["values"]:
        return "-"
    values = evaluation["values"]
    name = next((name for name, value in values.items() if value.get("headline")), next(iter(values)))
    value = Value.model_validate(values[name])
    if value.sign:
        return f"{value.called(name)} {value.value:.2f}{value.sign}"
    return f"{value.called(name)} {number(value.value)} {value.unit.partition(',')[0]}"


def evaluate_saved(runs: Path | None, text: str, options: list[str], *, trust: bool, as_json: bool) -> None:
    """Evaluates a checkpoint of a run in an engine of its own, with some of its `options`.

    Raises ValueError with the engine's words where it was asked for something that can't be, or for a stranger's run
    without `trust`, else EngineError.
    """
    told = ask_saved(driven(find_run(runs_folder(runs), text), trust), "evaluate", options, say)
    if as_json:
        json_result(told)
    else:
        for line in describe_evaluation(told):
            result(line)
