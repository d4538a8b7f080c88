"""Where a run stands, folded from its events, and the object that `show --json` prints of it."""

from __future__ import annotations

import math
import os
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.events import (
    Change,
    Checkpointed,
    Column,
    Commanded,
    Evaluated,
    Event,
    EventWriter,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Term,
)
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsWriter, write_columns
from laddertop.journal.samples import read_samples, write_samples
from laddertop.journal.spec import load_recipe
from laddertop.journal.state import RunState
from laddertop.journal.value import Value
from laddertop.tui.cli.show import describe
from laddertop.tui.watch.summary import short_summary, summary
from tests.starts import start

DIVERGED = Logged(step=8, level="error", text="the cost is no longer finite", diverged=True, sound_until=5)
ENDED = RunEnded(step=9, reason="stopped", detail="SIGTERM")


def started(segment: int = 1, step: int = 0, beta: float = 1) -> RunStarted:
    knob = Knob(name="beta", label="β", kind="number", unit="", low=0, high=9, factor=2, help="KL weight.", value=beta)
    return start(
        step=step,
        segment=segment,
        resumed_from=step or None,
        epoch_steps=4,
        terms=[
            Term(name="reconstruction", label="reconstruction", unit="nats per image", weight=None),
            Term(name="kl", label="KL", unit="nats per image", weight="beta"),
        ],
        knobs=[knob],
    )


def commanded(step: int, action: str, outcome: str = "applied", beta: float | None = None) -> Commanded:
    changes = [] if beta is None else [Change(knob="beta", old=1, applied=beta)]
    return Commanded(step=step, id="1", by="ann", action=action, outcome=outcome, changes=changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("events", "alive", "status"),
    [
        ([], True, "starting"),
        ([started()], True, "training"),
        ([started()], False, "crashed"),
        ([started(), commanded(3, "pause")], True, "paused"),
        ([started(), commanded(3, "pause", "refused")], True, "training"),
        ([started(), commanded(3, "pause"), commanded(3, "continue")], True, "training"),
        ([started(), commanded(3, "pause")], False, "crashed"),
        ([started(), ENDED], False, "stopped"),
        ([started(), ENDED, started(2, 9)], True, "training"),
        ([started(), commanded(3, "pause"), ENDED, started(2, 9)], True, "training"),
        ([started(), ENDED, started(2, 9)], False, "crashed"),
        ([RunEnded(step=0, reason="failed", detail="no data")], False, "failed"),
        ([started(), DIVERGED], True, "training"),
        ([started(), DIVERGED, RunEnded(step=9, reason="diverged")], False, "diverged"),
    ],
)
def test_the_status_is_what_the_events_and_the_engine_say(events: list[Event], alive: bool, status: str) -> None:
    assert RunState().apply_all(events).status(alive) == status


def test_knobs_have_the_value_that_was_last_applied() -> None:
    state = RunState().apply_all([started(), commanded(3, "set", beta=4), commanded(4, "set", "refused", beta=7)])
    assert state.knobs["beta"].value == 4
    assert state.apply_all([started(2, 3, beta=2)]).knobs["beta"].value == 2
    assert len(state.commands) == 2


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path, load_recipe("vae-mnist"), "r")


def write_steps(run: RunFolder, segment: int, first: int, rows: list[list[float]]) -> None:
    write_columns(run.path, [Column(name=n, label=n, unit="") for n in ("total", "reconstruction", "kl", "beta")])
    writer = MetricsWriter(run.path, segment, 4)
    writer.append(np.arange(first, first + len(rows)), np.zeros(len(rows)), np.array(rows).reshape(-1, 4))
    writer.close()


def write_events(run: RunFolder, *events: Event) -> None:
    with EventWriter(run.events_path) as writer:
        for event in events:
            writer.append(event)


def test_a_summary_adds_up(run: RunFolder) -> None:
    evaluation = Evaluated(step=6, split="test", values={"elbo": Value(value=-90.5, unit="nats")}, seconds=1)
    saved = Checkpointed(step=6, file="step-000000006.ckpt", sha256="0", bytes=2, reason="end")
    gone = Checkpointed(step=3, file="step-000000003.ckpt", sha256="0", bytes=2, reason="schedule")
    write_events(run, started(), gone, commanded(5, "set", beta=0.7), evaluation, saved, ENDED)
    (run.path / saved.file).write_text("..")
    write_steps(run, 1, 1, [*[[9, 9, 9, 9]] * 8, [102.1, 100, 3, 0.7]])
    told = summary(run)
    assert told["recipe"] == "vae-mnist"
    assert (told["state"], told["pid"], told["host"]) == ("stopped", None, "box")
    assert (told["step"], told["steps"], told["epoch"]) == (9, 100, 9 / 4)
    assert told["terms"]["kl"] | {"label": ""} == {
        "label": "",
        "value": 3.0,
        "weight": 0.7,
        "share": 2.1,
        "unit": "nats per image",
    }
    assert told["terms"]["reconstruction"]["share"] == 100
    assert told["total"] == 102.1
    assert told["knobs"]["beta"] == {"kind": "number", "value": 0.7, "effective": 0.7, "unit": ""}
    assert told["evaluation"]["values"] == {"elbo": {"value": -90.5, "unit": "nats"}}
    assert [checkpoint["file"] for checkpoint in told["checkpoints"]] == [saved.file]
    assert told["ended"]["detail"] == "SIGTERM"


def test_a_summary_of_a_run_that_never_began_has_every_key(run: RunFolder) -> None:
    empty = summary(run)
    write_events(run, started())
    write_steps(run, 1, 1, [[1, 1, 1, 1]])
    assert set(empty) == set(summary(run))
    assert empty["step"] == 0
    assert empty["terms"] == empty["knobs"] == {}
    assert empty["pid"] is empty["steps"] is empty["epoch"] is empty["total"] is empty["evaluation"] is None


def test_a_live_run_has_a_process_and_steps_that_no_event_told_of(run: RunFolder) -> None:
    write_events(run, started())
    write_steps(run, 1, 1, [[math.nan, 1, 2, 1]] * 7)
    with run.engine_lock():
        told = summary(run)
    assert (told["state"], told["pid"], told["step"]) == ("training", os.getpid(), 7)
    assert math.isnan(told["total"])


def test_steps_that_a_resume_is_about_to_repeat_are_not_counted(run: RunFolder) -> None:
    write_events(run, started())
    write_steps(run, 1, 1, [[1, 1, 1, 1]] * 9)
    assert summary(run)["step"] == 9
    write_events(run, started(2, 6))
    write_steps(run, 2, 7, [])
    assert summary(run)["step"] == 6


def test_a_damaged_run_is_a_line_in_the_list_and_not_its_end(run: RunFolder) -> None:
    assert short_summary(run)["state"] == "crashed"
    (run.path / "spec.json").write_text("{")
    told = short_summary(run)
    assert told["state"] == "damaged"
    assert "spec.json" in told["problem"]


def test_samples_come_back_as_they_were_written(tmp_path: Path) -> None:
    (tmp_path / "samples").mkdir()
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    name = write_samples(tmp_path, 7, {"input": images, "prior": 255 - images})
    rows = read_samples(tmp_path, name)
    assert list(rows) == ["input", "prior"]
    np.testing.assert_array_equal(rows["prior"], 255 - images)
    whole = (tmp_path / name).read_bytes()
    for cut in range(0, len(whole), 7):
        (tmp_path / name).write_bytes(whole[:cut])
        with pytest.raises(ValueError, match="is no readable sample file"):
            read_samples(tmp_path, name)
    with pytest.raises(ValueError, match="is no readable sample file"):
        read_samples(tmp_path, "samples/none.npz")


def test_a_start_whose_compiler_failed_is_uncompiled_and_says_why():
    state = RunState().apply_all(
        [
            started().model_copy(update={"compiled": True}),
            Logged(step=0, level="warning", text="no Python.h", uncompiled=True),
        ]
    )
    assert state.started
    assert not state.started.compiled
    assert state.started.note == "no Python.h"
    assert not state.starts[0].compiled


def test_show_says_how_many_lines_of_events_could_not_be_read(tmp_path: Path):
    run = create_run(tmp_path, load_recipe("vae-mnist"), "torn")
    with EventWriter(run.events_path) as events:
        events.append(started())
    with run.events_path.open("ab") as file:
        file.write(b'{"type": "evalu\n{"type": "of a newer version", "step": 1}\n')
    told = summary(run)
    assert told["unreadable_lines"] == 2
    assert "  2 lines of events.jsonl could not be read" in describe(told)


def test_a_replay_ends_where_the_run_it_replays_was_stopped() -> None:
    whole, cut = started(), started().model_copy(update={"until": 7})
    assert RunState().end == 0
    assert RunState().apply_all([whole]).end == 100
    assert RunState().apply_all([cut]).end == 7
    assert RunState().apply_all([cut]).steps == 100
    assert "until" not in whole.model_dump_json()


def saved(step: int, reason: str = "schedule") -> Checkpointed:
    return Checkpointed(step=step, file=f"step-{step}.ckpt", sha256="0", bytes=2, reason=reason)


def set_beta(step: int, beta: float, id: str) -> Commanded:
    return commanded(step, "set", beta=beta).model_copy(update={"id": id})


def test_what_was_saved_on_the_way_to_a_divergence_and_after_it_is_not_sound():
    state = RunState().apply_all([started(), saved(4), saved(6), DIVERGED])
    assert state.diverged == DIVERGED
    state.apply(saved(9).model_copy(update={"diverged": True}))
    assert [(one.step, one.diverged) for one in state.checkpoints] == [(4, False), (6, True), (9, True)]
    back = Logged(step=12, level="info", text="the cost is back", diverged=False)
    assert state.apply_all([back]).diverged is None


def test_a_way_back_ends_a_divergence_and_keeps_what_was_thrown_away_apart():
    state = RunState().apply_all([started(), saved(4), saved(6), DIVERGED])
    state.apply(started(2, 4).model_copy(update={"rolled_back": True}))
    assert state.diverged is None
    assert [one.step for one in state.checkpoints] == [4]
    assert [one.step for one in state.abandoned] == [6]


def test_a_checkpoint_that_was_gone_back_to_counts_as_sound():
    state = RunState().apply_all([started(), saved(4), saved(6), DIVERGED])
    state.apply(started(2, 6).model_copy(update={"rolled_back": True}))
    assert [(one.step, one.diverged) for one in state.checkpoints] == [(4, False), (6, False)]


def test_a_new_command_on_a_knob_takes_the_place_of_what_was_done_to_it_later():
    before = [started(), saved(4), set_beta(6, 3, "old"), set_beta(9, 10, "last")]
    resumed = RunState().apply_all([*before, started(2, 4)])
    assert [c.id for c in resumed.interventions(4)] == ["old", "last"]
    # At step 6 again, after the repeat of what was done there.
    resumed.apply_all([set_beta(6, 3, "old"), set_beta(6, 2, "new")])
    assert [(c.step, c.id) for c in resumed.interventions(4)] == [(6, "old"), (6, "new")]


def test_a_new_command_leaves_the_other_knobs_of_older_ones_alone():
    other = Change(knob="other", old=0, applied=1)
    older = set_beta(9, 10, "old")
    older = older.model_copy(update={"changes": [*older.changes, other]})
    state = RunState().apply_all([started(), older, started(2, 4), set_beta(5, 2, "new")])
    assert [(c.id, [change.knob for change in c.changes]) for c in state.interventions()] == [
        ("new", ["beta"]),
        ("old", ["other"]),
    ]
