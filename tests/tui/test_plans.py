"""What is drawn ahead of a knob: what the engine then does, told apart from what was recorded."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.events import Change, Commanded
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.draw.cells import Ink
from laddertop.tui.watch.plan import planned
from laddertop.tui.watch.replay import Past, PastView, PastWatcher
from tests.kinds import small_spec
from tests.trainings import loop_here
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine

STEPS = 240


def trained(tmp_path: Path, kind: str, *settings: str) -> RunFolder:
    """A run that the engine itself trained to its end."""
    spec = small_spec(kind, f"steps={STEPS}", "evaluate.every=0", *settings)
    run = create_run(tmp_path, spec, "planned")
    loop_here(run)
    return run


def at_step(run: RunFolder, step: int) -> PastView:
    """What a dashboard saw of it once so many steps were completed."""
    past, view = Past(run), PastView(run)
    watcher = PastWatcher(run, past)
    watcher.playing = False
    past.step(step - 1)  # from none to the first, and on
    view.apply(watcher.look())
    view.apply(watcher.look(view.wanted()))
    past.step(step - view.step)
    view.apply(watcher.look(view.wanted()))
    assert view.step == step
    return view


@pytest.mark.parametrize(
    ("kind", "knobs", "settings"),
    [
        (
            "vae",
            ("beta", "warmup", "lr"),
            [
                *("warmup.of=kl", "warmup.on=on", "warmup.after=40", "warmup.steps=75"),
                *("knobs.beta=0.5..3:cosine:150", "optimizer.decay_from=0.5"),
            ],
        ),
        (
            "ladder",
            ("noise.std.0", "lambda.1", "lr"),
            ["knobs.noise.std=0.1..0.6:cyclical:60", "knobs.lambda.1=0..2:linear:100", "optimizer.anneal=0.99"],
        ),
    ],
)
def test_the_plan_is_what_the_engine_then_records(
    kind: str, knobs: tuple[str, ...], settings: list[str], tmp_path: Path
) -> None:
    run = trained(tmp_path, kind, *settings)
    reader = MetricsReader(run.path)
    reader.poll()
    names = [column.name for column in reader.columns]
    recorded = np.concatenate([records["values"] for records in reader.records()])
    for now, knob in itertools.product((1, 35, 90, 200), knobs):
        view = at_step(run, now)
        plan, column = planned(view, knob), recorded[:, names.index(knob)]
        if plan is None:
            assert np.ptp(column[now:]) == 0, f"{knob} moves after step {now} and no plan says so"
            continue
        steps = plan.steps[plan.steps > 0]
        assert steps[0] == now + 1
        assert plan.binned.smooth[plan.steps > 0] == pytest.approx(column[steps - 1], rel=1e-5, abs=1e-6)
        if steps[-1] < view.curves.wanted.axis.last:
            assert np.ptp(column[steps[-1] - 1 :]) == 0, f"the plan of {knob} ends while it moves"


def test_what_stays_as_it_is_has_no_plan(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(100)
        view = Eyes(engine.run).view
        assert [planned(view, knob) for knob in ("beta", "noise.level", "clip", "warmup", "total")] == [None] * 5


def turned(engine: PlayedEngine, course: str) -> None:
    change = Change(knob="beta", old=1, applied=0, course=f"{course}@{engine.step}")
    engine.record(Commanded(step=engine.step, id="a", by="ann", action="set", outcome="applied", changes=[change]))


@pytest.mark.parametrize("ascii_only", [False, True])
def test_planned_values_are_dots_and_the_cursor_says_planned(ascii_only: bool, tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist", steps=1000) as engine:
        engine.train(100)
        turned(engine, "0..2:linear:300")
        eyes = Eyes(engine.run)
        charts = Charts(eyes.view, id="charts")
        charts.pinned, charts.ascii_only = ["beta"], ascii_only
        eyes.view.apply(eyes.watcher.look(eyes.view.wanted(charts.wanted())))
        eyes.view.apply(eyes.watcher.look(eyes.view.wanted(charts.wanted())))
        picture = charts.picture(14, 70)
        assert "dots: planned" in picture.text()
        # To the end of the course, though the axis of the run so far would hold a fraction of it.
        assert eyes.view.curves.wanted.axis.last == 500
        measured = picture.inks[1:-1, 6:] == Ink.CURVE
        coming = (picture.inks[1:-1, 6:] == Ink.DIM) & (picture.chars[1:-1, 6:] != " ")
        columns = np.flatnonzero(coming.any(axis=0))
        assert np.flatnonzero(measured.any(axis=0)).max() <= columns.min() == pytest.approx(64 * 100 / 500, abs=1)
        assert columns.max() == pytest.approx(64 * 400 / 500, abs=2)
        told = set(picture.chars[1:-1, 6:][coming])
        assert told == {"."} if ascii_only else all(not (ord(sign) - 0x2800) & 0b10111000 for sign in told), told
        # A cursor begins on the newest step, and then goes on into what is planned.
        charts.move_cursor(1)
        assert eyes.view.x.cursor == 100
        assert "planned" not in charts.said()
        for _ in range(20):
            charts.move_cursor(1)
        step = int(eyes.view.x.cursor)
        assert step > 200
        assert charts.said() == f"step {step}, planned: beta {2 * (step - 101) / 300:.3g}"
        picture = charts.picture(14, 70)
        assert f"planned {2 * (step - 101) / 300:.3g}" in picture.text()
        assert f"step {step}" in picture.text()
