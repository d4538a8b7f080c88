"""Sizes of runs are asked of an engine in the background, once; what is known is told at once, and no key waits."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from laddertop.journal.spec import load_recipe, override
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.steer import sizing
from laddertop.tui.steer.sizing import Sizing
from tests.processes import wait_for
from tests.tui.conftest import Until
from tests.tui.picture import screen_text


def test_an_engine_is_asked_once_for_what_nobody_knows_and_its_answer_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe("dae-mixture")
    mine = override(recipe, ["model.hidden=[31]"])
    told = threading.Event()
    first = Sizing(told.set)
    try:
        first.ask([recipe, mine])
        wait_for(lambda: first.known(recipe))
        found = wait_for(lambda: first.known(mine))
        assert (found.parameters, found.problem) == (2 * 31 + 31 + 31 * 2 + 2, "")
        assert first._process is not None
        first.ask([override(recipe, ["data.batch=20000"])])
        refused = wait_for(lambda: first.known(override(recipe, ["data.batch=20000"])))
        assert refused.problem == "data.batch: 20000 rows, and mixture has 10000 training items"
    finally:
        first.close()
    wait_for(lambda: first._process is not None and first._process.poll() is not None)
    monkeypatch.setattr(sizing, "command", lambda *words: ["false"])
    again = Sizing(told.set)
    try:
        again.ask([mine, override(recipe, ["model.hidden=[32]"])])
        assert wait_for(lambda: again.known(mine)) == found
        dead = wait_for(lambda: again.known(override(recipe, ["model.hidden=[32]"])))
        assert "died (exit status 1)" in dead.problem
    finally:
        again.close()


async def test_the_form_shows_dots_and_takes_keys_while_the_engine_thinks(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()
    asked = Sizing._asked
    monkeypatch.setattr(Sizing, "_asked", lambda self, spec: (answered.wait(), asked(self, spec))[1])
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(110, 40)) as pilot:
        try:
            await until(pilot, lambda: "MB of memory" in screen_text(app), "the sizes of a recipe, at once")
            assert "…; about" not in screen_text(app)
            form = app.screen
            assert isinstance(form, NewRunScreen)
            form.query_one("#free").focus()
            await pilot.press(*"model.combinator=sig")
            began = time.monotonic()
            await until(pilot, lambda: "…; about … MB of memory" in screen_text(app), "dots")
            assert time.monotonic() - began < 30
        finally:
            answered.set()
        await until(pilot, lambda: "…; about" not in screen_text(app) and "a guess" in screen_text(app), "the answer")
        process = form._sizing._process
        assert process is not None
    wait_for(lambda: process.poll() is not None)
