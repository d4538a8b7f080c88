"""Keys are given to something else in the settings: they do it, every place that tells a key tells the new one, and
what can't be is refused in a sentence."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from textual.binding import Binding

from laddertop.journal import settings
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.compare import CompareScreen
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.live import LiveScreen
from laddertop.tui.dashboard.screens.model_screens import MODEL_SCREENS
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.dashboard.screens.runs import RunsScreen
from laddertop.tui.dashboard.screens.sweep import SweepScreen
from laddertop.tui.dashboard.widgets.runs_table import RunsTable
from laddertop.tui.steer import keymap
from laddertop.tui.steer.keys import PLACES, SCREENS, USUAL
from tests.processes import typed
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine

SCREENS_OF = [SweepScreen, RunsScreen, RunsTable, LiveScreen, ReplayScreen, CompareScreen, *MODEL_SCREENS.values()]


@pytest.fixture
def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of settings, which is read anew once the test asks for what it says."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = settings.file()
    path.parent.mkdir(parents=True)
    read = (settings._read, keymap.settled, keymap.used, keymap.sign)
    for known in read:
        known.cache_clear()
    yield path
    for known in read:
        known.cache_clear()


@pytest.mark.parametrize("screen", SCREENS)
def test_no_usual_key_means_two_things_on_a_screen(screen: str) -> None:
    named = {
        f"{place}.{name}": {*key.keys.split(",")} for place in SCREENS[screen] for name, key in PLACES[place].items()
    }
    assert [(one, other) for one, other in combinations(named, 2) if named[one] & named[other]] == []


EVERY = """
[keys]
everywhere.leave = "Q"
everywhere.help = ["H", "f1"]
list.new = "+"
list.mark = ["f9", "*"]
list.archive = "A"   # these two change places
list.archived = "a"

[keys.run]
pause = "p"
checkpoint = "@"

[keys.knobs]
noise = "j"
lr = ["(", ")"]
"""


async def test_a_key_of_the_users_does_it_and_footer_help_palette_and_sentences_tell_it(
    settle: Path, engine: PlayedEngine, until: Until
) -> None:
    settle.write_text(EVERY)
    app = LaddertopApp(engine.run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the list")
        assert {"+ new", "f9 mark", "H help"} <= {*re.split("  +", screen_text(app).splitlines()[-1].strip())}
        await pilot.press("c")
        await until(pilot, lambda: "mark two runs or more with f9" in screen_text(app), "what marks")
        await pilot.press("asterisk")
        await until(pilot, lambda: "◆" in screen_text(app), "the mark")
        await pilot.press("enter")
        await until(pilot, lambda: "() lr 0.002" in screen_text(app), "the run and its knobs")
        assert {"p pause", "@ save", "Q detach", "H help"} <= {*re.split("  +", " ".join(screen_text(app).split("\n")))}
        await pilot.press("p", "j", "right_parenthesis")
        asked = [(command.action, *command.changes) for command in engine.answer()]
        assert asked == [("pause",), ("set", "noise"), ("set", "lr")]
        await pilot.press("space", "n", "right_square_bracket", "c")
        await pilot.press("H")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help")
        text = screen_text(app)
        for line in (
            "p  pause or continue",
            "@  checkpoint now",
            "j  noise on or off",
            ")  higher learning rate",
            "H f1  this",
        ):
            assert line in text
        await pilot.press("escape", "ctrl+p", *"leave")
        await until(pilot, lambda: bool(re.search("Q +detach", screen_text(app))), "the palette")
        assert engine.answer() == [], "the usual keys mean nothing any more"
        await pilot.press("escape", "Q")
        await until(pilot, lambda: app.farewell != "", "the end")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[keys]\nrun.paus = "p"\n', ", line 2: keys.run.paus: there is no action of that name (did you mean run.pa"),
        ('[keys.run]\n\npause = "u"\n', ", line 3: keys.run.pause: u is the key of run.undo (undo: send the values"),
        ('keys.run.pause = "g"\n', ", line 1: keys.run.pause: g is the key of looking.grid (all pinned charts"),
        ('keys.everywhere.leave = "h"\n', ", line 1: keys.everywhere.leave: h is the key of layers.side (histogram"),
        ('keys.run.pause = "ctrl+c"\n', ", line 1: keys.run.pause: ctrl+c always means the same; take another"),
        ('keys.run.undo = "Y"\nkeys.run.fork = "Y"\n', ", line 2: keys.run.fork: Y is the key of run.undo"),
        ('[keys]\nrun = {pause = "spcae"}\n', ", line 2: keys.run.pause: 'spcae' is no key; one is a character as ?"),
        ("keys.run.pause = 3\n", ", line 1: keys.run.pause: takes a key, or a list of keys, not 3"),
        ("keys = 3\n", ", line 1: keys: takes a table, as [keys.run]"),
        ('keys.knobs.lr = ["e", "E"]\n', ", line 1: keys.knobs.lr: e is a key of the run screen; take another"),
        ('keys.knobs.lr = "f5"\n', ", line 1: keys.knobs.lr: a knob takes one character for a switch, and"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_a_sentence_with_file_and_line_and_the_usual_key_holds(
    settle: Path, text: str, said: str
) -> None:
    settle.write_text(text + '[keys.list]\nnew = "+"\n' if text.startswith("[keys.run]") else text)
    keys, knobs, problems = keymap.settled()
    assert len(problems) == 1
    assert problems[0].startswith(f"{settle}{said}")
    assert not knobs
    assert keys in ({}, {"list.new": "plus"}, {"run.undo": "Y"})
    assert settings.look()[1] == [], "they are no settings"


def test_two_that_change_places_are_no_conflict(settle: Path) -> None:
    settle.write_text('[keys.run]\nundo = "f"\nfork = "u"\n')
    assert keymap.settled() == ({"run.undo": "f", "run.fork": "u"}, {}, [])


def test_every_key_is_listed_with_what_it_was(settle: Path) -> None:
    settle.write_text(EVERY + 'reset = "r"\n')
    told = typed("keys", "--json")
    answer = json.loads(told.stdout)
    assert told.returncode == 2
    assert answer["keys"].keys() == USUAL.keys()
    assert answer["keys"]["list.mark"] == {
        "keys": ["f9", "*"],
        "usual": ["space"],
        "about": PLACES["list"]["mark"].about,
    }
    assert answer["knobs"] == {"noise": "j", "lr": "()"} | {
        name: [*keys] for name, keys in (("noise", "j"), ("lr", "()"))
    }
    assert len(answer["problems"]) == 1
    assert answer["problems"] == json.loads(typed("config", "--json").stdout)["problems"]
    shown = typed("keys").stdout
    assert re.search(r"run.pause +p +space +pause or continue the training", shown)
    assert re.search(r"everywhere.back +escape +back: ends", shown)


def test_whatever_a_screen_binds_can_be_named_but_for_what_boxes_and_forms_have() -> None:
    fixed = [b.key for screen in SCREENS_OF for b in screen.BINDINGS if isinstance(b, Binding) and b.id not in USUAL]
    assert set(fixed) == set("0123456789")
    assert {b.id for screen in SCREENS_OF for b in screen.BINDINGS if isinstance(b, Binding) and b.id} >= {
        name for name in USUAL if name.partition(".")[0] not in ("everywhere",)
    }
