"""Which layer learns, which is dead, and what an intervention did to each: the layers and terms of the run screen."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.events import Activity, Column, Evaluated, EventWriter, RunStarted, Term
from laddertop.journal.folder import create_run
from laddertop.journal.metrics import MetricsWriter, write_columns
from laddertop.journal.spec import load_recipe
from laddertop.journal.value import Value
from laddertop.tui.dashboard.widgets.layers import Layers
from laddertop.tui.dashboard.widgets.terms import Terms
from laddertop.tui.watch.run_view import RunView
from laddertop.tui.watch.trouble import troubles
from tests.starts import start
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine

NATS = "nats per image, mean over the batch"
ACTIVE = {"z1": (64, 64, 0.9), "z2": (4, 32, 0.2), "z3": (0, 16, 0.0234), "z4": (0, 8, 0.00021), "z5": (0, 4, 0.0003)}


def deep(folder: Path, steps: int = 1200) -> RunView:
    """A deep VAE of which the upper layers have collapsed, as an engine would have recorded it."""
    run = create_run(folder, load_recipe("deep-vae-mnist-short"), "deep")
    labels = {f"kl.{i}": f"KL q(z{i}) ‖ p(z{i}|z{i + 1})" for i in range(1, 5)} | {"kl.5": "KL q(z5) ‖ p(z5)"}
    terms = [Term(name=name, label=label, unit=NATS, weight=None) for name, label in labels.items()]
    terms.insert(0, Term(name="reconstruction", label="reconstruction", unit=NATS, weight=None))
    layers = {name: Activity(units=units, active=active, sd=sd) for name, (active, units, sd) in ACTIVE.items()}
    value = {"negative_elbo": Value(value=102.5, unit="nats")}
    with EventWriter(run.events_path) as events:
        events.append(started(terms))
        events.append(Evaluated(step=502, split="test", values=value, seconds=1.0, layers=layers))
    names = ["total", *(term.name for term in terms)]
    write_columns(run.path, [Column(name=name, label=name, unit=NATS) for name in names])
    fall = np.exp(-np.arange(steps) / 300)[:, None]
    costs = np.array([79.0, 21.9, 2.5, 0.02, 0.008, 0.02]) * (1 + 3 * fall)
    writer = MetricsWriter(run.path, 1, len(names))
    writer.append(
        1 + np.arange(steps), time.time() + np.arange(steps) / 100, np.hstack([costs.sum(1, keepdims=True), costs])
    )
    writer.close()
    return Eyes(run).view


def started(terms: Sequence[Term]) -> RunStarted:
    return start(steps=2000, terms=list(terms))


def curve_rows(lines: list[str], first: int, rows: int) -> list[bool]:
    """Which of some rows hold a part of a curve."""
    return [any("\u2801" <= char <= "\u28ff" for char in line) for line in lines[first : first + rows]]


def test_every_layer_has_a_curve_of_two_rows_on_its_own_scale(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(12_000)
        view = Eyes(engine.run).view
    lines = Layers(view, id="layers").picture(16, 60).text().splitlines()
    assert [line.split()[0] for line in lines[2::2]] == ["6", "5", "4", "3", "2", "1", "0"]
    assert all(curve_rows(lines, 2, 14)), "each falls from the top of its two rows to their foot"


def test_a_deep_vae_shows_the_kl_of_every_layer_and_which_is_dead(tmp_path: Path) -> None:
    view = deep(tmp_path)
    for height, width in ((17, 60), (12, 80), (30, 100)):
        text = Layers(view, id="layers").picture(height, width).text()
        lines = text.splitlines()
        heads = [line.split()[0] for line in lines[2:] if line[1:2].isdigit() and not line.split()[0].count("/")]
        assert heads == ["5", "4", "3", "2", "1"], (height, width)
        assert ("dead: sd 2e-4" in text) == (height >= 12), (height, width)
        assert text.count("dead: ") == 3
        for told in ("64/64", "4/32", "0/16", "0/8", "0/4"):
            assert told in text, (told, height, width)
        assert "at 502" in lines[1]
    (told,) = [trouble.what for trouble in troubles(view) if trouble.name == "posterior collapse"]
    assert told == "layers 3, 4, 5 tell nothing: 0 of 28 units active at 502"


def test_a_layer_tells_what_the_last_intervention_did_to_its_cost(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path) as engine:
        engine.train(6000)
        eyes = Eyes(engine.run)
        eyes.send("set", {"noise": 0.0})
        engine.answer()
        engine.train(100)
        assert " since " not in Layers(eyes.look(), id="layers").picture(16, 60).text(), "too early to tell"
        engine.train(400)
        lines = Layers(eyes.look(), id="layers").picture(16, 60).text().splitlines()
    (effect,) = eyes.view.effects.values()
    told = [line for line in lines if line.endswith(" since noise off")]
    assert len(told) == 7
    before, after = (told[-1].split()[i] for i in (-6, -4))
    assert float(before) == pytest.approx(effect.before["denoise.0"].mean, rel=0.01)
    assert float(after) == pytest.approx(eyes.view.value("denoise.0"), rel=0.01)
    assert float(after) < float(before)


def test_terms_have_whole_names_and_a_bar_at_every_width(tmp_path: Path) -> None:
    view = deep(tmp_path)
    for width in range(60, 200, 3):
        lines = Terms(view, id="terms").picture(16, width).text().splitlines()
        named = {
            term.label: next((x for x in lines if x.startswith(f" {term.label} ")), "") for term in view.state.terms
        }
        assert all(named.values()), (width, named)
        assert all("─" in line or "━" in line for line in named.values()), width
    assert [line.split()[0] for line in lines[1:7]] == ["KL"] * 5 + ["reconstruction"]


def test_terms_show_how_many_units_of_each_layer_are_active(tmp_path: Path) -> None:
    lines = Terms(deep(tmp_path), id="terms").picture(14, 80).text().splitlines()
    assert [line.split()[-1] for line in lines[1:6]] == ["64/64", "4/32", "0/16", "0/8", "0/4"]
    assert "units active" in next(line for line in lines if line.startswith(" total"))


def test_notes_are_wrapped_and_never_cut(tmp_path: Path) -> None:
    view = deep(tmp_path)
    for width in (60, 62, 80):
        text = Terms(view, id="terms").picture(Terms.rows_needed(view, width), width).text()
        assert "…" not in text
        assert "at 502" in text
        assert max(map(len, text.splitlines())) <= width
