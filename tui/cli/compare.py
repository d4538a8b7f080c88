"""`compare`: what several runs were evaluated to, and what their specs differ in."""

from __future__ import annotations

from pathlib import Path

from laddertop.journal.folder import find_run, list_runs, runs_folder
from laddertop.journal.spec import did_you_mean
from laddertop.tui.cli.print import json_result, number, result, table, terminal_width
from laddertop.tui.watch.comparison import difference, evaluations, look, open_runs


def compare(runs: Path | None, texts: list[str], tags: list[str], as_json: bool) -> None:
    """Prints the newest evaluations, mean ± standard deviation over seeds of one experiment, and what differs.

    Compared are those that `texts` name and all that have one of the `tags`, each once. Raises ValueError for a single
    run, for one that is not there, or whose spec is damaged, and for a tag that no run has.
    """
    folder = runs_folder(runs)
    found = [find_run(folder, text) for text in texts]
    there = [run for run in list_runs(folder) if not run.archived] if tags else []
    for tag in tags:
        tagged = [run for run in there if tag in run.tags]
        if not tagged:
            known = sorted({one for run in there for one in run.tags})
            raise ValueError(f"no run in {folder.absolute()} has the tag {tag!r}{did_you_mean(tag, known)}")
        found += tagged
    chosen = list({run.path.resolve(): run for run in found}.values())
    if len(chosen) < 2:
        words = f", not only {chosen[0].name}" if chosen else ""
        raise ValueError(f"compare takes two runs or more{words}; `laddertop show` is about one")
    opened = open_runs(chosen)
    look(opened)
    names = [one.run.name for one in opened]
    rows, differing = evaluations(opened), difference(opened)
    if as_json:
        told = [
            {
                "runs": [names[run] for run in row.runs],
                "step": row.step,
                "best": row.best,
                "headline": next(iter(row.values), None),
                "values": {
                    name: {"value": value, "sd": sd, "unit": row.about[name].unit}
                    for name, (value, sd) in row.values.items()
                },
            }
            for row in rows
        ]
        json_result(
            {"evaluations": told, "difference": {key: dict(zip(names, v, strict=True)) for key, v in differing}}
        )
        return
    measures = {name: row.about[name].called(name) for row in rows for name in row.values}
    cells = [["run", "step", "", *measures.values()]]
    for row in rows:
        values = [row.values.get(name, (None, None)) for name in measures]
        told_values = [number(value) + (f" ± {sd:.2g}" if sd is not None else "") for value, sd in values]
        cells.append([row.name, str(row.step), "best" if row.best else "", *told_values])
    for line in table(cells, width=terminal_width()):
        result(line)
    result("")
    for line in table([["key", *names], *([key, *values] for key, values in differing)], width=terminal_width()):
        result(line)
