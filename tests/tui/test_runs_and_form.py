"""The list of runs and the form for a new one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from textual.widgets import OptionList

import laddertop.tui.dashboard.screens.new
from laddertop.journal.commands import send
from laddertop.journal.folder import create_run, list_runs
from laddertop.journal.origin import Origin
from laddertop.journal.places import recipes
from laddertop.journal.spec import Spec, keys, load_recipe, override
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.background import Paper
from laddertop.tui.dashboard.screens.new import NewRunScreen
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.views.recipe_form import draft, fields_of
from tests import warm
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine


async def test_enter_opens_the_run_under_the_cursor_and_r_comes_back(engine: PlayedEngine, until: Until) -> None:
    runs = engine.run.path.parent
    with PlayedEngine.new(runs, "vae-mnist", "newer") as newer:
        newer.train(100)
        app = LaddertopApp(runs)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "played" in screen_text(app) and "vae-mnist" in screen_text(app), "the runs")
            assert screen_text(app).index("newer") < screen_text(app).index("played")
            await pilot.press("down", "enter")
            await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen")
            assert isinstance(app.screen, RunScreen)
            assert app.screen.view.run.name == "played"
            await pilot.press("r")
            await until(pilot, lambda: isinstance(app.screen, RunsScreen), "the list")


async def test_the_list_follows_what_happens(engine: PlayedEngine, until: Until) -> None:
    app = LaddertopApp(engine.run.path.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the state")
        engine.train(43_000)
        engine.evaluate(1.23)
        await until(pilot, lambda: "50 %" in screen_text(app) and "error 1.23 %" in screen_text(app), "progress")
        engine.__exit__(None, None, None)
        await until(pilot, lambda: "✗ crashed" in screen_text(app), "the crash")


async def test_the_chosen_run_is_previewed_with_its_cost_and_what_it_has_other_than_its_origin(
    tmp_path: Path, until: Until
) -> None:
    spec = load_recipe("vae-mnist")
    with PlayedEngine(create_run(tmp_path, spec, "first")) as first:
        first.train(100)
    other = override(spec, ["seed=7", "optimizer.lr=0.5"])
    origin = Origin(kind="fork", run="first", folder=str(tmp_path / "first"))
    create_run(tmp_path, other, "forked", origin=origin)
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "from first (" in screen_text(app), "where it comes from")
        assert f"seed {spec.seed} → 7, optimizer.lr {spec.optimizer.lr:g} → 0.5)" in screen_text(app)
        await pilot.press("down")
        await until(pilot, lambda: re.search(r"cost \d+ [▁-█]+ \d+", screen_text(app)), "the curve")


async def test_a_name_is_shown_whole_whichever_run_comes_when(tmp_path: Path, until: Until) -> None:
    app = LaddertopApp(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no runs here yet" in screen_text(app), "the empty list")
        for name in ("short", "a-name-of-some-length", "brief", "a-longer-name-than-that-one"):
            PlayedEngine.new(tmp_path, "vae-mnist", name)
            await until(pilot, lambda name=name: f" {name} " in screen_text(app), f"the whole of {name}")
        PlayedEngine.new(tmp_path, "vae-mnist", "2026-11-23-a-name-that-no-terminal-of-80-columns-has-room-for-7f3a")
        await until(pilot, lambda: "2026-11-23-a-name-tha…-7f3a  ◌ starting" in screen_text(app), "both its ends")


async def test_the_cursor_stays_on_its_run(engine: PlayedEngine, until: Until) -> None:
    runs = engine.run.path.parent
    PlayedEngine.new(runs, "vae-mnist", "second")
    app = LaddertopApp(runs)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "second" in screen_text(app), "the runs")
        await pilot.press("down")
        PlayedEngine.new(runs, "vae-mnist", "third")
        await until(pilot, lambda: "third" in screen_text(app), "the new run")
        screen = app.screen
        assert isinstance(screen, RunsScreen)
        row = screen._table.selected
        assert row is not None
        assert row.run.name == "played"
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: "recipe" not in screen_text(app), "the narrow table")
        row = screen._table.selected
        assert row is not None
        assert row.run.name == "played"


async def test_a_finished_run_is_not_resumed(engine: PlayedEngine, until: Until) -> None:
    engine.end("finished")
    engine.__exit__(None, None, None)
    app = LaddertopApp(engine.run.path.parent)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "✓ finished" in screen_text(app), "the end")
        await pilot.press("R")
        await until(pilot, lambda: "finished its 90000 steps; there is nothing to resume" in screen_text(app), "no")
        assert not engine.run.console_path.exists()


@pytest.mark.parametrize("width", [80, 120])
async def test_an_empty_folder_says_how_to_begin(tmp_path: Path, until: Until, width: int) -> None:
    app = LaddertopApp(tmp_path / "none")
    async with app.run_test(size=(width, 24)) as pilot:
        await until(pilot, lambda: "no runs here yet; n starts one" in screen_text(app), "the sentence")
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRunScreen), "the form")


def test_a_form_amounts_to_the_settings_that_differ_from_the_recipe() -> None:
    recipe = load_recipe("ladder-mnist-100")
    filled = fields_of(recipe) | {"optimizer.lr": "0.001", "data.root": "/data"}
    made = draft("ladder-mnist-100", filled, "optimizer.beta1=0.8\n\n")
    assert made.settings == ("data.root=/data", "optimizer.lr=0.001", "optimizer.beta1=0.8")
    assert made.spec == override(recipe, made.settings)
    assert made.shell() == (
        "laddertop train ladder-mnist-100 --set data.root=/data --set optimizer.lr=0.001 --set optimizer.beta1=0.8"
    )
    assert made.shell({"--name": "my run", "--runs": ""}).endswith(" --name 'my run'")


def test_the_data_root_of_a_form_holds_wherever_a_resume_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    made = draft("ladder-digits", {"data.root": "~/data"}, "")
    assert made.spec is not None
    assert made.spec.data.root == "/home/ann/data"
    made = draft("ladder-digits", {"data.root": "here"}, "")
    assert made.spec is not None
    assert made.spec.data.root == str(Path("here").absolute())


def test_a_field_that_was_emptied_is_told() -> None:
    made = draft("ladder-digits", fields_of(load_recipe("ladder-digits")) | {"seed": " "}, "")
    assert made.spec is None
    assert made.problem == "seed is empty; the recipe's value is 1"


def test_an_untouched_form_is_the_recipe() -> None:
    for name in ("ladder-digits", "vae-mnist", "dae-mnist"):
        recipe = load_recipe(name)
        made = draft(name, fields_of(recipe), "")
        assert made.spec == recipe
        assert made.shell() == f"laddertop train {name}"


def test_a_wrong_setting_is_told_with_the_nearest_name() -> None:
    made = draft("ladder-digits", {}, "optimizer.lrr=1")
    assert made.spec is None
    assert "optimizer.lr" in made.problem


async def test_the_form_checks_as_you_type_and_starts_nothing_wrong(tmp_path: Path, until: Until) -> None:
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(110, 34)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        form.field("seed").focus()
        await pilot.press("end", "x")
        await until(pilot, lambda: "✗ seed:" in screen_text(app), "the complaint")
        assert "--set seed=1x" in screen_text(app)
        await pilot.press("ctrl+s")
        assert list_runs(tmp_path) == []
        await pilot.press("backspace", "7")
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready again")
        assert "--set seed=17" in screen_text(app)


async def test_the_form_has_the_keys_of_each_recipe_and_says_what_they_take(tmp_path: Path, until: Until) -> None:
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(110, 40)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        assert form.field("data.labels").display
        form.query_one("#recipes").highlighted = recipes().index("vae-mnist")  # type: ignore[attr-defined]
        await until(pilot, lambda: "model.latent" in screen_text(app), "the keys of a VAE")
        assert load_recipe("vae-mnist").about[:40] in screen_text(app)
        with pytest.raises(ValueError, match=r"data\.labels"):
            form.field("data.labels")
        form.field("model.latent").focus()
        await until(pilot, lambda: "model.latent: whole number, ≥ 1, ≤ 65536." in screen_text(app), "what it takes")
        form.query_one("#free").focus()
        await pilot.press(*"beta1")
        await until(pilot, lambda: "optimizer.beta1: number, ≥ 0, < 1." in screen_text(app), "the key that fits")


async def test_the_form_says_how_long_it_takes_from_what_an_earlier_run_took(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "box")
    with PlayedEngine.new(tmp_path, "vae-mnist", "before") as engine:
        engine.rate = 200.0
        engine.train(300)
        engine.checkpoint()
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "memory besides torch's own" in screen_text(app), "the memory of another recipe")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        form.query_one("#recipes").highlighted = recipes().index("vae-mnist")  # type: ignore[attr-defined]
        await until(pilot, lambda: "at 200 step/s" in screen_text(app), "the speed")
        form.query_one("#free").focus()
        await pilot.press(*"steps=12000")
        await until(pilot, lambda: "about 1 min 00 s for 12 000 steps" in screen_text(app), "time")
        words = " ".join(screen_text(app).split())
        # Whole, on two rows where one is too narrow.
        assert "as before took here; about 329 MB of memory besides torch's own; 37.5 MB a checkpoint" in words
        await pilot.press("enter", *"device=cpu", "enter", *"model.latent=7")
        await until(pilot, lambda: "a guess" in screen_text(app), "other sizes")


async def test_a_recipe_has_as_many_fields_as_it_has_keys(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    def every_key(recipe: Spec) -> dict[str, str]:
        return {key.name: "" for key in keys(recipe)}

    few = len(fields_of(load_recipe("ladder-digits")))
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(110, 60)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "the form")
        monkeypatch.setattr(laddertop.tui.dashboard.screens.new, "fields_of", every_key)
        await pilot.press("down")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        many = len(form._keys)
        assert many > max(few, 24)
        assert len([field for field in form.query("Input.key") if field.display]) == many
        assert form.field(form._keys[-1]).id == f"field-{many - 1}"
        monkeypatch.undo()
        await pilot.press("up")
        await until(pilot, lambda: len([f for f in form.query("Input.key") if f.display]) == few, "few again")


async def test_the_form_starts_a_real_engine_that_a_key_can_stop(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A fork would have begun before anybody could read that it takes a moment.
    monkeypatch.setenv(warm.ADDRESS, "")
    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=(110, 34)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "starting 20" in screen_text(app), "that it takes a moment")
        await until(pilot, lambda: isinstance(app.screen, RunScreen), "the run screen", 200)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        try:
            await until(pilot, lambda: screen.view.step > 0, "the first steps")
            assert "● training" in screen_text(app)
            await pilot.press("n")
            await until(pilot, lambda: "you: noise off → applied" in screen_text(app), "the outcome")
        finally:
            send(screen.view.run.path, 1, "stop", by="test")
        await until(pilot, lambda: "■ stopped" in screen_text(app), "the end")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_form_filters_as_you_type_and_shows_its_choice(
    tmp_path: Path, until: Until, size: tuple[int, int]
) -> None:
    def marked() -> str:
        choice = app.screen.query_one("#recipes", OptionList)
        assert choice.highlighted is not None
        row = choice.region.y + choice.highlighted - choice.scroll_offset.y
        assert choice.region.y <= row < choice.region.bottom, "the choice is scrolled away"
        name = str(choice.get_option_at_index(choice.highlighted).id)
        assert screen_text(app).splitlines()[row].lstrip().startswith(name)
        return name

    app = LaddertopApp(tmp_path, form=True)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "memory besides torch" in screen_text(app).replace("\n", " "), "the whole form")
        await pilot.pause(0.2)
        assert marked() == "ladder-digits"
        await pilot.press(*"omniglot lvae")
        await until(pilot, lambda: "laddertop train lvae-omniglot" in screen_text(app), "the only one")
        assert marked() == "lvae-omniglot"
        assert "ladder-digits" not in screen_text(app)
        await pilot.press("ctrl+a", "ctrl+k", *"vae-mnist-fixed", "down")
        await until(pilot, lambda: "laddertop train vae-mnist-fixed-5 " in screen_text(app), "the one below")
        await pilot.press("x")
        await until(pilot, lambda: "no recipe has that" in screen_text(app), "none")
        await pilot.press("backspace", "enter")
        assert app.focused is app.screen.query_one("#name")


@pytest.mark.stress
async def test_the_form_says_what_the_run_is_too_short_for_and_makes_no_folder_of_what_can_not_start(
    tmp_path: Path, until: Until
) -> None:
    app = LaddertopApp(tmp_path / "runs", form=True)
    async with app.run_test(size=(110, 40)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready")
        form = app.screen
        assert isinstance(form, NewRunScreen)
        form.query_one("#free").focus()
        await pilot.press(*"steps=500", "enter")
        await until(pilot, lambda: "▲ the warm-up takes 10000 steps and the run has 500" in screen_text(app), "it")
        await pilot.press(*"data.batch=2000")
        await until(pilot, lambda: "✗ data.batch: 2000 rows, and digits has 1437" in screen_text(app), "the batch")
        for _ in range(15):
            await pilot.press("backspace")
        await pilot.press(*"data.name=mnist", "enter", *f"data.root={tmp_path}/mistyped")
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready again")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "✗ data.root: there is no folder" in screen_text(app), "no folder")
        assert {path.name for path in tmp_path.iterdir()} <= {".cache"}, "what a user keeps between runs"


async def test_a_run_that_could_not_begin_leaves_its_reason_in_the_form_and_nothing_else(
    tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, folder = tmp_path / "runs", tmp_path / "data" / "MNIST" / "raw"
    monkeypatch.setenv("LADDERTOP_DATA", str(tmp_path / "data"))
    folder.mkdir(parents=True)
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (folder / f"{part}-ubyte").write_bytes(b"half a file")
    app = LaddertopApp(runs, form=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "✓ ready" in screen_text(app), "ready")
        app.screen.query_one("#free").focus()
        await pilot.press(*"data.name=mnist")
        await pilot.press("ctrl+s")
        whole = "is damaged: 11 bytes; delete it and let it be downloaded again"
        await until(pilot, lambda: whole in " ".join(screen_text(app).split()), "the whole reason", 200)
        assert screen_text(app).splitlines()[-1].strip().startswith("ctrl+s start"), "with the keys below it"
        assert isinstance(app.screen, NewRunScreen)
        assert list_runs(runs) == []


@pytest.mark.parametrize("paper", ["dark", "light"])
async def test_the_chosen_run_has_one_ground_from_end_to_end(engine: PlayedEngine, until: Until, paper: Paper) -> None:
    app = LaddertopApp(engine.run.path.parent, paper=paper)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the run")
        (row,) = (strip for strip in app.screen._compositor.render_strips() if "● training" in strip.text)
        grounds = {(s.style.reverse, s.style.color, s.style.dim) for s in row if s.style is not None}
        assert len(grounds) == 1
        assert {reverse for reverse, _, _ in grounds} == {True}


@pytest.mark.parametrize("paper", ["dark", "light"])
async def test_the_chosen_recipe_stands_on_a_ground_of_its_own(tmp_path: Path, until: Until, paper: Paper) -> None:
    app = LaddertopApp(tmp_path, form=True, paper=paper)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press(*"ladder-d", "down", "up")
        await until(pilot, lambda: "8×8 digits" in screen_text(app), "the recipe")
        recipes = app.screen.query_one("#recipes", OptionList)
        assert recipes.highlighted == 0
        (chosen,) = {s.style.bgcolor for s in recipes.render_line(0) if s.style and s.text.strip()}
        (below,) = {s.style.bgcolor for s in recipes.render_line(5) if s.style}
        assert chosen != below
