"""Compiled steps are code: they are kept where nobody else can put any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from laddertop.engine.training.compiler_cache import INDUCTOR, TRITON
from laddertop.engine.training.device import choose_compile
from laddertop.journal.events import EventReader, Logged, RunStarted
from laddertop.journal.folder import create_run
from tests import PATIENCE
from tests.kinds import small_spec

NO_COMPILER = '#!/bin/sh\ncase "$*" in *version*) echo 12.2.0; exit 0;; esac\necho "no Python.h" >&2\nexit 1\n'


def train(tmp_path: Path, name: str) -> RunStarted:
    """Trains a run that is to be compiled, in a process of its own with a compiler that soon gives up."""
    compiler = tmp_path / "g++"
    compiler.write_text(NO_COMPILER)
    compiler.chmod(0o755)
    (tmp_path / "tmp").mkdir(exist_ok=True)
    run = create_run(tmp_path, small_spec("dae", "compile=on"), name)
    environment = {key: value for key, value in os.environ.items() if key not in (INDUCTOR, TRITON, "CXX")}
    subprocess.run(
        [sys.executable, "-P", "-m", "laddertop.engine", "train", str(run.path)],
        env={
            **environment,
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "TMPDIR": str(tmp_path / "tmp"),
        },
        check=True,
        timeout=PATIENCE,
        umask=0,
    )
    events = EventReader(run.events_path).read_all()
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert any(isinstance(event, Logged) and event.uncompiled for event in events) == started.compiled
    return started


@pytest.mark.stress
def test_a_fresh_engine_compiles_into_the_user_s_cache_and_never_into_a_folder_that_everybody_can_name(
    tmp_path: Path,
) -> None:
    assert train(tmp_path, "fresh").compiled
    assert not list((tmp_path / "tmp").glob("torchinductor*"))
    cache = tmp_path / "cache" / "laddertop" / "compiled"
    assert list(cache.iterdir())
    assert cache.stat().st_mode & 0o777 == 0o700


def test_what_others_could_have_put_there_is_never_run(tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "laddertop" / "compiled"
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    started = train(tmp_path, "open")
    assert not started.compiled
    assert f"others can write to the cache of compiled steps, {cache}" in started.note


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("variable", [INDUCTOR, TRITON])
def test_somebody_else_s_cache_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    for name in (INDUCTOR, TRITON):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    os.chown(tmp_path / variable, 12345, 12345)
    compiled, why_not = choose_compile("on", 1, torch.device("cpu"))
    assert not compiled
    assert f"{tmp_path / variable}, belongs to somebody else" in why_not
