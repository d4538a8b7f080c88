"""Specs and recipes: what is wrong is named, with what to write instead."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from laddertop.journal.places import recipes
from laddertop.journal.sections import SamplesSpec
from laddertop.journal.spec import Spec, keys, load_recipe, override


def leaf(spec: Spec, key: str) -> Any:
    value: Any = spec
    for part in key.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_says_what_its_file_says(name: str) -> None:
    tree = tomllib.loads((files("laddertop.journal") / "recipes" / f"{name}.toml").read_text())
    spec = load_recipe(name).model_dump()
    assert spec["recipe"] == name
    assert spec["about"]

    def compare(written: dict[str, Any], read: dict[str, Any]) -> None:
        for key, value in written.items():
            if isinstance(value, dict):
                compare(value, read[key])
            else:
                assert read[key] == value, key

    compare(tree, spec)


@pytest.mark.parametrize("name", recipes())
def test_every_key_takes_the_value_that_it_has(name: str) -> None:
    spec = load_recipe(name)
    settings = []
    for key in keys(spec):
        if key.name.startswith("knobs."):  # what a knob starts at has no value where nobody asks for another
            continue
        value = leaf(spec, key.name)
        if value is not None:
            text = value if isinstance(value, str) else json.dumps(value)
            settings.append(f"{key.name}={text}")
    assert len(settings) > 25
    assert override(spec, settings) == spec


def test_every_key_is_documented() -> None:
    assert all(key.help and key.type for key in keys())
    assert len({key.name for key in keys()}) == len(keys())


@pytest.mark.parametrize("name", recipes())
def test_a_spec_survives_its_file(name: str) -> None:
    spec = load_recipe(name)
    assert Spec.model_validate_json(spec.model_dump_json()) == spec


def test_settings_change_what_they_name_and_nothing_else() -> None:
    spec = load_recipe("ladder-digits")
    changed = override(spec, ["optimizer.lr=1e-4", "noise.std=[0.1,0.2,0.3,0.4,0.5,0.6]", "data.root=/data sets/x"])
    assert changed.optimizer.lr == 1e-4
    assert changed.noise.std == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
    assert changed.data.root == "/data sets/x"
    back = override(changed, ["optimizer.lr=0.002", "noise.std=0.3"]).model_dump()
    back["data"]["root"] = None
    assert back == spec.model_dump()


def test_a_length_in_epochs_replaces_one_in_steps_and_back() -> None:
    spec = load_recipe("ladder-digits")
    assert (spec.steps, spec.epochs) == (100_000, None)
    spec = override(spec, ["epochs=2.5"])
    assert (spec.steps, spec.epochs) == (None, 2.5)
    assert override(spec, ["steps=7"]).steps == 7


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("optimizer.l=1", r"unknown key 'optimizer.l' \(did you mean optimizer\.lr"),
        ("lr=1", r"unknown key 'lr' \(did you mean .*optimizer\.lr"),
        ("qqqqqq=1", "unknown key 'qqqqqq'; `laddertop recipes --keys`"),
        ("optimizer.lr", "is no setting: write key=value"),
        ("optimizer.lr=fast", r"optimizer\.lr: .*number.* \(you gave 'fast'\)"),
        ("optimizer.lr=0", r"optimizer\.lr: .*greater than 0"),
        ("optimizer.lr=nan", r"optimizer\.lr: "),
        ("seed=-1", "seed: .*greater than or equal to 0"),
        ("precision=fp16", r"precision: .*fp32.*\(you gave 'fp16'\)"),
        ("device=gpu", r"device: is none of these: auto, cpu, cuda, .*\(you gave 'gpu'\)"),
        ("steps=0", "steps: .*greater than or equal to 1"),
        ("data.labels=15", "multiple of 10"),
        ("data.labels=none", r"^the settings: data\.labels: takes a whole number or all \(you gave 'none'\)$"),
        ("noise.std=x", r"^the settings: noise\.std: takes a number or a list of numbers \(you gave 'x'\)$"),
        ('noise.std=[0.1, "x"]', r"^[^;]* takes a number or a list of numbers \(you gave \[0\.1, 'x'\]\)$"),
        ('model.widths=[1, "x"]', r"model\.widths\.1: takes a whole number \(you gave 'x'\)$"),
        ("model.denoising=[1,2]", r"denoising needs 6 weights .*has 2"),
        ("model.latent=3", "unknown key 'model.latent'"),
        ("noise.kind=masking", "ladder network takes gaussian noise only"),
        ("noise.std=[0.1]", r"noise\.std: needs one number or 6, has 1"),
        ("noise.std=-1", "negative"),
        ("warmup.of=kl", "a ladder can warm up noise or denoising"),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(setting: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        override(load_recipe("ladder-digits"), [setting])
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("name", ["ladder-digits", "conv-fc-mnist-100", "vae-mnist", "lvae-mnist", "dae-mnist"])
def test_one_wrong_value_gives_one_complaint_whatever_the_key(name: str) -> None:
    spec = load_recipe(name)
    for key in keys(spec):
        if key.name.startswith("knobs."):
            with pytest.raises(ValueError, match=rf"^the settings: {re.escape(key.name)} takes [^;]*, not '\?!'$"):
                override(spec, [f"{key.name}=?!"])
        elif key.name not in ("recipe", "data.root", "data.label"):  # they take any text
            with pytest.raises(ValueError, match=rf"^the settings: {re.escape(key.name)}: [^;]*") as caught:
                override(spec, [f"{key.name}=?!"])
            assert str(caught.value).count("(you gave") == 1
            assert "input should" not in str(caught.value)


def test_a_model_that_is_trained_on_what_it_sees_takes_no_noise(tmp_path: Path) -> None:
    spec = load_recipe("lvae-mnist")
    assert not [key.name for key in keys(spec) if key.name.startswith("noise.")]
    with pytest.raises(ValueError, match=r"unknown key 'noise\.level'"):
        override(spec, ["noise.level=0.1"])
    file = tmp_path / "mine.toml"
    file.write_text('steps = 5\n[model]\nkind = "lvae"\n[warmup]\nof = "kl"\n[noise]\nlevel = 0.1')
    with pytest.raises(ValueError, match="noise: nothing is corrupted in the training of an lvae"):
        load_recipe(str(file))


def test_a_recipe_of_ones_own_is_a_toml_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('steps = 5\n[model]\nkind = "dae"\n')
    spec = load_recipe(str(file))
    assert (spec.recipe, spec.steps, spec.model.kind) == ("mine", 5, "dae")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"steps = ", "is not valid TOML"),
        (b"\xff\xfe", "can't be read as a recipe"),
        (b"steps = 5", r"name the model: \[model\] kind = ladder, .*vae"),
        (b'steps = 5\n[model]\nkind = "gan"', "model"),
        (b'steps = 5\nepochs = 3\n[model]\nkind = "dae"', "either in epochs or in steps"),
        (b'[model]\nkind = "dae"', "either in epochs or in steps"),
        (b'steps = 5\n[model]\nkind = "dae"\n[optimiser]\nlr = 1', "optimiser: unknown key"),
        (b'steps = 5\n[model]\nkind = "dae"\nhiden = [3]', r"model\.hiden: unknown key"),
    ],
)
def test_a_wrong_recipe_file_is_named(tmp_path: Path, text: bytes, complaint: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(text)
    with pytest.raises(ValueError, match=complaint) as caught:
        load_recipe(str(file))
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("ladder-digit", r"unknown recipe 'ladder-digit' \(did you mean ladder-digits"),
        ("qqqqqq", "unknown recipe 'qqqqqq'; `laddertop recipes` lists them all"),
        ("nowhere/mine.toml", r"no recipe file nowhere/mine\.toml"),
    ],
)
def test_an_unknown_recipe_is_named_with_the_nearest(name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        load_recipe(name)


def test_samples_are_due_early_and_then_at_their_interval() -> None:
    every = SamplesSpec(every=2000)
    assert [step for step in range(1, 6001) if every.due(step)] == [10, 30, 100, 300, 1000, 2000, 4000, 6000]
    assert [step for step in range(1, 31) if SamplesSpec(every=10).due(step)] == [10, 20, 30]
    assert not any(SamplesSpec(every=0).due(step) for step in range(1, 2000))


def test_what_knobs_start_at_is_a_key_for_each_of_them_and_for_their_groups() -> None:
    spec = override(load_recipe("ladder-digits"), ["knobs.noise.std.2=0.5", "knobs.noise.std=0.1", "knobs.noise=off"])
    assert spec.knobs == {**{f"noise.std.{i}": 0.1 for i in range(6)}, "noise": 0.0}
    assert override(spec, ["knobs.noise.std.2=0.5"]).knobs["noise.std.2"] == 0.5
    assert Spec.model_validate_json(spec.model_dump_json()) == spec
    named = [key.name for key in keys(spec) if key.name.startswith("knobs.")]
    assert {"knobs.lr", "knobs.warmup.hold", "knobs.noise.std.5", "knobs.lambda.0"} <= set(named)
    assert "knobs.beta" in [key.name for key in keys(load_recipe("vae-digits"))]


def test_what_knobs_start_at_stands_in_a_recipe_file_as_a_table(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('steps = 5\n[model]\nkind = "vae"\n[knobs]\nbeta = 4\nnoise = true\n"noise.std" = 0.5\n')
    assert load_recipe(str(file)).knobs == {"beta": 4.0, "noise": 1.0, "noise.std": 0.5}
    file.write_text('steps = 5\n[model]\nkind = "vae"\n[knobs]\nnoise.std = 0.5\n')
    assert load_recipe(str(file)).knobs == {"noise.std": 0.5}


def test_a_spec_in_which_no_knob_is_turned_is_written_as_it_was_before_there_were_such_keys() -> None:
    spec = load_recipe("vae-digits")
    assert "knobs" not in spec.model_dump()
    assert Spec.model_validate(spec.model_dump()).knobs == {}


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("knobs.bet=4", r"^the settings: knobs\.bet: unknown knob 'bet'; did you mean beta\?$"),
        ("knobs.beta=101", r"^the settings: knobs\.beta must lie between 0 and 100, not 101$"),
        ("knobs.beta=[4]", r"^the settings: knobs\.beta takes a number, not '\[4\]'$"),
        (f"knobs.beta={'9' * 400}", r"^the settings: knobs\.beta takes a number, not "),
        ("knobs.noise=0.5", r"^the settings: knobs\.noise takes on or off, not 0\.5$"),
        ("knobs.lambda.0=1", r"^the settings: knobs\.lambda\.0: unknown knob 'lambda\.0'; "),
        ("beta=4", r"unknown key 'beta' \(did you mean .*knobs\.beta"),
        ("knobs=4", "unknown key 'knobs'"),
    ],
)
def test_what_a_knob_can_not_start_at_is_said_in_one_sentence(setting: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        override(load_recipe("vae-digits"), [setting])
    assert "\n" not in str(caught.value)
