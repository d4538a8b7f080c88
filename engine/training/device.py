"""What a run is computed on and with: device, threads, compiled or not, precision."""

from __future__ import annotations

import importlib.util
import os
import shutil

import torch

from laddertop.engine import ranks
from laddertop.engine.contract import Model
from laddertop.engine.training.compiler_cache import cache_problem, name_cache
from laddertop.engine.training.launch import asked_for

LONG = 10_000
"""Steps from which on a run's step is compiled: so many earn the compiling back, on a CPU and on a CUDA device."""

SMALL = 250_000
"""Parameters below which a model is trained with one CPU thread."""

_UNCOMPILED = "the step is not compiled and takes longer"


def choose_device(wanted: str) -> torch.device:
    """The device of a spec; auto takes a GPU where there is one. On a GPU float32 means float32, and convolutions give
    the same bits every time.

    Raises ValueError when the device is not there.
    """
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(wanted)
    if device.type == "cuda" and device.index is None and asked_for()[1] > 1:
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device {wanted}: there are {torch.cuda.device_count()} CUDA devices here; take --device cpu")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device mps: there is none here; take --device cpu")
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    return device


def choose_threads(wanted: int | None, model: Model, device: torch.device) -> None:
    """Sets the number of CPU threads: as wanted; else one for a model below SMALL parameters; else torch's choice.

    The products of a small model cost less than waiting for a second thread.
    """
    if wanted is not None:
        torch.set_num_threads(wanted)
    elif device.type == "cpu" and sum(p.numel() for p in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    elif device.type == "cpu" and ranks.count() > 1:
        torch.set_num_threads(max(1, torch.get_num_threads() // ranks.count()))


def choose_compile(wanted: str, steps: int, device: torch.device) -> tuple[bool, str]:
    """Whether the step is compiled, and a sentence for the user where it can't be.

    auto compiles where a run is so long that the time of compiling is earned back.
    """
    if wanted == "off" or (wanted == "auto" and steps < LONG):
        return False, ""
    if ranks.count() > 1:
        return False, f"{_UNCOMPILED}: several ranks share it"
    name_cache()
    if problem := cache_problem():
        return False, f"{_UNCOMPILED}: {problem}"
    if device.type == "cpu":
        from torch._inductor.cpp_builder import get_cpp_compiler
        from torch._inductor.exc import InvalidCxxCompiler

        try:
            get_cpp_compiler()
        except InvalidCxxCompiler:
            return False, f"{_UNCOMPILED}: no C++ compiler here; install g++ or clang"
    if device.type == "cuda":
        if not importlib.util.find_spec("triton"):
            return False, f"{_UNCOMPILED}: no Triton here; pip install triton"
        if not (os.environ.get("CC") or shutil.which("gcc") or shutil.which("clang")):
            return False, f"{_UNCOMPILED}: no C compiler here, which Triton needs; install gcc or clang"
    return True, ""


def choose_precision(wanted: str, device: torch.device, compiled: bool) -> torch.dtype:
    """The precision of the matrix products.

    auto is bfloat16 where the hardware multiplies it natively and the step is compiled: uncompiled, the casts eat what
    the products gain.
    """
    if wanted == "auto" and compiled:
        native = (
            torch.cuda.is_bf16_supported(including_emulation=False)
            if device.type == "cuda"
            else device.type == "cpu" and torch.cpu.is_available() and _cpu_multiplies_bf16()
        )
        return torch.bfloat16 if native else torch.float32
    return torch.bfloat16 if wanted == "bf16" else torch.float32


def _cpu_multiplies_bf16() -> bool:
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def device_name(device: torch.device) -> str:
    """The device in words, for people."""
    if device.type == "cuda":
        return f"{device}: {torch.cuda.get_device_name(device)}"
    return str(device)
