"""A model as a run has saved it, apart from any training."""

from __future__ import annotations

import sys
from typing import Any

import torch

from laddertop.engine.build import build, run_length
from laddertop.engine.contract import Follows
from laddertop.engine.data import Batches, load
from laddertop.engine.explore.answers import Subject
from laddertop.engine.training import checkpoint
from laddertop.engine.training.adopt import found_again
from laddertop.engine.training.controls import Controls
from laddertop.engine.training.device import choose_device, choose_threads
from laddertop.journal.checkpoints import newest, of_step
from laddertop.journal.events import Checkpointed, EventReader, Logged
from laddertop.journal.folder import RunFolder
from laddertop.journal.state import RunState


class Saved:
    """A run's model, restored from a checkpoint."""

    def __init__(self, run: RunFolder, step: int | None = None, *, portable: bool = False) -> None:
        """Loads the data and restores the model from the checkpoint of a step, or the newest.

        On the device and in the precision that it was trained on and in, so that the numbers are those of the
        training's own evaluations; `portable`, on the CPU and in float32.

        Raises ValueError when there is no checkpoint, or when it is damaged.
        """
        self._run = run
        self._events = EventReader(run.events_path)
        self._state = RunState()
        self.checkpoint = recorded(run, self._state, step, self._events)
        """What it was restored from."""
        content = checkpoint.load(run.path, self.checkpoint)
        spec = run.spec
        device = choose_device("cpu" if portable else spec.device)
        data = load(spec.data, device)
        batches = Batches(spec.data, data, spec.seed, with_labels=spec.model.labelled)
        trained_in = self._state.started.precision if self._state.started else spec.precision
        precision = torch.bfloat16 if trained_in == "bf16" and not portable else torch.float32
        model = build(spec, data.inputs, device, precision, run.path)
        choose_threads(spec.threads, model, device)
        self._controls = Controls(spec, model.knobs, batches.epoch_steps, run_length(spec, batches.epoch_steps), device)
        if isinstance(model, Follows):
            model.follow(self._controls.by_name())
        self.subject = Subject(model, data, batches, spec)
        """The model with its data."""
        self._take(content, self.checkpoint)

    def restore(self, step: int | None) -> None:
        """Restores the checkpoint of a step, or the newest, unless it is the one at hand.

        Raises ValueError when there is none, or when it is damaged.
        """
        wanted = recorded(self._run, self._state, step, self._events)
        if wanted.sha256 != self.checkpoint.sha256:
            self._take(checkpoint.load(self._run.path, wanted), wanted)
            self.checkpoint = wanted

    def _take(self, content: dict[str, Any], recorded: Checkpointed) -> None:
        with checkpoint.fitting(self._run.path, recorded):
            self.subject.model.load_state_dict(content["model"])
            self._controls.load(content["controls"])
        self._controls.prepare(content["step"])


def recorded(run: RunFolder, state: RunState, step: int | None, events: EventReader | None = None) -> Checkpointed:
    """What is recorded of the checkpoint of a step, or of the newest; `state` takes up what `events` have to tell that
    it does not know.

    Raises ValueError when there is none.
    """
    state.apply_all((events or EventReader(run.events_path)).read_all())
    # While an engine is at work a checkpoint may be there a moment before its event.
    for event in [] if run.engine_alive() else found_again(run, state):
        state.apply(event)
        if isinstance(event, Logged):
            print(f"laddertop: {event.text}", file=sys.stderr)
    there = run.checkpoints(state.checkpoints)
    taken = newest(there)
    if taken is None:
        raise ValueError(f"{run.name} has no checkpoint yet; ask for one with `laddertop checkpoint {run.name}`")
    return taken if step is None else of_step(run.name, there, step)
