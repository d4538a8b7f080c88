"""What is too large, too deep or too many is refused in a sentence, without being read whole or given memory."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import pytest
import torch
from typer.exceptions import TyperException

from laddertop.engine.build import build
from laddertop.engine.data import Inputs
from laddertop.journal.folder import RunFolder
from laddertop.journal.spec import load_recipe, override
from laddertop.tui.cli.main import app

LADDER = 'steps = 5\n[model]\nkind = "ladder"\n'
DEEP = f"{'[' * 3000}{']' * 3000}"

RECIPES = {
    "large": ("#" * (1 << 20), "is too large for a recipe: more than 16 KiB"),
    "deep": (f"a = {DEEP}", "nests its values too deeply"),
    "deep keys": (f"{'.'.join('a' * 2000)} = 1\n{LADDER}", "a: unknown key"),
    "deep where a number belongs": (f"{LADDER}widths = {'[' * 90}{']' * 90}", "model.widths.0: takes a whole number"),
    "long number": (f"seed = {'9' * 9000}\n{LADDER}", "holds a number that is too long"),
    "long number in hex": (f"seed = 0x{'f' * 9000}\n{LADDER}", "(you gave a number of more than 80 digits)"),
    "long text": (f'seed = "{"k" * 9000}"\n{LADDER}', "seed: takes a whole number (you gave 'kkk"),
    "long key": (f"{'k' * 9000} = 1\n{LADDER}", "kkkk: unknown key"),
    "many keys": ("\n".join(f"k{i} = 1" for i in range(1500)) + f"\n{LADDER}", "k4: unknown key; and more"),
    "1e308 epochs": (LADDER.replace("steps = 5", "epochs = 1e308"), "epochs: input should be less than or equal to"),
    "steps": (LADDER.replace("steps = 5", "steps = 9999999999999"), "steps: input should be less than or equal to"),
    "a wide layer": (f"{LADDER}widths = [1000000000]", "model.widths.0: input should be less than or equal to 65536"),
    "a large kernel": (
        'steps = 5\n[model]\nkind = "conv_ladder"\narchitecture = ["convf:8:99999"]\ndenoising = [0, 0]',
        "model.architecture.0: is none of these",
    ),
    "many layers": (f"{LADDER}widths = [{'1,' * 200}]", "model.widths: list should have at most 100 items"),
}
"""What a recipe may hold, and what is said of it."""


WORDS = {
    "train ladder-digits --seeds 1000000000000": "--seeds",
    "train ladder-digits --steps 1000000000000000000000": "steps: input should be less than or equal to 1000000000000",
    "train ladder-digits --epochs 1e308": "epochs: input should be less than or equal to 1000000000000",
    "train ladder-digits --labels 1000000000000000": "data.labels: 1000000000000000 labels, and digits has 1437",
    "train ladder-digits --seed 1000000000000000": "seed: input should be less than 4294967296",
    "train ladder-digits --set data.batch=1000000000000": "data.batch: 1000000000000 rows, and digits has 1437",
    "train ladder-digits --set optimizer.lr=1e308": "optimizer.lr: input should be less than or equal to 10",
    "train ladder-digits --set checkpoint.keep=9999999999999": "checkpoint.keep: input should be less than or equal",
    f"train ladder-digits --set noise.std={DEEP}": "noise.std: takes a number or a list of numbers (you gave '[[[",
    "train vae-mnist --set model.latent=1000000000": "model.latent: input should be less than or equal to 65536",
    "sample x --rows 1000000000000": "--rows: input should be less than or equal to 400",
    "sample x --seed 1000000000000": "--seed: input should be less than 4294967296",
    "denoise x --level 1e308": "--level: input should be less than or equal to 10",
    "inpaint x --steps 1000000000000": "--steps: input should be less than or equal to 100",
    "interpolate x --steps 1000000000000": "--steps: input should be less than or equal to 100",
    "traverse x --steps 1000000000000": "--steps: input should be less than or equal to 100",
    "traverse x --high 1e308": "--high: input should be less than or equal to 1000000",
    "manifold x --lines 1000000000000": "--lines: input should be less than or equal to 50",
    "field x --lines 1000000000000": "--lines: input should be less than or equal to 60",
    "field x --extent 1e308": "--extent: input should be less than or equal to 100",
}
"""Counts and values that somebody may type, and what is said of them."""


def refused(*words: str) -> str:
    """What a command line is refused with: soon, with little memory, in one short line, and nothing is made."""
    began = time.process_time()
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, TyperException)) as raised:
            app(list(words), standalone_mode=False)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    said = raised.value.format_message() if isinstance(raised.value, TyperException) else str(raised.value)
    assert time.process_time() - began < 10
    assert most < 64 << 20
    assert len(said) < 400
    assert "\n" not in said
    return said


@pytest.mark.parametrize("kind", RECIPES)
def test_a_recipe_has_limits(tmp_path: Path, kind: str) -> None:
    text, complaint = RECIPES[kind]
    (tmp_path / "x.toml").write_text(text)
    assert complaint in refused("train", str(tmp_path / "x.toml"), "--runs", str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_recipe_of_a_gigabyte_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "x.toml").open("wb") as file:
        file.truncate(1 << 30)
    assert "too large for a recipe" in refused("train", str(tmp_path / "x.toml"), "--runs", str(tmp_path / "runs"))


@pytest.mark.parametrize("words", WORDS)
def test_what_is_typed_has_limits(tmp_path: Path, words: str) -> None:
    assert WORDS[words] in refused(*words.split(), "--runs", str(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_spec_that_nests_too_deeply_is_a_damaged_one(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text("[" * 200_000)
    with pytest.raises(ValueError, match=r"spec.json can't be read: .*; the run can't be used without it"):
        RunFolder(tmp_path).spec  # noqa: B018


def test_a_model_that_is_larger_than_the_memory_is_refused_before_it_takes_any() -> None:
    layers = [f"model.widths={[65536] * 100}", f"model.denoising={[1] * 102}"]
    spec = override(load_recipe("ladder-digits"), layers)
    with pytest.raises(ValueError, match=r"its parameters alone take 10206 GB .*; take fewer or narrower layers"):
        build(spec, Inputs((1, 8, 8), 10, lambda: torch.zeros(64)), torch.device("cpu"), torch.float32)
