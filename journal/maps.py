"""The shapes and names of the layers of a convolutional ladder network, from the words of its architecture."""

from __future__ import annotations

Shape = tuple[int, ...]
"""Units (D,) or maps (C, H, W)."""


def shape_above(words: str, below: Shape) -> Shape:
    """The shape of a layer such as convv:96:3 above one shaped `below`. Raises ValueError where it does not fit."""
    kind, *numbers = words.split(":")
    if kind == "fc":
        return (int(numbers[0]),)
    if len(below) == 1:
        raise ValueError(f"model.architecture: {words} needs maps, and the layer below has {below[0]} units")
    channels, height, width = below
    if kind == "globalmeanpool":
        return (channels, 1, 1)
    if kind == "maxpool":
        size = int(numbers[0])
        return (channels, -(-height // size), -(-width // size))
    outputs, kernel = map(int, numbers)
    grown = kernel - 1 if kind == "convf" else 1 - kernel
    if height + grown < 1 or width + grown < 1:
        raise ValueError(f"model.architecture: {words} is larger than the maps below, {height}×{width}")
    return (outputs, height + grown, width + grown)


def short_name(words: str) -> str:
    """What a layer such as convv:96:3 is called: c96, max2, mean, h10."""
    kind, *numbers = words.split(":")
    return {"fc": "h", "maxpool": "max", "globalmeanpool": "mean"}.get(kind, "c") + (numbers[0] if numbers else "")
