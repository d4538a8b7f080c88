"""Prints which classes of the test images a saved classifier confuses, as JSON: counts by true and by told class.

python -m benchmarks.confusion RUN
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch

from laddertop.engine.ladder.classifier import LadderClassifier
from laddertop.engine.saved.model import Saved
from laddertop.journal.folder import RunFolder


@torch.no_grad()
def confusion(saved: Saved) -> list[list[int]]:
    """How many test images of each class (rows) are told to be of each class (columns)."""
    subject = saved.subject
    assert isinstance(subject.model, LadderClassifier)
    subject.settle()
    test, classes = subject.data.test, subject.data.classes
    counts = torch.zeros(classes, classes, dtype=torch.int64)
    for start in range(0, len(test), 1000):
        part = slice(start, start + 1000)
        told = subject.model.classify(test.rows(part)).argmax(1)
        counts.index_put_((test.labels[part].cpu(), told.cpu()), torch.ones((), dtype=torch.int64), accumulate=True)
    return counts.tolist()


if __name__ == "__main__":
    print(json.dumps(confusion(Saved(RunFolder(Path(sys.argv[1]))))))
