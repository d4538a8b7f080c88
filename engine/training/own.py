"""An error of the user's own code in a training."""

from __future__ import annotations

import traceback
from pathlib import Path

from laddertop.journal.folder import RunFolder
from laddertop.journal.own_model import COPY, OwnModelSection


def in_own_model(error: Exception, run: RunFolder) -> str:
    """Where in a model of the user's own an error comes from, in a sentence, and prints the whole of it; empty when it
    comes from elsewhere."""
    try:
        model = run.spec.model
    except ValueError:
        return ""
    if not isinstance(model, OwnModelSection) or model.found is None:
        return ""
    from laddertop.engine.own_model.load import where  # with what others have no use for

    if told := where(error, (Path(model.found.file), run.path / COPY)):
        traceback.print_exception(error)
    return told
