"""What an engine finds on this machine: asked by `laddertop doctor`, as front ends have no torch."""

from __future__ import annotations

import json

import torch

from laddertop.engine.training.device import LONG, choose_compile, choose_device, device_name


def about(wanted: str) -> str:
    """As JSON: torch's version, the device that `wanted` means here, CPU threads, why no step can be compiled."""
    try:
        device = choose_device(wanted)
    except (ValueError, RuntimeError) as error:
        return json.dumps({"torch": torch.__version__, "device": None, "problem": str(error), "uncompiled": ""})
    _, uncompiled = choose_compile("on", LONG, device)
    threads = torch.get_num_threads()
    told = {"torch": torch.__version__, "device": device_name(device), "threads": threads, "uncompiled": uncompiled}
    return json.dumps(told | {"problem": ""})
