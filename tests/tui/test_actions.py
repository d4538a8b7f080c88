"""Whatever can be asked of an engine stands in one table, which the command line, the keys and the words follow."""

from __future__ import annotations

from typing import get_args

import pytest
import typer

from laddertop.journal.actions import ACTIONS, Action
from laddertop.journal.events import (
    Checkpointed,
    Commanded,
    Evaluated,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
)
from laddertop.tui.cli import main
from laddertop.tui.dashboard import run_keys
from laddertop.tui.watch.wording import command_in_words

TYPES = {kind.model_fields["type"].default for kind in
         (RunStarted, Commanded, Evaluated, Sampled, Checkpointed, Logged, RunEnded)}  # fmt: skip
COMMANDS = typer.main.get_command(main.app).commands  # type: ignore[attr-defined]


def test_every_action_has_its_row() -> None:
    assert tuple(ACTIONS) == get_args(Action)


@pytest.mark.parametrize("action", ACTIONS)
def test_what_the_table_says_of_an_action_is_what_the_command_line_and_the_event_log_say(action: Action) -> None:
    about = ACTIONS[action]
    assert not about.yields or about.yields in TYPES
    if about.typed:
        assert COMMANDS[about.typed].help == about.help
    if action != "set":
        assert command_in_words(action, {}, "", {}) == about.words


def test_the_keys_that_ask_for_an_action_say_what_the_table_says() -> None:
    key = run_keys._asks("evaluate", 3)
    assert (key.about, key.hint) == ("evaluate now", run_keys.Hint(3, "evaluate", ("run.evaluate",)))
    asked = {key.does: key.about for key in run_keys.STEERING if "'ask'" in key.does}
    assert asked == {f"steer('ask', '{name}')": ACTIONS[name].words for name in ("checkpoint", "evaluate", "sample")}


def test_no_key_of_the_run_screen_is_there_twice_and_every_hint_has_a_rank_of_its_own() -> None:
    keys = [key for entry in run_keys.KEYS for key in entry.keys.split(",")]
    assert len(keys) == len(set(keys))
    ranks = [entry.hint.rank for entry in run_keys.KEYS if entry.hint]
    assert len(ranks) == len(set(ranks))
