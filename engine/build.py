"""From a spec to a model on a device."""

from __future__ import annotations

import math

import torch

from laddertop.engine.data import Data
from laddertop.engine.models.conv_ladder import ConvLadder
from laddertop.engine.models.dae import Dae
from laddertop.engine.models.ladder import Ladder
from laddertop.engine.models.lvae import Lvae
from laddertop.engine.models.sdae import Sdae
from laddertop.engine.models.unsupervised_ladder import UnsupervisedLadder
from laddertop.engine.models.vae import Vae
from laddertop.engine.models.walkback import Gsn
from laddertop.journal.models import (
    ConvLadderSpec,
    DaeSpec,
    GsnSpec,
    LadderSpec,
    LvaeSpec,
    SdaeSpec,
    UnsupervisedLadderSpec,
    VaeSpec,
)
from laddertop.journal.spec import Spec

Model = Ladder | ConvLadder | UnsupervisedLadder | Vae | Lvae | Dae | Sdae | Gsn
"""What the engine trains; `laddertop.engine.models` says what it asks of each."""


def build(spec: Spec, data: Data, device: torch.device, precision: torch.dtype) -> Model:
    """The spec's model with its initial weights, on `device`."""
    image = (data.channels, data.height, data.width)
    pixels = math.prod(image)
    match spec.model:
        case LadderSpec():
            return Ladder(spec, pixels, data.classes, precision).to(device)
        case ConvLadderSpec():
            return ConvLadder(spec, image, data.classes, precision).to(device)
        case UnsupervisedLadderSpec():
            return UnsupervisedLadder(spec, image, precision).to(device)
        case VaeSpec():
            return Vae(spec, data.training, precision).to(device)
        case LvaeSpec():
            return Lvae(spec, pixels, precision).to(device)
        case DaeSpec():
            return Dae(spec, pixels, precision).to(device)
        case SdaeSpec():
            return Sdae(spec, pixels, data.classes, precision).to(device)
        case GsnSpec():
            return Gsn(spec, pixels, precision).to(device)


def run_length(spec: Spec, epoch_steps: int) -> int:
    """Steps of the spec's run; an epoch has `epoch_steps`. Raises ValueError when it has none."""
    steps = spec.steps or round((spec.epochs or 0) * epoch_steps)
    if not steps:
        raise ValueError(f"epochs: {spec.epochs:g} is less than one step; an epoch has {epoch_steps}")
    return steps
