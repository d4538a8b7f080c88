"""The screens that look into a model: keys ask questions, answers are shown as what they are. Messages first."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from textual.binding import Binding
from textual.events import CursorPosition
from textual.pilot import Pilot

from laddertop.journal.explore import Codes, Interpolate, Layers, Traverse
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.pace import in_sight
from laddertop.tui.dashboard.screens.explore import ExploreScreen
from laddertop.tui.dashboard.screens.latent import LatentScreen
from laddertop.tui.dashboard.screens.layers import LayersScreen
from laddertop.tui.dashboard.screens.model_screen import ModelScreen
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.screens.samples import SamplesScreen
from laddertop.tui.dashboard.views.layers import Layer, LayersView
from laddertop.tui.dashboard.widgets.latent_map import LatentMap
from laddertop.tui.dashboard.widgets.samples import Samples
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.played_model import PlayedModel

KEYS = {"layers": "2", "latent": "3", "explore": "4", "samples": "5"}


class Visit:
    """A screen of the dashboard over a played run, with the model that answers."""

    def __init__(self, pilot: Pilot[None], model: PlayedModel, until: Until) -> None:
        self.pilot, self.model, self._until = pilot, model, until

    @property
    def screen(self) -> Any:
        return self.pilot.app.screen

    @property
    def text(self) -> str:
        return screen_text(self.pilot.app)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        await self._until(self.pilot, condition, what)

    async def settle(self, **answer: Any) -> list[Any]:
        """Answers until nothing is asked any more; returns what was asked."""
        asked: list[Any] = []
        for _ in range(30):
            await self.pilot.pause(0.03)
            asked += self.model.answer(**answer)
            uses = ("layers", "codes", "walk", "origin", "between", self.screen.use())
            if asked and not any(self.screen.asking.waiting(use) is not None for use in uses):
                break
        await self.pilot.pause(0.1)
        return asked

    async def press(self, *keys: str, **answer: Any) -> list[Any]:
        """Presses keys and answers what they ask."""
        await self.pilot.press(*keys)
        return await self.settle(**answer)


@asynccontextmanager
async def visit(
    engine: PlayedEngine, until: Until, screen: str, size: tuple[int, int] = (120, 40), **model: Any
) -> AsyncIterator[Visit]:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=size) as pilot:
        await until(
            pilot, lambda: isinstance(app.screen, RunScreen) and app.screen.view.state.started is not None, "the run"
        )
        await pilot.press(KEYS[screen])
        await until(pilot, lambda: isinstance(app.screen, MODEL_SCREENS[screen]), screen)
        yield Visit(pilot, PlayedModel(engine.run.path, **model), until)


# All of them


async def test_digits_go_from_screen_to_screen_and_escape_back_to_the_run(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers") as at:
        for key, kind in (("3", LatentScreen), ("5", SamplesScreen), ("4", ExploreScreen), ("2", LayersScreen)):
            await at.pilot.press(key)
            await at.until(lambda kind=kind: isinstance(at.screen, kind), f"screen {key}")
            assert len(at.pilot.app.screen_stack) == 3
        await at.pilot.press("escape")
        await at.until(lambda: isinstance(at.screen, RunScreen), "the run")


async def test_the_run_below_is_drawn_only_where_it_is_in_sight_and_then_with_acknowledged_frames(
    engine: PlayedEngine, until: Until
) -> None:
    async with visit(engine, until, "layers") as at:
        run = at.pilot.app.screen_stack[1]
        assert isinstance(run, RunScreen)
        assert not in_sight(run)
        await at.pilot.press("escape", "question_mark")
        await at.until(lambda: run.app.screen.is_modal, "the help")
        assert in_sight(run)
        run._pace._waiting_since = time.monotonic()
        run.app.post_message(CursorPosition(1, 1))
        await at.until(lambda: run._pace.free(), "the terminal's answer")


@pytest.mark.parametrize("kind", MODEL_SCREENS.values())
def test_every_key_has_an_action_and_a_description(kind: type[ModelScreen]) -> None:
    keys: list[str] = []
    for binding in kind.BINDINGS:
        assert isinstance(binding, Binding)
        name = binding.action.partition("(")[0]
        assert name.startswith("app.") or hasattr(kind, f"action_{name}")
        assert binding.description
        keys += binding.key.split(",")
    assert len(keys) == len(set(keys))
    assert kind.NOTES


@pytest.mark.parametrize("name", MODEL_SCREENS)
@pytest.mark.parametrize("size", [(60, 15), (80, 24), (200, 50)])
async def test_no_size_breaks_a_screen(engine: PlayedEngine, until: Until, name: str, size: tuple[int, int]) -> None:
    engine.sample()
    async with visit(engine, until, name, size) as at:
        if name != "samples":
            await at.settle()
        await at.pilot.resize_terminal(1, 1)
        await at.pilot.resize_terminal(*size)
        await at.pilot.pause(0.1)
        await at.until(lambda: "too small" not in at.text, "the screen")


async def test_the_help_is_built_from_the_keys(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers") as at:
        await at.pilot.press("question_mark")
        await at.until(lambda: "Keys of the layers screen" in at.text, "the help")
        assert "ask an older checkpoint" in at.text


async def test_what_comes_back_too_late_is_shown_with_its_age(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers") as at:
        await at.settle(step=1500)
        assert "answer of step 1 500, from the training, 500 steps ago" in at.text


async def test_a_refusal_stands_in_the_place_of_the_picture(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "explore") as at:
        await at.settle(problem="what the model puts out is not finite: its training has diverged")
        assert at.text.count("its training has diverged") == 2


async def test_checkpoints_are_asked_one_after_the_other(engine: PlayedEngine, until: Until) -> None:
    for step in (500, 1000):
        engine.step = step
        engine.checkpoint()
        (engine.run.path / f"step-{step:09d}.ckpt").touch()
    async with visit(engine, until, "layers") as at:
        await at.settle()
        with engine.run.explorer_lock():
            steps = []
            for key in ("comma", "comma", "comma", "full_stop"):
                await at.pilot.press(key)
                await at.pilot.pause(0.3)
                steps += [request.checkpoint for request in at.model.waiting()]
                at.model.answer(step=500, checkpoint="step-000000500.ckpt")
            assert steps == [1000, 500, 500, 1000]
            await at.until(lambda: "step-000000500.ckpt, 1 500 steps before the newest" in at.text, "the source")
        await at.pilot.press("full_stop")
        await at.until(lambda: [r.checkpoint for r in at.model.waiting()] == [None], "the training is asked again")


# Layers


async def test_the_layers_of_a_ladder_have_costs_gates_and_maps(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers", gates=True) as at:
        assert await at.settle() == [Layers(rows=500)]
        lines = [line for line in at.text.splitlines() if line.startswith(("  layer ", " ›layer "))]
        assert [line.split()[1] for line in lines] == ["6", "5", "4", "3", "2", "1", "0"]
        assert lines[1].split()[:2] == ["›layer", "5"]
        assert "0.500" in lines[1]  # the mean of its gates
        assert "90/100" in lines[1]
        assert "100 test items without noise" in at.text
        await at.pilot.press("down", "down")
        await at.until(lambda: "layer 3 principal axes" in at.text, "another layer")
        await at.pilot.press("h", "h")
        await at.until(lambda: "layer 3 gate of units" in at.text, "the gates")
        await at.pilot.press("up", "up", "up", "up")
        await at.until(lambda: "layer 6 y has no representation to map" in at.text, "a layer without one")


async def test_before_an_answer_no_layer_is_said_to_lack_anything(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers") as at:
        await at.until(lambda: "principal axes" in at.text, "the panels")
        assert "has no representation" not in at.text


async def test_the_longest_numbers_of_a_layer_do_not_touch(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = LayersView.layers

    def long_numbers(self: LayersView) -> list[Layer]:
        return [replace(layer, noise=0.0664, gate=np.full(3, -0.00561)) for layer in layers(self)]

    monkeypatch.setattr(LayersView, "layers", long_numbers)
    async with visit(engine, until, "layers", size=(80, 24), gates=True) as at:
        await at.settle()
        line = next(line for line in at.text.splitlines() if line.startswith(" ›layer 5"))
        assert {"0.1", "0.0664", "-0.00561", "90/100"} <= set(line.split())


async def test_a_model_without_gates_says_so(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "layers") as at:
        await at.settle()
        assert " gate " not in at.text.splitlines()[2]
        await at.pilot.press("h", "h")
        await at.until(lambda: "no lateral connection" in at.text, "the sentence")


async def test_a_layer_is_chosen_with_the_mouse(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "layers", gates=True) as at:
        await at.settle()
        await at.pilot.click(offset=(5, 1 + 2 + 3))
        await at.until(lambda: "layer 3 activations" in at.text, "the fourth layer")


# The latent space


async def test_arrow_keys_walk_through_the_code_and_it_is_decoded_as_they_go(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "latent") as at:
        first = await at.settle()
        assert first[0] == Codes(rows=500)
        assert Interpolate(items=(0, 1), steps=9) in first
        unit = at.screen.model.unit()
        assert Traverse(item=0, units=[unit], steps=9) in first
        own = at.screen.model.code()[unit]
        (walked,) = await at.press("right", "right")
        assert walked.given == {unit: pytest.approx(own + 0.6)}
        assert "1 changed" in at.text
        await at.press("down")
        assert at.screen.model.unit() != unit
        (walked,) = await at.press("shift+left")
        assert len(walked.given) == 2
        await at.press("0")
        assert "its own code" in at.text


async def test_items_and_the_way_between_them(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "latent") as at:
        await at.settle()
        asked = await at.press("right_square_bracket", "right_square_bracket")
        assert asked[-1] == Interpolate(items=(2, 1), steps=9)
        asked = await at.press("b", "right_square_bracket", "x")
        assert asked[-1] == Interpolate(items=(2, 3), steps=9)
        assert "from A, item 2, to B, item 3" in at.text


async def test_a_click_on_the_map_takes_the_nearest_item(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "latent") as at:
        await at.settle()
        panel = at.screen.query_one(LatentMap)
        points = at.screen.model.points()
        rows, columns, _ = panel._plane.cells(points)
        await at.pilot.click(panel, offset=(int(columns[42]) + 1, int(rows[42]) + 1))
        await at.settle()
        chosen = at.screen.model.item
        assert (rows[chosen], columns[chosen]) == (rows[42], columns[42])
        await at.pilot.click(panel, offset=(int(columns[17]) + 1, int(rows[17]) + 1), shift=True)
        await at.settle()
        other = at.screen.model.other
        assert (rows[other], columns[other]) == (rows[17], columns[17])


async def test_the_aggregate_posterior_is_set_against_the_prior(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "latent") as at:
        await at.settle()
        assert "aggregate posterior" in at.text
        assert "PCA 60 % + 30 %" in at.text
        await at.press("p")
        assert "units 0 and 1" in at.text


async def test_without_a_posterior_there_is_no_prior(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "latent", posterior=False) as at:
        await at.until(lambda: "mean ± sd" in at.text, "the panel")
        assert "units" in at.text
        assert "no prior" not in at.text, "before the answer nobody knows"
        await at.settle()
        assert "units, no prior" in at.text


async def test_a_model_without_a_decoder_says_so_and_is_not_asked_for_one(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "latent", able=["codes", "layers"], posterior=False) as at:
        assert await at.settle() == [Codes(rows=500)]
        assert "a ladder model has no decoder from its codes alone" in at.text
        await at.pilot.press("right", "b", "0")
        await at.pilot.pause(0.3)
        assert at.model.waiting() == []


# The samples


async def test_samples_are_scrubbed_through_the_training(engine: PlayedEngine, until: Until) -> None:
    for _ in range(3):
        engine.sample()
        engine.train(1000)
    async with visit(engine, until, "samples") as at:
        await at.until(lambda: "samples 3 of 3, recorded by the engine at step 4 000" in at.text, "the newest")
        await at.pilot.press("left")
        await at.until(lambda: "samples 2 of 3, recorded by the engine at step 3 000" in at.text, "the one before")
        await at.pilot.press("left", "left", "left")
        await at.until(lambda: "samples 1 of 3, recorded by the engine at step 2 000" in at.text, "the first")
        await at.pilot.press("end")
        engine.sample()
        await at.until(lambda: "samples 4 of 4, recorded by the engine at step 5 000" in at.text, "what has come since")


async def test_a_sample_file_that_is_gone_is_told(engine: PlayedEngine, until: Until) -> None:
    engine.sample()
    (engine.run.path / "samples" / "step-000002000.npz").unlink()
    engine.train(1000)
    engine.sample()
    async with visit(engine, until, "samples") as at:
        await at.until(lambda: "samples 2 of 2" in at.text, "the newest")
        await at.pilot.press("left")
        await at.until(lambda: "step-000002000.npz is no readable" in at.text, "the problem")


async def test_samples_are_zoomed_and_paged(engine: PlayedEngine, until: Until) -> None:
    engine.sample()
    async with visit(engine, until, "samples", (80, 24)) as at:
        await at.until(lambda: "samples 1 of 1" in at.text, "the samples")
        panel = at.screen.query_one(Samples)
        at_once = panel.at_once
        await at.pilot.press("plus")
        assert panel.at_once < at_once
        await at.pilot.press("minus", "minus")
        assert panel.at_once >= at_once
        await at.pilot.press("down")
        assert panel.first == panel.at_once
        await at.pilot.press("up")
        assert panel.first == 0


async def test_colour_and_points_are_shown_in_the_samples(engine: PlayedEngine, until: Until) -> None:
    rng = np.random.default_rng(0)
    rows = {"input": rng.integers(0, 256, (4, 32, 32, 3)).astype(np.uint8)}
    points = {"input": rng.normal(size=(50, 2)).astype(np.float32)}
    async with visit(engine, until, "samples") as at:
        panel = at.screen.query_one(Samples)
        at.screen.view.images = rows
        coloured = panel.picture(20, 80)
        assert (coloured.inks >= 512).any()
        panel.coloured = False
        assert not (panel.picture(20, 80).inks >= 512).any()
        at.screen.view.images = {**points, "reconstruction": points["input"] * 0.5}
        text = panel.picture(20, 80).text()
        assert "reconstruction" in text
        assert sum(0x2800 < ord(char) < 0x2900 for char in text) > 20
