"""The mouse on the screens that look into a model: hover says what it is over, a click chooses it, as a key does."""

from __future__ import annotations

import re

from laddertop.tui.dashboard.widgets.explore_panels import Result, TaskBar
from laddertop.tui.dashboard.widgets.latent_images import Strips
from laddertop.tui.dashboard.widgets.latent_map import LatentMap
from laddertop.tui.dashboard.widgets.latent_units import LatentUnits
from laddertop.tui.dashboard.widgets.layer_details import LayerMap
from laddertop.tui.dashboard.widgets.layer_list import LayerList
from laddertop.tui.dashboard.widgets.samples import Samples
from laddertop.tui.dashboard.widgets.timeline import Timeline
from tests.tui.conftest import Until
from tests.tui.mouse import scroll
from tests.tui.played import PlayedEngine
from tests.tui.test_model_screens import visit


async def test_the_mouse_says_and_chooses_items_units_and_images_of_the_latent_space(
    vae: PlayedEngine, until: Until
) -> None:
    async with visit(vae, until, "latent", (80, 24)) as at:
        await at.settle()
        panel = at.screen.query_one(LatentMap)
        rows, columns, _ = panel._plane.cells(at.screen.model.points())
        offset = (int(columns[42]) + 1, int(rows[42]) + 1)
        await at.pilot.hover(panel, offset=offset)
        said = re.search(r"item (\d+), class (\d) ─$", panel.text().splitlines()[0])
        assert said is not None
        assert int(said[1]) % 10 == int(said[2])
        await at.pilot.click(panel, offset=offset)
        assert at.screen.model.item == int(said[1]), "a click takes what hover says"
        await at.pilot.hover("#status")
        assert "class" not in panel.text()
        await at.pilot.click(panel, offset=(int(columns[17]) + 1, int(rows[17]) + 1), button=3)
        assert (rows[at.screen.model.other], columns[at.screen.model.other]) == (rows[17], columns[17])
        units = at.screen.query_one(LatentUnits)
        await at.pilot.hover(units, offset=(8, 4))
        third = at.screen.model.units()[3].number
        assert f"unit {third}" in units.text().splitlines()[0]
        await at.pilot.click(units, offset=(8, 4))
        assert at.screen.model.unit() == third
        await scroll(at.pilot, units, (8, 4), 2)
        assert at.screen.model.unit() == at.screen.model.units()[1].number
        await at.settle()
        strips = at.screen.query_one(Strips)
        for told in ("unit", "of the way from A to B"):
            region, words = strips._shown[-2]
            assert told in words
            await at.pilot.hover(strips, offset=(region.x, region.y))
            assert f" {words} ─" in strips.text()
            await at.pilot.press("tab")


async def test_a_layer_of_a_list_that_does_not_fit_is_chosen_where_it_is_seen(
    engine: PlayedEngine, until: Until
) -> None:
    async with visit(engine, until, "layers", (80, 15), gates=True) as at:
        await at.settle()
        panel = at.screen.query_one(LayerList)
        await scroll(at.pilot, panel, (5, 3), -6)
        assert "›layer 0" in panel.text()
        row = next(y for y, line in enumerate(panel.text().splitlines()) if " layer 2" in line)
        await at.pilot.click(panel, offset=(5, row))
        assert "›layer 2" in panel.text()
        await at.pilot.click(panel, offset=(5, 0))
        assert "›layer 2" in panel.text(), "the title is no layer"
        codes = at.screen.query_one(LayerMap)
        await at.pilot.hover(codes, offset=(10, 3))
        assert re.search(r"item \d+, class \d ─$", codes.text().splitlines()[0])


async def test_the_mouse_says_chooses_and_enlarges_samples(engine: PlayedEngine, until: Until) -> None:
    for _ in range(3):
        engine.sample()
        engine.train(1000)
    async with visit(engine, until, "samples") as at:
        await at.until(lambda: "samples 3 of 3, recorded by the engine at step 4 000" in at.text, "the newest")
        line, images = at.screen.query_one(Timeline), at.screen.query_one(Samples)
        x = line.column(3000, line.size.width)
        await at.pilot.hover(line, offset=(x + 2, 1))
        assert "samples of step 3 000" in line.text()
        await at.pilot.click(line, offset=(x + 2, 1))
        await at.until(lambda: "recorded by the engine at step 3 000" in at.text, "what was clicked at")
        region, item, _ = images._shown[-1]
        assert item > 0
        await at.pilot.hover(images, offset=(region.x + 1, region.y + 1))
        assert f"item {item}, error, step 3 000" in images.text()
        await at.pilot.click(images, offset=(region.x + 1, region.y + 1))
        assert (images.first, images.zoom) == (item, 0)
        await at.pilot.click(images, offset=(3, 3))
        assert (images.first, images.zoom) == (item, 1), "once more on the first: larger"
        await scroll(at.pilot, images, (3, 3), -2)
        assert images.zoom == -1


async def test_a_task_is_chosen_by_a_click_and_a_generated_sample_told(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "explore") as at:
        await at.settle()
        tasks = at.screen.query_one(TaskBar)
        await at.pilot.click(tasks, offset=(tasks.text().index("generate") + 2, 0))
        await at.settle()
        assert at.screen.model.task == "generate"
        result = at.screen.query_one(Result)
        region, _ = result._shown[7]
        await at.pilot.hover(result, offset=(region.x + 1, region.y + 1))
        assert "sample 7 ─" in result.text().splitlines()[0]
