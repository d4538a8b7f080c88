"""The line about the machine: what there is, and only while it is shown."""

from __future__ import annotations

import os
import socket
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

import laddertop.tui.dashboard.widgets.machine
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.views.machine import Gpu, Machine, Sensors
from laddertop.tui.dashboard.widgets.machine import MachineLine
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


def test_the_sensors_tell_of_this_machine_and_of_the_engine() -> None:
    sensors = Sensors()
    sensors.look(None)
    end = time.monotonic() + 0.1  # the kernel counts in hundredths of a second
    while time.monotonic() < end:
        pass
    machine = sensors.look(os.getpid())
    assert machine.cpu is not None
    assert 0 <= machine.cpu <= 100
    assert machine.total == psutil.virtual_memory().total
    assert machine.used is not None
    assert 0 < machine.used < machine.total
    assert machine.engine == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert sensors.look(2**22 + 1).engine is None, "no such process"


def test_without_its_libraries_the_words_are_fewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    machine = Sensors().look(os.getpid())
    assert machine == Machine(None, os.cpu_count() or 1, None, None, None, [])
    assert machine.words() == []


def test_a_gpu_tells_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Exception):
        pass

    def refuse(*_: object) -> None:
        raise Refused

    driver = SimpleNamespace(
        NVMLError=Refused,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 1,
        nvmlDeviceGetHandleByIndex=lambda i: i,
        nvmlDeviceGetName=lambda _: "A100",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(used=3 * 2**30, total=40 * 2**30),
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=71),
        nvmlDeviceGetTemperature=lambda *_: 55,
        nvmlDeviceGetPowerUsage=refuse,
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    machine = Sensors().look(None)
    assert machine.gpus == [Gpu("A100", 71.0, 3 * 2**30, 40 * 2**30, 55, None)]
    assert machine.words()[0] == "gpu 71 % 3.0/40 GiB 55 °C"


def test_on_80_columns_the_machine_is_told_before_the_speed(
    engine: PlayedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "box")
    engine.train(500)
    line = MachineLine(Eyes(engine.run).view, id="machine")
    gpu = Gpu("H100", 97.0, 12 * 2**30, 80 * 2**30, 61, 350.0)
    line._machine = Machine(61.0, 16, 14 * 2**30, 128 * 2**30, 700 * 2**20, [gpu])
    text = line.picture(1, 80).text()
    assert "gpu 97 % 12.0/80 GiB 61 °C 350 W" in text
    assert "cpu 61 % of 16" in text
    assert all(
        word in line.picture(1, 160).text() for word in ("memory 14.0/128 GiB", "engine 700 MiB", "step/s", "ETA")
    )


def test_a_run_of_several_ranks_tells_how_evenly_they_share_the_work(engine: PlayedEngine) -> None:
    line = MachineLine(Eyes(engine.run).view, id="machine")
    assert "ranks" not in line.picture(1, 80).text()
    for seconds, told in (
        ([0.010, 0.0186], "2 ranks · slowest 1: 1.3× the median"),
        ([0.010, 0.0102], "2 ranks · even"),
        ([0.03, 0.01, 0.01, 0.01], "4 ranks · slowest 0: 3.0× the median"),
    ):
        engine.log("as they take", rank_seconds=seconds)
        line = MachineLine(Eyes(engine.run).view, id="machine")
        assert told in line.picture(1, 80).text()


async def test_the_line_comes_and_goes_and_looks_only_while_it_is_there(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(laddertop.tui.dashboard.widgets.machine, "INTERVAL", 0.05)
    looks = []
    look = Sensors.look
    monkeypatch.setattr(Sensors, "look", lambda self, pid: (looks.append(pid), look(self, pid))[1])
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        assert not looks
        await pilot.press("M")
        await until(pilot, lambda: "memory" in screen_text(app).splitlines()[-1], "the line")
        last = screen_text(app).splitlines()[-1]
        assert "600 step/s   60 000 items/s   ETA" in last
        assert "engine on box; here" in last
        assert "2 000 / 90 000" in screen_text(app), "the panels above it are whole"
        await until(pilot, lambda: len(looks) > 2, "more looks")
        await pilot.resize_terminal(20, 5)
        await until(pilot, lambda: "too small" in screen_text(app), "no room for it")
        await pilot.resize_terminal(80, 24)
        await pilot.press("M")
        await until(pilot, lambda: "machine" not in screen_text(app), "it is gone")
        await pilot.pause(0.2)
        before = len(looks)
        await pilot.pause(0.3)
        assert len(looks) == before
    assert socket.gethostname() != "box"
    assert set(looks) == {None}, "the engine's process is on another machine"
