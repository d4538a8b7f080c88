"""Trains the published settings, evaluates each as its paper does, and keeps what came out in benchmarks/REPRODUCE.md.

    python benchmarks/reproduce.py --data-root DIR [--side-by-side 2] [RECIPE …]
    python benchmarks/reproduce.py --record RUN …

One result per row of benchmarks/reproduce.toml and seed, each run with one CPU thread. It can be stopped at any time
and started again: what is recorded is not done again, what was interrupted goes on from its checkpoint. Results are
appended to benchmarks/reproduce.jsonl, from which the page is written anew. `--record` takes up finished runs that
were trained by hand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from laddertop.journal.events import EventReader, RunStarted
from laddertop.journal.folder import RunFolder
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.watch.summary import summary

ROOT = Path(__file__).resolve().parents[1]
HERE = ROOT / "benchmarks"
LADDERTOP = [sys.executable, "-P", "-m", "laddertop.tui.cli.main"]


def laddertop(*words: str) -> str:
    """What a command prints. Raises RuntimeError with its last words when it fails."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*LADDERTOP, *words], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1])
    return done.stdout


def wanted(row: dict[str, Any], seed: int) -> dict[str, Any]:
    """What identifies a result: recipe, settings, seed."""
    return {"recipe": row["recipe"], "settings": row.get("settings", []), "seed": seed}


def reproduce(row: dict[str, Any], seed: int, runs: Path, root: Path | None, beside: Path) -> dict[str, Any]:
    """Trains one row with one seed, or on where it was interrupted, evaluates it, and returns the result."""
    changed = "".join(f"-{setting}" for setting in row.get("settings", [])).replace("/", "_")
    name = f"{row['recipe']}{changed}-s{seed}"
    run = RunFolder(runs / name)
    where = ["--runs", str(runs)]
    state = summary(run)["state"] if (run.path / "spec.json").exists() else None
    if state is None:
        settings = [f"--set={setting}" for setting in [*row.get("settings", []), "threads=1"]]
        data = ["--data-root", str(root)] if root else []
        laddertop("train", row["recipe"], *settings, *data, f"--seed={seed}", f"--name={name}", *where)
    elif state != "finished":
        laddertop("resume", name, *where)
    return measure(run, row, beside)


def measure(run: RunFolder, row: dict[str, Any], beside: Path) -> dict[str, Any]:
    """Evaluates a finished run and returns its result; its pictures go into the folder `beside`.

    Raises RuntimeError when it is not finished.
    """
    told = summary(run)
    if told["state"] != "finished":
        raise RuntimeError(f"{run.name} is {told['state']} at step {told['step']} of {told['steps']}")
    represent = ["--representation"] if row.get("representation") else []
    evaluation = json.loads(laddertop("eval", str(run.path), "--json", *represent))
    pictures = []
    for number, words in enumerate(row.get("pictures", [])):
        command, *options = shlex.split(words)
        (beside / "pictures").mkdir(exist_ok=True)
        file = f"pictures/{run.name}-{number}-{command}.png"
        laddertop(command, str(run.path), *options, "--out", str(beside / file), "--timeout=300")
        pictures.append({"file": file, "command": words})
    events = EventReader(run.events_path).read_all()
    state = RunState().apply_all(events)
    spec = run.spec
    epochs = told["epoch"]
    return {
        **wanted(row, spec.seed),
        "command": command_of(row, spec.seed),
        "finished": time.strftime("%Y-%m-%d", time.localtime(events[-1].time)),
        "machine": machine(),
        "engine": {key: told[key] for key in ("device", "precision", "compiled", "threads")},
        "versions": state.started.versions if state.started else {},
        "steps": told["steps"],
        "epochs": epochs,
        "shortened": shortened(row, epochs),
        "interventions": len(state.interventions()),
        "training_seconds": training_seconds(events),
        "evaluation_seconds": evaluation["seconds"],
        "values": evaluation["values"],
        "pictures": pictures,
    }


def command_of(row: dict[str, Any], seed: int) -> str:
    """What to type to do it again."""
    settings = " ".join(f"--set {setting}" for setting in [*row.get("settings", []), "threads=1"])
    return f"laddertop train {row['recipe']} --seed {seed} {settings}"


def shortened(row: dict[str, Any], epochs: float) -> str:
    """How a schedule falls short of the recipe's; empty when it does not."""
    if row["recipe"].endswith("-short"):
        return f"{epochs:g} epochs, see the recipe"
    recipe = load_recipe(row["recipe"])
    own = override(recipe, row.get("settings", []))
    if recipe.epochs is not None and epochs < recipe.epochs:
        return f"{epochs:g} of {recipe.epochs:g} epochs"
    if recipe.steps is not None and own.steps is not None and own.steps < recipe.steps:
        return f"{own.steps} of {recipe.steps} steps"
    return ""


def training_seconds(events: list[Any]) -> float:
    """Seconds that engines were at work, over all starts; silences between them don't count."""
    starts = [index for index, event in enumerate(events) if isinstance(event, RunStarted)]
    ends = [*(index - 1 for index in starts[1:]), len(events) - 1]
    return float(sum(events[end].time - events[start].time for start, end in zip(starts, ends, strict=True)))


def machine() -> str:
    """The processor and how many cores of it there are."""
    model = platform.processor() or platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        names = [line.partition(": ")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores"


def page(plan: list[dict[str, Any]], results: list[dict[str, Any]]) -> str:
    """REPRODUCE.md: a section per row that has results, in the order of the plan, what is not in the plan last."""
    planned = [(row["recipe"], row.get("settings", [])) for row in plan]
    others = [(r["recipe"], r["settings"]) for r in results if (r["recipe"], r["settings"]) not in planned]
    text = [
        "# What was reproduced\n",
        "Written by `python benchmarks/reproduce.py` from `reproduce.jsonl`. Every run has one CPU thread. A",
        "shortened schedule is marked and is not to be compared with a published number. Wall time is that of the",
        "training, on a machine that does other things too.\n",
        "| run | measure | values by seed | published |",
        "|---|---|---|---|",
    ]
    sections: list[str] = []
    seen: list[Any] = []
    for recipe, settings in [*planned, *others]:
        mine = sorted(
            (r for r in results if (r["recipe"], r["settings"]) == (recipe, settings)), key=lambda r: r["seed"]
        )
        if not mine or (recipe, settings) in seen:
            continue
        seen.append((recipe, settings))
        row: dict[str, Any] = next((row for row in plan if wanted(row, 0) == wanted(mine[0], 0)), {})
        published = {} if mine[0]["shortened"] else row.get("published", {})
        text.append(glance(mine, row.get("headline"), published))
        sections += section(mine, published)
    return "\n".join([*text, *sections]) + "\n"


def title_of(result: dict[str, Any]) -> str:
    """Recipe and settings, and whether the schedule is shortened."""
    return " ".join([result["recipe"], *result["settings"]]) + (", shortened" if result["shortened"] else "")


def values_of(results: list[dict[str, Any]], measure: str) -> list[float]:
    """A measure of every seed."""
    return [float(result["values"][measure]["value"]) for result in results]


def glance(results: list[dict[str, Any]], measure: str | None, published: dict[str, str]) -> str:
    """A line of the table at the top: one measure, that of the plan or else the first, which is the paper's own."""
    measure = measure or next(iter(results[0]["values"]))
    shown = ", ".join(f"{number:.4g}" for number in values_of(results, measure))
    unit = results[0]["values"][measure]["unit"].partition(",")[0]
    return f"| {title_of(results[0])} | {measure}, {unit} | {shown} | {published.get(measure, '')} |"


def section(results: list[dict[str, Any]], published: dict[str, str]) -> list[str]:
    """One row of the plan: values of every seed, their median, and the published number where they are comparable."""
    first = results[0]
    text = [f"\n## {title_of(first)}\n", load_recipe(first["recipe"]).about, ""]
    if first["shortened"]:
        text += [f"**Shortened: {first['shortened']}.** No published number stands beside it.", ""]
    seeds = [f"seed {result['seed']}" for result in results]
    text += [f"| measure | {' | '.join(seeds)} | median | published |", "|---" * (len(results) + 3) + "|"]
    for name, value in first["values"].items():
        every = values_of(results, name)
        shown = " | ".join(f"{number:.6g}" for number in every)
        text.append(
            f"| {name}, {value['unit']} | {shown} | {statistics.median(every):.6g} | {published.get(name, '')} |"
        )
    text.append("")
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


def duration(seconds: float) -> str:
    """Minutes, or seconds where they are few."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def main() -> int:
    """Does what is not recorded yet; the exit status says whether everything wanted is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="RECIPE", help="only these rows of the plan")
    parser.add_argument("--data-root", type=Path, help="folder that holds the data in torchvision's layout")
    parser.add_argument("--runs", type=Path, default=ROOT / "checkpoints" / "reproduce", help="where the runs live")
    parser.add_argument("--side-by-side", type=int, default=1, metavar="K", help="runs at a time, one thread each")
    parser.add_argument("--record", type=Path, nargs="+", metavar="RUN", help="record these finished runs instead")
    parser.add_argument("--plan", type=Path, default=HERE / "reproduce.toml")
    parser.add_argument("--results", type=Path, default=HERE / "reproduce.jsonl")
    arguments = parser.parse_args()
    plan = tomllib.loads(arguments.plan.read_text())["row"]
    results = (
        [json.loads(line) for line in arguments.results.read_text().splitlines()] if arguments.results.exists() else []
    )
    root = arguments.data_root.absolute() if arguments.data_root else None

    def keep(result: dict[str, Any]) -> None:
        results.append(result)
        with arguments.results.open("a") as file:
            file.write(json.dumps(result) + "\n")
        arguments.results.with_name("REPRODUCE.md").write_text(page(plan, results))

    if arguments.record:
        for path in arguments.record:
            run = RunFolder(path)
            keep(measure(run, row_of(run, plan), arguments.results.parent))
        return 0
    rows = [row for row in plan if not arguments.recipes or row["recipe"] in arguments.recipes]
    if unknown := set(arguments.recipes) - {row["recipe"] for row in rows}:
        parser.error(f"{arguments.plan} has no row of {', '.join(sorted(unknown))}")
    done = [{key: result[key] for key in ("recipe", "settings", "seed")} for result in results]
    todo = [(row, seed) for row in rows for seed in row["seeds"] if wanted(row, seed) not in done]
    failed = 0
    with ThreadPoolExecutor(arguments.side_by_side) as pool:
        futures = {
            pool.submit(reproduce, row, seed, arguments.runs, root, arguments.results.parent): (row, seed)
            for row, seed in todo
        }
        try:
            for future in as_completed(futures):
                row, seed = futures[future]
                try:
                    keep(future.result())
                    print(f"{row['recipe']} seed {seed}: recorded", flush=True)
                except (RuntimeError, ValueError, OSError) as error:
                    failed += 1
                    print(f"{row['recipe']} seed {seed}: {error}", file=sys.stderr, flush=True)
        except KeyboardInterrupt:
            # The engines were interrupted too, and save.
            pool.shutdown(cancel_futures=True)
            return 130
    return 1 if failed else 0


def row_of(run: RunFolder, plan: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of the plan that a run was trained for, by its spec; else one with the settings that it differs in."""
    spec = run.spec
    for row in plan:
        if row["recipe"] == spec.recipe:
            own = override(load_recipe(row["recipe"]), row.get("settings", []))
            if same(own.model_dump(), spec.model_dump()):
                return row
    recipe = flat(load_recipe(spec.recipe).model_dump())
    different = {key: value for key, value in flat(spec.model_dump()).items() if recipe.get(key) != value}
    settings = [f"{key}={json.dumps(value)}" for key, value in different.items() if key not in ASIDE]
    return {"recipe": spec.recipe, "settings": settings}


ASIDE = ("seed", "threads", "device", "data.root", "about", "evaluate.every", "samples.every", "checkpoint.every")
"""Keys of a spec that make no other row of it: none of them changes what is trained."""


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A tree of settings as dotted keys."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs are those of one row."""
    left, right = ({k: v for k, v in flat(tree).items() if k not in ASIDE} for tree in (one, other))
    return left == right


if __name__ == "__main__":
    sys.exit(main())
