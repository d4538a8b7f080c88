"""What the engine declares of a knob is all that the dashboard and the command line know of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from laddertop.journal.events import EventReader, Knob, RunStarted
from laddertop.journal.knobs import grouped, members
from laddertop.journal.models import KINDS
from laddertop.tui.cli.steer import parse_changes
from laddertop.tui.dashboard.knob_keys import knob_keys, usable_keys
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.widgets.knobs import GAP, Item, Knobs, _flow
from laddertop.tui.watch.wording import changes_in_words
from tests.engine.conftest import Bench
from tests.kinds import small_spec
from tests.tui.conftest import Until, started
from tests.tui.eyes import Eyes
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine, knob
from tests.tui.test_steering import inbox, opened

EVERY = [get_args(model.model_fields["kind"].annotation)[0] for model in KINDS]


def declared(kind: str) -> dict[str, Knob]:
    """The knobs of a real training of a kind of model."""
    return {knob.name: knob for knob in Bench(small_spec(kind)).controls.knobs}


async def test_a_knob_that_is_declared_has_its_key_name_and_value_on_the_screen_and_in_set(
    tmp_path: Path, until: Until
) -> None:
    played = started(PlayedEngine.new(tmp_path))
    played.declare(knob("dropout.rate", 0.2, "dropout", "oO", label="rate of dropout"))
    with played as engine:
        engine.train(2000)
        async with opened(engine.run.path) as pilot:
            text = lambda: screen_text(pilot.app)  # noqa: E731
            await until(pilot, lambda: "oO dropout 0.2" in text(), "the knob")
            await pilot.press("O")
            assert [c.changes for c in inbox(engine.run.path)] == [{"dropout.rate": 0.3}]
            engine.answer()
            await until(pilot, lambda: "you: dropout 0.3 → applied" in text(), "the outcome")
            await until(pilot, lambda: "oO dropout 0.3" in text(), "the new value")
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
            assert "o  lower rate of dropout" in text()
            await pilot.press("escape", "ctrl+p", *"higher rate")
            await until(pilot, lambda: "higher rate of dropout" in text(), "the palette")
            await pilot.press("enter")
            await until(pilot, lambda: bool(inbox(engine.run.path)), "the command")
        assert parse_changes(["dropout.rate=0.5"], Eyes(engine.run).view.state.knobs) == {"dropout.rate": 0.5}


def test_the_value_that_acts_is_named_where_it_reads_otherwise_than_that_which_is_set(engine: PlayedEngine) -> None:
    engine.train(100)
    eyes = Eyes(engine.run)
    shown = []
    for acts in (0.002, 0.00199, 0.0012):
        eyes.view.latest["lr"] = acts
        shown.append(re.search(r"lr (\S+(?: \(\S+\))?)", Knobs(eyes.view, id="knobs").picture(6, 120).text())[1])  # type: ignore[index]
    assert shown == ["0.002", "0.002", "0.002 (0.0012)"]


async def test_weights_and_clipping_have_controls(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "yY λ 0.1–1 000" in screen_text(pilot.app), "λ")
        assert "{} clip 0" in screen_text(pilot.app)
        for key, names in (("Y", "lambda"), ("<", "noise.std"), (">", "noise.std")):
            await pilot.press(key)
            (command,) = engine.answer()
            assert list(command.changes) == [f"{names}.{i}" for i in range(7)]


@pytest.mark.parametrize("kind", EVERY)
def test_the_members_of_a_group_have_one_unit_one_name_and_one_pair_of_keys(kind: str) -> None:
    for group, knobs in grouped(declared(kind)).items():
        assert len({(one.unit, one.short, one.keys, one.factor, one.low, one.high) for one in knobs}) == 1, group


@pytest.mark.parametrize("kind", EVERY)
def test_no_key_that_a_model_declares_is_another_ones(kind: str) -> None:
    knobs = declared(kind)
    assert usable_keys(knobs) == {group: one[0].keys for group, one in grouped(knobs).items() if one[0].keys}


def test_the_noise_keys_of_a_chain_turn_its_probability_alone_and_its_hidden_noise_has_its_own() -> None:
    knobs = declared("gsn")
    turned = {key.key: [knobs[name].unit for name in members(key.group, knobs)] for key in knob_keys(knobs)}
    assert turned["<"] == turned[">"] == ["probability per pixel"]
    assert turned["("] == turned[")"] == ["standard deviation"]


def test_a_name_in_a_command_means_the_same_to_the_engine_and_to_who_types_it() -> None:
    controls = Bench(small_spec("sdae")).controls
    knobs = {knob.name: knob for knob in controls.knobs}
    meant = members("train", knobs)
    assert "train.1" in meant
    assert "train.top" not in meant
    assert [change.knob for change in controls.set({"train": 2.0})] == meant
    assert parse_changes(["train=2"], knobs) == {"train": 2.0}
    assert changes_in_words(dict.fromkeys(meant, 2.0), knobs) == "layers 2"
    with pytest.raises(ValueError, match=r"unknown knob 'warmu'"):
        controls.set({"warmu": 1.0})


def test_a_key_that_the_screen_has_a_use_for_is_no_knobs() -> None:
    knobs = {one.name: one for one in (knob("a", 1, "a", "cC"), knob("b", 1, "b", "aA"), knob("c", 1, "c", "Ao"))}
    assert usable_keys(knobs) == {"b": "aA"}


def test_a_journal_of_before_knobs_declared_keys_reads_and_shows_as_it_did() -> None:
    path = Path(__file__).parents[1] / "recorded" / "vae-digits" / "events.jsonl"
    first = json.loads(path.read_text().splitlines()[0])
    assert not any("keys" in one for one in first["knobs"])
    begun = EventReader(path).read_all()[0]
    assert isinstance(begun, RunStarted)
    knobs = {one.name: one for one in begun.knobs}
    assert usable_keys(knobs) == {
        "noise": "n", "noise.level": "<>", "warmup": "w", "warmup.hold": "h", "lr": "[]", "beta": "bB",
    }  # fmt: skip
    assert changes_in_words({"beta": 2.0, "warmup.steps": 10.0}, knobs) == "β 2, warmup.steps 10"


def test_a_long_value_of_a_knob_keeps_its_distance_from_the_next_one() -> None:
    long = Item("[]", "lr", "0.0012345 (0.00098)", width=12)
    (_, first, one), (_, second, _) = _flow([[long, Item("{}", "clip", "0", width=12)]], 120)
    assert second - (first + len(f"{one.key} {one.name} {one.value}")) == GAP
