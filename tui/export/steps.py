"""Every number of every step as a table: the history as trained, without steps that a resume threw away.

A table has the columns step, time (seconds since 1970) and those of the metrics, 32-bit floats; NaN stays NaN.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from laddertop.journal.folder import RunFolder
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.draw.numbers import thousands

ROWS = 1 << 14
"""Steps that are written at once."""


def write_csv(run: RunFolder, path: Path) -> str:
    """Writes a table with a line of names on top; each number in the fewest digits that name the same one.

    Returns what it holds, in words. Raises ValueError for a run without a step.
    """
    metrics = opened(run)
    with open(path, "w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["step", "time", *(column.name for column in metrics.columns)])
        for some in chunks(metrics):
            columns = np.stack([some["step"].astype(str), some["time"].astype(str)], 1)
            rows.writerows(np.concatenate([columns, some["values"].astype(str)], 1).tolist())
    return held(metrics)


def write_parquet(run: RunFolder, path: Path) -> str:
    """Writes a Parquet file whose columns carry their label and unit as metadata, the file the run's name and recipe.

    Returns what it holds, in words. Raises ValueError for a run without a step.
    """
    import pyarrow
    from pyarrow import parquet

    metrics = opened(run)
    fields = [pyarrow.field("step", pyarrow.int64()), pyarrow.field("time", pyarrow.float64())]
    fields[1] = fields[1].with_metadata({"unit": "seconds since 1970"})
    for column in metrics.columns:
        about = {"label": column.label, "unit": column.unit}
        fields.append(pyarrow.field(column.name, pyarrow.float32()).with_metadata(about))
    schema = pyarrow.schema(fields, {"run": run.name, "recipe": run.spec.recipe})
    with parquet.ParquetWriter(path, schema) as file:
        for some in chunks(metrics):
            arrays = [some["step"], some["time"], *some["values"].T]
            file.write_table(pyarrow.table([np.ascontiguousarray(array) for array in arrays], schema=schema))
    return held(metrics)


def opened(run: RunFolder) -> MetricsReader:
    """The numbers of a run. Raises ValueError where it has none yet."""
    metrics = MetricsReader(run.path)
    metrics.poll()
    if not metrics.last_step():
        raise ValueError(f"{run.name} has not recorded a step yet; there is nothing to export")
    return metrics


def chunks(metrics: MetricsReader) -> Iterator[np.ndarray]:
    """The records as trained, oldest first, some at a time."""
    for part in metrics.kept():
        for first in range(0, len(part), ROWS):
            yield part[first : first + ROWS]


def held(metrics: MetricsReader) -> str:
    """How many there are, in words."""
    steps = sum(len(part) for part in metrics.kept())
    return f"{thousands(steps)} {'step' if steps == 1 else 'steps'}, {len(metrics.columns)} columns"
