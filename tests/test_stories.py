"""Whole stories of what goes wrong and what helps, told by the banner, with real engines in real terminals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from laddertop.journal.events import Checkpointed, Commanded, Evaluated, Logged, RunStarted
from laddertop.journal.metrics import MetricsReader
from tests.processes import Laddertop, wait_for
from tests.test_end_to_end import shows

DEEP = """
about = "A deep VAE whose upper layer collapses."
steps = 100000000
seed = 1
device = "cpu"
precision = "fp32"
compile = "off"

[data]
name = "digits"
binarise = "dynamic"
batch = 100

[model]
kind = "lvae"
latent = [16, 8]
hidden = [64, 32]
inference = "bottom_up"
batch_norm = false

[warmup]
on = false
of = "kl"
steps = 4000

[optimizer]
lr = 1e-3
eps = 1e-4
clip = 4
clip_each = 0.9

[checkpoint]
every = 250

[evaluate]
every = 250

[samples]
every = 0
"""
FOREVER = ("--steps", "100000000", "--set", "samples.every=0", "--detach")


@pytest.fixture
def stopped(laddertop: Laddertop) -> Iterator[list[str]]:
    """Names of runs whose engines are stopped at the end."""
    names: list[str] = []
    yield names
    for name in names:
        laddertop.here("stop", name)


def test_a_run_that_diverged_is_sent_back_with_z_or_by_the_advised_remedy_and_nothing_is_lost(
    laddertop: Laddertop, stopped: list[str]
) -> None:
    done = laddertop.here("train", "tiny.toml", "--set", "checkpoint.every=200", "--name", "wild", *FOREVER)
    assert done.returncode == 0, done.stderr
    stopped.append("wild")
    wait_for(lambda: [e for e in laddertop.events("wild") if isinstance(e, Checkpointed) and e.step >= 400])
    with laddertop.in_terminal("attach", "wild", columns=120, rows=40) as dashboard:
        dashboard.wait_for(lambda lines: shows(lines, "● training"))
        assert laddertop.here("set", "wild", "lr=10").returncode == 0
        dashboard.wait_for(lambda lines: shows(lines, "✗ diverged") or shows(lines, "✗ not finite"))
        (said,) = (e for e in laddertop.events("wild") if isinstance(e, Logged) and e.diverged)
        assert said.sound_until is not None
        saved = [e for e in laddertop.events("wild") if isinstance(e, Checkpointed) and not e.diverged]
        sound = [e for e in saved if e.step <= said.sound_until]
        back = f"{sound[-1].step:,}".replace(",", " ")
        dashboard.wait_for(lambda lines: shows(lines, f"Z back to {back}"))
        before = {file.name: file.read_bytes() for file in (laddertop.runs / "wild").glob("metrics-0001.bin")}
        dashboard.press("Z")
        dashboard.wait_for(lambda lines: shows(lines, "enter take it"))
        dashboard.press("\r")
        dashboard.wait_for(lambda lines: shows(lines, f"↶rolled back to {back}") or shows(lines, "rolled back to step"))
        dashboard.wait_for(lambda lines: not (shows(lines, "✗ diverged") or shows(lines, "✗ not finite")))
        start = [e for e in laddertop.events("wild") if isinstance(e, RunStarted)][-1]
        assert (start.resumed_from, start.rolled_back) == (sound[-1].step, True)
        assert {knob.name: knob.value for knob in start.knobs}["lr"] == 0.002, "what blew it up is no part of it now"
        reader = MetricsReader(laddertop.runs / "wild")
        # Until the new start has written its first record, the old one's wild rows are the newest there are.
        wait_for(lambda: reader.poll() and reader.end()[0] == start.segment and reader.last_step() > said.step + 50)
        dashboard.press("d")
        assert dashboard.ended() == 0
    assert laddertop.json("show", "wild")["state"] == "training"
    totals = reader.values("total")
    np.testing.assert_array_equal(reader.steps, np.arange(1, len(totals) + 1))
    assert np.isfinite(totals).all()
    assert totals[-20:].mean() < 10 * totals[: sound[-1].step][-20:].mean()
    assert (laddertop.runs / "wild" / sound[-1].file).is_file(), "the run stands on it"
    assert all((laddertop.runs / "wild" / name).read_bytes()[: len(data)] == data for name, data in before.items())

    with laddertop.in_terminal("attach", "wild", columns=80, rows=24) as dashboard:
        dashboard.wait_for(lambda lines: shows(lines, "● training"))
        assert laddertop.here("set", "wild", "lr=10").returncode == 0
        dashboard.wait_for(lambda lines: shows(lines, "✗ diverged") or shows(lines, "✗ not finite"))
        dashboard.wait_for(lambda lines: shows(lines, "! advice"))
        dashboard.press("!")
        dashboard.wait_for(lambda lines: shows(lines, "sends back to step"))
        dashboard.press("\r")
        dashboard.wait_for(lambda lines: not (shows(lines, "✗ diverged") or shows(lines, "✗ not finite")))
        advised = wait_for(lambda: [e for e in commanded(laddertop, "wild") if e.by.endswith(" (advised)")][1:])
        back, lower = [e for e in commanded(laddertop, "wild") if e.by.endswith(" (advised)")]
        assert lower in advised
        assert (back.action, back.outcome, lower.action, lower.outcome) == ("rollback", "applied", "set", "applied")
        assert [(c.knob, c.old, c.applied) for c in lower.changes] == [("lr", 0.002, pytest.approx(0.002))]
        assert back.note == lower.note
        assert back.note in ("advice on diverged", "advice on not-finite")
        dashboard.press("d")
        assert dashboard.ended() == 0


def commanded(laddertop: Laddertop, name: str) -> list[Commanded]:
    """The outcomes of the commands to a run."""
    return [event for event in laddertop.events(name) if isinstance(event, Commanded)]


@pytest.mark.stress
def test_a_layer_that_collapsed_comes_alive_with_the_advised_warm_up_and_a_fork_of_it_is_compared(
    laddertop: Laddertop, stopped: list[str]
) -> None:
    def active() -> list[tuple[int, int]]:
        return [
            (e.step, e.layers["z2"].active) for e in laddertop.events("deep") if isinstance(e, Evaluated) and e.layers
        ]

    (laddertop.cwd / "deep.toml").write_text(DEEP)
    done = laddertop.here("train", "deep.toml", "--name", "deep", "--detach")
    assert done.returncode == 0, done.stderr
    stopped.append("deep")
    with laddertop.in_terminal("attach", "deep", columns=150, rows=45) as dashboard:
        dashboard.wait_for(
            lambda lines: shows(lines, "▲ posterior collapse  layer 2 tells nothing: 0 of 8 units active")
        )
        dashboard.wait_for(lambda lines: shows(lines, "w warm-up   ! advice"))
        assert shows(dashboard.lines, "dead: sd"), "the layers panel flags it too"
        assert shows(dashboard.lines, " 0/8"), "and the terms"
        dashboard.press("!")
        dashboard.wait_for(lambda lines: shows(lines, "sends warm-up on"))
        dashboard.press("\r")
        dashboard.wait_for(lambda lines: not shows(lines, "▲ posterior collapse"))
        switched = commanded(laddertop, "deep")[-1]
        assert switched.by.endswith(" (advised)")
        assert [(change.knob, change.applied) for change in switched.changes] == [("warmup", 1)]
        assert [units for step, units in active() if step <= switched.step][-1] == 0
        (alive,) = [units for step, units in active() if step > switched.step and units][:1]
        dashboard.wait_for(lambda lines: shows(lines, f" {alive}/8"))
        dashboard.press("f")
        dashboard.wait_for(lambda lines: shows(lines, "enter take it"))
        dashboard.press("\r")
        # A run in the making has a name that begins with a dot.
        (forked,) = wait_for(lambda: [p.parent.name for p in laddertop.runs.glob("[!.]*/origin.json")])
        stopped.append(forked)
        dashboard.wait_for(lambda lines: shows(lines, forked) and shows(lines, "● training"))
        dashboard.press("r")
        dashboard.wait_for(lambda lines: shows(lines, "runs in") and shows(lines, "deep"))
        for marked in ("1 marked", "2 marked"):  # the newest first
            dashboard.press(" ")
            dashboard.wait_for(lambda lines, marked=marked: shows(lines, marked))
        dashboard.press("c")
        dashboard.wait_for(lambda lines: shows(lines, "deep at ") and shows(lines, forked))
        assert shows(dashboard.lines, "deep")
