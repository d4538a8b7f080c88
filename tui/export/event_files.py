"""A run as an event file of TensorBoard, by TensorBoard's own writer: scalars of every step, evaluations, samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from laddertop.journal.events import Evaluated, EventReader, Sampled
from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.state import RunState
from laddertop.tui.draw.sheet import png
from laddertop.tui.export.samples import pictures
from laddertop.tui.export.steps import chunks, held, opened

IMAGES = 500
"""Samplings that are written at most, evenly over the training."""


def write_events(run: RunFolder, path: Path) -> str:
    """Writes one file whose tags are cost/…, knobs/…, training/…, evaluated/… and samples; NaN stays NaN.

    Returns what it holds, in words. Raises ValueError for a run without a step, and for a name that TensorBoard passes
    over.
    """
    from tensorboard.summary.writer.record_writer import RecordWriter

    if "tfevents" not in path.name:
        raise ValueError("--out: TensorBoard reads no file without tfevents in its name; name it run.tfevents")
    metrics = opened(run)
    state = RunState().apply_all(EventReader(run.events_path).read_all())
    with open(path, "wb") as file:
        records = RecordWriter(file)
        for event in begun(state), *evaluated(state.evaluations), *sampled(run, state.samplings):
            records.write(event.SerializeToString())
        for some in chunks(metrics):
            for event in steps(tags(metrics, state), some):
                records.write(event.SerializeToString())
    return held(metrics)


def begun(state: RunState) -> Any:
    """What a file begins with."""
    from tensorboard.compat.proto.event_pb2 import Event

    return Event(wall_time=state.starts[0].time if state.starts else 0.0, file_version="brain.Event:2")


def tags(metrics: MetricsReader, state: RunState) -> list[str]:
    """What TensorBoard calls each column of the metrics."""
    costs = {"total", *(term.name for term in state.terms)}
    kinds = {c.name: "cost" if c.name in costs else "knobs" if c.name in state.knobs else "" for c in metrics.columns}
    return [f"{kind or 'training'}/{name}" for name, kind in kinds.items()]


def steps(tags: list[str], records: np.ndarray) -> Iterator[Any]:
    """An event for every record of the metrics."""
    from tensorboard.compat.proto.event_pb2 import Event

    rows = zip(records["step"].tolist(), records["time"].tolist(), records["values"].tolist(), strict=True)
    for step, at, values in rows:
        event = Event(wall_time=at, step=step)
        for tag, value in zip(tags, values, strict=True):
            event.summary.value.add(tag=tag, simple_value=value)
        yield event


def evaluated(evaluations: Iterable[Evaluated]) -> Iterator[Any]:
    """An event for each of some evaluations."""
    from tensorboard.compat.proto.event_pb2 import Event

    for one in evaluations:
        event = Event(wall_time=one.time, step=one.step)
        for name, value in one.values.items():
            event.summary.value.add(tag=f"evaluated/{name}", simple_value=value.value)
        yield event


def sampled(run: RunFolder, samplings: Sequence[Sampled]) -> Iterator[Any]:
    """An event for each of some samplings that can be read."""
    from tensorboard.compat.proto.event_pb2 import Event

    times = {one.step: one.time for one in samplings}
    for one in pictures(run, samplings, IMAGES):
        event = Event(wall_time=times[one.step], step=one.step)
        height, width = one.image.shape[:2]
        image = event.summary.value.add(tag=f"samples/{', '.join(one.rows)}").image
        image.height, image.width, image.colorspace = height, width, 1 if one.image.ndim == 2 else 3
        image.encoded_image_string = png(one.image)
        yield event
