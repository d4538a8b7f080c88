"""Every kind of model, trained for a few steps by the real engine, on the screens of the dashboard."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.engine.saved.serve import serve
from laddertop.engine.training.train import train
from laddertop.engine.trial import look
from laddertop.journal.folder import RunFolder, create_run
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.watch.layer_life import layer_title
from laddertop.tui.watch.layer_rows import layer_rows
from tests.kinds import KINDS, LADDERS, small_spec
from tests.own_models import documented, own_spec
from tests.trainings import stop_here
from tests.tui.conftest import Until
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text

OWN = "own"
"""A run of the model that the page about models of one's own shows."""

LAYERS = {kind: known.layers for kind, known in KINDS.items()} | {OWN: {"z": "kl"}}


@pytest.fixture
def trained(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunFolder]:
    """A finished run of the kind that the test asks for, with somebody at work who answers from its checkpoint."""
    settings = ("steps=6", "compile=off", "device=cpu", "threads=1", "warmup.on=off")
    if request.param == OWN:
        spec = look(own_spec(tmp_path / "mine.py", documented(), *settings))
    else:
        spec = small_spec(request.param, *settings)
    run = create_run(tmp_path, spec, request.param)
    with run.engine_lock(), stop_here() as stop:
        assert train(run, stop) == 0
    with run.explorer_lock() as mine:
        assert mine
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                serve(run, 0.1)

        answering = threading.Thread(target=answer)
        answering.start()
        yield run
        over.set()
        answering.join()


@pytest.mark.parametrize("trained", LAYERS, indirect=True)
async def test_a_run_of_every_kind_shows_its_terms_and_its_layers(trained: RunFolder, until: Until) -> None:
    kind = trained.path.name
    app = LaddertopApp(trained.path.parent, trained.path)
    async with app.run_test(size=(140, 44)) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, RunScreen) and bool(app.screen.view.state.evaluations), "the run"
        )
        assert isinstance(app.screen, RunScreen)
        labels = [term.label for term in app.screen.view.state.terms]
        await until(pilot, lambda: all(label[:16] in screen_text(app) for label in labels), "every term")
        await pilot.press("2")
        await until(pilot, lambda: "360 test items without noise" in screen_text(app), "the layers")
        assert isinstance(app.screen, LayersScreen)
        layers = app.screen.model.layers()
        assert [layer.name for layer in layers] == list(LAYERS[kind])
        titles = [layer_title(layer.number) for layer in layers]
        await until(pilot, lambda: all(title in screen_text(app) for title in titles), "every layer")
        costs = {layer.name: layer.cost.term.name if layer.cost else "" for layer in layers}
        assert costs == LAYERS[kind]
        # λ, σ and the gate belong to every layer of a ladder network; units and how many are active to all but x and y.
        ladder = kind in LADDERS
        for layer in layers:
            assert not ladder or (
                layer.cost is not None and layer.cost.weight > 0 and layer.noise == pytest.approx(0.3)
            )
            assert (layer.gate is not None) == ladder
            assert (layer.active is None) == (layer.name in "xy")
            assert layer_title(layer.number) in screen_text(app)


@pytest.mark.parametrize("trained", LADDERS, indirect=True)
def test_the_layer_table_of_the_run_screen_has_every_kind_of_ladder(trained: RunFolder) -> None:
    rows = layer_rows(Eyes(trained).view)
    shown = [(row.layer, row.name, row.units) for row in rows]
    assert (
        shown
        == {
            "ladder": [(3, "y", 10), (2, "h16", 16), (1, "h32", 32), (0, "x", 64)],
            "conv_ladder": [
                (5, "y", 10),
                (4, "c10", 90),
                (3, "c6", 54),
                (2, "max2", 100),
                (1, "c4", 400),
                (0, "x", 64),
            ],
            "unsupervised_ladder": [(2, "h16", 16), (1, "h32", 32), (0, "x", 64)],
        }[trained.path.name]
    )
    assert all(math.isfinite(row.cost.raw) and row.noise == pytest.approx(0.3) for row in rows)
    assert [row.cost.weight for row in rows][-3:] == [pytest.approx(0.1), 1, 10]
