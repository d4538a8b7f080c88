"""What the machine does: processors, memory, GPUs; sampled by whoever shows it, and only then.

Takes what there is: without psutil or a GPU the words are fewer. N is a number of GPUs.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import Any

from laddertop.journal.rank_times import EVEN, slowest_of


@dataclass(frozen=True)
class Gpu:
    """One GPU; what the driver does not tell is None."""

    name: str
    busy: float | None
    """Per cent of the last moments in which it computed."""
    used: int | None
    """Bytes of its memory that are taken."""
    total: int | None
    celsius: int | None
    watts: float | None


@dataclass(frozen=True)
class Machine:
    """One look at the machine."""

    cpu: float | None
    """Per cent of all cores since the last look, at first since the machine was started."""
    cores: int
    used: int | None
    """Bytes of memory that are taken."""
    total: int | None
    engine: int | None
    """Bytes that the run's engine holds; None when it is not on this machine."""
    gpus: list[Gpu]

    def words(self) -> list[str]:
        """In short words, the most telling first."""
        told = []
        for i, gpu in enumerate(self.gpus):
            parts = [f"gpu {i}" if len(self.gpus) > 1 else "gpu"]
            parts += [f"{gpu.busy:.0f} %"] if gpu.busy is not None else []
            if gpu.used is not None and gpu.total:
                parts.append(f"{gpu.used / 2**30:.1f}/{gpu.total / 2**30:.0f} GiB")
            parts += [f"{gpu.celsius} °C"] if gpu.celsius is not None else []
            parts += [f"{gpu.watts:.0f} W"] if gpu.watts is not None else []
            told.append(" ".join(parts))
        if self.cpu is not None:
            told.append(f"cpu {self.cpu:.0f} % of {self.cores}")
        if self.used is not None and self.total:
            told.append(f"memory {self.used / 2**30:.1f}/{self.total / 2**30:.0f} GiB")
        if self.engine is not None:
            told.append(f"engine {self.engine / 2**20:.0f} MiB")
        return told


class Sensors:
    """Asks the machine again and again."""

    def __init__(self) -> None:
        self._nvml: Any = None
        self._asked_for_gpus = False
        self._cpu = (0.0, 0.0)
        """Seconds that all cores were busy, and all of their seconds, at the look before."""

    def look(self, engine: int | None) -> Machine:
        """One look; `engine` is the process of an engine on this machine. May take some milliseconds."""
        cpu, used, total, own = None, None, None, None
        with contextlib.suppress(ImportError):
            import psutil

            # psutil keeps the look before by thread; this one is asked from any.
            times = psutil.cpu_times()
            busy, whole = sum(times) - times.idle - getattr(times, "iowait", 0.0), sum(times)
            before, self._cpu = self._cpu, (busy, whole)
            cpu = 100 * (busy - before[0]) / (whole - before[1]) if whole > before[1] else None
            memory = psutil.virtual_memory()
            used, total = memory.total - memory.available, memory.total
            if engine is not None:
                with contextlib.suppress(psutil.Error):
                    own = psutil.Process(engine).memory_info().rss
        return Machine(cpu, os.cpu_count() or 1, used, total, own, self._gpus())

    def _gpus(self) -> list[Gpu]:
        if not self._asked_for_gpus:
            self._asked_for_gpus = True
            with contextlib.suppress(ImportError):
                import pynvml

                with contextlib.suppress(pynvml.NVMLError):
                    pynvml.nvmlInit()
                    self._nvml = pynvml
        if self._nvml is None:
            return []
        nvml = self._nvml
        try:
            handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
        except nvml.NVMLError:
            return []
        return [self._gpu(handle) for handle in handles]

    def _gpu(self, handle: Any) -> Gpu:
        nvml = self._nvml

        def ask(name: str, *more: object) -> Any:
            # Not every GPU tells everything.
            try:
                return getattr(nvml, name)(handle, *more)
            except nvml.NVMLError:
                return None

        memory, busy = ask("nvmlDeviceGetMemoryInfo"), ask("nvmlDeviceGetUtilizationRates")
        milliwatts = ask("nvmlDeviceGetPowerUsage")
        return Gpu(
            str(ask("nvmlDeviceGetName")),
            None if busy is None else float(busy.gpu),
            None if memory is None else int(memory.used),
            None if memory is None else int(memory.total),
            ask("nvmlDeviceGetTemperature", nvml.NVML_TEMPERATURE_GPU),
            None if milliwatts is None else milliwatts / 1000,
        )


def balance(seconds: list[float]) -> str:
    """How evenly ranks share the work, by how long each takes for its own part of a step."""
    slowest, share = slowest_of(seconds)
    return f"{len(seconds)} ranks · " + (f"slowest {slowest}: {share:.1f}× the median" if share >= EVEN else "even")
