"""Terms that are only watched, and what stands below the terms, as the dashboard tells them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.events import Column, Evaluated, EventWriter, Schedule, Term
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsWriter, write_columns
from laddertop.journal.spec import load_recipe
from laddertop.journal.value import Value
from laddertop.tui.dashboard.widgets.terms import Terms
from laddertop.tui.watch.cost_terms import term_rows
from laddertop.tui.watch.summary import summary
from tests.starts import start
from tests.tui.eyes import Eyes
from tests.tui.played import knob

NATS = "nats per image, mean over the batch"


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run with a bound of which two parts are watched, and an evaluation that tells the KL of four units."""
    run = create_run(tmp_path, load_recipe("iwae-mnist-5"), "watched")
    terms = [
        Term(name="bound", label="-L5", unit=NATS, weight=None),
        Term(name="reconstruction", label="reconstruction", unit=NATS, weight=None, watched=True),
        Term(name="kl", label="KL", unit=NATS, weight=None, watched=True),
    ]
    falls = Schedule(knob="lr", what="falls to 0", first=1)
    started = start(terms=terms, knobs=[knob("lr", 0.1, "lr")], schedules=[falls])
    kl = Value(value=5.0, unit=NATS, per_unit=[3.0, 0.0005, 2.0, 0.0])
    evaluated = Evaluated(step=2, split="test", values={"kl_q_p": kl}, seconds=1.0)
    with EventWriter(run.events_path) as events:
        events.append(started)
        events.append(evaluated)
    write_columns(run.path, [Column(name=name, label=name, unit=NATS) for name in ("total", *(t.name for t in terms))])
    writer = MetricsWriter(run.path, 1, 4)
    writer.append([1, 2], started.time + np.arange(1, 3), np.array([[90.0, 90.0, 85.0, 8.0], [88.0, 88.0, 84.0, 7.0]]))
    writer.close()
    return run


def test_a_watched_term_shows_its_value_and_takes_no_share(run: RunFolder) -> None:
    view = Eyes(run).view
    rows = {row.term.name: row for row in term_rows(view)}
    assert (rows["bound"].share, rows["reconstruction"].share, rows["kl"].share) == (1, 0, 0)
    assert rows["kl"].raw > 0
    assert all(row.trained for row in rows.values()), "a stage that rests is something else"
    lines = Terms(view, id="terms").picture(10, 70).text().splitlines()
    assert "100 %" in next(line for line in lines if "-L5" in line)
    watched = [line for line in lines if "watch" in line]
    assert [line.split()[0] for line in watched] == ["reconstruction", "KL"]
    assert "84" in watched[0]


def test_a_summary_gives_a_watched_term_the_weight_0(run: RunFolder) -> None:
    told = summary(run)
    assert told["total"] == 88
    assert told["terms"]["reconstruction"] | {"label": "", "unit": ""} == {
        "label": "",
        "value": 84.0,
        "weight": 0.0,
        "share": 0.0,
        "unit": "",
    }
    # A value is told for every unit where it has them, and says nothing of units where it has none.
    assert told["evaluation"]["values"]["kl_q_p"]["per_unit"] == [3.0, 0.0005, 2.0, 0.0]
    assert "per_unit" not in Value(value=1.0, unit="nats").model_dump_json()


def test_words_that_there_is_no_room_for_are_announced(run: RunFolder) -> None:
    terms = Terms(Eyes(run).view, id="terms")
    whole = terms.picture(Terms.rows_needed(terms.view, 80), 80).text()
    assert "more below" not in whole
    short = terms.picture(Terms.rows_needed(terms.view, 80) - 2, 80).text()
    assert short.splitlines()[-1].endswith("1 more below")


def test_the_announcement_covers_no_number(run: RunFolder) -> None:
    terms = Terms(Eyes(run).view, id="terms")
    terms.view.latest["total"] = terms.view.smoothed["total"] = 23.7
    first = terms.picture(Terms.rows_needed(terms.view, 200), 200).text().splitlines()[-2].strip()
    for width in range(38, 90):
        total, *_ = (line for line in terms.picture(4, width).text().splitlines() if "total" in line)
        assert total.split()[0] == "total", width
        assert total.split()[-1] == "23.7", width
        last = terms.picture(Terms.rows_needed(terms.view, width) - 2, width).text().splitlines()[-1].rstrip()
        assert last.endswith("  1 more below"), last
        told = last.removesuffix("  1 more below").strip()
        assert first.endswith(told) or told.endswith("…"), last
