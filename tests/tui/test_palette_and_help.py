"""What the palette and the help say of keys, what can be copied, and who it was that sent a command."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from laddertop.journal.commands import sender
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.run_keys import FIRST, KEYS
from laddertop.tui.dashboard.screens.ask import AskLine
from laddertop.tui.dashboard.screens.help import Help
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.watch.event_line import ME, who
from tests.tui.conftest import Until
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import inbox, opened


async def test_an_entry_of_a_knob_in_the_palette_asks_for_its_value_and_what_is_typed_steers_nothing_else(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await until(pilot, lambda: "[] lr 0.002" in text(), "the knob")
        await pilot.press("ctrl+p", *"lr")
        await until(pilot, lambda: "asks for another" in text(), "the entry")
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskLine), "the prompt")
        assert "learning rate, from 0 to 10" in text()
        await pilot.press("ctrl+u", *"nwS", "enter")
        await until(pilot, lambda: "lr takes a number, not 'nwS'" in text(), "the refusal")
        assert isinstance(pilot.app.screen, RunScreen)
        assert inbox(engine.run.path) == []
        await pilot.press("ctrl+p", *"lr")
        await until(pilot, lambda: "asks for another" in text(), "the entry")
        await pilot.press("down", "up", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, AskLine), "the prompt")
        await pilot.press("ctrl+u", *"0.01", "enter")
        await until(pilot, lambda: bool(inbox(engine.run.path)), "the command")
        assert [c.changes for c in inbox(engine.run.path)] == [{"lr": 0.01}]


async def test_the_palette_shows_each_key_and_only_what_does_something_now(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await pilot.press("ctrl+p", *"pause or")
        await until(pilot, lambda: bool(re.search(r"space +pause or continue the training", text())), "key and words")
        await pilot.press("escape", "ctrl+p", *"resume a run")
        await pilot.pause(0.5)
        assert "R  resume a run whose engine is gone" not in text()
        engine.end("stopped")
        engine.__exit__(None, None, None)
        await pilot.press("escape")
        await until(pilot, lambda: "■ stopped" in text(), "the end")
        await pilot.press("ctrl+p", *"resume a run")
        await until(pilot, lambda: bool(re.search(r"R +resume a run whose engine is gone", text())), "what applies")


async def test_help_begins_with_twelve_keys_and_goes_on_in_groups(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        await until(pilot, lambda: "[] lr 0.002" in screen_text(pilot.app), "the run")
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, Help), "the help")
        box = pilot.app.screen
        assert isinstance(box, Help)
        assert list(box._groups) == [
            "the first twelve", "the knobs of this run", "the training", "the model", "looking", "the mouse",
            "in every screen",
        ]  # fmt: skip
        assert len(box._groups["the first twelve"]) == len(FIRST) == 12
        listed = [binding.key for name, keys in box._groups.items() if name != "the mouse" for binding in keys]
        assert len(listed) == len(set(listed))
        assert {entry.keys for entry in KEYS} <= set(listed)
        text = screen_text(pilot.app)
        assert text.index("space  pause or continue") < text.index("n  noise on or off") < text.index("leave a note")


@pytest.mark.parametrize("cursor", [False, True])
async def test_values_are_copied_as_one_harmless_line(
    engine: PlayedEngine, until: Until, monkeypatch: pytest.MonkeyPatch, cursor: bool
) -> None:
    app = LaddertopApp(engine.run.path.parent, engine.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.view.curves.steps.max(initial=0) == 2000, "the curve")
        written: list[str] = []
        monkeypatch.setattr(app._driver, "write", written.append)
        await pilot.press(*(["left", "shift+left"] if cursor else []), "ctrl+y")
        await until(pilot, lambda: any(text.startswith("\x1b]52;c;") for text in written), "the sequence")
        (sequence,) = [text for text in written if text.startswith("\x1b]52")]
        copied = base64.b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
        found = re.fullmatch(r"played step (\d+): total cost ([\d.]+)", copied)
        assert found, copied
        assert (int(found[1]) < 2000) == cursor
        name = "\x1b]0;owned\x07two\nlines"
        monkeypatch.setattr(type(screen), "copied", lambda _: name)
        written.clear()
        await pilot.press("ctrl+y")
        await until(pilot, lambda: any(text.startswith("\x1b]52;c;") for text in written), "the sequence")
        (sequence,) = [text for text in written if text.startswith("\x1b]52")]
        copied = base64.b64decode(sequence.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
        assert copied.isprintable()


def test_two_dashboards_of_one_user_are_told_apart_by_their_terminals() -> None:
    assert who(ME) == "you"
    assert who(sender("dashboard")) == "you"
    assert who(sender("dashboard pts/99")) == "you (pts/99)"
    assert who("eve@far (dashboard pts/99)") == "eve@far (dashboard pts/99)"
    assert who(sender("command line")) == sender("command line")


async def test_the_footer_and_the_palette_of_a_list_that_only_looks_offer_nothing_that_changes(
    engine: PlayedEngine, until: Until
) -> None:
    app = LaddertopApp(engine.run.path.parent, read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "● training" in screen_text(app), "the list")
        last = screen_text(app).splitlines()[-1]
        assert "space mark" in last
        assert "n new" not in last
        assert "f fork" not in last
        await pilot.press("ctrl+p", *"run")
        await until(pilot, lambda: "open the run" in screen_text(app), "the palette")
        assert "delete the run" not in screen_text(app)
        assert "new run" not in screen_text(app)


@pytest.mark.parametrize("read_only", [False, True])
async def test_a_list_without_runs_names_the_keys_that_do_something_there(
    tmp_path: Path, until: Until, read_only: bool
) -> None:
    app = LaddertopApp(tmp_path, read_only=read_only)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "no runs here yet" in screen_text(app), "the list")
        assert screen_text(app).splitlines()[-1].split() == [
            *([] if read_only else ["n", "new"]),
            *["q", "leave", "?", "help"],
        ]
        assert ("n starts one" in screen_text(app)) != read_only
        with PlayedEngine.new(tmp_path) as engine:
            engine.train(10)
            await until(pilot, lambda: "enter open" in screen_text(app), "the keys for a run")


async def test_the_palette_lies_in_the_same_frame_as_every_other_box(engine: PlayedEngine, until: Until) -> None:
    async with opened(engine.run.path) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await until(pilot, lambda: "[] lr 0.002" in text(), "the run")
        frames = []
        for key, title in (("question_mark", " Keys of the run screen "), ("ctrl+p", " commands ")):
            await pilot.press(key)
            await until(pilot, lambda title=title: f"┌─{title}" in text(), title)
            await until(pilot, lambda: "esc back ─" in text(), "its keys")
            top = next(line for line in text().splitlines() if f"┌─{title}" in line)
            frames.append((top.index("┌"), top.index("┐")))
            await pilot.press("escape")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen), "the run")
        assert frames[0] == frames[1]


async def test_the_palette_has_a_line_for_each_command_and_is_as_high_as_they_are(
    engine: PlayedEngine, until: Until
) -> None:
    async with opened(engine.run.path) as pilot:
        text = lambda: screen_text(pilot.app)  # noqa: E731
        await until(pilot, lambda: "[] lr 0.002" in text(), "the run")

        def box() -> list[str]:
            lines = text().splitlines()
            (top,) = (y for y, line in enumerate(lines) if "┌─ commands " in line)
            (bottom,) = (y for y, line in enumerate(lines) if "esc back ─" in line and "└─ enter do it" in line)
            return [re.sub(r".*│([^│]*)│.*", r"\1", line).strip(" ▁▃▄▅▆▇█▂") for line in lines[top + 1 : bottom]]

        await pilot.press("ctrl+p")
        await until(pilot, lambda: "pause or continue" in text(), "the keys")
        await pilot.pause()
        assert all(box())
        await pilot.press(*"lr 0.5")
        await until(pilot, lambda: "set lr to 0.5 (now 0.002)" in text(), "the setting")
        await pilot.pause()
        assert [line.partition("  ")[0] for line in box()] == ["lr 0.5", "set lr to 0.5 (now 0.002)"]
        await pilot.press("ctrl+u", *"lambda")
        await until(pilot, lambda: "lambda.6" in text(), "the knobs")
        await pilot.pause()
        knobs = [line for line in box() if line.startswith("lambda.")]
        assert [line.partition(" ")[0] for line in knobs] == [f"lambda.{layer}" for layer in range(7)]
        assert all("; asks for another: " in line for line in knobs)
