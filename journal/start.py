"""What is checked before a run gets a folder: whether it can be trained, and what speaks against it, such as schedules
that are longer than it. Without torch; what only torch or the data itself can tell is the engine's to find."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from laddertop.journal import settings
from laddertop.journal.files import user_cache
from laddertop.journal.sections import POINTS, DataSpec
from laddertop.journal.spec import Spec, override

BURDA_EPOCHS = sum(3**i for i in range(8))
"""Epochs that the learning rate schedule of Burda et al. 2016 lasts."""

WHITE = 255
"""White, where grey values are bytes."""

NOT_BEGUN = 2
"""Exit code of an engine that could not begin a new run: nothing of it is worth keeping."""

_GPUS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/kfd", "/dev/dxg", "/dev/nvhost-gpu", "/dev/nvmap")
"""Where Linux has what torch calls a CUDA device: NVIDIA's, AMD's, that of Windows below WSL, Jetson's."""


def check_start(spec: Spec) -> None:
    """Raises ValueError when a run of `spec` can't be trained here. Looks at the disk, and writes nothing."""
    check_sizes(spec)
    if has_files(spec.data):
        data_root(spec.data)
    if spec.device.startswith("cuda") and sys.platform == "linux" and not has_gpu():
        raise ValueError(f"device {spec.device}: no GPU can be seen on this machine; take device cpu, or auto")
    if spec.device == "mps" and sys.platform != "darwin":
        raise ValueError("device mps: only Macs have one; take device cpu, or auto")


def on_settled_device(spec: Spec) -> Spec:
    """The spec of a new run on the device that the user settled, where it does not name one itself."""
    return override(spec, [f"device={settings.held('device').value}"]) if spec.device == "auto" else spec


def has_gpu() -> bool:
    """Whether there is a GPU that torch may use as a CUDA device, by the environment and by the files that its driver
    makes on Linux."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0")
    return visible.partition(",")[0].strip() not in ("", "-1") and any(map(os.path.exists, _GPUS))


def check_sizes(spec: Spec) -> None:
    """Raises ValueError when batch, labels, length or layers don't fit the data set. Asks nobody but the spec."""
    data = spec.data
    shape = data.facts
    left = shape.training - data.held_back
    if left < 1:
        raise ValueError(f"data.held_back: {data.name} has {shape.training} training items, none would be left")
    if data.batch > left:
        after = f" when {data.held_back} are held back" if data.held_back else ""
        raise ValueError(f"data.batch: {data.batch} rows, and {data.name} has {left} training items{after}")
    if spec.model.labelled and isinstance(data.labels, int) and data.labels > left:
        raise ValueError(f"data.labels: {data.labels} labels, and {data.name} has {left} training items; take all")
    if not planned_steps(spec):
        raise ValueError(f"epochs: {spec.epochs:g} is less than one step; an epoch has {epoch_steps(spec)}")


def doubts(spec: Spec) -> list[str]:
    """What speaks against a run of `spec` as it is, each in a sentence: data that look like grey values in another
    measure, and what it is too short for."""
    return [*_grey_floats(spec.data), *_too_short(spec)]


def _grey_floats(data: DataSpec) -> list[str]:
    """That the user's own images are floats from 0 up to 255, which models and screens take for real numbers."""
    found = data.found
    if found is None or not found.real or data.standardise or found.low < 0 or found.high > WHITE:
        return []
    if found.height == 1 and found.high < WHITE:
        return []
    return [
        f"{data.name} holds floats from {found.low:g} to {found.high:g}, which are no grey values: if they are meant "
        "as such, divide them by 255, or save them as bytes (uint8)"
    ]


def _too_short(spec: Spec) -> list[str]:
    """What a run of `spec` will not come to the end of: its warm-up, its learning rate schedule, the stages before the
    labels."""
    steps, epochs = planned_steps(spec), planned_steps(spec) / epoch_steps(spec)
    warmup, found = spec.warmup, []
    rise = warmup.after + warmup.steps
    if warmup.on and rise > steps:
        reached = max(steps - warmup.after, 0) / warmup.steps
        found.append(f"the warm-up takes {rise} steps and the run has {steps}: it ends at {reached:.0%} of its way")
    if spec.optimizer.schedule == "burda" and epochs < BURDA_EPOCHS:
        stage = 1 + sum((3**i - 1) // 2 < epochs for i in range(1, 8))
        found.append(
            f"the learning rate schedule burda takes {BURDA_EPOCHS} epochs and the run has {epochs:.4g}: "
            f"it ends in stage {stage} of 8"
        )
    return found + spec.model.too_short(epochs)


def planned_steps(spec: Spec) -> int:
    """The length of a run in steps, by the spec; 0 when it is less than one."""
    return spec.steps or round((spec.epochs or 0) * epoch_steps(spec))


def epoch_steps(spec: Spec) -> int:
    """Steps of an epoch, by the spec."""
    return max(spec.data.facts.training - spec.data.held_back, 0) // spec.data.batch


def has_files(data: DataSpec) -> bool:
    """Whether a data set is read from the folder of data sets: it is neither embedded nor generated, and not the user's
    own."""
    return data.name != "digits" and data.name not in POINTS and not data.own


def data_root(data: DataSpec) -> Path:
    """The folder of a data set: that of the spec, else what the user settled, else the per-user cache.

    Raises ValueError when the one that somebody named is not there: a name mistyped is no reason for a new folder.
    """
    settled = settings.held("data-root")
    named = data.root or settled.value
    if not named:
        return user_cache()
    if not os.path.isdir(named):
        whose = "data.root" if data.root else settled.source
        raise ValueError(
            f"{whose}: there is no folder {named}; name the one that holds {data.name} with --data-root, or make it to "
            "have it downloaded there"
        )
    return Path(str(named))
