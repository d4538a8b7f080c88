"""From a spec to a model on a device: the table of models."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import torch

from laddertop.engine.contract import MakesModel, Model
from laddertop.engine.data import Inputs
from laddertop.engine.models.conv_ladder import ConvLadder
from laddertop.engine.models.dae import Dae
from laddertop.engine.models.ladder import Ladder
from laddertop.engine.models.lvae import Lvae
from laddertop.engine.models.m2 import M2
from laddertop.engine.models.sdae import Sdae
from laddertop.engine.models.unsupervised_ladder import UnsupervisedLadder
from laddertop.engine.models.vae import Vae
from laddertop.engine.models.walkback import Gsn
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.spec import Spec

MODELS: dict[str, MakesModel] = {
    "ladder": Ladder,
    "conv_ladder": ConvLadder,
    "unsupervised_ladder": UnsupervisedLadder,
    "vae": Vae,
    "lvae": Lvae,
    "m2": M2,
    "dae": Dae,
    "sdae": Sdae,
    "gsn": Gsn,
}
"""Every model by the kind that its section in laddertop.journal.models names."""

STATE = 12
"""Bytes that a parameter takes all the time: itself and two moments, 4 each."""


def build(
    spec: Spec, inputs: Inputs, device: torch.device, precision: torch.dtype, folder: Path | None = None
) -> Model:
    """The spec's model with its initial weights, on `device`; `folder` is its run's, which keeps the text of a model of
    the user's own.

    Raises ValueError where it does not fit the data, or is larger than the memory; that takes none. Of the user's own
    code whatever goes wrong, with its line.
    """
    if isinstance(spec.model, OwnModelSection):
        from laddertop.engine.own_model.complete import make  # with what others have no use for

        return make(spec, inputs, precision, folder).to(device)
    if device.type != "meta":
        _check_room(spec, inputs, device)
    return MODELS[spec.model.kind](spec, inputs, precision).to(device)


def run_length(spec: Spec, epoch_steps: int) -> int:
    """Steps of the spec's run; an epoch has `epoch_steps`. Raises ValueError when it has none."""
    steps = spec.steps or round((spec.epochs or 0) * epoch_steps)
    if not steps:
        raise ValueError(f"epochs: {spec.epochs:g} is less than one step; an epoch has {epoch_steps}")
    return steps


def black(pixels: int) -> torch.Tensor:
    """The mean of images that are black [pixels], for a model of which only the shapes are wanted.

    On the CPU even where all else is on meta: what models compute of a mean would load torch's compiler there, and a
    start would take two seconds more.
    """
    return torch.zeros(pixels, device="cpu")


def _check_room(spec: Spec, inputs: Inputs, device: torch.device) -> None:
    """Raises ValueError when the parameters alone, and what trains them, take more than all memory of the device."""
    with torch.device("meta"):
        shapes = MODELS[spec.model.kind](spec, replace(inputs, mean=lambda: black(inputs.pixels)), torch.float32)
    takes = STATE * sum(parameter.numel() for parameter in shapes.parameters())
    if device.type == "cuda":
        room = torch.cuda.get_device_properties(device).total_memory
    else:
        room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if takes > room:
        raise ValueError(
            f"model: its parameters alone take {takes / 1e9:.0f} GB with what trains them, and {device} has "
            f"{room / 1e9:.0f} GB; take fewer or narrower layers"
        )
