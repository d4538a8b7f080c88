"""A table of numbers, .csv or .parquet: a row is an item; one column may hold the labels.

Shape letters: N rows, D columns of numbers, B rows of a block.
"""

from __future__ import annotations

import csv
from array import array
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from laddertop.engine.own.source import BLOCK, Part, Source, sha256_of
from laddertop.journal.sections import DataSpec


class Table(NamedTuple):
    """What a file holds."""

    columns: list[str]
    """Names of the columns of numbers."""
    numbers: npt.NDArray[np.float64]
    """[N, D]; NaN where there is none."""
    labels: list[str] | None
    """What stands in the column of labels [N]; none: there is no such column."""


def open_table(path: Path, data: DataSpec) -> Source:
    """The rows of a table. Raises ValueError that names a column or a row that can't be trained on."""
    table = (_csv if path.suffix == ".csv" else _parquet)(path, data.label)
    count = len(table.numbers)
    if not table.columns or not count:
        raise ValueError(f"{path} has no {'rows' if table.columns else 'columns of numbers'}")
    numbers: npt.NDArray[Any] = table.numbers
    image = (1, 1, len(table.columns))
    if data.size is not None:
        image = (1, *data.sides)
        if len(table.columns) != image[1] * image[2]:
            told = f"{path} has {len(table.columns)} columns of numbers, and images of {image[1]}×{image[2]} have "
            raise ValueError(f"data.size: {told}{image[1] * image[2]}")
        if ((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers))).all():
            numbers = numbers.astype(np.uint8)
    part = Part(
        place=str(path),
        items=count,
        image=image,
        dtype=numbers.dtype,
        blocks=partial(_blocks, numbers),
        item=lambda i: f"{path}, row {i + 1}",
        number=lambda i: f", column {table.columns[i]},",
        labels=None if table.labels is None else _labels(path, data.label, table.labels),
        label=lambda i: f"{path}, row {i + 1}, column {data.label}",
    )
    return Source(part, None, partial(sha256_of, path))


def _blocks(numbers: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return iter(np.array_split(numbers, max(numbers.nbytes // BLOCK, 1)))


def _labels(path: Path, column: str | None, labels: Sequence[str]) -> npt.NDArray[Any]:
    """Whole numbers as they are where these are 0, 1, 2, … without gaps, else words."""
    if "" in labels:
        raise ValueError(f"{path}, row {list(labels).index('') + 1}, column {column} is empty; give it a label")
    words = np.array(labels)
    different = set(words.tolist())
    if different == {str(i) for i in range(len(different))}:
        return words.astype(np.int64)
    return words


def _found(path: Path, names: list[str], label: str | None) -> int | None:
    """Which column holds the labels."""
    if label is None:
        return None
    if label not in names:
        raise ValueError(f"data.label: {path} has no column {label}, only {', '.join(names[:8])}")
    return names.index(label)


def _csv(path: Path, label: str | None) -> Table:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _from_csv(path, file, label)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} can't be read as a table: {error}; save it in UTF-8") from None
    except csv.Error as error:
        raise ValueError(f"{path} can't be read as a table: {error}") from None
    except OSError as error:
        raise ValueError(f"{path} can't be read: {error.strerror}") from None


def _from_csv(path: Path, file: Any, label: str | None) -> Table:
    begins = file.readline()
    file.seek(0)
    rows = csv.reader(file, delimiter=max(",;\t", key=begins.count))
    first = next(rows, [])
    named = not all(_is_number(cell) for cell in first)
    names = [cell.strip() for cell in first] if named else [str(i + 1) for i in range(len(first))]
    at = _found(path, names, label)
    columns = [name for i, name in enumerate(names) if i != at]
    numbers, labels = array("d"), list[str]()
    for number, row in enumerate(rows if named else _with(first, rows), 1):
        if not row:
            continue
        if len(row) != len(names):
            raise ValueError(f"{path}, row {number} has {len(row)} cells, and there are {len(names)} columns; mend it")
        if at is not None:
            labels.append(row.pop(at).strip())
        try:
            numbers.extend(map(float, row))
        except ValueError:
            wrong = next(i for i, cell in enumerate(row) if not _is_number(cell))
            raise ValueError(
                f"{path}, row {number}, column {columns[wrong]} is {row[wrong][:80]!r}, which is no number; mend it, "
                "leave the column out, or let it be the labels with data.label"
            ) from None
    wide = max(len(columns), 1)
    return Table(columns, np.frombuffer(numbers).reshape(-1, wide), None if at is None else labels)


def _with(first: list[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    yield first
    yield from rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parquet(path: Path, label: str | None) -> Table:
    try:
        import pyarrow
        from pyarrow import parquet, types
    except ImportError:
        raise ValueError(
            f"{path} needs the package pyarrow, which is not installed: pip install 'laddertop[parquet]'"
        ) from None
    try:
        whole = parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(f"{path} can't be read as a table: {str(error).splitlines()[0]}") from None
    names = whole.column_names
    at = _found(path, names, label)
    columns = [i for i in range(len(names)) if i != at]
    numbers = np.empty((whole.num_rows, len(columns)))
    for place, i in enumerate(columns):
        kind = whole.column(i).type
        if not (types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)):
            raise ValueError(
                f"{path}, column {names[i]} holds {kind}, and no numbers; leave it out, or let it be the labels with "
                "data.label"
            )
        numbers[:, place] = whole.column(i).cast(pyarrow.float64()).to_numpy()
    labels = None
    if at is not None:
        told = whole.column(at).to_pylist()
        labels = ["" if one is None else str(int(one)) if isinstance(one, bool) else str(one) for one in told]
    return Table([names[i] for i in columns], numbers, labels)
