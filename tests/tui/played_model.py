"""Answers questions about a model that there is none of: arrays of the right names and shapes, made up from the seed.

The run must be held by a played engine, so that no process is started to answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.explore import (
    KINDS,
    Classify,
    Codes,
    Denoise,
    Errors,
    Head,
    Inpaint,
    Interpolate,
    Layers,
    Manifold,
    Request,
    Sample,
    ScoreField,
    Traverse,
    questions,
    write_answer,
)

SIDE = 28
"""Pixels of an image."""
UNITS = 6
"""Of the main representation."""


def disc(at: float, radius: float = 6.0) -> np.ndarray:
    """A white disc on black, `at` of the way from left to right."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (255 * (np.hypot(x - 6 - 16 * at, y - 14) < radius)).astype(np.uint8)


ONE_LAYER = tuple(kind for kind in KINDS if kind != "manifold")
"""What a model of so many units can be asked."""


class PlayedModel:
    """What a run's engine would say of its model."""

    def __init__(
        self, folder: Path, able: Sequence[str] = ONE_LAYER, *, posterior: bool = True, gates: bool = False
    ) -> None:
        self.folder = folder
        self.able = list(able)
        self.posterior = posterior
        self.gates = gates
        self.points = False
        """Whether its items are points of the plane."""

    def waiting(self) -> list[Request]:
        """The questions that wait, in the order of asking."""
        return [request for _, request in questions(self.folder) if isinstance(request, Request)]

    def answer(self, step: int = 2000, checkpoint: str | None = None, problem: str = "") -> list[Any]:
        """Answers all of them, or refuses for a reason; returns what was asked."""
        asked = []
        for path, request in questions(self.folder):
            assert isinstance(request, Request), request
            able = request.question.kind in self.able
            words = problem or ("" if able else f"{request.question.kind}: this is no model that can")
            head = Head(
                id=request.id,
                kind=request.question.kind,
                step=step,
                checkpoint=checkpoint,
                seconds=0.01,
                able=self.able,
                problem=words,
            )
            write_answer(self.folder, head, {} if words else self._arrays(request.question))
            path.unlink()
            asked.append(request.question)
        return asked

    def _arrays(self, question: Any) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(7)
        match question:
            case Layers():
                return self._layers(question, rng)
            case Codes():
                classes = np.arange(100) % 10
                centres = np.stack([np.cos(classes * 0.63), np.sin(classes * 0.63)], 1) * 4
                codes = np.concatenate([centres, np.zeros((100, UNITS - 2))], 1) + rng.normal(0, 0.4, (100, UNITS))
                edges = np.linspace(-6, 6, 41)
                arrays = {
                    "pca": codes[:, :2],
                    "layer": np.array(1),
                    "first": codes[:, :2][:, ::-1],
                    "variance": np.array([0.6, 0.3]),
                    "mean": codes.mean(0),
                    "std": codes.std(0),
                    "counts": np.stack([np.histogram(unit, edges)[0] for unit in codes.T]),
                    "edges": edges,
                    "classes": classes,
                }
                return arrays | ({"spread": np.full(UNITS, 0.5)} if self.posterior else {})
            case Traverse():
                code = 0.1 * (1 + question.item) * np.arange(UNITS, dtype=float)
                for unit, value in question.given.items():
                    code[unit] = value
                values = np.linspace(question.low, question.high, question.steps)
                rows = [[disc((v - question.low) / (question.high - question.low)) for v in values]]
                images = np.array(rows * len(question.units))
                return {
                    "images": images,
                    "units": np.array(question.units),
                    "values": values,
                    "code": code,
                    "image": disc(0.5),
                }
            case Manifold():
                values = np.linspace(-1.5, 1.5, question.lines)
                across, up = np.meshgrid(values, values[::-1])
                images = [[disc(share) for share in row] for row in (across + 1.5) / 3]
                return {"images": np.array(images), "codes": np.stack([across, up], -1)}
            case Interpolate():
                images = [disc(i / (question.steps - 1)) for i in range(question.steps)]
                return {"images": np.array(images), "codes": np.zeros((question.steps, UNITS))}
            case Denoise() if self.points:
                cloud = rng.normal(0, 1, (100, 2))
                return {"input": cloud, "corrupted": cloud + 0.2, "reconstruction": cloud}
            case Denoise():
                return {
                    "input": self._input(question),
                    "corrupted": disc(0.5, 4)[None],
                    "reconstruction": disc(0.5)[None],
                }
            case Inpaint():
                frames = np.array([disc(0.5, 2 + 4 * i / question.steps) for i in range(question.steps + 1)])
                mask = np.zeros((SIDE, SIDE), np.uint8)
                return {"input": self._input(question), "mask": mask, "frames": frames[:, None]}
            case Classify():
                shares = np.full(10, 0.02)
                shares[3] = 0.82
                known = {} if question.pixels else {"classes": np.array([3 + question.items[0] % 2])}
                return {"input": self._input(question), "probabilities": shares[None], **known}
            case Errors():
                confusion = np.diag(np.full(10, 97))
                confusion[9, 7], confusion[4, 9] = 3, 2
                told = np.full((5, 10), 0.02)
                told[[0, 1, 2, 3, 4], [7, 9, 7, 9, 7]] = 0.82, 0.71, 0.55, 0.43, 0.31
                return {
                    "items": np.array([21, 80, 97, 203, 196]),
                    "classes": np.array([9, 4, 9, 4, 9]),
                    "probabilities": told,
                    "confusion": confusion,
                    "input": np.array([disc(i / 4) for i in range(5)]),
                }
            case Sample():
                return {"samples": np.array([disc(i % 5 / 4) for i in range(question.rows)])}
            case ScoreField():
                x = np.stack(np.meshgrid(question.axis, question.axis), -1)
                return {"x": x, "shift": -0.3 * x, "data": rng.normal(0, 0.3, (200, 2))}
        raise AssertionError(question)

    def _input(self, question: Any) -> np.ndarray:
        if question.pixels:
            return (np.array(question.pixels).reshape(-1, SIDE, SIDE) * 255).round().astype(np.uint8)
        return np.array([disc(item % 3 / 2) for item in question.items])

    def _layers(self, question: Layers, rng: np.random.Generator) -> dict[str, np.ndarray]:
        names = ["h1", "h2", "h3", "h4", "h5"]
        classes = np.arange(100) % 10
        arrays: dict[str, np.ndarray] = {"layers": np.array(names), "classes": classes}
        for depth, name in enumerate(names, 1):
            values = np.maximum(rng.normal(0, 1, 4000), 0)
            counts, edges = np.histogram(values, 40)
            angle = classes * 0.63
            spot = depth * np.stack([np.cos(angle), np.sin(angle)], 1) + rng.normal(0, 0.5, (100, 2))
            arrays |= {
                f"counts/{name}": counts,
                f"edges/{name}": edges,
                f"variance/{name}": np.linspace(0, 0.1, 20 * depth),
                f"pca/{name}": spot,
            }
        if self.gates:
            arrays |= {f"gate/{name}": np.linspace(0.2, 0.8, 20) for name in ["x", *names, "y"]}
        return arrays
