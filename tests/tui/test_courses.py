"""A course of a knob on the screen: typed, told, shown as it moves, and taken back."""

from __future__ import annotations

from pathlib import Path

from laddertop.journal.events import Change, Commanded
from laddertop.tui.dashboard.screens.run import RunScreen
from laddertop.tui.watch.event_line import lines_of
from laddertop.tui.watch.summary import summary
from tests.tui.picture import screen_text
from tests.tui.played import PlayedEngine
from tests.tui.test_steering import inbox, opened

COURSE = "0..1:linear:200@100"


def turned(step: int, id: str, **changed: object) -> Commanded:
    """A command to the knob β that was applied."""
    change = Change.model_validate({"knob": "beta", **changed})
    return Commanded(step=step, id=id, by="ann", action="set", outcome="applied", changes=[change])


async def test_a_course_is_typed_where_a_value_is_and_what_is_none_is_not_offered(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(100)
        async with opened(engine.run.path) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, RunScreen)
            (offered,) = screen.meant("beta 0..1:linear:2000")  # type: ignore[attr-defined]
            assert "set beta to 0 → 1, linear in 2000 steps (now 1)" in offered.name
            offered.do()
            assert [c.changes for c in inbox(engine.run.path)] == [{"beta": "0..1:linear:2000"}]
            for wrong in ("beta 0..1:line:2000", "beta 0..101:linear:5", "noise 0..1:linear:5"):
                assert screen.meant(wrong) == []  # type: ignore[attr-defined]


async def test_a_knob_that_moves_says_so_and_an_undo_lets_it_go_on(tmp_path: Path) -> None:
    with PlayedEngine.new(tmp_path, "vae-mnist") as engine:
        engine.train(100)
        engine.record(turned(100, "a", old=1, applied=0, course=COURSE))
        engine.train(100)
        async with opened(engine.run.path) as pilot:
            screen = pilot.app.screen
            assert isinstance(screen, RunScreen)
            await pilot.pause(0.2)
            assert screen.view.knobs()["beta"].knob.value == 0.5
            assert "0.5↝" in screen_text(pilot.app)
            told = summary(engine.run)["knobs"]["beta"]
            assert (told["value"], told["course"]) == (0.5, COURSE)
            engine.record(turned(200, "b", old=0.5, applied=2, old_course=COURSE))
            for _ in range(100):
                await pilot.pause(0.02)
                if screen.view.state.knobs["beta"].value == 2:
                    break
            await pilot.press("u")
            assert [c.changes for c in inbox(engine.run.path)] == [{"beta": COURSE}]


def test_the_event_log_tells_a_course_in_words() -> None:
    (line,) = lines_of(turned(100, "a", old=1, applied=0, course=COURSE), {}, {})
    assert line.text == "ann: beta 0 → 1, linear in 200 steps → applied"
