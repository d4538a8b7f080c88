"""The screens that look into a model, by name."""

from __future__ import annotations

from laddertop.tui.dashboard.screens.explore import ExploreScreen
from laddertop.tui.dashboard.screens.latent import LatentScreen
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.dashboard.screens.model_screen import ModelScreen
from laddertop.tui.dashboard.screens.samples import SamplesScreen

MODEL_SCREENS: dict[str, type[ModelScreen]] = {
    "layers": LayersScreen,
    "latent": LatentScreen,
    "explore": ExploreScreen,
    "samples": SamplesScreen,
}
"""What the keys 2 to 5 of the run screen open."""
