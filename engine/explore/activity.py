"""What the units of each layer do with images: the mark of a layer that is trained, taken at every evaluation."""

from __future__ import annotations

import torch

from laddertop.engine.contract import Encodes, Model, Settles
from laddertop.engine.data import Images
from laddertop.engine.parts.latent_units import ACTIVE
from laddertop.journal.events import Activity

_ITEMS = 500
"""Images over which it is measured."""


@torch.no_grad()
def activity(model: Model, images: Images) -> dict[str, Activity]:
    """What the units of each layer do with the first images. Nothing of a model without representations, or whose
    evaluation leaves it without the statistics that these need."""
    if not isinstance(model, Encodes) or (isinstance(model, Settles) and not model.settled_by_evaluation):
        return {}
    layers = {}
    for name, code in model.codes(images.rows(slice(0, _ITEMS))).items():
        variance = code.float().var(0, correction=0)
        if torch.isfinite(variance).all():
            active, sd = int((variance > ACTIVE).sum()), variance.mean().sqrt().item()
            layers[name] = Activity(units=len(variance), active=active, sd=sd)
    return layers
