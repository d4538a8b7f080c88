"""Times a training step against what it can't do without, a straight implementation, and other people's steps.

    python benchmarks/speed.py [--short] [--models ladder vae] [--batches 100 200 400] [--json]
        [--ladder-port CLONE] [--lamda CLONE] [--examples CLONE] [--pythae CLONE]

All variants of one model and batch run interleaved in this one process, a tenth of a second each in turn, as a run
takes its steps in a row, on random images of MNIST's size. The table shows medians, the spread from the 10th to the
90th percentile, and ratios to the floor of the same precision. Absolute times mean little on a shared machine; the
ratios are the result.

pythae wants tqdm, which this project does without: `pip install --target CLONE/../pythae_deps --no-deps tqdm`.
"""

from __future__ import annotations

import os

# As the engine itself does, before torch is loaded: see engine/__main__.py.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import peers, straight
from benchmarks.floor import floor, ladder_products, vae_products
from benchmarks.steps import OurStep
from laddertop.engine.training.recorder import Recorder
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override

CPU = torch.device("cpu")
Variants = dict[str, Callable[[], int | None]]
"""Functions that take one step, or several and say how many."""

TURN = 0.1
"""Seconds that a variant takes steps before the next one does."""


def ours(recipe: str, settings: list[str], compiled: bool, precision: torch.dtype, folder: Path | None) -> Variants:
    """Our step as the training loop takes it, headless and, given a folder, recording every step into it."""
    spec = override(load_recipe(recipe), settings)
    step = OurStep(spec, CPU, compiled, precision)
    name = f"{'compiled' if compiled else 'uncompiled'} {'bf16' if precision is torch.bfloat16 else 'fp32'}"
    found: Variants = {f"ours {name}": lambda: step.take()}
    if folder:
        recorder = Recorder(create_run(folder, spec, name.replace(" ", "-")).path, 1, step.width, CPU)

        def recorded() -> None:
            step.take(recorder.row)
            recorder.report(step.taken)

        found[f"ours {name}, recorded"] = recorded
    return found


def ladder(batch: int, options: argparse.Namespace, folder: Path | None) -> Variants:
    """Every variant of the published ladder network at batch + batch rows."""
    settings = [f"data.batch={batch}", f"data.labelled_batch={batch}", "data.labels=1000"]
    x, y = torch.rand(2 * batch, 784), torch.arange(batch) % 10
    products = ladder_products(batch, batch)
    variants: Variants = {
        "floor bf16": floor(products, torch.bfloat16),
        **ours("ladder-mnist-100", settings, True, torch.bfloat16, folder),
        "floor fp32": floor(products, torch.float32),
        **ours("ladder-mnist-100", settings, True, torch.float32, None),
        **ours("ladder-mnist-100", settings, False, torch.float32, None),
        "straight fp32": straight.ladder(x[:batch], y, x[batch:]),
    }
    if options.ladder_port:
        variants["Semi-Supervised_Models"] = peers.ladder_port(options.ladder_port, x[:batch], y, x[batch:])
        images, labels = torch.rand(5 * batch, 784), torch.arange(5 * batch) % 10
        variants["Semi-Supervised_Models, its loaders"] = peers.ladder_port_loaded(
            options.ladder_port, images, labels, batch
        )
    if options.lamda:
        variants["LAMDA-SSL"] = peers.ladder_lamda(options.lamda, x[:batch], y, x[batch:])
    return variants


def vae(batch: int, options: argparse.Namespace, folder: Path | None) -> Variants:
    """Every variant of the VAE 784-400-20-400-784."""
    settings = ["model.hidden=[400]", "model.latent=20", "model.activation=relu", "data.binarise=none"]
    settings += ["noise.kind=masking", f"data.batch={batch}"]
    x = torch.rand(batch, 784)
    variants: Variants = {
        "floor bf16": floor(vae_products(batch), torch.bfloat16),
        **ours("vae-mnist", settings, True, torch.bfloat16, folder),
        "floor fp32": floor(vae_products(batch), torch.float32),
        **ours("vae-mnist", settings, True, torch.float32, None),
        **ours("vae-mnist", settings, False, torch.float32, None),
        "straight fp32": straight.vae(x),
    }
    if options.examples:
        variants["pytorch/examples"] = peers.vae_examples(options.examples, x)
    if options.pythae:
        variants["pythae"] = peers.vae_pythae(options.pythae, x)
        variants["pythae, its trainer"] = peers.vae_pythae_loaded(options.pythae, torch.rand(5 * batch, 784), batch)
    return variants


def measure(variants: Variants, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per step of every variant, interleaved: in each round a turn of each, its first step not counted.

    Every round begins with another variant, so that none always follows the same.
    """
    times: dict[str, list[float]] = {name: [] for name in variants}
    for name, step in variants.items():
        began = time.perf_counter()
        step()
        print(f"  {name}: first step {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
    order = list(variants)
    for _ in range(rounds):
        for name in order:
            step = variants[name]
            step()
            end = time.perf_counter() + TURN
            while (began := time.perf_counter()) < end:
                steps = step() or 1
                times[name].append(1000 * (time.perf_counter() - began) / steps)
        order = [*order[1:], order[0]]
    return times


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="batch 100 and few rounds")
    parser.add_argument("--models", nargs="+", default=["ladder", "vae"], choices=["ladder", "vae"])
    parser.add_argument("--batches", nargs="+", type=int, default=[100, 200, 400])
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    for name in ("ladder-port", "lamda", "examples", "pythae"):
        parser.add_argument(f"--{name}", type=Path, metavar="CLONE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    batches, rounds = ([100], 15) if options.short else (options.batches, options.rounds)
    results = []
    import tempfile

    for model in options.models:
        for batch in batches:
            print(f"{model}, batch {batch}", file=sys.stderr)
            torch._dynamo.reset()
            with tempfile.TemporaryDirectory() as folder:
                variants = {"ladder": ladder, "vae": vae}[model](batch, options, Path(folder))
                times = measure(variants, rounds)
            medians = {name: statistics.median(values) for name, values in times.items()}
            for name, values in times.items():
                low, *_, high = statistics.quantiles(values, n=10)
                base = medians["floor bf16" if "bf16" in name else "floor fp32"]
                best = medians["ours compiled bf16"]
                results.append(
                    {
                        "model": model,
                        "batch": batch,
                        "variant": name,
                        "median_ms": medians[name],
                        "p10_ms": low,
                        "p90_ms": high,
                        "to_floor": medians[name] / base,
                        "to_ours": medians[name] / best,
                        "rounds": rounds,
                        "threads": torch.get_num_threads(),
                    }
                )
    if options.json:
        print(json.dumps(results, indent=1))
        return
    print("| model | batch | variant | median ms | p10 … p90 | × floor of its precision | × ours compiled bf16 |")
    print("|---|---|---|---|---|---|---|")
    for r in results:
        print(
            f"| {r['model']} | {r['batch']} | {r['variant']} | {r['median_ms']:.2f} | {r['p10_ms']:.2f} … "
            f"{r['p90_ms']:.2f} | {r['to_floor']:.2f} | {r['to_ours']:.2f} |"
        )


if __name__ == "__main__":
    main()
