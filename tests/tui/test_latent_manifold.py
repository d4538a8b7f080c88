"""The plane of a code of two units on the latent screen."""

from __future__ import annotations

from laddertop.journal.explore import KINDS, Manifold, Traverse
from laddertop.tui.dashboard.widgets.latent_manifold import ManifoldPlane
from tests.tui.conftest import Until
from tests.tui.played import PlayedEngine
from tests.tui.test_model_screens import visit


async def test_the_plane_of_two_units_takes_the_place_of_the_map_and_a_click_its_code(
    vae: PlayedEngine, until: Until
) -> None:
    async with visit(vae, until, "latent", able=KINDS) as at:
        assert not any(isinstance(question, Manifold) for question in await at.settle())
        asked = await at.press("m")
        assert asked == [Manifold(lines=7)]
        assert "manifold of units 0 and 1" in at.text
        assert "codes of 100 items" not in at.text
        plane = at.screen.query_one(ManifoldPlane)
        rows, columns = plane._taken
        await at.pilot.hover(plane, offset=(columns, 1))
        assert "unit 0 = +1.50, unit 1 = +1.50" in at.text
        await at.pilot.click(plane, offset=(1, rows))
        (walked,) = [question for question in await at.settle() if isinstance(question, Traverse)]
        assert walked.given == {0: -1.5, 1: -1.5}
        await at.press("m")
        assert "codes of 100 items" in at.text


async def test_a_code_of_more_than_two_units_has_no_plane(vae: PlayedEngine, until: Until) -> None:
    async with visit(vae, until, "latent") as at:
        await at.settle()
        assert "manifold" not in at.text
        await at.pilot.press("m")
        await at.pilot.pause(0.3)
        assert at.model.waiting() == []
        assert "codes of 100 items" in at.text
