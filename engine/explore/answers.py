"""The answers to what can be asked about a model; journal/explore.py has the questions and the names of the arrays.

Shape letters: N items, D pixels, S steps, U units, G grid lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from laddertop.engine.contract import (
    Classifies,
    Decodes,
    Denoises,
    Encodes,
    EstimatesScore,
    Fills,
    Gates,
    Generates,
    Model,
    Settles,
    Spreads,
)
from laddertop.engine.data import Batches, Data
from laddertop.engine.explore import errors, manifold
from laddertop.engine.parts.corruption import corrupt
from laddertop.engine.randomness import RowDraws, Stream
from laddertop.journal.explore import (
    AnyQuestion,
    Classify,
    Codes,
    Denoise,
    Errors,
    Inpaint,
    Interpolate,
    Layers,
    Manifold,
    Sample,
    ScoreField,
    Traverse,
)
from laddertop.journal.spec import Spec

_BINS = 40
_UNITS = 8
"""Units that a traversal shows unless told which."""
_ITEMS = 500
"""Test items whose codes tell which units vary, and how far."""

Arrays = dict[str, npt.NDArray[Any]]
"""What an answer consists of, by name."""


@dataclass
class Subject:
    """A model to be asked, with what it was trained on."""

    model: Model
    """The model."""
    data: Data
    """Its data set; items are those of the test set."""
    batches: Batches
    """Its training images, for statistics."""
    spec: Spec
    """What it was told."""
    code_units: int | None = None
    """Units of the codes that it has a way back from; none: it has no such codes, or is not settled yet."""

    def able(self) -> list[str]:
        """The kinds of questions that this model can answer."""
        has = {
            "sample": isinstance(self.model, Generates),
            "denoise": isinstance(self.model, Denoises),
            "inpaint": isinstance(self.model, Denoises | Fills),
            "interpolate": isinstance(self.model, Encodes) and isinstance(self.model, Decodes),
            "traverse": isinstance(self.model, Encodes) and isinstance(self.model, Decodes),
            "manifold": self.code_units == manifold.UNITS,
            "codes": isinstance(self.model, Encodes),
            "layers": isinstance(self.model, Encodes),
            "field": isinstance(self.model, Denoises) and self.data.points,
            "classify": isinstance(self.model, Classifies),
            "errors": isinstance(self.model, Classifies),
        }
        return [kind for kind, yes in has.items() if yes]

    def settle(self) -> None:
        """Gives the model the fixed statistics that it needs, if it needs any."""
        if isinstance(self.model, Settles):
            self.model.settle(self.batches)
        if isinstance(self.model, Encodes) and isinstance(self.model, Decodes):
            with torch.no_grad():
                self.code_units = list(self.model.codes(self.data.test.rows(slice(0, 1))).values())[-1].shape[1]


@torch.no_grad()
def answer(subject: Subject, question: AnyQuestion) -> Arrays:
    """The arrays that answer a question; the model must be settled.

    Raises ValueError in one sentence when this model can't answer it, or when it asks for what is not there.
    """
    if question.kind not in subject.able():
        what = "that can"
        if question.kind == "field" and not subject.data.points:
            what = "with points of the plane"
        if question.kind == "manifold":
            what = "with a way back from codes of two units"
        raise ValueError(
            f"{question.kind}: a {subject.spec.model.called} on {subject.spec.data.name} is no model {what}"
        )
    answers: dict[str, Callable[[Any, Any], Arrays]] = {
        "sample": _sample,
        "denoise": _denoise,
        "inpaint": _inpaint,
        "interpolate": _interpolate,
        "traverse": _traverse,
        "manifold": _manifold,
        "codes": _codes,
        "layers": _layers,
        "field": _field,
        "classify": _classify,
        "errors": _errors,
    }
    return answers[question.kind](subject, question)


def principal_axes(x: Tensor) -> tuple[Tensor, Tensor]:
    """The rows of x [N, U] along the two directions of their largest variance [N, 2], and its shares there [2].

    Directions point to where their largest coordinate is positive, so that the map does not flip.
    """
    centred = x.float() - x.float().mean(0)
    if x.shape[1] > x.shape[0]:
        # Maps have far more units than there are items: the products of items with items have the same two directions.
        _, items = torch.linalg.eigh(centred @ centred.t())
        axes = torch.nn.functional.normalize(items[:, -2:].flip(1).t() @ centred)
    else:
        axes = torch.linalg.svd(centred, full_matrices=False)[2][:2]
    axes = axes * torch.sign(axes.gather(1, axes.abs().argmax(1, keepdim=True)))
    points = centred @ axes.t()
    share = points.square().sum(0) / centred.square().sum().clamp(min=torch.finfo().tiny)
    missing = 2 - len(axes)  # a single unit has one direction
    return torch.nn.functional.pad(points, (0, missing)), torch.nn.functional.pad(share, (0, missing))


def _sample(subject: Subject, question: Sample) -> Arrays:
    return {"samples": _pictures(subject, _generated(subject, question.rows, question.seed))}


def _denoise(subject: Subject, question: Denoise) -> Arrays:
    x = _asked(subject, question)
    noise = subject.spec.noise
    kind = question.corruption or noise.kind
    level = question.level
    if level is None:
        std = noise.std[0] if isinstance(noise.std, list) else noise.std
        level = std if kind == "gaussian" else noise.level
    if kind != "gaussian" and level > 1:
        raise ValueError(f"level: {kind} takes a probability, {level:g} is above 1")
    corrupted = x
    if kind != "none":
        corrupted = corrupt(x, kind, torch.tensor(level, device=x.device), _drawn(question.seed, x.device), noise.salt)
    shown = {"input": x, "corrupted": corrupted, "reconstruction": cast(Denoises, subject.model).denoise(corrupted)}
    return {name: _pictures(subject, rows) for name, rows in shown.items()}


def _inpaint(subject: Subject, question: Inpaint) -> Arrays:
    """Missing pixels start uniform on [0, 1), the known are put back each step (Bengio et al. 2014, 1306.1091)."""
    x, model, data = _asked(subject, question), subject.model, subject.data
    missing = _missing(question, data.height, data.width)
    known = ~torch.from_numpy(np.tile(missing.ravel(), data.channels)).to(x.device)
    drawn = _drawn(question.seed, x.device)
    frames = [torch.where(known, x, drawn.uniform(*x.shape))]
    if isinstance(model, Fills):
        frames += [torch.where(known, x, frame) for frame in model.fill(frames[0], known, question.steps, drawn)]
    else:
        for _ in range(question.steps):
            frames.append(torch.where(known, x, cast(Denoises, model).denoise(frames[-1])))
    return {
        "input": _pictures(subject, x),
        "mask": missing.astype(np.uint8),
        "frames": _pictures(subject, torch.stack(frames)),
    }


def _missing(question: Inpaint, height: int, width: int) -> npt.NDArray[np.bool_]:
    missing = np.zeros((height, width), bool)
    match question.missing:
        case "left":
            missing[:, : width // 2] = True
        case "right":
            missing[:, -(width // 2) :] = True
        case "top":
            missing[: height // 2] = True
        case "bottom":
            missing[-(height // 2) :] = True
        case "box":
            missing[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
        case "random":
            missing[:] = np.random.RandomState(question.seed).rand(height, width) < question.share
        case "given":
            if len(question.mask) != missing.size:
                raise ValueError(f"mask: has {len(question.mask)} pixels, an image has {height}×{width}")
            missing[:] = np.array(question.mask).reshape(height, width) != 0
    return missing


def _interpolate(subject: Subject, question: Interpolate) -> Arrays:
    ends = _main_codes(subject, _items(subject, list(question.items)))
    along = torch.linspace(0, 1, question.steps, device=ends.device)[:, None]
    codes = torch.lerp(ends[:1], ends[1:], along)
    images = cast(Decodes, subject.model).decode(codes)
    return {"images": _pictures(subject, images), "codes": codes.float().cpu().numpy()}


def _traverse(subject: Subject, question: Traverse) -> Arrays:
    code = _main_codes(subject, _items(subject, [question.item]))
    width = code.shape[1]
    units = question.units
    if max([*units, *question.given], default=0) >= width:
        wrong = max([*units, *question.given])
        raise ValueError(f"units: there is no unit {wrong}; the code has {width}, counted from 0")
    for unit, value in question.given.items():
        code[0, unit] = value
    if not units:
        spread = _main_codes(subject, subject.data.test.rows(slice(0, _ITEMS))).var(0)
        units = spread.argsort(descending=True)[:_UNITS].tolist()
    values = torch.linspace(question.low, question.high, question.steps, device=code.device)
    codes = code.repeat(len(units), question.steps, 1)
    for row, unit in zip(codes, units, strict=True):
        row[:, unit] = values
    images = cast(Decodes, subject.model).decode(codes.flatten(0, 1)).view(*codes.shape[:2], -1)
    return {
        "images": _pictures(subject, images),
        "units": np.array(units),
        "values": values.cpu().numpy(),
        "code": code[0].float().cpu().numpy(),
        "image": _pictures(subject, cast(Decodes, subject.model).decode(code))[0],
    }


def _manifold(subject: Subject, question: Manifold) -> Arrays:
    if isinstance(subject.model, Spreads):
        across = up = manifold.quantiles(question.lines)
    else:
        codes = _main_codes(subject, subject.data.test.rows(slice(0, _ITEMS)))
        across, up = manifold.between(codes, question.lines)
    codes = manifold.grid(across, up).to(subject.data.test.device)
    images = cast(Decodes, subject.model).decode(codes.flatten(0, 1)).view(*codes.shape[:2], -1)
    return {"images": _pictures(subject, images), "codes": codes.cpu().numpy()}


def _codes(subject: Subject, question: Codes) -> Arrays:
    test, model = subject.data.test, subject.model
    x = test.rows(slice(0, question.rows))
    codes = cast(Encodes, model).codes(x)
    if question.layer is not None and question.layer not in codes:
        raise ValueError(f"layer: there is no {question.layer!r}; this model has {', '.join(codes)}")
    name = question.layer or list(codes)[-1]
    chosen = _finite(codes[name])
    spread = model.spread(x)[name] if isinstance(model, Spreads) else None
    aggregate = chosen
    if spread is not None:
        aggregate = chosen + spread * _drawn(question.seed, chosen.device).normal(*chosen.shape)
    edges = np.linspace(aggregate.min().item(), aggregate.max().item(), _BINS + 1, dtype=np.float32)
    counts = [np.histogram(unit, edges)[0] for unit in aggregate.t().float().cpu().numpy()]
    axes, share = principal_axes(chosen)
    first = torch.nn.functional.pad(chosen[:, :2], (0, max(2 - chosen.shape[1], 0)))
    shown = {"pca": axes, "variance": share, "first": first, "mean": chosen.mean(0), "std": chosen.std(0)}
    if spread is not None:
        shown["spread"] = spread.square().mean(0).sqrt()
    return {
        **{name: value.float().cpu().numpy() for name, value in shown.items()},
        "counts": np.array(counts, np.int32),
        "edges": edges,
        "layer": np.array(1 + list(codes).index(name), np.int32),
        "classes": test.labels[: question.rows].cpu().numpy(),
    }


def _layers(subject: Subject, question: Layers) -> Arrays:
    test = subject.data.test
    codes = cast(Encodes, subject.model).codes(test.rows(slice(0, question.rows)))
    arrays: Arrays = {"layers": np.array(list(codes)), "classes": test.labels[: question.rows].cpu().numpy()}
    for name, code in codes.items():
        values = _finite(code).float().cpu()
        counts, edges = np.histogram(values.numpy(), _BINS)
        arrays[f"counts/{name}"], arrays[f"edges/{name}"] = counts, edges.astype(np.float32)
        arrays[f"variance/{name}"] = values.var(0).numpy()
        arrays[f"pca/{name}"] = principal_axes(values)[0].numpy()
    if isinstance(subject.model, Gates):
        gates = subject.model.gates(test.rows(slice(0, question.rows)))
        arrays |= {f"gate/{name}": _finite(gate).mean(0).float().cpu().numpy() for name, gate in gates.items()}
    return arrays


def _field(subject: Subject, question: ScoreField) -> Arrays:
    axis = torch.tensor(question.axis)
    x = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).to(subject.data.test.device)
    shift = cast(Denoises, subject.model).denoise(x.flatten(0, 1)).view_as(x) - x
    arrays = {"x": x, "shift": _finite(shift), "data": subject.data.test.rows(slice(0, question.rows))}
    if isinstance(subject.model, EstimatesScore) and (sigma := subject.model.sigma):
        arrays |= {"score": shift / sigma**2, "sigma": torch.tensor(sigma)}
    if isinstance(subject.model, Generates):
        arrays["samples"] = _finite(_generated(subject, question.rows, question.seed))
    return {name: value.float().cpu().numpy() for name, value in arrays.items()}


def _classify(subject: Subject, question: Classify) -> Arrays:
    x = _asked(subject, question)
    probabilities = _finite(cast(Classifies, subject.model).classify(x)).float().cpu().numpy()
    arrays: Arrays = {"input": _pictures(subject, x), "probabilities": probabilities}
    if question.pixels is None:
        arrays["classes"] = subject.data.test.labels[question.items].cpu().numpy()
    return arrays


def _errors(subject: Subject, question: Errors) -> Arrays:
    test = subject.data.test
    probabilities = _finite(errors.told(cast(Classifies, subject.model), test))
    items = errors.worst(probabilities, test.labels)[: question.rows]
    shown = {
        "items": items,
        "classes": test.labels[items],
        "probabilities": probabilities[items],
        "confusion": errors.confusion(probabilities, test.labels),
        "calibration": errors.calibration(probabilities, test.labels),
    }
    arrays = {name: value.cpu().numpy() for name, value in shown.items()}
    return {**arrays, "input": _pictures(subject, test.rows(items))}


def _asked(subject: Subject, question: Denoise | Inpaint | Classify) -> Tensor:
    if question.pixels is None:
        return _items(subject, question.items)
    width = subject.data.test.pixels.shape[1]
    if wrong := next((row for row in question.pixels if len(row) != width), None):
        raise ValueError(f"pixels: an image has {width} numbers, one of yours has {len(wrong)}")
    return torch.tensor(question.pixels, device=subject.data.test.device)


def _items(subject: Subject, items: list[int]) -> Tensor:
    test = subject.data.test
    if max(items) >= len(test):
        raise ValueError(f"items: there is no test item {max(items)}; there are {len(test)}, counted from 0")
    return test.rows(torch.tensor(items, device=test.device))


def _main_codes(subject: Subject, x: Tensor) -> Tensor:
    return _finite(list(cast(Encodes, subject.model).codes(x).values())[-1])


def _generated(subject: Subject, rows: int, seed: int) -> Tensor:
    return cast(Generates, subject.model).generate(rows, _drawn(seed, subject.data.test.device))


def _drawn(seed: int, device: torch.device) -> RowDraws:
    return RowDraws(seed, Stream.EXPLORE, device)


def _pictures(subject: Subject, x: Tensor) -> npt.NDArray[Any]:
    flat = subject.data.pictures(_finite(x).reshape(-1, x.shape[-1]))
    return flat.reshape(*x.shape[:-1], *flat.shape[1:])


def _finite(x: Tensor) -> Tensor:
    if not torch.isfinite(x).all():
        raise ValueError("what the model puts out is not finite: its training has diverged")
    return x
