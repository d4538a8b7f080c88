"""Times a step of every kind of model on a CUDA device, and the memory it takes.

    python benchmarks/gpu.py [--recipes NAME ...] [--rounds 7] [--json FILE]

For every recipe the step uncompiled in float32 and compiled in bfloat16, each launched kernel by kernel and as a graph.
The floor of a precision is what no step can do without: the matrix products and convolutions of one step, as they were
called forward and backward, and one fused update of the parameters, launched as a graph. Variants take turns, STEPS
steps at a time with one wait for the device after them; medians over the rounds.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.floor import adam
from benchmarks.steps import OurStep
from laddertop.engine.training import graph
from laddertop.engine.training.graph import Graph
from laddertop.journal.spec import Spec, load_recipe

STEPS = 200
WARM = 20
RECIPES = [
    "ladder-mnist-100",
    "ladder-mnist-100-fast",
    "conv-small-gamma-mnist-100",
    "ladder-unsupervised-mnist",
    "vae-mnist",
    "iwae2-mnist-50",
    "lvae-mnist",
    "dae-mnist",
    "sdae-mnist",
    "gsn-mnist",
]
_PRODUCTS = ("mm", "addmm", "bmm", "convolution", "convolution_backward")
DEVICE = torch.device("cuda")


class _Products(TorchDispatchMode):
    """Records every matrix product and convolution, with tensors of random numbers in place of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.overloadpacket.__name__ in _PRODUCTS:
            self.calls.append((func, tuple(_other(arg) for arg in args), kwargs or {}))
        return func(*args, **(kwargs or {}))


def _other(arg: Any) -> Any:
    if not isinstance(arg, torch.Tensor):
        return arg
    return torch.empty_strided(arg.shape, arg.stride(), dtype=arg.dtype, device=arg.device).normal_()


def floor(step: OurStep) -> Graph:
    """The products of the next step of `step` and one fused Adam over its parameters, as a graph."""
    with _Products() as products:
        step.take()
    size = sum(parameter.numel() for parameter in step.model.parameters())
    update = adam(size, DEVICE)

    def least() -> torch.Tensor:
        for function, args, kwargs in products.calls:
            function(*args, **kwargs)
        return update()

    return Graph(least)


def variants(spec: Spec) -> dict[str, Callable[[], object]]:
    """What takes one step each, by name."""
    found: dict[str, Callable[[], object]] = {}
    for compiled, precision, name in (
        (False, torch.float32, "uncompiled fp32"),
        (True, torch.bfloat16, "compiled bf16"),
    ):
        found[f"floor {name[-4:]}"] = floor(OurStep(spec, DEVICE, False, precision))
        found[f"{name}, kernel by kernel"] = straight(OurStep(spec, DEVICE, compiled, precision))
        found[f"{name}, graph"] = OurStep(spec, DEVICE, compiled, precision).take
    return found


def straight(step: OurStep) -> Callable[[], object]:
    """Takes the next step of `step`, kernel by kernel."""

    def take() -> None:
        recorded_after, graph.STRAIGHT = graph.STRAIGHT, sys.maxsize
        step.take()
        graph.STRAIGHT = recorded_after

    return take


def milliseconds(take: Callable[[], object]) -> float:
    """Of one step, over STEPS of them."""
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(STEPS):
        take()
    torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - began) / STEPS


def memory(spec: Spec) -> float:
    """MiB that torch takes on the device to train a compiled step in bfloat16, at most; CUDA's own come on top."""
    gc.collect()  # graphs of the steps before hold memory
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    step = OurStep(spec, DEVICE, True, torch.bfloat16)
    for _ in range(10):
        step.take()
    return (torch.cuda.max_memory_reserved() - before) / 2**20


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    device = torch.cuda.get_device_name()
    print(f"{device}, torch {torch.__version__}\n")
    print("| recipe | variant | step ms | steps/s | × floor of its precision | MiB |")
    print("|---|---|---|---|---|---|", flush=True)
    results = []
    for recipe in options.recipes:
        torch._dynamo.reset()
        spec = load_recipe(recipe)
        began = time.perf_counter()
        takes = variants(spec)
        for take in takes.values():
            for _ in range(WARM):
                take()
        print(f"{recipe}: ready after {time.perf_counter() - began:.1f} s", file=sys.stderr, flush=True)
        times: dict[str, list[float]] = {name: [] for name in takes}
        for _ in range(options.rounds):
            for name, take in takes.items():
                times[name].append(milliseconds(take))
        takes.clear()
        taken = memory(spec)
        medians = {name: statistics.median(each) for name, each in times.items()}
        for name, median in medians.items():
            least = medians["floor bf16" if "bf16" in name else "floor fp32"]
            mib = f"{taken:.0f}" if name == "compiled bf16, graph" else ""
            print(
                f"| {recipe} | {name} | {median:.3f} | {1000 / median:.0f} | {median / least:.2f} | {mib} |", flush=True
            )
            results.append(
                {
                    "device": device,
                    "recipe": recipe,
                    "variant": name,
                    "ms": median,
                    "spread": [min(times[name]), max(times[name])],
                    "to_floor": median / least,
                    "mib": taken,
                }
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
