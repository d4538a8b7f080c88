"""The screens that look into a model as pictures: a change here is a change that users see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui.conftest import Until
from tests.tui.picture import check_picture
from tests.tui.test_model_screens import visit
from tests.tui.test_pictures import played


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize(
    ("screen", "recipe", "keys"),
    [
        ("layers", "ladder-mnist-100", []),
        ("latent", "vae-mnist", []),
        ("explore", "vae-mnist", []),
        ("explore", "ladder-mnist-100", ["tab", "tab"]),
        ("explore", "dae-swissroll", []),
        ("samples", "vae-mnist", ["left"]),
    ],
)
async def test_a_screen_looks_as_it_did(
    tmp_path: Path, until: Until, size: tuple[int, int], screen: str, recipe: str, keys: list[str]
) -> None:
    engine = played(tmp_path, recipe, "2026-11-23-run-7f3a")
    try:
        async with visit(engine, until, screen, size, gates=screen == "layers") as at:
            step: Callable[[], int] = lambda: at.screen.view.step  # noqa: E731
            await at.until(lambda: step() == 12_000, "the newest step")
            if screen != "samples":
                await at.settle(step=12_000)
            for key in keys:
                await at.pilot.press(key)
                await at.settle(step=12_000) if screen != "samples" else None
            await at.until(lambda: screen != "samples" or "step 0" in at.text, "the samples")
            await check_picture(at.pilot, f"{screen}-{recipe}-{size[0]}x{size[1]}")
    finally:
        engine.__exit__(None, None, None)
