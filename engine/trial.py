"""Looking at a model of the user's own, once, before there is a run of it: its class is made, takes a step and is asked
all that it can do, on made-up items of the shape of the data. What is wrong is told in a sentence.

Shape letters: A labelled rows, B rows, D pixels, C classes, T terms, U units.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from laddertop.engine.contract import Model
from laddertop.engine.data import Batches, Data, Images
from laddertop.engine.own_model.complete import instance
from laddertop.engine.own_model.declared import asked, checked, parameters, warmable
from laddertop.engine.own_model.load import file_of, in_its_words, load_class, package_of
from laddertop.engine.randomness import Draws, RowDraws, Stream, draws
from laddertop.journal.declared import shared_knobs
from laddertop.journal.knobs import start_values
from laddertop.journal.own_model import FoundModel, OwnModelSection, sum_of
from laddertop.journal.spec import Spec, parse

ITEMS = 64
"""Made-up items of each part of the data, where a batch needs no more."""


def look(spec: Spec) -> Spec:
    """The spec with what is found in the class that it names, its parameters complete. Raises ValueError for whatever
    would go wrong."""
    assert isinstance(spec.model, OwnModelSection)
    loaded = load_class(spec.model)
    file = file_of(loaded)
    _has_costs(loaded)
    declared = parameters(loaded)
    tree = spec.model_dump()
    tree["model"] |= checked(loaded, spec.model.settings)
    found = FoundModel(
        sha256=sum_of(file.read_bytes()),
        file=str(file),
        package=package_of(spec.model),
        labelled=bool(getattr(loaded, "labelled", False)),
        parameters=declared,
    )
    model = instance(loaded, parse(tree, "the settings"), _data(spec).inputs, torch.float32)
    tree["knobs"] = start_values(tree.get("knobs", {}), [*shared_knobs(spec), *model.knobs])
    noisy, can_warm = any(knob.name.startswith("noise.") for knob in model.knobs), warmable(model.knobs)
    tree["model"]["found"] = found.model_copy(update={"noisy": noisy, "warmable": can_warm}).model_dump()
    if not spec.warmup.on and can_warm and spec.warmup.of not in can_warm:
        tree["warmup"]["of"] = can_warm[0]
    if spec.warmup.on and not can_warm:
        raise ValueError(
            f"warmup.on: {loaded.__name__} has nothing to warm up: no knob beta, and none that begins with noise. or "
            "lambda."
        )
    if not any(one.name == "precision" for one in asked(loaded)):
        if spec.precision == "bf16":
            raise ValueError(f"precision: {loaded.__name__} computes in fp32, as its __init__ takes no `precision`")
        tree["precision"] = "fp32"
    complete = parse(tree, "the settings")
    _Trial(complete, model, file).all()
    return complete


def _has_costs(loaded: type[nn.Module]) -> None:
    costs = getattr(loaded, "costs", None)
    written = "costs(self, labelled, labels, x, draws, knobs)"
    if not callable(costs):
        raise ValueError(f"{loaded.__name__} has no costs; write def {written}")
    try:
        inspect.signature(costs).bind(*range(6))
    except TypeError:
        raise ValueError(f"{loaded.__name__}: costs takes {inspect.signature(costs)}; write def {written}") from None
    if not inspect.isfunction(inspect.unwrap(costs)):
        raise ValueError(f"{loaded.__name__}: costs is no plain method; write def {written}")


def _data(spec: Spec) -> Data:
    """Made-up items of the shape, kind and classes of the data."""
    known, wanted = spec.data.facts, spec.data
    rows = max(wanted.batch, wanted.labelled_batch, ITEMS)
    rows += -rows % known.classes
    generator = torch.Generator().manual_seed(0)

    def images(count: int, split: str) -> Images:
        shape = count, known.channels * known.height * known.width
        items = (torch.randn if wanted.real else torch.rand)(shape, generator=generator)
        return Images(items, torch.arange(count) % known.classes, 1, split)

    test = images(ITEMS, "test")
    shape = known.height, known.width, known.classes, known.channels
    return Data(images(rows, "training"), test, test, *shape, spec.data.points)


class _Trial:
    """A model that is tried out."""

    def __init__(self, spec: Spec, model: Model, file: Path) -> None:
        self.spec, self.model, self.file, self.name = spec, model, file, type(model).__name__
        self.data = _data(spec)
        wanted = spec.data.model_copy(update={"labels": "all"})
        self.batches = Batches(wanted, self.data, spec.seed, with_labels=spec.model.labelled)
        self.knobs = {knob.name: torch.tensor(knob.value) for knob in [*shared_knobs(spec), *model.knobs]}

    def all(self) -> None:
        """Raises ValueError for the first that is wrong."""
        self.names()
        self.state()
        self.step()
        self.measures()
        self.pictures()

    def names(self) -> None:
        """Terms and knobs are columns of one table with those of every run."""
        shared = {"total", "grad_norm", *(knob.name for knob in shared_knobs(self.spec))}
        names = [*(term.name for term in self.model.terms), *(knob.name for knob in self.model.knobs)]
        if taken := [name for name in names if name in shared]:
            raise ValueError(f"{self.name}: every run has {taken[0]!r}; call yours otherwise")

    def state(self) -> None:
        """A checkpoint keeps parameters, and nothing else that would change."""
        model: Any = self.model
        if not list(model.parameters()):
            raise ValueError(f"{self.name} has no parameters to train; make layers in __init__")
        if frozen := [name for name, one in model.named_parameters() if not one.requires_grad]:
            raise ValueError(
                f"{self.name}: {frozen[0]} is a parameter that takes no gradient; what never changes is a buffer: "
                "register_buffer(…, persistent=False)"
            )
        if kept := sorted(set(model.state_dict()) - {name for name, _ in model.named_parameters()}):
            raise ValueError(
                f"{self.name}: a checkpoint keeps parameters alone, and {kept[0]} is a buffer; what never changes "
                "takes register_buffer(…, persistent=False), a batch norm track_running_stats=False"
            )

    def step(self) -> None:
        """The cost has a term for each that is declared, asks for no number, draws nothing by itself, and depends on
        every parameter."""
        batch = self.batches.at(0)
        before = torch.get_rng_state()
        with self._in_its_words("costs"):
            counts = self.model.draws_needed(self.batches.labelled_rows, self.batches.rows)
        handed = draws(counts, self.spec.seed, Stream.SAMPLE, 0, torch.device("cpu"))
        with self._in_its_words("costs"), _Asked(self.name):
            terms: Any = self.model.costs(*batch, handed, self.knobs)
        if not torch.equal(before, torch.get_rng_state()):
            raise ValueError(
                f"{self.name}: costs draws random numbers by itself, which nobody could draw again; take "
                "draws.normal(rows, units) and draws.uniform(rows, units), and no dropout layer"
            )
        declared = [term.name for term in self.model.terms]
        if not isinstance(terms, Tensor) or terms.shape != (len(declared),):
            gave = f"a tensor {list(terms.shape)}" if isinstance(terms, Tensor) else f"a {type(terms).__name__}"
            raise ValueError(
                f"{self.name}: costs gives {gave}; return torch.stack([{', '.join(declared)}]), [{len(declared)}]"
            )
        if not torch.isfinite(terms).all():
            name = next(name for name, term in zip(declared, terms.tolist(), strict=True) if term - term != 0)
            raise ValueError(f"{self.name}: {name} is not finite with its initial weights, on made-up items")
        named = dict(self.model.named_parameters())
        with self._in_its_words("costs"):
            counted = torch.stack([one for one, term in zip(terms, self.model.terms, strict=True) if not term.watched])
            if not counted.requires_grad:
                raise ValueError(f"{self.name}: costs has no gradient; is it computed without torch, or under no_grad?")
            gradients = torch.autograd.grad(counted.sum(), list(named.values()), allow_unused=True)
        if unused := [name for name, one in zip(named, gradients, strict=True) if one is None]:
            raise ValueError(f"{self.name}: no term depends on {', '.join(unused[:3])}; take it out")

    def measures(self) -> None:
        """Evaluations give numbers by name."""
        for name in ("evaluate", "report"):
            with self._in_its_words(name):
                told = getattr(self.model, name)(self.data.test, self.batches, self.spec.seed)
            if not told:
                raise ValueError(f"{self.name}: {name} gives nothing; return numbers by name, or leave it out")

    @torch.no_grad()
    def pictures(self) -> None:
        """What it can do besides gives tensors of the right shapes."""
        x = self.data.test.rows(slice(0, 10))
        rows, pixels = x.shape
        if hasattr(self.model, "codes"):
            self.codes(x)
        for name in ("denoise", "classify"):
            if hasattr(self.model, name):
                width = pixels if name == "denoise" else self.data.classes
                self._shaped(f"{name} gives", self._called(name, x), [rows, width])
        if hasattr(self.model, "generate"):
            drawn = RowDraws(self.spec.seed, Stream.EXPLORE, x.device)
            self._shaped("generate gives", self._called("generate", rows, drawn), [rows, pixels])
        made = self._called("reconstruct", x, Draws(x.new_empty(0), x.new_empty(0)), self.knobs)
        for name, image in made.items():
            self._shaped(f"reconstruct gives {name}", image, [rows, pixels])

    def codes(self, x: Tensor) -> None:
        """Representations have names, and a decoder takes the last."""
        rows, pixels = x.shape
        codes = self._called("codes", x)
        if not isinstance(codes, dict) or not codes:
            raise ValueError(f'{self.name}: codes gives no dictionary; return {{"z": z}}, the main one last')
        for name, code in codes.items():
            self._shaped(f"codes gives {name}", code, [rows, code.shape[-1] if isinstance(code, Tensor) else 1])
        if hasattr(self.model, "decode"):
            self._shaped("decode gives", self._called("decode", list(codes.values())[-1]), [rows, pixels])

    def _called(self, name: str, *given: Any) -> Any:
        with self._in_its_words(name):
            function: Callable[..., Any] = getattr(self.model, name)
            return function(*given)

    def _in_its_words(self, name: str) -> Any:
        return in_its_words((self.file,), f"{self.name}: {name} fails")

    def _shaped(self, what: str, given: Any, wanted: list[int]) -> None:
        gave = f"a tensor {list(given.shape)}" if isinstance(given, Tensor) else f"a {type(given).__name__}"
        if not isinstance(given, Tensor) or list(given.shape) != wanted:
            raise ValueError(f"{self.name}: {what} {gave}; for {wanted[0]} items it is to be {wanted}")


class _Asked(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses to give a number of a tensor to Python, for which every step would wait."""

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = name

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            raise ValueError(
                "costs asks a tensor for its number, with item(), float() or `if`, so that every step waits for the "
                "device; leave it a tensor, choose with torch.where"
            )
        return func(*args, **(kwargs or {}))
