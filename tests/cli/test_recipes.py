"""`recipes`: a list that somebody new can find their way in, fast, and one recipe whole."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys

import pytest

from laddertop.journal.places import recipes
from laddertop.journal.recipe_list import GROUPS, START_WITH, differing, group_of, matching, specs
from laddertop.journal.spec import keys, load_recipe, override
from laddertop.tui.learn.lesson import lessons
from tests.processes import Laddertop


def test_every_recipe_has_a_line_in_its_group_and_three_to_start_with_come_last(laddertop: Laddertop) -> None:
    lines = laddertop.here("recipes").stdout.splitlines()
    headings = [line for line in lines if not line.startswith(" ")]
    assert [heading.partition(" · ")[0] for heading in headings] == [*GROUPS, "to start with"]
    listed = [line.split()[0] for line in lines if line.startswith(" ")]
    assert tuple(listed[-3:]) == START_WITH
    assert sorted(listed[:-3]) == recipes()
    assert {group_of(spec) for spec in specs().values()} == set(GROUPS)
    first = next(line for line in lines if "ladder-mnist-100 " in line)
    assert " 3.1 M " in first


def test_groups_come_as_the_lessons_do_and_say_which_lesson_plays_what(laddertop: Laddertop) -> None:
    lines = laddertop.here("recipes").stdout.splitlines()
    headings = [line.partition(" · ") for line in lines if not line.startswith(" ")]
    told = {group: [int(number) for number in re.findall(r"\d+", words)] for group, _, words in headings}
    for lesson in lessons().values():
        group = group_of(specs()[lesson.recipe])
        assert lesson.number in told[group]
        (row,) = [line for line in lines[: lines.index("to start with")] if line.startswith(f"  {lesson.recipe} ")]
        assert lesson.number in map(int, re.findall(r"\d+", row.partition("lesson")[2].partition(":")[0]))
        whole = laddertop.here("recipes", lesson.recipe).stdout
        assert re.search(rf"laddertop learn {lesson.number} +{re.escape(lesson.title)}$", whole, re.M)
    assert 0 < max(told[GROUPS[0]]) < min(told["ladder network"])
    assert told["to start with"] == []


def test_those_to_start_with_are_a_model_of_each_kind_and_need_no_download() -> None:
    told = [specs()[name] for name in START_WITH]
    assert [spec.model.kind for spec in told] == ["ladder", "vae", "dae"]
    assert {spec.data.name for spec in told} == {"digits"}


@pytest.mark.stress
def test_the_vae_and_the_denoising_autoencoder_of_the_digits_learn_within_a_tenth_of_their_steps(
    laddertop: Laddertop,
) -> None:
    for recipe, least in (("vae-digits", 25.0), ("dae-digits", 17.0)):
        done = laddertop("train", recipe, "--steps", "2000", "--name", recipe)
        assert done.returncode == 0, done.stderr
        evaluation = laddertop.json("show", recipe)["evaluation"]
        assert next(value["value"] for value in evaluation["values"].values() if value.get("headline")) < least


def test_on_a_terminal_a_recipe_is_one_row(laddertop: Laddertop) -> None:
    with laddertop.in_terminal("recipes", columns=80, rows=120) as terminal:
        terminal.wait_for(lambda lines: any("shows one whole" in line for line in lines))
        rows = terminal.lines
    listed = [line for line in rows if line.startswith("  ")]
    assert len(listed) == len(recipes()) + 3
    assert all(line.endswith("…") or load_recipe(line.split()[0]).about in line for line in listed)


def test_words_filter_and_a_name_is_shown_whole(laddertop: Laddertop) -> None:
    listed = laddertop.here("recipes", "omniglot", "LADDER", "vae").stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["deep", "lvae-omniglot"]
    assert matching("no such") == []
    done = laddertop.here("recipes", "vae-mnst")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean vae-mnist" in done.stderr
    whole = laddertop.here("recipes", "dae-mnist", COLUMNS="60").stdout
    assert whole.startswith("dae-mnist · autoencoder and denoising autoencoder\n")
    assert load_recipe("dae-mnist").about in " ".join(whole.split())
    assert "  noise.kind        masking\n" in whole
    assert "model.tied" not in whole, "that is the default"
    assert "785 784 parameters; " in " ".join(whole.split())
    assert whole.endswith("\nladdertop train dae-mnist\n")
    assert max(map(len, whole.partition("what differs")[0].splitlines())) <= 60


def test_what_differs_from_the_defaults_is_all_that_a_recipe_says() -> None:
    for spec in specs().values():
        told = differing(spec)
        assert ("epochs" in told) != ("steps" in told)
        dull = {key.name: key.default for key in keys(spec) if key.name in told}
        assert all(dull[name] != value for name, value in told.items())
        assert override(spec, [f"{name}={value}" for name, value in told.items()]) == spec


def test_json_has_what_it_had_and_the_group(laddertop: Laddertop) -> None:
    told = laddertop.json("recipes")
    assert [one["name"] for one in told] == recipes()
    (one,) = json.loads(laddertop.here("recipes", "dae-mnist", "--json").stdout)
    assert one["about"] == load_recipe("dae-mnist").about
    assert (one["group"], one["model"], one["data"]) == ("autoencoder and denoising autoencoder", "dae", "mnist")
    assert one["parameters"] == 785_784
    assert laddertop.here("recipes", "dae", "--keys").returncode == 2


def test_the_list_costs_little_more_than_loading_what_a_recipe_is() -> None:
    def cost(*words: str) -> float:
        """Seconds of processor time, which neighbours disturb little."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    bare, listed = (
        [cost(*words) for _ in range(3)]
        for words in (("-c", "import typer, laddertop.journal.spec"), ("-m", "laddertop.tui.cli.main", "recipes"))
    )
    assert min(listed) < 2 * min(bare)


def test_a_recipe_file_may_begin_with_a_byte_order_mark(laddertop: Laddertop) -> None:
    file = laddertop.cwd / "windows.toml"
    file.write_text((laddertop.cwd / "tiny.toml").read_text(), encoding="utf-8-sig")
    assert load_recipe(str(file)).steps == 600
