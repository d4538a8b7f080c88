"""What came of a sweep: per setting what its seeds came to together."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from laddertop.journal.value import Value
from laddertop.tui.sweep.asked import trials_of
from laddertop.tui.sweep.plan import Plan, Range, number, run_name
from laddertop.tui.sweep.queue import Queue
from laddertop.tui.sweep.study import LEFT, MEASURED, STATES, TOLD


def outcome(queue: Queue) -> dict[str, Any]:
    """Where a sweep stands, as plain values: its settings, those with the best median first, then those that have
    none yet."""
    plan = queue.plan
    grouped: dict[int, list[FrozenTrial]] = {}
    queued = {(one.user_attrs["setting"], one.user_attrs["seed"]): one for one in queue.trials()}
    for place in sorted(queued):
        grouped.setdefault(place[0], []).append(queued[place])
    # What was added, and no worker has taken up yet.
    added = [place for place in trials_of(plan, queue.inbox.look()) if place not in queued]
    rows = [_row(queue, setting, grouped.get(setting, [])) for setting in {**grouped, **dict(added)}]
    by_setting = {row["setting"]: row["runs"] for row in rows}
    for trial, (setting, seed) in enumerate(added, len(queued)):
        name = run_name(plan.name, trial, seed)
        by_setting[setting].append({"run": name, "seed": seed, "state": "waiting", "value": None})
    measure = next((row["measure"] for row in rows if row["measure"]), None)
    sign = -1 if measure and measure["better"] == "higher" else 1
    rows.sort(key=lambda row: (row["median"] is None, sign * (row["median"] or 0)))
    for row in rows:
        del row["measure"]
    return {
        "name": plan.name,
        "folder": str(queue.folder),
        "recipe": plan.spec.recipe,
        "seeds": sorted({run["seed"] for row in rows for run in row["runs"]}),
        "states": dict(Counter(run["state"] for row in rows for run in row["runs"])),
        "measure": measure,
        "settings": rows,
    }


def _row(queue: Queue, setting: int, trials: list[FrozenTrial]) -> dict[str, Any]:
    values: list[float] = []
    measure, runs = None, []
    drawn: dict[str, str] = {}
    for trial in trials:
        drawn |= {one.key: number(one, trial.params[one.key]) for one in queue.plan.search if one.key in trial.params}
        run = {
            "run": run_name(queue.plan.name, trial.number, trial.user_attrs["seed"]),
            "seed": trial.user_attrs["seed"],
            "state": _state(queue, trial),
            "value": None,
        }
        if said := trial.user_attrs.get(MEASURED):
            value = Value.model_validate(said)
            run["value"] = value.value
            if trial.state == TrialState.COMPLETE:
                values.append(value.value)
                label = value.called(said["name"])
                measure = {"name": said["name"], "label": label, "unit": value.unit, "better": value.better}
        if why := trial.user_attrs.get("why"):
            run["why"] = why
        runs.append(run)
    best = (max if measure and measure["better"] == "higher" else min)(values) if values else None
    return {
        "setting": setting,
        "values": queue.plan.point(setting) | drawn,
        "median": float(np.median(values)) if values else None,
        "mean": float(np.mean(values)) if values else None,
        "sd": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "best": best,
        "runs": runs,
        "measure": measure,
    }


def _state(queue: Queue, trial: FrozenTrial) -> str:
    return LEFT if trial.state == TrialState.RUNNING and not queue.at_work(trial) else STATES[trial.state]


def lines(told: dict[str, Any]) -> tuple[str, list[list[str]], list[str]]:
    """An outcome for people: a first line, the rows of a table with their heads, and what went wrong."""
    states = ", ".join(f"{told['states'][word]} {word}" for word in TOLD if word in told["states"])
    measure = told["measure"]
    unit = f"; {measure['label']} in {measure['unit']}" if measure else ""
    head = f"{told['name']}: {sum(told['states'].values())} runs of {told['recipe']}: {states}{unit}"
    rows = [["median", "mean ± sd", "best", "runs", "setting"]]
    for row in told["settings"]:
        counts = Counter(run["state"] for run in row["runs"])
        mean = _short(row["mean"]) + (f" ± {row['sd']:.2g}" if row["sd"] is not None else "")
        rows.append(
            [
                _short(row["median"]),
                mean,
                _short(row["best"]),
                ", ".join(f"{counts[word]} {word}" for word in TOLD if word in counts),
                " ".join(f"{key}={value}" for key, value in row["values"].items()) or "as in the recipe",
            ]
        )
    wrong = [f"{run['run']}: {run['why']}" for row in told["settings"] for run in row["runs"] if run.get("why")]
    return head, rows, wrong


def slices(told: dict[str, Any], plan: Plan) -> list[list[str]]:
    """An outcome by each key that varies: the rows of a table with their heads, one for each value of a grid and each
    fifth of a range that settings have results in; nothing of a key whose values have one setting each."""
    best = max if told["measure"] and told["measure"]["better"] == "higher" else min
    rows = []
    varies: dict[str, list[str] | Range] = {**plan.grid, **{one.key: one for one in plan.search}}
    for key, places in varies.items():
        found: dict[tuple[int, str], list[float]] = {}
        for row in told["settings"]:
            if row["median"] is not None and (value := row["values"].get(key)) is not None:
                place = _fifth(places, float(value)) if isinstance(places, Range) else (places.index(value), value)
                found.setdefault(place, []).append(row["median"])
        if any(len(medians) > 1 for medians in found.values()):
            for (_, name), medians in sorted(found.items()):
                cells = _short(best(medians)), _short(float(np.median(medians))), str(len(medians))
                rows.append([key, name, *cells])
    return [["key", "values", "best", "median", "settings"], *rows] if rows else []


def _fifth(one: Range, value: float) -> tuple[int, str]:
    """Which fifth of a range a value lies in, and that in words."""
    low, high, value = (math.log(x) if one.log else x for x in (one.low, one.high, value))
    place = min(4, max(0, int((value - low) / (high - low) * 5)))
    ends = [low + (high - low) * end / 5 for end in (place, place + 1)]
    return place, " … ".join(f"{math.exp(end) if one.log else end:.3g}" for end in ends)


def _short(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
