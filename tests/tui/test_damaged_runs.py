"""A run that is damaged, or goes away while it is looked at, costs its row or a sentence, never the dashboard."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from laddertop.journal.folder import RunFolder, create_run, list_runs
from laddertop.journal.metrics import MetricsReader, count_columns
from laddertop.journal.spec import load_recipe
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.messages import CompareRuns, OpenRun
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

NO_LIST = ["5", "null", '"x"', "{}", '{"a": 1}']
NO_COLUMNS = ["[", "\x00", "[1]", "[[]]", "[null]", '[{"name": 3}]']


def test_runs_are_listed_while_they_are_deleted(tmp_path: Path) -> None:
    spec = load_recipe("ladder-digits")
    for number in range(300):
        create_run(tmp_path, spec, f"run-{number}")

    def delete() -> None:
        for number in range(300):
            shutil.rmtree(tmp_path / f"run-{number}")

    deleting = threading.Thread(target=delete)
    deleting.start()
    while deleting.is_alive():
        assert len(list_runs(tmp_path)) <= 300
    assert list_runs(tmp_path) == []


@pytest.mark.parametrize("text", [*NO_LIST, *NO_COLUMNS])
def test_damaged_names_of_columns_are_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.json").write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.json (names no columns|can't be read)"):
        MetricsReader(tmp_path).poll()
    if text in NO_LIST:
        with pytest.raises(ValueError, match=r"metrics\.json (names no columns|can't be read)"):
            count_columns(tmp_path)


@pytest.mark.parametrize("text", ["5", '{"a": 1}', "[1]", '[{"name": 3}]'])
async def test_a_run_with_damaged_metrics_is_opened_compared_replayed_and_learnt_from(
    engine: PlayedEngine, until: Until, text: str
) -> None:
    runs = engine.run.path.parent
    with PlayedEngine.new(runs, "vae-mnist", "sound") as sound:
        sound.train(100)
        (engine.run.path / "metrics.json").write_text(text)
        app = LaddertopApp(runs)
        async with app.run_test(size=(120, 40)) as pilot:
            await until(pilot, lambda: "sound" in screen_text(app) and "reading" not in screen_text(app), "the list")
            app.post_message(OpenRun(engine.run))
            await until(pilot, lambda: "the run folder can't be read" in screen_text(app), "the sentence on its screen")
            await pilot.press("r")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")
            app.post_message(OpenRun(engine.run, replay=True))
            await until(
                pilot, lambda: "metrics.json names no columns" in screen_text(app), "the sentence of the replay"
            )
            app.post_message(CompareRuns([engine.run, sound.run]))
            await until(pilot, lambda: "2 runs: can't be read: " in screen_text(app), "that of the comparison")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")
            await pilot.press("n")
            await until(pilot, lambda: isinstance(app.screen, NewRunScreen), "the form")
            await until(pilot, lambda: "MB of memory" in screen_text(app), "what it takes")


async def test_a_run_that_is_gone_is_a_sentence_wherever_one_goes_to(tmp_path: Path, until: Until) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist", "there") as there:
        there.train(100)
        gone = RunFolder(tmp_path / "vanished")
        app = LaddertopApp(tmp_path)
        async with app.run_test(size=(120, 30)) as pilot:
            for message in (OpenRun(gone), OpenRun(gone, replay=True), CompareRuns([there.run, gone])):
                app.post_message(message)
                await until(pilot, lambda: " vanished " in f"{screen_text(app)} ".replace("/", " "), "the sentence")
                assert isinstance(app.screen, RunsScreen)
                app.screen.tell("")
                await until(pilot, lambda: "vanished" not in screen_text(app), "the sentence is taken back")


async def test_a_run_that_can_not_be_looked_into_costs_its_row(engine: PlayedEngine, until: Until) -> None:
    runs = engine.run.path.parent
    PlayedEngine.new(runs, "vae-mnist", "locked")
    (runs / "locked" / "engine.lock").symlink_to("engine.lock")  # opening it is an error for everybody
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app) and "damaged" in screen_text(app), "both rows")


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("spec.json", "spec.json can't be read"),
        ("origin.json", "origin.json can't be read"),
        ("note.txt", "note.txt can't be read"),
        ("metrics-0001.bin", "metrics-0001.bin is damaged"),
    ],
)
async def test_a_damaged_file_is_a_sentence_on_the_screen_of_its_run_and_in_the_list(
    engine: PlayedEngine, until: Until, file: str, says: str
) -> None:
    path = engine.run.path / file
    data = bytearray(path.read_bytes()) if path.exists() else bytearray(b"{}")
    data[:200] = b"\xff" * 200
    path.write_bytes(data)
    engine.end()
    engine.__exit__(None, None, None)
    runs = engine.run.path.parent
    app = LaddertopApp(runs, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: says in " ".join(screen_text(app).split()), "the sentence on its screen")
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: says in " ".join(screen_text(app).split()), "the sentence below the list")
