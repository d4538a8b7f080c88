"""The screens that look into a model, by name."""

from __future__ import annotations

from tui.screens.explore import ExploreScreen
from tui.screens.latent import LatentScreen
from tui.screens.layers import LayersScreen
from tui.screens.model_screen import ModelScreen
from tui.screens.samples import SamplesScreen

MODEL_SCREENS: dict[str, type[ModelScreen]] = {
    "layers": LayersScreen,
    "latent": LatentScreen,
    "explore": ExploreScreen,
    "samples": SamplesScreen,
}
"""What the keys 2 to 5 of the run screen open."""
