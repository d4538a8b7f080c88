"""A stranger's run folder is safe to look at, and to do anything with: what is behind its links stays as it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterable
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from laddertop.journal.events import Checkpointed, EventWriter
from tests.conftest import Tally
from tests.processes import Laddertop

OLD = time.time() - 10_000

LOOK: tuple[list[str], ...] = (["runs"], ["show", "RUN"], ["export", "RUN", "--out", "RUN.html"])
ASK: tuple[list[str], ...] = (["sample", "RUN", "--out", "picture.png"], ["evaluate", "RUN"])
TRAIN: tuple[list[str], ...] = (
    ["fork", "RUN", "--steps", "60", "--name", "RUN-fork"],
    ["resume", "RUN"],
    ["rollback", "RUN", "--step", "0"],
)
KEEP: tuple[list[str], ...] = (
    ["note", "RUN", "words"],
    ["archive", "RUN"],
    ["rename", "RUN", "RUN-renamed"],
    ["delete", "RUN", "--yes"],
)

LINKS = {
    "explore": ("folder", (*LOOK, *ASK, *TRAIN, *KEEP)),
    "commands": ("folder", (*LOOK, *TRAIN[1:2], ["stop", "RUN"], *KEEP)),
    "samples": ("folder", (*LOOK, *TRAIN[1:], *KEEP)),
    "events.jsonl": ("bashrc", (*LOOK, *ASK, *TRAIN, *KEEP)),
    "metrics.json": ("secret.json", (*LOOK, *TRAIN[1:2])),
    "metrics-0001.bin": ("secret", (*LOOK, *TRAIN[1:2])),
    "metrics-0002.overview": ("secret", TRAIN[1:2]),
    "console.log": ("bashrc", (*LOOK, *ASK[:1], *TRAIN[1:2])),
    "engine.lock": ("nothing-yet", (*LOOK, *TRAIN[1:2], *KEEP)),
    "explorer.lock": ("nothing-yet", ASK[:1]),
    "note.txt": ("secret", (*LOOK, *KEEP)),
    "archived": ("nothing-yet", KEEP),
    "origin.json": ("secret.json", (*LOOK, *TRAIN[1:2])),
    "labelled.json": ("secret.json", TRAIN[1:2]),
    "spec.json": ("secret.json", (*LOOK, *KEEP)),
}
"""What stands in a run's folder as a link, what it leads to, and what is then tried."""

SILENT = ("metrics-0002.overview", "labelled.json", "note.txt")
"""Of these the ones that are replaced, or are no loss: nobody has to be told."""


def usual_ones(cases: Iterable[str], *usual: str) -> list[Any]:
    """The cases as parameters; all but the `usual` ones are for `make stress`."""
    return [case if case in usual else pytest.param(case, marks=pytest.mark.stress) for case in cases]


@pytest.fixture(scope="module")
def trained(laddertop: Laddertop) -> Path:
    """A run that has something left to do: its engine is gone before the end."""
    done = laddertop("train", "tiny.toml", "--name", "sound", "--steps", "20")
    assert done.returncode == 0, done.stderr
    path = laddertop.runs / "sound"
    *happened, _ended = (path / "events.jsonl").read_text().splitlines(keepends=True)
    (path / "events.jsonl").write_text("".join(happened))
    (path / "spec.json").write_text((path / "spec.json").read_text().replace('"steps": 20,', '"steps": 40,'))
    return path


@pytest.fixture
def outside(laddertop: Laddertop) -> Path:
    """A user's own files, old ones, beside the runs."""
    folder = laddertop.cwd / "outside"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "folder").mkdir(parents=True)
    for name in ("secret", "bashrc", "folder/thesis.json", "folder/old.npz", "folder/00000000000000000000-abcdef.json"):
        (folder / name).write_text(f"this is {name}\n")
    (folder / "secret.json").write_text('[{"name": "secret"}]')
    (folder / "folder" / "step-000000010-0123abcd.ckpt").write_text("weights")
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD))
    return folder


def state_of(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        told = path.lstat()
        content = path.read_bytes() if path.is_file() else b""
        found[str(path)] = (content, told.st_mtime_ns, told.st_mode, told.st_uid, told.st_nlink)
    return found


def strange(laddertop: Laddertop, trained: Path, name: str) -> Path:
    path = laddertop.runs / name
    shutil.copytree(trained, path)
    return path


def link(path: Path, outside: Path, name: str) -> None:
    place = path / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    place.symlink_to(outside / LINKS[name][0])


def said_in_a_sentence(done: subprocess.CompletedProcess[str]) -> None:
    assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", usual_ones(LINKS, "events.jsonl"))
def test_no_command_follows_a_link_out_of_a_run(
    laddertop: Laddertop, trained: Path, outside: Path, tally: Tally, name: str
) -> None:
    run = f"linked-{name.replace('.', '-')}"
    link(strange(laddertop, trained, run), outside, name)
    before = state_of(outside)
    refused, lost = "", []
    for words in LINKS[name][1]:
        done = laddertop.here(*(word.replace("RUN", run) for word in words))
        said_in_a_sentence(done)
        if state_of(outside) != before or "secret" in done.stdout.replace(str(outside), ""):
            lost.append(words)
        refused += done.stderr + done.stdout
    tally("command on a folder with a link in it", len(LINKS[name][1]), len(lost))
    assert lost == []
    assert name in SILENT or f"{name} is a link" in refused.replace("\n", "")


@pytest.mark.parametrize("place", usual_ones(("beside", "anywhere", "linked"), "beside"))
def test_a_checkpoint_is_of_the_run_that_names_it(
    laddertop: Laddertop, trained: Path, outside: Path, place: str
) -> None:
    secret = (outside / "secret").read_bytes()
    files = {"beside": "../../outside/secret", "anywhere": str(outside / "secret")}
    file, run = files.get(place, "step-000000020-deadbeef.ckpt"), f"thief-{place}"
    path = strange(laddertop, trained, run)
    named = {"step": 20, "sha256": sha256(secret).hexdigest(), "bytes": len(secret), "reason": "end"}
    with EventWriter(path / "events.jsonl") as events:
        events.append(Checkpointed.model_construct(**named, file=file, time=0.0, type="checkpointed"))
    for old in path.glob("step-*.ckpt"):
        old.unlink()
    if place == "linked":
        (path / file).symlink_to(outside / "secret")
    for words in (["fork", run, "--steps", "40", "--name", f"{run}-fork"], ["evaluate", run], ["resume", run]):
        done = laddertop.here(*words)
        said_in_a_sentence(done)
        assert done.returncode
    assert not (laddertop.runs / f"{run}-fork").exists()
    assert "no checkpoint" in done.stderr or "nothing" in done.stderr


@pytest.mark.parametrize("name", ["events.jsonl", "console.log"])
def test_nothing_is_written_to_a_file_that_has_a_name_elsewhere(
    laddertop: Laddertop, trained: Path, outside: Path, name: str
) -> None:
    run = f"hard-{name.partition('.')[0]}"
    path = strange(laddertop, trained, run)
    (path / name).unlink()
    os.link(outside / "bashrc", path / name)
    before = state_of(outside)
    done = laddertop.here("rollback", run, "--step", "0")
    said_in_a_sentence(done)
    assert state_of(outside) == before
    assert "has a second name, a hard link" in done.stderr


@pytest.mark.parametrize("words", [["delete", "RUN", "--yes"], ["rename", "RUN", "renamed"], ["archive", "RUN"]])
def test_only_a_run_with_nothing_else_in_its_folder_is_removed_renamed_or_put_away(
    laddertop: Laddertop, trained: Path, words: list[str]
) -> None:
    kind = words[0]
    linked = laddertop.cwd / f"{kind}-linked"
    linked.symlink_to(strange(laddertop, trained, f"{kind}-real"))
    spec = laddertop.cwd / f"{kind}-spec"
    spec.mkdir()
    (spec / "spec.json").write_text('{"name": "a project of somebody"}')
    full = strange(laddertop, trained, f"{kind}-full")
    for name in ("thesis.tex", "samples/figure.png", "analysis/code.py"):
        (full / name).parent.mkdir(exist_ok=True)
        (full / name).write_text("mine")
    before = state_of(laddertop.cwd)
    for place, told in (
        (linked, "is a link to"),
        (spec, "spec.json"),
        (full, "holds what is not of a run: analysis, thesis.tex; take it out first"),
    ):
        done = laddertop.here(*(word.replace("RUN", f"./{place.relative_to(laddertop.cwd)}") for word in words))
        assert (done.returncode, done.stdout) == (2, "")
        assert told in done.stderr.replace("\n", "")
        said_in_a_sentence(done)
    assert state_of(laddertop.cwd) == before
    for name in ("thesis.tex", "analysis"):
        shutil.move(full / name, laddertop.cwd / f"{kind}-{name}")
    done = laddertop.here(*(word.replace("RUN", full.name) for word in words))
    assert "samples/figure.png" in done.stderr
    (full / "samples" / "figure.png").unlink()
    assert laddertop.here(*(word.replace("RUN", full.name) for word in words)).returncode == 0


EMPTY: dict[str, object] = {part: {} for part in ("model", "first", "second", "controls")}

WRONG = {
    "list": ([1, 2, 3], "it holds a list"),
    "parts": ({"format": 1, "step": 20}, "it has no model and no first and no second and no controls"),
    "format": ({"format": 99}, "it has format 99, this laddertop reads 1"),
    "step": (
        EMPTY | {"format": 1, "step": 3},
        "it is of step 3",
    ),
    "model": (
        EMPTY | {"format": 1, "step": 20},
        "it is none of",
    ),
    "module": (torch.nn.Linear(2, 2), "it is no checkpoint of laddertop"),
    "code": (print, "it is no checkpoint of laddertop"),
}
"""What may be in a sound file instead of a checkpoint, and what is said of it."""


@pytest.mark.parametrize("kind", usual_ones(WRONG))
def test_a_checkpoint_of_the_wrong_content_is_refused_in_our_own_words(
    laddertop: Laddertop, trained: Path, kind: str
) -> None:
    content, told = WRONG[kind]
    buffer = BytesIO()
    torch.save(content, buffer)
    data, file = buffer.getvalue(), "step-000000020-0badc0de.ckpt"
    path = strange(laddertop, trained, f"wrong-{kind}")
    (path / file).write_bytes(data)
    with EventWriter(path / "events.jsonl") as events:
        checksum = sha256(data).hexdigest()
        events.append(Checkpointed(step=20, file=file, sha256=checksum, bytes=len(data), reason="end"))
    for words in (["evaluate", path.name], ["sample", path.name, "--out", "picture.png"], ["resume", path.name]):
        done = laddertop.here(*words)
        said_in_a_sentence(done)
        said = done.stderr.replace("\n", "")
        assert done.returncode
        assert f"{file} can't be used: {told}" in said
        assert "weights_only" not in said
