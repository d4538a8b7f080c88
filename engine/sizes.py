"""How large a run is, by its spec alone: parameters, the multiply-adds of a step, memory.

The model is built on torch's meta device, where tensors have shapes and no numbers, and takes a step of every stage and
an evaluation. Which products that computes, and how many bytes live at once, is what a run computes and holds.
"""

from __future__ import annotations

import contextlib
import json
import weakref
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TextIO

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from laddertop.engine.build import STATE, build
from laddertop.engine.contract import Model, Staged
from laddertop.engine.data import Batches, Data, Images, Inputs
from laddertop.engine.randomness import Draws, normals, uniforms
from laddertop.journal.places import recipes
from laddertop.journal.sizes import Sizes, key_of, write
from laddertop.journal.spec import Spec, load_recipe, parse
from laddertop.journal.start import check_sizes, epoch_steps

META = torch.device("meta")
ENGINE = 45_000_000
"""Bytes that the engine takes besides torch, whatever it trains."""
HEAP = 1.6
"""Bytes that the C library's heap takes for each that lives, in its holes; benchmarks/memory.py compares."""
OPERATIONS = 1000
"""Of an evaluation, how many are taken: what it holds shows in its first blocks."""


def serve(specs: Iterable[str], told: TextIO) -> int:
    """Answers every line, a spec as JSON, with one that holds a Sizes, until there are no more."""
    for line in specs:
        print(answer(line).model_dump_json(), file=told, flush=True)
    return 0


def answer(line: str) -> Sizes:
    """The sizes of the spec in a line of JSON, or why there are none, in a sentence."""
    try:
        return sizes(parse(json.loads(line), "the spec"))
    except (ValueError, TypeError, RuntimeError) as error:
        return Sizes(problem=str(error).partition("\n")[0])


def of_recipes() -> bytes:
    """The file of the sizes of every recipe of the package."""
    specs = [load_recipe(name) for name in recipes()]
    return write({key_of(spec): sizes(spec) for spec in {key_of(spec): spec for spec in specs}.values()})


class Followed(NamedTuple):
    """What a run of a spec was seen to be made of."""

    parameters: int
    """Numbers that are trained."""
    work: tuple[tuple[int, int], ...]
    """As in Sizes."""
    stored: int
    """Bytes of the data."""
    peak: int
    """Bytes of the tensors that live at once, at most, beside those of the data and the parameters."""


def sizes(spec: Spec) -> Sizes:
    """How large a run of `spec` is. Raises ValueError where its parts don't fit together."""
    seen = follow(spec)
    memory = ENGINE + STATE * seen.parameters + seen.stored + round(HEAP * seen.peak)
    return Sizes(parameters=seen.parameters, work=seen.work, memory=memory)


def follow(spec: Spec) -> Followed:
    """Takes a step of every stage, and an evaluation, without numbers. Raises ValueError where the parts of `spec`
    don't fit together."""
    check_sizes(spec)
    known = spec.data.facts
    pixels = known.channels * known.height * known.width
    dtype, white = (torch.float32, 1) if spec.data.as_floats else (torch.uint8, 255)

    def images(count: int) -> Images:
        return Images(torch.empty(count, pixels, dtype=dtype), torch.empty(count, dtype=torch.int64), white)

    with META, _Held() as held:
        data = Data(
            images(max(known.training - spec.data.held_back, 0)),
            images(spec.data.held_back or known.test),
            images(known.test),
            known.height,
            known.width,
            known.classes,
            known.channels,
            spec.data.points,
        )
        batches = _batches(spec, data)
        inputs = Inputs(data.inputs.image, known.classes, lambda: torch.empty(pixels))
        model = build(spec, inputs, META, torch.float32)
        parameters = sum(parameter.numel() for parameter in model.parameters())
        held.begin()
        work = _work(model, batches, epoch_steps(spec))
        with contextlib.suppress(_Enough):
            held.left = OPERATIONS
            model.evaluate(data.held_back, batches, spec.seed)
    stored = (known.training + known.test) * (pixels * dtype.itemsize + 8)
    return Followed(parameters, work, stored, held.peak)


def _batches(spec: Spec, data: Data) -> Batches:
    """Batches of the run's rows; two of them stand for all that statistics are gathered from, one after the other."""
    wanted = spec.data
    many = len(data.training) if wanted.labels == "all" else wanted.labels
    rows = min(wanted.labelled_batch, many)
    batches = Batches(wanted.model_copy(update={"labels": "all"}), data, spec.seed, with_labels=spec.model.labelled)
    if spec.model.labelled:
        batches.labelled_rows, batches.labelled = rows, batches.labelled[: min(many, 2 * rows)]
    batches.epoch_steps = min(batches.epoch_steps, 2)
    return batches


def _work(model: Model, batches: Batches, steps_of_an_epoch: int) -> tuple[tuple[int, int], ...]:
    """When each stage begins, and the multiply-adds of one of its steps."""
    if not isinstance(model, Staged):
        return ((0, _step(model, batches, [term.name for term in model.terms if not term.watched])),)
    work = []
    for number, stage in enumerate(model.stages(steps_of_an_epoch)):
        model.stage = number
        work.append((stage.first, _step(model, batches, stage.terms)))
    return tuple(work)


def _step(model: Model, batches: Batches, counted: Sequence[str]) -> int:
    """Takes one step, without its update; the multiply-adds of its products."""
    counts, words = model.draws_needed(batches.labelled_rows, batches.rows), torch.zeros(2, dtype=torch.int32)
    draws = Draws(normals(counts[0], words), uniforms(counts[1], words))
    knobs = {knob.name: torch.tensor(knob.value) for knob in model.knobs}
    with FlopCounterMode(display=False) as counter:
        terms = model.costs(*batches.at(0), draws, knobs)
        total = torch.stack([terms[i] for i, term in enumerate(model.terms) if term.name in counted]).sum()
        torch.autograd.grad(total, list(model.parameters()), allow_unused=True)
    return int(counter.get_total_flops()) // 2


class _Enough(Exception):
    """An evaluation has shown what it holds."""


class _Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows how many bytes of meta tensors live, and stands in for the numbers that somebody asks them for."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        """The most bytes that lived at once, beyond those at the beginning."""
        self.left: int | None = None
        """Operations that may still be taken; none: any number."""
        self._live: dict[int, tuple[int, weakref.ref[Any]]] = {}
        self._bytes = 0

    def begin(self) -> None:
        """What lives now counts no more."""
        self._bytes = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self.left is not None:
            self.left -= 1
            if not self.left:
                raise _Enough
        if func is torch.ops.aten._local_scalar_dense.default:
            return torch.zeros((), dtype=args[0].dtype, device="cpu").numpy().item()
        if func is torch.ops.aten._to_copy.default and torch.device(kwargs.get("device") or META).type == "cpu":
            return torch.zeros(args[0].shape, dtype=kwargs.get("dtype") or args[0].dtype, device="cpu")
        result = func(*args, **kwargs)
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.device.type == "meta":
                self._see(leaf)
        self.peak = max(self.peak, self._bytes)
        return result

    def _see(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self._live:
            size = storage.nbytes()
            self._live[key] = size, weakref.ref(storage, lambda _: self._gone(key))
            self._bytes += size

    def _gone(self, key: int) -> None:
        self._bytes -= self._live.pop(key)[0]
