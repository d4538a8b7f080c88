"""Whole runs: what is made is there whole or not at all, and nobody begins to train what is being put away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from laddertop.journal import inside
from laddertop.journal.events import Checkpointed
from laddertop.journal.folder import RunFolder, create_run, list_runs
from laddertop.journal.origin import Origin
from laddertop.journal.spec import load_recipe
from laddertop.tui.steer import keeping

DIGITS = load_recipe("ladder-digits")


def test_a_run_that_could_not_be_made_leaves_nothing_and_the_second_try_says_the_same(tmp_path: Path) -> None:
    saved = Checkpointed(step=1, file="origin.ckpt", sha256="", bytes=0, reason="end")
    origin = Origin(kind="fork", run="other", folder="/other", checkpoint=saved)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"can't make the run folder .*: File name too long"):
            create_run(tmp_path, DIGITS, "forked" * 100, origin, b"saved")
        assert list(tmp_path.iterdir()) == []
    create_run(tmp_path, DIGITS, "forked")
    with pytest.raises(ValueError, match=r"there is a run forked in .* already"):
        create_run(tmp_path, DIGITS, "forked")
    assert [path.name for path in tmp_path.iterdir()] == ["forked"]


def test_a_deletion_that_broke_off_stands_in_no_later_ones_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = shutil.rmtree

    def broken(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere")

    run = create_run(tmp_path, DIGITS, "again")
    monkeypatch.setattr(shutil, "rmtree", broken)
    with pytest.raises(PermissionError):
        keeping.delete(run)
    assert list_runs(tmp_path) == []
    monkeypatch.setattr(shutil, "rmtree", removed)
    keeping.delete(create_run(tmp_path, DIGITS, "again"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("what", ["rename", "delete", "archive"])
def test_nobody_begins_to_train_a_run_while_it_is_put_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    run = create_run(tmp_path, DIGITS, "one")
    seen = []
    real_rename, real_touch = Path.rename, inside.touch

    def rename(path: Path, target: Path) -> Path:
        seen.append(RunFolder(path).engine_alive())
        return real_rename(path, target)

    def touch(folder: Path, name: str) -> None:
        seen.append(RunFolder(folder).engine_alive())
        real_touch(folder, name)

    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(inside, "touch", touch)
    {
        "rename": lambda: keeping.rename(run, "two"),
        "delete": lambda: keeping.delete(run),
        "archive": lambda: keeping.archive(run, True),
    }[what]()
    assert seen == [True]


def test_what_is_being_trained_stays_as_it_is(tmp_path: Path) -> None:
    run = create_run(tmp_path, DIGITS, "one")
    with run.engine_lock():
        for refused in (
            lambda: keeping.rename(run, "two"),
            lambda: keeping.delete(run),
            lambda: keeping.archive(run, True),
        ):
            with pytest.raises(ValueError, match="an engine is training one; stop it first"):
                refused()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    assert not os.path.exists(run.path / "archived")
