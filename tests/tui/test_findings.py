"""What was found in a run: one line names it, a box tells it whole, a key sends its remedy, and whether it helped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.journal.commands import send
from laddertop.journal.events import Activity, Checkpointed, Evaluated, Logged
from laddertop.journal.folder import create_run
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.dashboard.app import LaddertopApp
from laddertop.tui.dashboard.screens.findings import Findings
from laddertop.tui.dashboard.screens.interventions import in_full as interventions
from laddertop.tui.dashboard.screens.replay import ReplayScreen
from laddertop.tui.dashboard.screens.samples import SamplesScreen
from laddertop.tui.dashboard.views.findings import in_full, listed, why_not_sent
from laddertop.tui.dashboard.widgets.banner import Banner
from laddertop.tui.dashboard.widgets.charts import Charts
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.dashboard.widgets.terms import Terms
from laddertop.tui.draw.cells import Ink
from laddertop.tui.steer.steering import Steering
from laddertop.tui.watch.event_line import ME, UNDO
from laddertop.tui.watch.replay import Past
from laddertop.tui.watch.run_view import RunView
from tests.tui.conftest import Until, started
from tests.tui.eyes import Eyes
from tests.tui.picture import check_picture, screen_text
from tests.tui.played import PlayedEngine

WITHIN = 2000
"""Steps after which it is told whether a warm-up helped."""


@pytest.fixture
def collapsed(tmp_path: Path) -> Iterator[PlayedEngine]:
    """A VAE whose posterior collapsed for want of the warm-up that would weight its KL."""
    spec = override(load_recipe("vae-mnist"), ["warmup.of=kl", "warmup.on=off"])
    with started(PlayedEngine(create_run(tmp_path, spec, "played"))) as played:
        played.train(1000)
        played.train(1000, collapsed=["kl"])
        yield played


def keys(eyes: Eyes, said: list[str]) -> Steering:
    return Steering(eyes.view, said.append, lambda: None, lambda deed, failed: deed())


def advise(engine: PlayedEngine, eyes: Eyes) -> None:
    """What the key does, and the engine's answer."""
    keys(eyes, []).advise(eyes.view.findings[0])
    engine.answer()


def about(view: RunView) -> dict[str, str]:
    return dict(in_full(view, listed(view)[0]))


def banner(view: RunView, width: int = 120) -> str:
    panel = Banner(view, id="banner")
    return panel.picture(panel.least_rows(width, 40), width).text()


def test_a_finding_is_told_whole_with_what_it_means_where_to_look_and_what_enter_sends(collapsed: PlayedEngine) -> None:
    view = Eyes(collapsed.run).view
    (found,) = view.findings
    told = about(view)
    assert told["seen"] == "layer 1 tells nothing: KL below 0.01 nats since 1 001"
    assert told["since"].startswith("step 1 001, ")
    assert told["means"] == found.means
    assert told["source"] == found.source
    assert told["evidence"] == "KL q(z|x) ‖ p(z), layer 1, steps 1 001 to 2 000"
    assert told["enter"] == "sends warm-up on"
    assert told["helped"] == "when within 6 000 steps the KL of layer 1 is above 0.01 nats"


def test_the_remedy_is_a_command_like_any_other_that_says_it_was_advised_and_u_takes_it_back(
    collapsed: PlayedEngine,
) -> None:
    eyes, said = Eyes(collapsed.run), list[str]()
    keys(eyes, said).advise(eyes.view.findings[0])
    assert about(eyes.view)["enter"].startswith("sent; the engine has not answered yet")
    (command,) = collapsed.answer()
    assert (command.action, command.changes) == ("set", {"warmup": 1.0})
    assert command.by == f"{ME} (advised)"
    assert command.note == "advice on posterior-collapse: layer 1"
    view = eyes.look()
    assert "you (advised): warm-up on → applied" in view.lines[-1].text
    assert "step 2 000  you (advised): warm-up on → applied" in interventions(view).plain
    assert "; advised at 2 000" in banner(view)
    keys(eyes, said).undo()
    (undo,) = collapsed.answer()
    assert undo.changes == {"warmup": 0.0}
    assert about(eyes.look())["advised"] == "step 2 000 by you; taken back at step 2 000"


def test_after_its_window_the_line_says_that_it_helped_and_a_dashboard_opened_later_says_the_same(
    collapsed: PlayedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(collapsed.run.path, 1, "set", {"warmup.steps": 100.0}, by="test")
    collapsed.answer()
    eyes = Eyes(collapsed.run)
    advise(collapsed, eyes)
    collapsed.train(WITHIN - 1)
    assert about(eyes.look())["advised"].endswith("; whether it helped is told at step 4 000")
    assert "helped:" not in eyes.view.lines[-1].text
    collapsed.train(200)
    words = "helped: the KL of layer 1 is above 0.01 nats ("
    for view in (eyes.look(), Eyes(collapsed.run).view):
        (line,) = [line.text for line in view.lines if "advised" in line.text]
        assert words in line
        assert line.startswith(f"you (advised): warm-up on → applied   {words}")
        assert "   cost " in line, "the effect on the cost stands there as well"
        assert words in interventions(view).plain
        assert view.findings == [], "it closes"
        assert words in about(view)["advised"], "and is kept among what is over"
        assert "over at step" in about(view)["since"]


def test_what_did_not_help_says_so_and_the_finding_stays(collapsed: PlayedEngine) -> None:
    send(collapsed.run.path, 1, "set", {"warmup.steps": 100.0}, by="test")
    collapsed.answer()
    eyes = Eyes(collapsed.run)
    advise(collapsed, eyes)
    collapsed.train(WITHIN + 200, collapsed=["kl"])
    view = eyes.look()
    words = "did not help: after 2 000 steps it is not so that the KL of layer 1 is above 0.01 nats (3."
    assert words in about(view)["advised"]
    assert words in "".join(line.text for line in view.lines)
    assert len(view.findings) == 1
    assert about(Eyes(collapsed.run).view) == about(view)


def test_a_remedy_of_two_commands_reaches_the_start_that_going_back_makes(engine: PlayedEngine, eyes: Eyes) -> None:
    file = "step-000002000.ckpt"
    (engine.run.path / file).touch()
    engine._events.append(Checkpointed(step=2000, file=file, sha256="0" * 64, bytes=1, reason="schedule"))
    engine.train(20, nan=True)
    engine._events.append(Logged(step=engine.step, level="error", text="", diverged=True, sound_until=2000))
    view = eyes.look()
    assert about(view)["enter"] == "sends back to step 2 000, then lr 0.0002"
    keys(eyes, []).advise(view.findings[0])
    back, lower = engine.answer()
    assert (back.action, back.changes, back.segment) == ("rollback", {"step": 2000}, 1)
    assert (lower.action, lower.segment) == ("set", 2)
    assert lower.changes["lr"] < view.state.knobs["lr"].value


def test_nothing_is_sent_where_one_only_looks_or_nobody_trains_and_the_box_says_why(collapsed: PlayedEngine) -> None:
    eyes, said = Eyes(collapsed.run), list[str]()
    eyes.view.steerable = False
    assert about(eyes.view)["enter"] == "read-only: nothing is sent from here; it is: warm-up on"
    assert "! advice" in banner(eyes.view), "it can be read all the same"
    keys(eyes, said).advise(eyes.view.findings[0])
    eyes.view.steerable = True
    collapsed.end("stopped")
    collapsed.__exit__(None, None, None)
    eyes.look()
    assert why_not_sent(eyes.view, eyes.view.findings[0]).startswith("no engine at work")
    keys(eyes, said).advise(eyes.view.findings[0])
    assert collapsed.answer() == []
    assert len(said) == 2


def test_several_kinds_share_one_line_the_worst_first_and_one_kind_has_its_sentence(collapsed: PlayedEngine) -> None:
    eyes = Eyes(collapsed.run)
    assert "layer 1 tells nothing: KL below 0.01 nats since 1 001" in " ".join(banner(eyes.view).split())
    assert "w warm-up   ! advice" in banner(eyes.view)
    collapsed.train(20, nan=True, collapsed=["kl"])
    layers = {"z": Activity(units=16, active=0, sd=0.0)}
    values = {"negative_elbo": Value(value=90.0, unit="nats")}
    collapsed._events.append(Evaluated(step=2020, split="test", values=values, seconds=0.1, layers=layers))
    view = eyes.look()
    (line,) = banner(view).splitlines()
    assert line.startswith(" ✗ not finite since 2 001   ▲ posterior collapse layer 1 since 2 020 ")
    assert line.endswith("Z begin again   ! advice")
    (line,) = banner(view, 60).splitlines()
    assert line.startswith(" ✗ not finite   ▲ posterior collapse layer 1   ")
    assert line.rstrip().endswith("! advice")
    assert "✗" not in StatusBar(view, id="status").picture(1, 120).text().replace("● training", "")


def test_what_shows_it_is_lit_and_where_it_began_is_marked_while_and_after_it_stands(collapsed: PlayedEngine) -> None:
    eyes = Eyes(collapsed.run)
    view = eyes.view
    charts = Charts(view, id="cost")

    def lit(chart: str) -> bool:
        charts.focus_on = chart
        return bool((charts.picture(12, 80).inks[0] == Ink.WARN).any())

    assert lit("kl")
    assert not lit("total")
    assert (Terms(view, id="terms").picture(12, 76).inks[0] == Ink.WARN).any()
    assert [(m.kind, m.step, m.label) for m in charts.marks()][-1] == ("finding", 1001, "posterior collapse layer 1")
    assert "!posterior collapse layer 1" in charts.picture(12, 80).text()
    collapsed.train(600)
    eyes.look()
    assert not lit("kl")
    assert not (Terms(view, id="terms").picture(12, 76).inks[0] == Ink.WARN).any()
    assert [(m.kind, m.step, m.label) for m in charts.marks()][-1] == ("finding", 1001, "")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_findings_look_as_they_did(collapsed: PlayedEngine, until: Until, size: tuple[int, int]) -> None:
    send(collapsed.run.path, 1, "pause", by=ME)
    collapsed.answer()
    app = LaddertopApp(collapsed.run.path.parent, collapsed.run.path)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "! advice" in screen_text(app), "the line")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "sends warm-up on" in screen_text(app), "the box")
        await check_picture(pilot, f"findings-{size[0]}x{size[1]}")


async def test_the_keys_find_it_send_it_and_take_it_back_on_the_screen(collapsed: PlayedEngine, until: Until) -> None:
    app = LaddertopApp(collapsed.run.path.parent, collapsed.run.path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "! advice" in screen_text(app), "the line")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "sends warm-up on" in screen_text(app), "the box")
        await pilot.press("c")
        await until(
            pilot, lambda: "KL q(z|x)" in screen_text(app) and not isinstance(app.screen, Findings), "its curve"
        )
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Findings), "the box")
        await pilot.press("enter")
        asked = list[str]()
        await until(pilot, lambda: bool(asked.extend(c.by for c in collapsed.answer()) or asked), "the command")
        assert asked == [f"{ME} (advised)"]
        await until(pilot, lambda: "you (advised): warm-up on → applied" in screen_text(app), "its outcome")
        await pilot.press("u")
        notes = list[str]()
        await until(pilot, lambda: bool(notes.extend(c.note for c in collapsed.answer()) or notes), "the undo")
        assert notes[0].startswith(UNDO)


async def test_a_replay_tells_what_was_found_up_to_its_moment_and_sends_nothing(
    collapsed: PlayedEngine, until: Until
) -> None:
    collapsed.end("stopped")
    collapsed.__exit__(None, None, None)
    past = Past(collapsed.run)
    app = LaddertopApp(collapsed.run.path.parent)
    async with app.run_test(size=(120, 40)) as pilot:
        screen = ReplayScreen(collapsed.run, past)
        screen.read()
        await app.push_screen(screen)
        screen._watcher.playing = False
        await pilot.press("4")
        await until(pilot, lambda: 0 < screen.view.step < 1000, "a moment before it began")
        assert not screen.view.findings
        await pilot.press("9")
        await until(pilot, lambda: "! advice" in screen_text(app), "the line")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: "replay: nothing is sent from here" in screen_text(app), "the box")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: app.screen is screen, "the replay")
    assert collapsed.answer() == []


async def test_on_the_screens_that_look_into_the_model_the_line_has_the_key_that_works_there(
    collapsed: PlayedEngine, until: Until
) -> None:
    app = LaddertopApp(collapsed.run.path.parent, collapsed.run.path)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "w warm-up   ! advice" in screen_text(app), "the line")
        await pilot.press("5")
        await until(pilot, lambda: isinstance(app.screen, SamplesScreen), "the samples")
        await until(pilot, lambda: "! advice" in screen_text(app), "the line there")
        assert "w warm-up" not in screen_text(app), "that key belongs to the run screen"
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Findings), "what was found")
