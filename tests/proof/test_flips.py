"""Every file of a run with a bit flipped or its end cut off: what is shown was recorded, or is said to be damaged."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from laddertop.engine.training.train import Training, train
from laddertop.journal.checkpoints import content
from laddertop.journal.events import EventReader, EventWriter, Sampled
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.origin import ORIGIN_CHECKPOINT
from laddertop.journal.samples import read_samples
from laddertop.journal.state import RunState
from laddertop.tui.steer.keeping import fork, write_note
from laddertop.tui.watch import history
from laddertop.tui.watch.summary import short_summary, summary
from laddertop.tui.watch.trouble import troubles
from tests.conftest import Tally
from tests.kinds import small_spec
from tests.trainings import stop_here
from tests.tui.eyes import Eyes

SPEC = small_spec("ladder", "steps=700", "checkpoint.every=200", "evaluate.every=350", "samples.every=350")
SPEC = SPEC.model_copy(update={"data": SPEC.data.model_copy(update={"labels": 100})})

UNCHECKED = ("note.txt", "console.log")
"""Text without a checksum, which people may change."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A fork that was stopped, went on and is done, with a note."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    runs = tmp_path_factory.mktemp("runs")
    first = create_run(runs, SPEC.model_copy(update={"steps": 20}), "first")
    with first.engine_lock(), stop_here() as stop:
        assert train(first, stop) == 0
    run = fork(first, runs, name="run", settings=["steps=700"])
    with run.engine_lock(), EventWriter(run.events_path) as events, stop_here() as stop:
        training = Training(run, events, RunState())
        training.until = 420
        ended = training.loop(stop)
        training.recorder.close()
        assert ended is not None
        training.tell(ended)
    with run.engine_lock(), stop_here() as stop:
        assert train(run, stop) == 0
    write_note(run, "what I think of it")
    run.console_path.write_text("what was printed\n")
    torch.set_num_threads(threads)
    return run


def seen(run: RunFolder) -> tuple[dict[str, Any], list[str]]:
    """What is shown of a run to people and programs, and what is said to be wrong with it."""
    told: list[str] = []
    shown: dict[str, Any] = {}

    def look(name: str, what: Any) -> None:
        try:
            shown[name] = what()
        except (ValueError, OSError) as error:
            told.append(f"{name}: {error}")

    def whole() -> Any:
        found = summary(run)
        told.extend(found.pop("problems"))
        told.extend(["lines"] * found["unreadable_lines"])
        told.extend(["crashed"] * (found["state"] == "crashed"))
        return found

    def listed() -> Any:
        line = short_summary(run)
        if line["state"] == "damaged":
            raise ValueError(line["problem"])
        line.pop("problems")
        return line

    def numbers() -> str:
        metrics = MetricsReader(run.path)
        metrics.poll()
        return hashlib.sha256(b"".join(part.tobytes() for part in metrics.records())).hexdigest()

    def screen() -> Any:
        view = Eyes(run).view
        told.extend(f"{trouble.name} {trouble.what}" for trouble in troubles(view))
        if view.problem:
            raise ValueError(view.problem)
        curves = view.curves.binned
        assert view.spec
        return repr((view.step, view.latest, curves.low.tolist(), curves.high.tolist(), sorted(view.images)))

    def models() -> Any:
        origin = run.origin
        saved = list(RunState().apply_all(EventReader(run.events_path).read_all()).checkpoints)
        saved += [origin.checkpoint] if origin and origin.checkpoint else []
        there = [c for c in saved if (run.path / c.file).exists()]
        return [hashlib.sha256(content(run.path, one)).hexdigest() for one in there]

    def images() -> Any:
        sampled = [event for event in EventReader(run.events_path).read_all() if isinstance(event, Sampled)]
        return [{name: one.tobytes() for name, one in read_samples(run.path, s.file).items()} for s in sampled]

    for name, what in (
        ("show", whole),
        ("runs", listed),
        ("numbers", numbers),
        ("screen", screen),
        ("models", models),
        ("samples", images),
        ("labelled", lambda: run.labelled),
    ):
        look(name, what)
    return shown, told


def damages(run: RunFolder, times: int) -> Iterator[tuple[Path, int, str]]:
    """Places in the files of a run, spread over all of every file, where a bit is flipped or the rest is cut off."""
    files = sorted(file for file in run.path.rglob("*") if file.is_file() and file.stat().st_size)
    draw = random.Random(times)
    each = max(times // len(files), 1)
    for file in files:
        size = file.stat().st_size
        for part in range(each):
            at = draw.randrange(size * part // each, max(size * (part + 1) // each, size * part // each + 1))
            yield file, min(at, size - 1), "cut" if (part + draw.randrange(2)) % 3 == 2 else "flip"
    text = run.events_path.read_bytes()
    ends = [at + 1 for at, byte in enumerate(text) if byte == 10]
    for end in [0, *ends[:-1]] if times > 100 else [0, ends[1], ends[-2]]:
        yield run.events_path, end, "cut"
    for number in (1, 2):
        yield run.path / f"metrics-{number:04d}.bin", 0, "gone"
    yield run.path / "metrics.json", 0, "gone"


@pytest.mark.parametrize("times", [20, pytest.param(500, marks=pytest.mark.stress)])
def test_no_flip_and_no_cut_of_any_file_goes_unsaid(
    run: RunFolder, tmp_path: Path, tally: Tally, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    monkeypatch.setattr(history, "RECORDS_AT_MOST", 300)
    sound, nothing = seen(run)
    assert nothing == []
    assert (run.path / ORIGIN_CHECKPOINT).exists()
    copy = RunFolder(tmp_path / "run")
    silent, counts = [], {"flip": 0, "cut": 0, "gone": 0}
    for file, at, how in damages(run, times):
        shutil.rmtree(copy.path, ignore_errors=True)
        shutil.copytree(run.path, copy.path)
        place = copy.path / file.relative_to(run.path)
        data = bytearray(place.read_bytes())
        if how == "flip":
            data[at] ^= 1 << (at % 8)
            place.write_bytes(data)
        elif how == "cut":
            place.write_bytes(data[:at])
        else:
            place.unlink()
        counts[how] += 1
        shown, told = seen(copy)
        if "show" in shown:
            shown["show"]["folder"] = shown["runs"]["folder"] = str(run.path)
        if shown != sound and not told and file.name not in UNCHECKED:
            differs = [name for name in sound if shown.get(name) != sound[name]]
            silent.append(f"{how} of {file.name} at {at} changed {', '.join(differs)} and nobody said so")
    for how, count in counts.items():
        tally(f"{how} of a file of a run", count, sum(line.startswith(how) for line in silent))
    assert silent == []
