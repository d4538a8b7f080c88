"""What a start of a run tells the journal of itself."""

from __future__ import annotations

import os
import platform
import socket

import numpy as np
import torch

from laddertop.engine import ranks
from laddertop.engine.training.beginning import Beginning
from laddertop.engine.training.device import device_name
from laddertop.engine.training.trainer import Trainer
from laddertop.journal.damage import sums_of_files
from laddertop.journal.events import RunStarted


def started(trainer: Trainer, begins: Beginning, until: int | None) -> RunStarted:
    """The record of the start `begins`, which ends at step `until` where that is before its planned end."""
    return RunStarted(
        step=trainer.step,
        segment=begins.segment,
        pid=os.getpid(),
        host=socket.gethostname(),
        device=device_name(trainer.device),
        precision=trainer.precision_in_words,
        compiled=trainer.compiled,
        threads=torch.get_num_threads(),
        ranks=ranks.count(),
        versions={"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
        resumed_from=begins.step if begins.checkpoint else None,
        rolled_back=begins.rolled_back,
        steps=trainer.steps,
        until=until,
        epoch_steps=trainer.batches.epoch_steps,
        terms=trainer.model.terms,
        knobs=trainer.controls.knobs,
        schedules=trainer.controls.schedules,
        note=trainer.note,
        files=sums_of_files(trainer.run),
    )
