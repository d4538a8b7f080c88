"""The explore screen: its keys ask what they say, a drawing is asked about, what a model lacks is a sentence."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from laddertop.journal.explore import Classify, Denoise, Errors, Sample, ScoreField
from laddertop.tui.dashboard.widgets.explore_panels import Sheet
from tests.tui.conftest import Until
from tests.tui.played import PlayedEngine
from tests.tui.test_model_screens import visit


async def test_the_tasks_ask_what_their_keys_say(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        (asked,) = await at.settle()
        assert isinstance(asked, Denoise)
        kind = asked.corruption
        assert (asked.items, kind, asked.level) == (
            [0],
            vae.run.spec.noise.kind,
            pytest.approx(vae.run.spec.noise.level),
        )
        (asked,) = await at.press("right", "right")
        assert (asked.items, asked.corruption) == ([2], kind)
        (asked,) = await at.press("k", "up", "up", "s")
        assert asked.corruption != kind
        assert asked.seed == 1
        await at.press("tab")
        assert "filled in, right" in at.text
        (asked,) = await at.press("k", "k", "k", "k", "k", "up")
        assert (asked.missing, asked.share, asked.seed) == ("random", 0.6, 1)
        (asked,) = await at.press("tab")
        assert asked == Classify(items=[2])
        assert "3, 82.0 % sure, right" in at.text
        await at.press("right")
        assert "3, 82.0 % sure, but it is a 4" in at.text
        (asked,) = await at.press("tab")
        assert isinstance(asked, Errors)
        (asked,) = await at.press("tab")
        assert isinstance(asked, Sample)
        await at.pilot.press("tab")
        await at.until(lambda: "is drawn for models of points of the plane" in at.text, "the sentence")


async def test_what_was_asked_for_since_makes_a_picture_stale(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        before = at.screen.model.got().question
        await at.pilot.press("up")
        await at.until(lambda: "stale: waiting for the engine" in at.text, "stale")
        level = f" {before.level:g} "
        assert level in at.text.splitlines()[2]  # the picture still shows the old level
        await at.settle()
        assert "stale" not in at.text


@pytest.mark.stress
async def test_filling_in_is_played_and_can_be_paused(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        await at.press("tab")
        await at.until(lambda: "step 3 of 30" in at.text, "the third frame")
        await at.pilot.press("space")
        await at.until(lambda: "paused" in at.text, "the pause")
        frame = at.screen.model.frame(31)
        await at.pilot.pause(0.4)
        assert at.screen.model.frame(31) == frame
        await at.pilot.press("home")
        assert at.screen.model.frame(31) == 0


async def test_a_drawing_by_keys_is_what_the_model_is_asked_about(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        (asked,) = await at.press("w")
        assert asked.pixels == [[0.0] * 784]
        await at.press("space", "right", "right", "down", "space", "right")
        canvas = at.screen.model.canvas
        assert canvas[14, 16] == canvas[15, 16] == 1
        assert canvas[15, 22] == 0
        (asked,) = await at.press("k")
        np.testing.assert_allclose(np.array(asked.pixels[0]).reshape(28, 28), canvas, atol=1e-3)
        assert "drawing" in at.text
        await at.press("e")
        assert at.screen.model.canvas.max() == 0
        (asked,) = await at.press("i")
        assert asked.pixels is None
        assert "test item 0" in at.text


async def test_the_mouse_draws_too(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        sheet = at.screen.query_one(Sheet)
        await at.pilot.mouse_down(sheet, offset=(10, 8))
        await at.settle()
        row, column = sheet.pixel(8, 10)
        assert at.screen.model.canvas[row, column] == 1


async def test_what_is_painted_over_is_filled_in(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        await at.press("tab")
        (asked,) = await at.press(*["k"] * 6)
        assert asked.missing == "given"
        assert sum(asked.mask) == 1
        asked = await at.press("space", "right", "right")
        painted = np.array(asked[-1].mask).reshape(28, 28)
        assert painted[14, 14:17].all()
        assert 5 < painted.sum() < 60


async def test_what_a_classifier_tells_wrongly_is_shown_with_what_it_is_taken_for(
    engine: PlayedEngine, until: Until
) -> None:
    async with visit(engine, until, "explore", size=(120, 40)) as at:
        await at.settle()
        *_, asked = await at.press("tab", "tab", "tab")
        assert asked == Errors(rows=60)
        await at.until(lambda: "5 of 975 test items, 0.513 %; most often 9→7, 3 times" in at.text, "how many")
        assert [word for word in at.text.split() if "→" in word and "," not in word] == ["9→7", "4→9"] * 2 + ["9→7"]
        assert "[errors]" in at.text
        assert "9→7 .82" in at.text


async def test_a_narrow_screen_has_room_for_many_that_are_told_wrongly(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "explore", size=(80, 24)) as at:
        await at.settle()
        await at.press("tab", "tab", "tab")
        await at.until(lambda: "5 of 975 test items" in at.text, "how many")
        assert len(re.findall(r"\d→\d \.\d\d", at.text)) == 5


async def test_a_model_that_lacks_an_ability_says_so_and_is_not_asked(engine: PlayedEngine, until: Until) -> None:
    async with visit(engine, until, "explore", able=["denoise", "classify"]) as at:
        await at.settle()
        await at.pilot.press(*["tab"] * 4)
        await at.until(lambda: "a ladder model has no prior and no chain" in at.text, "the sentence")
        assert "this model can't; tab goes on" in at.text
        await at.pilot.pause(0.2)
        assert [r for r in at.model.waiting() if isinstance(r.question, Sample)] == []


async def test_points_have_a_field_and_clouds(tmp_path: Path, until: Until) -> None:
    with PlayedEngine.new(tmp_path, "dae-swissroll") as engine:
        engine.train(100)
        async with visit(engine, until, "explore") as at:
            at.model.points = True
            (asked,) = await at.settle()
            assert asked == ScoreField(lines=21)
            lines = at.text.splitlines()
            assert sum(line.count("↙") for line in lines[:18]) > 20
            assert sum(line.count("↗") for line in lines[22:]) > 20
            (asked,) = await at.press("down")
            assert asked.lines == 19
            await at.pilot.press("m")
            await at.until(lambda: "behind: samples: this model has none" in at.text, "the words")
            (asked,) = await at.press("tab")
            assert asked.items == list(range(100))
            assert "reconstruction" in at.text
            await at.pilot.press("tab")
            await at.until(lambda: "nothing to fill in in points" in at.text, "the sentence")
            await at.pilot.press("w")
            await at.until(lambda: "can't be drawn" in at.text, "the hint")
