"""The task with its settings, the image that it is tried on, and what the model makes of it."""

from __future__ import annotations

import numpy as np
from textual.geometry import Region

from laddertop.journal.explore import Classify, Denoise, Errors, Inpaint, Sample, ScoreField
from laddertop.tui.dashboard.panel import Panel, titled
from laddertop.tui.dashboard.views.explore import TASKS, ExploreView
from laddertop.tui.draw.cells import Cells, Ink, class_ink
from laddertop.tui.draw.image import MODES, draw_image, size_for
from laddertop.tui.draw.numbers import setting
from laddertop.tui.draw.plane import plane_of, put_arrows, put_dots
from laddertop.tui.draw.sentence import sentence
from laddertop.tui.draw.spark import bar
from laddertop.tui.steer.asking import Got
from laddertop.tui.steer.keymap import sign
from laddertop.tui.watch.run_view import RunView

SEEN = 8
"""Items told wrongly that are seen at once, rather than each as large as can be."""
BACKGROUNDS = ("data", "samples", "nothing")
"""What may lie behind the arrows of a field."""


class TaskBar(Panel):
    """All tasks, the chosen one marked, and its settings."""

    def __init__(self, view: RunView, explore: ExploreView, *, id: str) -> None:
        super().__init__(view, id=id)
        self._explore = explore
        self._ends: list[int] = []
        """The columns after the tasks."""

    def task_at(self, column: int) -> int | None:
        """The number of the task that a column is part of."""
        return next((i for i, end in enumerate(self._ends) if 1 <= column < end), None)

    def picture(self, height: int, width: int) -> Cells:
        """One row."""
        cells = Cells(height, width)
        x = 1
        self._ends = []
        for task in TASKS:
            here = task == self._explore.task
            x = cells.put(0, x, f"[{task}]" if here else f" {task} ", Ink.KEY if here else Ink.DIM) + 1
            self._ends.append(x)
        settings = self._explore.settings()
        if x + len(settings) + 2 <= width:
            cells.right(0, width - 1, settings, Ink.TEXT)
        return cells


class Sheet(Panel):
    """The test item, or the sheet to draw on."""

    def __init__(self, view: RunView, explore: ExploreView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self._explore = explore
        self._cells_of_image = (0, 0)

    def picture(self, height: int, width: int) -> Cells:
        """The image, the pen on it."""
        explore = self._explore
        name = "drawing" if explore.canvas is not None else f"test item {explore.item}"
        aside = "" if explore.pen is None else "pen down" if explore.down else "pen up"
        cells = titled(height, width, name, aside, chosen=explore.pen is not None)
        image = explore.image()
        if image is None:
            cells.paste(1, 0, sentence(height - 1, width, "shown once the model has answered"))
            return cells
        rows, columns = self._cells_of_image = size_for(image.shape[1], height - 2, width - 1)
        if explore.task == "fill in" and explore.part == "given" and explore.mask is not None:
            covered = np.where(explore.mask[..., None] if image.ndim == 3 else explore.mask, 110, image)
            image = covered.astype(np.uint8)
        cells.paste(1, 1, draw_image(image, rows, columns, self.mode))
        if explore.pen is not None:
            y = 1 + int((explore.pen[0] + 0.5) * rows / image.shape[0])
            x = 1 + int((explore.pen[1] + 0.5) * columns / image.shape[1])
            cells.put(y, x, "█" if explore.down else "┼", Ink.KEY)
            keys = f"{sign('explore.play')} pen, {sign('explore.clear')} clear, {sign('explore.draw')} done"
            cells.put(height - 1, 1, keys[: width - 1], Ink.DIM)
        elif explore.task == "denoise":
            cells.put(1 + rows, 1, "input", Ink.DIM)
        return cells

    def pixel(self, row: int, column: int) -> tuple[int, int] | None:
        """The pixel under a cell of the panel."""
        image = self._explore.image()
        rows, columns = self._cells_of_image
        if image is None or not (0 < row <= rows and 0 < column <= columns):
            return None
        return int((row - 0.5) * image.shape[0] / rows), int((column - 0.5) * image.shape[1] / columns)


class Result(Panel):
    """The newest answer to the task."""

    def __init__(self, view: RunView, explore: ExploreView, *, id: str) -> None:
        super().__init__(view, id=id)
        self.mode = MODES[0]
        self.behind = BACKGROUNDS[0]
        """What lies behind the arrows."""
        self._explore = explore
        self._shown: list[tuple[Region, str]] = []
        """Where images are, and what each is."""

    def told(self, row: int, column: int) -> str:
        """Which of many images it is."""
        return next((words for region, words in self._shown if region.contains(column, row)), "")

    def picture(self, height: int, width: int) -> Cells:
        """What the answer is about is taken from its own question, not from what the keys say now."""
        explore = self._explore
        self._shown = []
        cells = titled(height, width, explore.task)
        if words := explore.lacks() or explore.asking.problems.get(explore.use(), ""):
            cells.paste(1, 0, sentence(height - 1, width, words, Ink.TEXT))
            return cells
        got = explore.got()
        if got is None:
            cells.paste(1, 0, sentence(height - 1, width, "asking the model"))
            return cells
        waiting = explore.asking.waiting(explore.use()) is not None
        cells = self.titled(height, width, _about(got), "stale" if waiting else "")
        room = Cells(height - 1, width - 1)
        match got.question:
            case Denoise() if explore.points:
                _clouds(room, got, self.ascii_only)
            case Denoise():
                _pictures(room, got, self.mode)
            case Inpaint():
                self._filling(room, got)
            case Classify():
                _confidence(room, got)
            case Errors():
                self._wrong(room, got)
            case Sample():
                self._samples(room, got)
            case ScoreField():
                self._field(room, got)
            case _:
                raise AssertionError(got.question.kind)
        cells.paste(1, 1, room)
        return cells

    def _filling(self, cells: Cells, got: Got) -> None:
        frames = got.arrays["frames"][:, 0]
        at = self._explore.frame(len(frames))
        height, width = size_for(frames.shape[2], cells.height - 2, cells.width)
        cells.paste(0, 0, draw_image(frames[at], height, width, self.mode))
        filled, empty = bar(at / (len(frames) - 1), min(width, 24))
        x = cells.put(height, cells.put(height, 0, filled, Ink.CURVE), empty, Ink.FAINT)
        words = "noise" if at == 0 else f"step {at} of {len(frames) - 1}"
        cells.put(height, x + 1, words + ("" if self._explore.playing else ", paused"), Ink.DIM)

    def _samples(self, cells: Cells, got: Got) -> None:
        samples = got.arrays["samples"]
        if samples.ndim == 2:
            put_dots(cells, plane_of(samples, cells.height, cells.width, True), samples, Ink.CURVE, self.ascii_only)
            return
        self._many(cells, samples, [f"sample {i}" for i in range(len(samples))], 0, sample_size(samples.shape[2]))

    def _wrong(self, cells: Cells, got: Got) -> None:
        """What was told wrongly, the surest first, below each what it is and what it was told to be."""
        arrays = got.arrays
        confusion = arrays["confusion"]
        items, wrong = int(confusion.sum()), int(confusion.sum() - confusion.trace())
        words = f"{wrong} of {items} test items, {100 * wrong / items:.3g} %"
        apart = confusion * (1 - np.eye(len(confusion), dtype=confusion.dtype))
        if wrong:
            true, told = np.unravel_index(apart.argmax(), apart.shape)
            words += f"; most often {true}→{told}, {apart.max()} times; below each how sure"
        cells.put(0, 0, words[: cells.width], Ink.TEXT)
        told = arrays["probabilities"].argmax(-1)
        sure = arrays["probabilities"].max(-1, initial=0)
        names = [f"test item {item}" for item in arrays["items"]]
        size = _size_of_wrong(arrays["input"], cells)
        for i, (y, x) in enumerate(self._many(cells, arrays["input"], names, 2, size)):
            cells.put(y, x, f"{arrays['classes'][i]}→{told[i]} {f'{sure[i]:.2f}'.removeprefix('0')}", Ink.BAD)

    def _many(
        self, cells: Cells, images: np.ndarray, names: list[str], top: int, size: tuple[int, int]
    ) -> list[tuple[int, int]]:
        """As many images of a `size` as there is room for from row `top` on; returns the places below them."""
        height, width = size
        across = max((cells.width + 1) // (width + 1), 1)
        below = []
        for i, image in enumerate(images):
            down, right = divmod(i, across)
            y, x = top + down * (height + 1), right * (width + 1)
            if y + height + (top > 0) <= cells.height:
                cells.paste(y, x, draw_image(image, height, width, self.mode))
                self._shown.append((Region(x + 1, y + 1, width, height), names[i]))
                below.append((y + height, x))
        return below

    def _field(self, cells: Cells, got: Got) -> None:
        arrays = got.arrays
        x, shift = (arrays[name].reshape(-1, 2) for name in ("x", "shift"))
        plane = plane_of(x, cells.height, cells.width, square=True)
        cloud = arrays.get(self.behind)
        if cloud is not None:
            put_dots(cells, plane, cloud, Ink.MARK, self.ascii_only)
        put_arrows(cells, plane, x, shift)
        behind = self.behind if cloud is not None or self.behind == "nothing" else f"{self.behind}: this model has none"
        cells.put(cells.height - 1, 0, f"behind: {behind} ({sign('explore.behind')})", Ink.DIM)


def sample_size(pixels: int) -> tuple[int, int]:
    """Height and width in cells of one of many samples."""
    return size_for(pixels, 8, 16)


def _size_of_wrong(images: np.ndarray, cells: Cells) -> tuple[int, int]:
    """That of a sample, or smaller where fewer than SEEN images would be seen, each with a row of words below it."""
    large, small = sample_size(images.shape[2]), size_for(images.shape[2], 6, 12)
    seen = (cells.width + 1) // (large[1] + 1) * ((cells.height - 2) // (large[0] + 1))
    return large if seen >= min(SEEN, len(images)) else small


def _about(got: Got) -> str:
    question = got.question
    if isinstance(question, Denoise):
        level = "" if question.corruption == "none" else f" {setting(question.level or 0)}"
        return f"{(question.corruption or '').replace('_', ' ')}{level}"
    if isinstance(question, Inpaint):
        return f"filled in, {question.missing}"
    if isinstance(question, Sample):
        return f"{question.rows} samples, seed {question.seed}"
    if isinstance(question, ScoreField):
        return "r(x) - x, the direction of the density's gradient"
    if isinstance(question, Errors):
        return "told wrongly, the surest first"
    return "confidence"


def _pictures(cells: Cells, got: Got, mode: str) -> None:
    """Corrupted and reconstruction side by side, the error where there is room."""
    clean, corrupted, again = (got.arrays[name][0] for name in ("input", "corrupted", "reconstruction"))
    error = np.abs(again.astype(np.int16) - clean).astype(np.uint8)
    shown = {"corrupted": corrupted, "reconstruction": again}
    height, width = size_for(clean.shape[1], cells.height - 1, (cells.width - 1) // 2)
    rms = float(np.sqrt((error.astype(float) ** 2).mean()) / 255)
    below = cells.height - height - 2 >= 5
    x = 0
    for name, image in shown.items():
        cells.paste(0, x, draw_image(image, height, width, mode))
        cells.put(height, x, name, Ink.DIM)
        x += width + 1
    cells.put(height + 1 if below else cells.height - 1, 0, f"error, root mean square {rms:.3f} of white", Ink.TEXT)
    if below:
        small, wide = size_for(clean.shape[1], cells.height - height - 3, cells.width)
        cells.paste(height + 2, 0, draw_image(error, small, wide, mode))


def _clouds(cells: Cells, got: Got, plain: bool) -> None:
    """Input, corrupted and reconstructed points beside each other, on one scale."""
    names = ("input", "corrupted", "reconstruction")
    each = (cells.width + 1) // 3 - 1
    plane = plane_of(np.concatenate([got.arrays[name] for name in names]), cells.height - 1, each, square=True)
    for i, name in enumerate(names):
        part = Cells(cells.height - 1, each)
        if i:
            put_dots(part, plane, got.arrays["input"], Ink.FAINT, plain)
        put_dots(part, plane, got.arrays[name], Ink.CURVE if i else Ink.TEXT, plain)
        cells.put(0, i * (each + 1), name[:each], Ink.DIM)
        cells.paste(1, i * (each + 1), part)


def _confidence(cells: Cells, got: Got) -> None:
    """A bar for each class, the surest first in words, the true class marked."""
    shares = got.arrays["probabilities"][0]
    true = int(got.arrays["classes"][0]) if "classes" in got.arrays else None
    best = int(shares.argmax())
    verdict = f"{best}, {100 * shares[best]:.1f} % sure"
    if true is not None:
        verdict += ", right" if best == true else f", but it is a {true}"
    cells.put(0, 0, verdict, Ink.TEXT if true is None else Ink.GOOD if best == true else Ink.BAD)
    width = min(cells.width - 18, 40)
    for label, share in enumerate(shares[: cells.height - 2]):
        filled, empty = bar(float(share), width)
        y = label + 2
        cells.put(y, 0, "●" if label == true else " ", Ink.GOOD)
        cells.put(y, 2, str(label), class_ink(label))
        x = cells.put(y, 5, filled, class_ink(label))
        x = cells.put(y, x, empty, Ink.FAINT)
        cells.right(y, x + 9, f"{100 * share:.1f} %", Ink.TEXT)
