"""REPRODUCE.md and its picture, written from the plan and the results that are recorded."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

from benchmarks.reproduce_picture import Strip, seeds_svg
from benchmarks.reproduced import wanted
from laddertop.journal.files import write_atomically
from laddertop.journal.spec import load_recipe

Row = dict[str, Any]
PICTURE = "pictures/seeds.svg"
HEAD = f"""# What was reproduced

Written by `python benchmarks/reproduce.py` from `reproduce.jsonl`. Every run has one thread. Wall time is that of the
training, on a machine that does other things too. A shortened schedule is marked, and neither a published number nor a
verdict stands beside it.

Published numbers are read in the paper or its code, quoted by others, or from memory and unverified. A verdict compares
the mean of our seeds with the published one, in standard deviations of single published runs: sd as published, or a
standard error times √runs, or a 95 % interval over 1.96. Where none is published it tells the difference alone. One
seed can't tell a verdict from luck.

![Seeds as dots beside the published intervals]({PICTURE})
"""


def write_page(results_file: Path, plan: list[Row], results: list[dict[str, Any]]) -> None:
    """Writes REPRODUCE.md and the picture of its seeds beside the results."""
    (results_file.parent / PICTURE).parent.mkdir(exist_ok=True)
    write_atomically(results_file.parent / PICTURE, seeds_svg(strips(plan, results)).encode())
    write_atomically(results_file.with_name("REPRODUCE.md"), page(plan, results).encode())


def page(plan: list[Row], results: list[dict[str, Any]]) -> str:
    """A table of all rows that have results in the order of the plan, others last; label draws; a section per row."""
    text = [
        HEAD,
        "| run | measure | seeds | median | mean ± sd | published | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    grouped = by_row(plan, results)
    text += [glance(row, mine) for row, mine in grouped]
    text += label_draws([mine for _, mine in grouped])
    text += active_units(grouped)
    for row, mine in grouped:
        text += section(row, mine)
    return "\n".join(text) + "\n"


def by_row(plan: list[Row], results: list[dict[str, Any]]) -> list[tuple[Row, list[dict[str, Any]]]]:
    """The results of each row by seed, in the order of the plan, then those of no row."""
    rest = sorted(results, key=lambda result: result["seed"])
    grouped: list[tuple[Row, list[dict[str, Any]]]] = []
    for row in [*plan, *({"recipe": r["recipe"], "settings": r["settings"]} for r in results)]:
        mine = [result for result in rest if wanted(row, result["seed"]) == wanted(result, result["seed"])]
        if mine:
            grouped.append((row, mine))
            rest = [result for result in rest if result not in mine]
    return grouped


def title_of(result: dict[str, Any]) -> str:
    """Recipe and settings, and whether the schedule is shortened."""
    return " ".join([result["recipe"], *result["settings"]]) + (", shortened" if result["shortened"] else "")


def values_of(results: list[dict[str, Any]], measure: str) -> list[float]:
    """A measure of every seed."""
    return [float(result["values"][measure]["value"]) for result in results]


def headline(row: Row, results: list[dict[str, Any]]) -> str:
    """The measure that stands for a row: the plan's, or else the first, which is the paper's own."""
    return str(row.get("headline") or next(iter(results[0]["values"])))


def published_of(row: Row, results: list[dict[str, Any]], measure: str) -> dict[str, Any] | None:
    """What the paper reports of a measure; None where it says nothing, or of another schedule."""
    return None if results[0]["shortened"] else row.get("published", {}).get(measure)


def shown(published: dict[str, Any] | None) -> str:
    """A published value with its spread, what that is, and how far it is verified."""
    if published is None:
        return ""
    what = {"sd": "sd", "se": "standard error", "interval": "95 % interval"}
    spread = f" ± {published['spread']:g}" if "spread" in published else ""
    words = [what[published["of"]]] if "of" in published else []
    words += [f"{published['runs']} runs"] if "runs" in published else []
    return f"{published['value']:g}{spread} ({', '.join([*words, published['known']])})"


def deviation(published: dict[str, Any]) -> float | None:
    """The standard deviation of single published runs; None where no spread is published."""
    if "spread" not in published:
        return None
    scale = {"sd": 1, "se": math.sqrt(published.get("runs", 1)), "interval": 1 / 1.96}[published["of"]]
    return float(published["spread"]) * scale


def verdict(ours: list[float], published: dict[str, Any] | None, why: str = "") -> str:
    """Within one sd, within two, or beyond them, and then why as far as that is known."""
    if published is None:
        return ""
    away = statistics.fmean(ours) - published["value"]
    if math.isnan(away):
        return "diverged"
    few = "; one seed" if len(ours) == 1 else ""
    sd = deviation(published)
    if sd is None:
        return f"{away:+.2f}, no spread is published{few}{f': {why}' if why else ''}"
    if abs(away) <= 2 * sd:
        return f"within {'one sd' if abs(away) <= sd else 'two sd'} ({away / sd:+.1f}){few}"
    return f"**beyond: {away / sd:+.1f} sd**{few}: {why or 'not explained'}"


def spread(values: list[float]) -> str:
    """Mean ± standard deviation over seeds; the mean alone of one seed."""
    if len(values) == 1:
        return f"{values[0]:.4g}"
    return f"{statistics.fmean(values):.4g} ± {statistics.stdev(values):.2g}"


def glance(row: Row, results: list[dict[str, Any]]) -> str:
    """A line of the table at the top."""
    measure = headline(row, results)
    ours = values_of(results, measure)
    published = published_of(row, results, measure)
    cells = [title_of(results[0]), f"{measure}, {results[0]['values'][measure]['unit'].partition(',')[0]}"]
    cells += [str(len(ours)), f"{statistics.median(ours):.4g}", spread(ours), shown(published)]
    return f"| {' | '.join([*cells, verdict(ours, published, row.get('why', ''))])} |"


def confused(result: dict[str, Any]) -> str:
    """The two classes that are confused most, and how many of the errors that is; empty where it was not counted."""
    counts = result.get("confusion")
    if not counts:
        return ""
    pairs = {(a, b): counts[a][b] + counts[b][a] for a in range(len(counts)) for b in range(a)}
    (a, b), most = max(pairs.items(), key=lambda pair: pair[1])
    return f" ({b} and {a}: {most} of {sum(pairs.values())})"


def label_draws(groups: list[list[dict[str, Any]]]) -> list[str]:
    """A table of test errors by label draw where there are few labels: one seed, one draw, whatever the model."""
    drawn = [mine for mine in groups if mine[0]["recipe"].endswith("mnist-100") and not mine[0]["shortened"]]
    drawn = [mine for mine in drawn if "error_percent" in mine[0]["values"]]
    if not drawn:
        return []
    text = [
        "\n## Label draws\n",
        "Test error in % with 100 labels. A seed draws the same hundred images for every model. In brackets the two",
        "classes that are confused most, and how many of the errors that is, where it was counted.\n",
        f"| seed | {' | '.join(title_of(mine[0]) for mine in drawn)} |",
        "|---" * (len(drawn) + 1) + "|",
    ]
    for seed in sorted({result["seed"] for mine in drawn for result in mine}):
        cells = []
        for mine in drawn:
            result = next((result for result in mine if result["seed"] == seed), None)
            cells.append(f"{values_of([result], 'error_percent')[0]:.2f}{confused(result)}" if result else "")
        text.append(f"| {seed} | {' | '.join(cells)} |")
    return text


def active_units(grouped: list[tuple[Row, list[dict[str, Any]]]]) -> list[str]:
    """A table of the active units of each stochastic layer, mean over seeds, where a model has several."""
    lines = []
    for row, mine in grouped:
        names = [name for name in mine[0]["values"] if name.startswith("active_units.")]
        if len(names) < 2:
            continue
        ours = ", ".join(f"{statistics.fmean(values_of(mine, name)):.3g}" for name in names)
        theirs = [published_of(row, mine, name) for name in names]
        known = next((one["known"] for one in theirs if one), "")
        counts = ", ".join(f"{one['value']:g}" for one in theirs if one)
        published = f"{counts} ({known})" if known else ""
        lines.append(f"| {title_of(mine[0])} | {ours} | {published} |")
    head = ["\n## Active units by layer\n", "From the layer next to the image upwards, mean over seeds.\n"]
    return [*head, "| run | ours | published |", "|---|---|---|", *lines] if lines else []


def section(row: Row, results: list[dict[str, Any]]) -> list[str]:
    """One row of the plan: every measure of every seed, and how each was trained."""
    first = results[0]
    text = [f"\n## {title_of(first)}\n", load_recipe(first["recipe"]).about, ""]
    if first["shortened"]:
        text += [f"**Shortened: {first['shortened']}.** No published number stands beside it.", ""]
    text += [f"{note}", ""] if (note := row.get("whole")) else []
    seeds = [f"seed {result['seed']}" for result in results]
    text += [f"| measure | {' | '.join(seeds)} | median | mean ± sd | published |", "|---" * (len(results) + 4) + "|"]
    for name, value in first["values"].items():
        every = values_of(results, name)
        cells = [f"{name}, {value['unit']}", *(f"{number:.6g}" for number in every)]
        cells += [f"{statistics.median(every):.6g}", spread(every), shown(published_of(row, results, name))]
        text.append(f"| {' | '.join(cells)} |")
    text.append("")
    text += log_table(row, first) if "log" in first else []
    for result in results:
        engine = result["engine"]
        how = f"{engine['device']}, {engine['precision']}{', compiled' if engine['compiled'] else ''}"
        steered = f", {result['interventions']} interventions" if result["interventions"] else ""
        text.append(
            f"- `{result['command']}`: {result['steps']} steps, {result['epochs']:g} epochs in "
            f"{duration(result['training_seconds'])} ({how}, torch {result['versions'].get('torch')}, "
            f"{result['machine']}), {result['finished']}{steered}"
        )
        text += [f"  ![{one['command']}]({one['file']})" for one in result["pictures"]]
    return text


def log_table(row: Row, result: dict[str, Any]) -> list[str]:
    """The costs after each epoch beside those of the published log."""
    log = row["log"]
    text = [
        f"Seed {result['seed']}, epoch by epoch, beside the published log ({log['known']}):\n",
        "| epoch | training | published | test | published |",
        "|---|---|---|---|---|",
    ]
    for at, one in enumerate(result["log"]):
        theirs = [f"{log[name][at]:g}" if at < len(log[name]) else "" for name in ("training", "test")]
        text.append(f"| {one['epoch']:g} | {one['training']:.4f} | {theirs[0]} | {one['test']:.4f} | {theirs[1]} |")
    return [*text, ""]


def strips(plan: list[Row], results: list[dict[str, Any]]) -> list[Strip]:
    """What the picture shows: the rows whose headline has a published value, in the order of the plan."""
    found = []
    for row, mine in by_row(plan, results):
        measure = headline(row, mine)
        if published := published_of(row, mine, measure):
            finite = [value for value in values_of(mine, measure) if math.isfinite(value)]
            unit = mine[0]["values"][measure]["unit"].partition(",")[0]
            found.append(Strip(title_of(mine[0]), unit, finite, published["value"], deviation(published)))
    return found


def duration(seconds: float) -> str:
    """Hours, minutes, or seconds where they are few."""
    if seconds >= 7200:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
