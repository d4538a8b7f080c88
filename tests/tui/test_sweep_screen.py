"""A sweep in the list of runs and on its own screen: live, stopped in good order, added to; a stranger's inert."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from optuna.trial import TrialState
from textual.pilot import Pilot

from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.screens.sweep import SweepScreen
from laddertop.tui.dashboard.widgets.trials_table import TrialsTable
from laddertop.tui.draw.cells import Ink
from laddertop.tui.draw.slices import Point, Slice, draw_slices
from laddertop.tui.sweep.asked import PINNED, Asked, Inbox
from laddertop.tui.sweep.plan import planned
from laddertop.tui.sweep.queue import Claimed, Queue, create
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_wishes import contents


class Played:
    """A sweep whose runs are played: the first two are over, the third is at work, the others wait."""

    def __init__(self, runs: Path, search: bool = True) -> None:
        spec = override(load_recipe("ladder-mnist-100"), ["epochs=150"])
        varies = {"grid": ["optimizer.lr=1e-3,2e-3"], "search": ["noise.std=0.1..0.5"] if search else []}
        plan = planned(spec, "lr", seeds=2, trials=3 if search else None, prune=True, **varies)
        self.folder = create(runs, plan)
        self.queue = Queue(self.folder)
        for state, value in ((TrialState.COMPLETE, 3.24), (TrialState.PRUNED, 7.5)):
            self.take().tell(state, ("error_percent", _error(value)), "" if value < 5 else "stopped by ann")
        self.claimed = self.take()
        self.engine = PlayedEngine(RunFolder(runs / f"lr-{self.claimed.trial.number:03d}-s{self.claimed.seed}"))

    def take(self) -> Claimed:
        """The next trial, with a run."""
        claimed = self.queue.take()
        assert claimed is not None
        spec = override(self.queue.plan.spec, [f"seed={claimed.seed}"])
        create_run(self.folder.parent, spec, f"lr-{claimed.trial.number:03d}-s{claimed.seed}")
        return claimed

    def asked(self) -> list[Asked]:
        """What was asked of it."""
        return Inbox(self.folder).look()


def _error(value: float) -> Value:
    return Value(value=value, unit="% of images", headline=True, label="error")


@pytest.fixture
def played(tmp_path: Path) -> Played:
    return Played(tmp_path / "runs")


async def _to_sweep(pilot: Pilot[None], app: LaddertopApp, until: Until) -> SweepScreen:
    await until(pilot, lambda: "▸ lr" in screen_text(app), "the sweep in the list")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(app.screen, SweepScreen) and "● running" in screen_text(app), "its screen")
    assert isinstance(app.screen, SweepScreen)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_sweep_stands_in_the_list_in_the_place_of_its_runs_and_goes_on_live(
    played: Played, until: Until, size: tuple[int, int]
) -> None:
    runs = played.folder.parent
    PlayedEngine.new(runs, "vae-mnist", "lone")
    app = LaddertopApp(runs)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "✓1 ■1 ●1 ◌3 of 6" in screen_text(app), "where its runs stand")
        assert "error 3.24 %" in screen_text(app), "the best of the finished ones"
        assert "lr-000" not in screen_text(app)
        assert "lone" in screen_text(app)
        played.claimed.tell(TrialState.COMPLETE, ("error_percent", _error(1.5)))
        await until(pilot, lambda: "✓2 ■1 ◌3 of 6" in screen_text(app), "the next end")
        assert "error 1.50 %" in screen_text(app)
        await pilot.press("G")
        await until(pilot, lambda: "nobody is at work" in screen_text(app), "that nobody goes on")
        await pilot.press("slash", *"lr-0", "enter")
        await until(pilot, lambda: "lr-000" in screen_text(app) and "lr-002" in screen_text(app), "the runs searched")
        await pilot.press("escape")
        await until(pilot, lambda: "lr-000" not in screen_text(app), "the sweep again")


async def test_until_a_run_is_finished_the_list_shows_what_one_at_work_came_to(tmp_path: Path, until: Until) -> None:
    plan = planned(load_recipe("ladder-mnist-100"), "lr", seeds=2, grid=[], search=[], trials=None, prune=False)
    claimed = Queue(create(tmp_path, plan)).take()
    assert claimed is not None
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "●1 ◌1 of 2" in screen_text(app), "the sweep")
        with PlayedEngine.new(tmp_path, "ladder-mnist-100", f"lr-000-s{claimed.seed}") as engine:
            engine.train(100)
            engine.evaluate(4.56)
            await until(pilot, lambda: "error 4.56 %" in screen_text(app), "its newest evaluation")


async def test_its_screen_has_every_run_with_its_values_and_each_key_against_what_they_came_to(
    played: Played, until: Until
) -> None:
    app = LaddertopApp(played.folder.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        with played.engine as engine:
            engine.train(45_000)
            engine.evaluate(2.5)
            await _to_sweep(pilot, app, until)
            rows = [line.split() for line in screen_text(app).splitlines()]
            heads = next(row for row in rows if row[:2] == ["run", "seed"])
            assert heads == ["run", "seed", "state", "progress", "error", "optimizer.lr", "noise.std"]
            table = {row[0]: row for row in rows if row and row[0] in "012345"}
            std = played.claimed.values["noise.std"]
            assert table["0"][2:6] == ["✓", "finished", "3.24", "%"]
            assert table["1"][2:] == ["■", "pruned", "7.50", "%", "1e-3", table["0"][-1], "stopped", "by", "ann"]
            assert table["2"][2:4] == ["●", "running"]
            assert (table["2"][-4:-1], float(table["2"][-1])) == (
                ["2.50", "%", "2e-3"],
                pytest.approx(float(std), 0.01),
            )
            assert table["5"][2:] == ["◌", "waiting", "1e-3"]
            assert re.search(r"error optimizer\.lr +noise\.std", screen_text(app))
            await pilot.press("s")
            await until(pilot, lambda: "by value" in screen_text(app), "the order")
            lines = screen_text(app).splitlines()
            order = [line.split()[0] for line in lines if re.match(r" +[0-5] +\d+  [✓■●◌]", line)]
            assert order == ["2", "0", "1", "3", "4", "5"]
            await pilot.press("s", "s")
            await pilot.press("G", "enter")
            await until(pilot, lambda: "run 5 waits for a worker" in screen_text(app), "that there is nothing yet")
            await pilot.press("g", "down", "down", "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, SweepScreen), "the sweep, where it was")
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")


async def test_its_keys_stop_it_add_to_it_and_pin_it_by_files_that_its_workers_obey(
    played: Played, until: Until
) -> None:
    app = LaddertopApp(played.folder.parent)
    async with app.run_test(size=(100, 30)) as pilot:
        await _to_sweep(pilot, app, until)
        await pilot.press("X")
        await until(pilot, lambda: "stop the sweep lr?" in screen_text(app), "the question")
        await pilot.press("escape")
        assert played.asked() == []
        await pilot.press("X", "enter")
        await until(pilot, lambda: len(played.asked()) == 1, "the request")
        assert (played.asked()[0].action, played.asked()[0].by[-11:]) == ("stop", "(dashboard)")
        await pilot.press("m")
        await until(pilot, lambda: "how many settings more, each with 2 seeds?" in screen_text(app), "the question")
        await pilot.press("backspace", "2", "enter")
        await until(pilot, lambda: "7 waiting of 10" in screen_text(app), "those that were added")
        assert (played.asked()[1].action, played.asked()[1].count) == ("add", 2)
        played.queue.grow()
        assert len(played.queue.trials()) == 10
        await pilot.press("P")
        await until(pilot, lambda: "▲ pinned" in screen_text(app), "the pin")
        assert (played.folder / PINNED).exists()
        played.claimed.close()
        await until(pilot, lambda: "nobody is at work, stopped by" in screen_text(app), "who stopped it")
        await pilot.press("X")
        await until(pilot, lambda: "there is nothing to stop" in screen_text(app), "that it stands still")
        PlayedEngine.new(played.folder.parent, "vae-mnist", "newer")
        await pilot.press("escape")
        await until(pilot, lambda: "newer" in screen_text(app), "the list")
        assert screen_text(app).index("▲ ▸ lr") < screen_text(app).index("newer"), "pinned above what is newer"
        await pilot.press("g", "P")
        await until(pilot, lambda: "▲" not in screen_text(app), "the pin taken away")


async def test_what_is_done_with_whole_runs_is_not_done_with_a_sweep_but_for_putting_it_away(
    played: Played, until: Until
) -> None:
    before = contents(played.folder.parent)
    app = LaddertopApp(played.folder.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "▸ lr" in screen_text(app), "the sweep")
        for key in ("R", "f", "p", "space", "E", "N", "x"):
            app.screen.tell("")  # type: ignore[attr-defined]
            await pilot.press(key)
            await until(pilot, lambda: "lr is a sweep" in screen_text(app), f"the sentence, {key}")
        assert contents(played.folder.parent) == before
        await pilot.press("a")
        await until(pilot, lambda: "archived lr; A shows it" in screen_text(app), "that it is away")
        assert "▸ lr" not in screen_text(app)
        await pilot.press("A")
        await until(pilot, lambda: "› ▸ lr" in screen_text(app), "it again")


@pytest.mark.parametrize("how", ["stranger", "read-only", "trust"])
async def test_a_strangers_sweep_is_shown_and_not_driven(played: Played, until: Until, how: str) -> None:
    played.folder.chmod(0o755)
    (played.folder / "optuna.log").chmod(0o666)
    before = contents(played.folder.parent)
    app = LaddertopApp(played.folder.parent, read_only=how == "read-only", trust=how == "trust")
    async with app.run_test(size=(120, 30)) as pilot:
        await _to_sweep(pilot, app, until)
        assert ("read-only" in screen_text(app)) is (how != "trust")
        told = "only looks" if how == "read-only" else "lr is looked at and not driven: others can write to"
        if how == "trust":
            await pilot.press("P")
            await until(pilot, lambda: (played.folder / PINNED).exists(), "the pin")
            return
        for key in ("X", "m", "P"):
            app.screen.tell("")  # type: ignore[attr-defined]
            await pilot.press(key)
            await until(pilot, lambda: told in screen_text(app), f"the sentence, {key}")
            assert isinstance(app.screen, SweepScreen)
    assert contents(played.folder.parent) == before


async def test_a_damaged_sweep_says_so_and_can_be_looked_at(played: Played, until: Until) -> None:
    with (played.folder / "optuna.log").open("a") as file:
        file.write("\x1b[2Jrubbish\n")
    app = LaddertopApp(played.folder.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "optuna.log is damaged in line" in screen_text(app), "what is wrong")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, SweepScreen), "its screen")
        await until(pilot, lambda: "optuna.log is damaged in line" in screen_text(app), "the same there")


async def test_nothing_is_sent_to_the_terminal_while_nothing_changes(
    played: Played, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = LaddertopApp(played.folder.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        screen = await _to_sweep(pilot, app, until)
        looks = 0
        real: Callable[[], object] = screen._view.look

        def look() -> object:
            nonlocal looks
            looks += 1
            return real()

        monkeypatch.setattr(screen._view, "look", look)
        await until(pilot, lambda: looks > 1, "a look")
        drawn: list[object] = []
        monkeypatch.setattr(app, "_display", lambda *what: drawn.append(what[1]))
        before = looks
        await until(pilot, lambda: looks > before + 3, "more looks")
        assert [one for one in drawn if one is not None] == []


@pytest.mark.parametrize(
    ("measure", "width", "heads"),
    [
        ("reconstruction", 80, "progress  reconstruction  optimizer.lr"),
        ("reconstruction", 60, "progress  reconstr…  opt"),
    ],
)
def test_what_runs_are_measured_by_is_named_whole_where_there_is_room(measure: str, width: int, heads: str) -> None:
    table = TrialsTable(id="table")
    table.take([], ["optimizer.lr"], measure)
    assert heads in table._picture(4, width).text()


def test_slices_show_what_each_value_came_to() -> None:
    points = [Point(0.0, 1.0, "•", Ink.CURVE, 2), Point(1.0, 0.0, "●", Ink.GOOD, 3), Point(1.0, 0.0, "•", Ink.CURVE, 2)]
    ticks = [(0.0, "low"), (1.0, "high"), (0.5, "mid")]
    text = draw_slices(5, 40, [Slice("a", ticks, points), Slice("b", [], [])], "cost").text().splitlines()
    assert text[0] == "   cost a                         1 more"
    assert text[1] == "   1.00 │•"
    assert text[3] == "      0 │                            ●"
    assert text[4] == "        low           mid         high"
    assert len(draw_slices(5, 60, [Slice("a", ticks, points), Slice("b", [], [])]).text().splitlines()[0].split()) == 2
    assert draw_slices(3, 60, [Slice("a", ticks, points)]).text().split() == []
