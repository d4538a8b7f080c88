"""What happened, marked on the x axis of a chart: no label lies on another, and none is dropped without a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from laddertop.tui.draw.axis import XAxis
from laddertop.tui.draw.cells import Cells, Ink
from laddertop.tui.draw.text import fit

GUTTER = 6
"""Columns left of a chart, for the ticks of its y axis."""
SIGNS = {"deed": "▼", "resume": "↻", "rollback": "↶", "fork": "↱", "stage": "▷", "finding": "!"}
_ON_AXIS = {"checkpoint": "◆", "evaluation": "╵"}


class Marker(NamedTuple):
    """Something that happened."""

    step: int
    time: float
    """Seconds since the run's first start."""
    label: str
    kind: Literal["deed", "resume", "rollback", "fork", "stage", "finding", "checkpoint", "evaluation"] = "deed"
    ink: Ink = Ink.MARK

    def place(self, axis: XAxis, columns: int) -> int | None:
        """The column of an axis that it stands in; None when it lies beyond."""
        return axis.place(self.time if axis.unit == "time" else self.step, columns)


@dataclass
class _Label:
    """A label with its sign at column `x`; it may take the columns from `least` to `most`."""

    x: int
    marker: Marker
    least: int
    most: int
    more: int = 0
    """Further markers that it speaks for."""

    def text(self) -> tuple[int, str]:
        """The first column and what stands there, with a blank towards the neighbour: behind the sign where there is
        room, else before it, cut if need be; the number of those that it speaks for is never cut."""
        sign, label = SIGNS[self.marker.kind], self.marker.label
        if not label:
            return self.x, sign
        more = f" +{self.more}" if self.more else ""
        after, before = self.most - self.x - 2, self.x - self.least - 1
        if len(label) + len(more) <= after or after >= before:
            return self.x, f"{sign}{fit(label, after - len(more))}{more} "
        words = f" {fit(label, before - len(more))}{more}"
        return self.x - len(words), f"{words}{sign}"


def put_markers(cells: Cells, axis: XAxis, markers: Sequence[Marker]) -> None:
    """A line from top to bottom through empty cells for each deed, start, stage and finding, with labels in the first
    row, the newest first; one without room for a label of its own is counted by the next newer one, "noise off +1".
    Checkpoints and evaluations stand on the x axis."""
    for marker in reversed(markers):
        place = marker.place(axis, cells.width - GUTTER)
        if place is None:
            continue
        x = GUTTER + place
        if marker.kind in _ON_AXIS:
            if cells.chars[cells.height - 1, x] == "─":
                cells.put(cells.height - 1, x, _ON_AXIS[marker.kind], Ink.DIM)
            continue
        for y in range(cells.height - 1):
            if cells.chars[y, x] == " ":
                cells.put(y, x, "│", Ink.FAINT)
    for label in _labels(cells.width, axis, markers):
        cells.put(0, *label.text(), label.marker.ink)


def label_at(x: int, width: int, axis: XAxis, markers: Sequence[Marker]) -> Marker | None:
    """The marker whose label covers column x of the first row of a chart of that width; None where there is none."""
    for label in _labels(width, axis, markers):
        first, text = label.text()
        if first <= x < first + len(text.rstrip()):
            return label.marker
    return None


def told_at(position: float, columns: int, axis: XAxis, markers: Sequence[Marker]) -> list[str]:
    """What the markers in the column of a position say, oldest first, each once; those without a label their kind."""
    column = axis.place(position, columns)
    there = [marker for marker in markers if column is not None and marker.place(axis, columns) == column]
    return list(dict.fromkeys(marker.label or marker.kind for marker in there))


def _labels(width: int, axis: XAxis, markers: Sequence[Marker]) -> list[_Label]:
    """The labels that there is room for in a chart of that width, newest first."""
    labels: list[_Label] = []
    left = width
    for marker in reversed(markers):
        place = marker.place(axis, width - GUTTER)
        if place is None or marker.kind in _ON_AXIS:
            continue
        x = GUTTER + place
        own = _Label(x, marker, GUTTER, left)
        first, text = own.text()
        # A label that would be cut is no use beside another one.
        if not labels or (x < left and marker.label in text and first + len(text) <= left):
            labels.append(own)
        else:
            labels[-1].more += 1
        left = min(left, labels[-1].text()[0])
    return labels
