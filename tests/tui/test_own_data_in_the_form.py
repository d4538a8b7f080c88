"""The form reads a user's own data as their path is typed, and says what they are, or what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from laddertop.journal.folder import list_runs
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.new import NewRunScreen
from tests.engine.own_data import bars
from tests.tui.conftest import Until
from tests.tui.picture import screen_text


async def test_a_path_is_read_in_the_form_and_starts_nothing_before_it_is_right(tmp_path: Path, until: Until) -> None:
    x, y = bars(120)
    np.savez(tmp_path / "m.npz", x=x, y=y)
    np.savez(tmp_path / "bad.npz", x=np.full((9, 4), np.nan))
    app = LaddertopApp(tmp_path / "runs", form=True)

    def shown() -> str:
        return " ".join(screen_text(app).split())

    async with app.run_test(size=(200, 40)) as pilot:
        await until(pilot, lambda: "✓ ready" in shown(), "ready")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        name, labels = form.field("data.name"), form.field("data.labels")
        name.value = str(tmp_path / "bad.npz")
        await until(pilot, lambda: "reading " in shown(), "what it does")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "x[0] holds NaN; replace it, or leave the item out" in shown(), "the fault")
        name.value = str(tmp_path / "m.npz")
        await until(pilot, lambda: "✗ data: labels must be a positive multiple of 3" in shown(), "the labels")
        labels.value = "30"
        form.field("data.batch").value = "97"
        await until(pilot, lambda: "✗ data.batch: 97 rows, and " in shown(), "the batch")
        form.field("data.batch").value = "48"
        found = "✓ ready: 96 training and 24 test images (drawn with seed 1) of 13×7, values in 0…1, 3 classes"
        await until(pilot, lambda: found in shown(), "what was found")
        assert f"--set data.name={tmp_path}/m.npz" in screen_text(app).replace("\n", "")
        await until(pilot, lambda: "memory" in shown(), "the sizes")
        assert list_runs(tmp_path / "runs") == []
