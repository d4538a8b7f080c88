"""Whether a run has room, before it takes any: what it needs at least, by its model, and what is free on its device.

Only what can't be is refused. What a run needs at least, once its data are there, are its parameters with what trains
them, and the tensors of a step or an evaluation that live at once; the holes of the heap come on top.
"""

from __future__ import annotations

import math

import torch

from laddertop.engine.build import STATE, black, build
from laddertop.engine.data import Inputs
from laddertop.engine.training.launch import asked_for
from laddertop.journal.memory import free_memory
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.sizes import of_recipe
from laddertop.journal.spec import Spec, override

LIKELY = 1000
"""Bytes for every unit and row of a batch below which a step is not looked at."""
EVALUATION = 2 << 30
"""Bytes below which an evaluation is not: no recipe, with a batch of 5000, takes more than a third of both together."""
COMPILED = 0.5
"""Of the tensors of a step, how many bytes a compiled one is taken to hold at least: it keeps some of them nowhere."""


def check_room(spec: Spec, device: torch.device, compiled: bool, room: int | None = None) -> None:
    """Raises ValueError, which names the batch that would fit, where a run of `spec`, whose data are loaded, needs more
    than `room` bytes, or without it more than are free on `device`.

    A model of the user's own is not looked at, which would run its code once more, nor a run of several ranks.
    """
    if isinstance(spec.model, OwnModelSection) or asked_for()[1] > 1:
        return
    room = free(device) if room is None else room
    told = of_recipe(spec)
    if told and told.memory < room:
        return
    parameters, likely = _likely(spec)
    if parameters + likely < room:
        return
    has = f"{device} has {room / 1e9:.3g} GB free"
    if parameters > room:
        takes = f"{parameters / 1e9:.3g} GB with what trains them"
        raise ValueError(
            f"memory: the parameters of the model alone take {takes}, and {has}; take fewer or narrower layers"
        )
    needs = needed(spec, compiled)
    if needs <= room:
        return
    fits = fitting(spec, room, compiled)
    advice = f"{fits} would fit" if fits else "no batch is small enough, so take fewer or narrower layers"
    raise ValueError(f"memory: with these settings a run takes {needs / 1e9:.3g} GB at least, and {has}; {advice}")


def needed(spec: Spec, compiled: bool) -> int:
    """Bytes that a run of `spec` takes at least, besides torch and the data."""
    from laddertop.engine.sizes import follow  # nobody else waits for what it loads

    seen = follow(spec)
    return STATE * seen.parameters + round(seen.peak * (COMPILED if compiled else 1))


def fitting(spec: Spec, room: int, compiled: bool) -> str:
    """The settings of the largest batch, of two digits, that fits into `room` bytes; empty: not two rows do."""

    def settings(rows: int) -> list[str]:
        both = spec.model.labelled and spec.data.labelled_batch > rows
        return [f"data.batch={rows}", *([f"data.labelled_batch={rows}"] if both else [])]

    def takes(rows: int) -> int:
        return needed(override(spec, settings(rows)), compiled)

    most, least = takes(spec.data.batch), takes(2)
    if least > room:
        return ""
    rows = int((room - least) / max(most - least, 1) * spec.data.batch)
    while rows > 2:
        digits = 10 ** max(0, len(str(rows)) - 2)
        rows = rows // digits * digits
        if takes(rows) <= room:
            return " ".join(settings(rows))
        rows = rows * 9 // 10
    return " ".join(settings(2))


def _likely(spec: Spec) -> tuple[int, int]:
    """Bytes of the parameters of a run of `spec` with what trains them, and about the most that all else may take, by
    the shapes of the parameters alone: cheap, and seldom too little."""
    known = spec.data.facts
    image = known.channels, known.height, known.width
    meta = torch.device("meta")
    with meta:
        model = build(spec, Inputs(image, known.classes, lambda: black(math.prod(image))), meta, torch.float32)
    parameters = list(model.parameters())
    places = known.height * known.width
    units = math.prod(image) + sum(
        one.shape[0] * (places if one.dim() == 4 else 1) for one in parameters if one.dim() > 1
    )
    rows = spec.data.batch + (spec.data.labelled_batch if spec.model.labelled else 0)
    return STATE * sum(one.numel() for one in parameters), rows * units * LIKELY + EVALUATION


def free(device: torch.device) -> int:
    """Bytes that a process may take on a device now."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
