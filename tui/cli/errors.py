"""`errors`: what a classifier tells wrongly, which classes it confuses, and whether it knows how sure it is."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from laddertop.journal import record
from laddertop.journal.explore import question_from
from laddertop.journal.files import write_atomically
from laddertop.journal.folder import find_run, runs_folder
from laddertop.tui.cli.explore import check_out, npz, origin, preview
from laddertop.tui.cli.print import json_result, result, table, terminal_width
from laddertop.tui.draw.sheet import png, sheet, squarely
from laddertop.tui.steer.explorer import answered
from laddertop.tui.steer.trust import driven

LISTED = 10
"""Items of which a line each is printed."""


def show(
    runs: Path | None,
    text: str,
    rows: int,
    step: int | None,
    *,
    out: Path | None,
    trust: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Prints errors by class, the expected calibration error, and the items that were wrong with the most confidence.

    Raises ValueError in one sentence for what can't be asked and for a stranger's run without `trust`, EngineError when
    nobody answers.
    """
    check_out(out, "the images")
    question = question_from({"kind": "errors", "rows": rows})
    answer = answered(driven(find_run(runs_folder(runs), text), trust), question, timeout, step)
    arrays = answer.arrays
    if out is not None and out.suffix == ".png" and not len(arrays["items"]):
        raise ValueError(f"--out: {out.name} would be empty, nothing was told wrongly; name an .npz for the arrays")
    if out is not None:
        picture = npz(answer) if out.suffix == ".npz" else png(sheet(squarely(arrays["input"])))
        write_atomically(out, picture, mode=0o644)
    confusion = arrays["confusion"]
    items, wrong = int(confusion.sum()), int(confusion.sum() - confusion.trace())
    by_class = by_class_percent(confusion)
    told, sure = arrays["probabilities"].argmax(-1), arrays["probabilities"].max(-1, initial=0)
    if as_json:
        head = record.as_json(answer.head)
        json_result(
            {
                **{key: head[key] for key in ("step", "checkpoint", "seconds")},
                "file": str(out) if out else None,
                "items": items,
                "wrong": wrong,
                "error_percent": 100 * wrong / items,
                "error_percent_by_class": by_class,
                "expected_calibration_error": calibration_error(arrays["calibration"]),
                "calibration": arrays["calibration"].tolist(),
                "confusion": confusion.tolist(),
                "wrong_items": [
                    {"item": int(item), "class": int(is_), "told": int(as_), "confidence": float(how)}
                    for item, is_, as_, how in zip(arrays["items"], arrays["classes"], told, sure, strict=True)
                ],
            }
        )
        return
    if sys.stdout.isatty() and len(arrays["items"]):
        print(preview(squarely(arrays["input"])), flush=True)
    result(
        f"{wrong} of {items} test items are told wrongly, {100 * wrong / items:.3g} %; expected calibration error "
        f"{calibration_error(arrays['calibration']):.3g}; {origin(answer, out)}"
    )
    classes = range(len(confusion))
    lines = [["class", *(f"told {column}" for column in classes), "wrong"]]
    for row, counts in enumerate(confusion.tolist()):
        lines.append([str(row), *(str(count) if count else "·" for count in counts), f"{by_class[row]:.3g} %"])
    for line in table(lines, width=terminal_width()):
        result(line)
    listed = zip(arrays["items"], arrays["classes"], told, sure, strict=True)
    lines = [[str(item), str(is_), str(as_), f"{how:.3f}"] for item, is_, as_, how in list(listed)[:LISTED]]
    for line in table([["item", "class", "told", "confidence"], *lines], width=terminal_width()) if lines else []:
        result(line)


def by_class_percent(confusion: np.ndarray) -> list[float]:
    """The share of each class [C] that is told wrongly, in per cent; 0 for a class without items."""
    items = np.maximum(confusion.sum(1), 1)
    return [float(share) for share in 100 * (confusion.sum(1) - confusion.diagonal()) / items]


def calibration_error(calibration: np.ndarray) -> float:
    """The expected calibration error of bins [B, 3] of items, confidence and accuracy: the mean over items of the
    distance between the two (Guo et al. 2017, 1706.04599, eq. 3)."""
    counts, confidence, accuracy = calibration.T
    return float((counts * np.abs(accuracy - confidence)).sum() / max(counts.sum(), 1))
