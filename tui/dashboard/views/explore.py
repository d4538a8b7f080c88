"""Trying out a model: which task, on which item or drawing, with which corruption. No textual here.

Shape letters: H × W pixels.
"""

from __future__ import annotations

import time
from typing import Literal, cast

import numpy as np

from laddertop.journal.explore import (
    AnyQuestion,
    Classify,
    Corruption,
    Denoise,
    Errors,
    Inpaint,
    Missing,
    Sample,
    ScoreField,
)
from laddertop.tui.draw.numbers import setting
from laddertop.tui.steer.asking import Asking, Got
from laddertop.tui.watch.run_view import RunView

Task = Literal["denoise", "fill in", "classify", "errors", "generate", "field"]
TASKS: tuple[Task, ...] = ("denoise", "fill in", "classify", "errors", "generate", "field")
KINDS = {
    "denoise": "denoise",
    "fill in": "inpaint",
    "classify": "classify",
    "errors": "errors",
    "generate": "sample",
    "field": "field",
}
"""What is asked of the model for each task."""
CORRUPTIONS: tuple[Corruption, ...] = ("gaussian", "masking", "salt_and_pepper", "none")
PARTS: tuple[Missing, ...] = ("right", "left", "top", "bottom", "box", "random", "given")
"""What can be missing; given: what is painted over."""
AT_TASKS: dict[str, tuple[Task, ...]] = {
    "kind": ("denoise", "fill in"),
    "level": ("denoise", "fill in", "field"),
    "seed": ("denoise", "fill in", "generate", "field"),
    "space": ("fill in",),
    "restart": ("fill in",),
    "behind": ("field",),
    **dict.fromkeys(("arrow", "draw", "clear", "item"), ("denoise", "fill in", "classify")),
}
"""The tasks in which the action of a key does something, where it does not in all of them."""
OF_IMAGES = ("arrow", "draw", "clear", "item", "space", "next_mode")
"""Actions that points of the plane leave nothing to do."""
STEPS = 30
"""Steps of filling in."""
FRAMES = 6.0
"""Of them a second."""
WRONG = 60
"""Items that a model tells wrongly, at most, and is asked for."""
SCATTERED = 100
"""Points of the plane that are denoised at once."""


class ExploreView:
    """The task and what it is tried on."""

    def __init__(self, view: RunView, asking: Asking) -> None:
        self.view, self.asking = view, asking
        noise = view.spec.noise
        std = noise.std[0] if isinstance(noise.std, list) else noise.std
        self.points = view.spec.data.points
        """Whether the items are points of the plane."""
        self.task: Task = "field" if self.points else "denoise"
        self.item = 0
        self.seed = 0
        self.corruption: Corruption = noise.kind
        self.levels = {"gaussian": std or 0.3, "masking": noise.level, "salt_and_pepper": noise.level, "none": 0.0}
        self.part: Missing = "right"
        self.share = 0.5
        self.rows = 16
        """Samples to generate."""
        self.lines = 21
        """Grid lines of the field."""
        self.canvas: np.ndarray | None = None
        """What was drawn by hand, light 0 … 1 [H, W]; None: a test item."""
        self.mask: np.ndarray | None = None
        """What was painted over by hand, bool [H, W]."""
        self.pen: tuple[int, int] | None = None
        """Row and column of the pen; None while nothing is drawn."""
        self.down = False
        """Whether the pen paints as it moves."""
        self.playing = True
        self._frame = 0.0
        self._clock = time.monotonic()

    def idle(self, action: str) -> bool:
        """Whether a key, by its action, does nothing for the task as it stands."""
        if action.startswith("arrow") and self.pen is not None:
            return False
        name = "level" if action in ("arrow(-1, 0)", "arrow(1, 0)") else action.partition("(")[0]
        if name == "level" and (
            (self.task == "denoise" and self.corruption == "none") or (self.task == "fill in" and self.part != "random")
        ):
            return True
        here = self.task in AT_TASKS.get(name, TASKS) or (name == "space" and self.pen is not None)
        return bool(self.lacks()) or not here or (self.points and name in OF_IMAGES)

    # Asking

    def use(self) -> str:
        """The use under which the model is asked."""
        return f"explore {self.task}"

    def question(self) -> None:
        """Ask for what is shown, unless it is known that this model can't."""
        if not self.lacks():
            self.asking.want(self.use(), self.asked())

    def asked(self) -> AnyQuestion:
        """The question of the task."""
        items = list(range(SCATTERED)) if self.points else [self.item]
        pixels = self._pixels()
        match self.task:
            case "denoise":
                level = self.levels[self.corruption]
                kind = self.corruption
                return Denoise(items=items, pixels=pixels, corruption=kind, level=level, seed=self.seed)
            case "fill in":
                mask = [] if self.part != "given" else self._mask().astype(int).ravel().tolist()
                return Inpaint(
                    items=items,
                    pixels=pixels,
                    missing=self.part,
                    share=self.share,
                    mask=mask,
                    steps=STEPS,
                    seed=self.seed,
                )
            case "classify":
                return Classify(items=items, pixels=pixels)
            case "errors":
                return Errors(rows=WRONG)
            case "generate":
                return Sample(rows=500 if self.points else self.rows, seed=self.seed)
            case "field":
                return ScoreField(lines=self.lines, seed=self.seed)

    def lacks(self) -> str:
        """Why this model can't do the task, in a sentence; empty when it can or it is not known yet."""
        model, data = self.view.spec.model.called, self.view.spec.data.name
        if self.task == "field" and not self.points:
            return f"the gradient field is drawn for models of points of the plane; this run trains on images, {data}"
        if self.points and self.task in ("fill in", "classify", "errors"):
            what = "fill in" if self.task == "fill in" else "classify"
            return f"there is nothing to {what} in points of the plane; this task is for images"
        if self.asking.able(KINDS[self.task]) is not False:
            return ""
        return {
            "denoise": f"a {model} model reconstructs no images",
            "fill in": f"a {model} model reconstructs no images, so it can't fill in what is missing",
            "classify": f"a {model} model learns no classes, so there is nothing to be confident about",
            "errors": f"a {model} model learns no classes, so it tells none wrongly",
            "generate": f"a {model} model has no prior and no chain that samples could be drawn from",
            "field": f"a {model} model reconstructs no points, so it moves none",
        }[self.task]

    def got(self) -> Got | None:
        """The newest answer for the task."""
        return self.asking.got.get(self.use())

    def size(self) -> tuple[int, int] | None:
        """H and W of an image, once an answer has told; None for points."""
        for got in self.asking.got.values():
            image = got.arrays.get("input")
            if image is not None and image.ndim >= 3:
                return int(image.shape[1]), int(image.shape[2])
        return None

    def image(self) -> np.ndarray | None:
        """The image that the task is tried on, as bytes; of a test item once an answer has shown it."""
        if self.canvas is not None:
            return np.asarray(np.rint(self.canvas * 255), np.uint8)
        for got in reversed(self.asking.got.values()):
            question = got.question
            if (
                isinstance(question, Denoise | Inpaint | Classify)
                and question.pixels is None
                and question.items == [self.item]
            ):
                return np.asarray(got.arrays["input"][0])
        return None

    def settings(self) -> str:
        """What the task is set to, in words."""
        match self.task:
            case "denoise":
                level = "" if self.corruption == "none" else f" {setting(self.levels[self.corruption])}"
                kind = self.corruption.replace("_", " ").replace("none", "no corruption")
                return f"{kind}{level} · seed {self.seed}"
            case "fill in":
                share = f" {setting(self.share)}" if self.part == "random" else ""
                part = "painted over" if self.part == "given" else self.part
                return f"missing: {part}{share} · seed {self.seed}"
            case "classify" | "errors":
                return ""
            case "generate":
                return f"seed {self.seed}"
            case "field":
                return f"{self.lines} × {self.lines} points"

    # Keys

    def next_task(self, by: int) -> None:
        """Another task."""
        self.task = TASKS[(TASKS.index(self.task) + by) % len(TASKS)]
        self.pen = None
        self.restart()

    def go_to(self, item: int) -> None:
        """Another test item, in place of a drawing too."""
        self.item, self.canvas, self.pen, self.mask = max(item, 0), None, None, None
        self.restart()

    def next_corruption(self) -> None:
        """Another kind of corruption, or another missing part."""
        if self.task == "fill in":
            self.part = PARTS[(PARTS.index(self.part) + 1) % len(PARTS)]
            self.pen = self._middle() if self.part == "given" else None
            self.restart()
        else:
            self.corruption = CORRUPTIONS[(CORRUPTIONS.index(self.corruption) + 1) % len(CORRUPTIONS)]

    def turn(self, by: int) -> None:
        """More or less of it: the level of the corruption, or the share that is missing."""
        if self.task == "fill in":
            self.share = round(min(max(self.share + 0.1 * by, 0.0), 1.0), 6)
        elif self.task == "field":
            self.lines = min(max(self.lines + 2 * by, 5), 59)
        elif self.corruption != "none":
            most = 10.0 if self.corruption == "gaussian" else 1.0
            self.levels[self.corruption] = round(min(max(self.levels[self.corruption] + 0.05 * by, 0.0), most), 6)

    def next_seed(self) -> None:
        """Other draws."""
        self.seed += 1
        self.restart()

    # Drawing

    def draw(self) -> str:
        """Take the pen, or put it away; what hinders it, in a sentence."""
        if self.points:
            return "points of the plane can't be drawn; there is nothing to draw on"
        if self.pen is not None:
            self.pen, self.down = None, False
            return ""
        if self.size() is None:
            return "how large an image is will be known once the model has answered"
        self.pen = self._middle()
        if not self._paints_mask():
            self._blank()
        return ""

    def clear(self) -> None:
        """An empty sheet."""
        if self._paints_mask():
            self.mask = None
        elif self.canvas is not None:
            self.canvas = np.zeros_like(self.canvas)

    def move(self, down: int, right: int) -> None:
        """Move the pen, which paints when it is down."""
        size = self.size()
        if self.pen is not None and size is not None:
            self.pen = min(max(self.pen[0] + down, 0), size[0] - 1), min(max(self.pen[1] + right, 0), size[1] - 1)
            if self.down:
                self.paint(*self.pen)

    def paint(self, row: int, column: int) -> None:
        """Paint around a pixel: a stroke of about a fourteenth of the image, soft at its edge."""
        size = self.size()
        if size is None:
            return
        if not self._paints_mask():
            self._blank()
        self.pen = row, column
        y, x = np.mgrid[: size[0], : size[1]]
        thick = max(size[0] / 28, 0.5)
        distance = np.hypot(y - row, x - column)
        if self._paints_mask():
            self.mask = self._mask() | (distance <= 2 * thick)
        elif self.canvas is not None:
            self.canvas = np.maximum(self.canvas, np.clip(1.5 - distance / thick / 1.5, 0, 1))

    def _paints_mask(self) -> bool:
        return self.task == "fill in" and self.part == "given"

    def _blank(self) -> None:
        if self.canvas is None and (size := self.size()) is not None:
            self.canvas = np.zeros(size)

    def _middle(self) -> tuple[int, int]:
        size = self.size() or (2, 2)
        return size[0] // 2, size[1] // 2

    def _mask(self) -> np.ndarray:
        if self.mask is not None:
            return self.mask
        mask = np.zeros(self.size() or (1, 1), bool)
        mask[self._middle()] = True  # what misses nothing is no question
        return mask

    def _pixels(self) -> list[list[float]] | None:
        """The drawing as the model sees it: channels one after the other, where there are three."""
        if self.canvas is None:
            return None
        colour = any(got.arrays["input"].ndim == 4 for got in self.asking.got.values() if "input" in got.arrays)
        return [cast("list[float]", np.tile(self.canvas.round(4).ravel(), 3 if colour else 1).tolist())]

    # Filling in, frame by frame

    def restart(self) -> None:
        """From the first frame."""
        self._frame, self._clock = 0.0, time.monotonic()

    def frame(self, count: int) -> int:
        """The frame to show of so many; it rests at the last for a while and begins again."""
        return min(int(self._frame), count - 1)

    def tick(self) -> bool:
        """Go on with the animation; whether another frame is due."""
        now = time.monotonic()
        before = int(self._frame)
        if self.playing:
            self._frame += (now - self._clock) * FRAMES
            if self._frame > STEPS + 2 * FRAMES:
                self._frame = 0.0
        self._clock = now
        got = self.got()
        return self.task == "fill in" and got is not None and int(self._frame) != before
