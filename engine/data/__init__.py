"""The data sets, resident on the device: what they are, where they come from, which rows a step sees."""

from laddertop.engine.data.batches import Batches, draw_labelled
from laddertop.engine.data.images import Data, Images, Inputs
from laddertop.engine.data.load import load

__all__ = ["Batches", "Data", "Images", "Inputs", "draw_labelled", "load"]
