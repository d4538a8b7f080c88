"""A babysitter sends what was found to help, only what it was asked for, not too often, and leaves alone what a person
took back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from laddertop.journal.actions import Action
from laddertop.journal.commands import sender
from laddertop.journal.events import Checkpointed, Commanded, EventReader, Logged
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.metrics import MetricsReader
from laddertop.journal.origin import Origin
from laddertop.journal.policies import PolicySpec
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.state import RunState
from laddertop.tui.dashboard.widgets.status import StatusBar
from laddertop.tui.steer.babysitter import Babysitter, check_kinds, kinds_of
from laddertop.tui.steer.steering import Steering
from laddertop.tui.watch.diagnoses.diagnoses import whole
from laddertop.tui.watch.diagnoses.table import DIAGNOSES
from laddertop.tui.watch.event_line import UNDO, who
from laddertop.tui.watch.summary import summary
from tests.tui.conftest import started
from tests.tui.eyes import Eyes
from tests.tui.played import PlayedEngine

ASKED = ["warmup.of=kl", "warmup.on=off", "policy.babysit=posterior-collapse"]


class Played:
    """A played engine, and a babysitter that looks when it is told to."""

    def __init__(self, engine: PlayedEngine) -> None:
        self.engine, self.sitter = engine, Babysitter(engine.run)

    def look(self) -> list[tuple[Action, dict[str, float | str]]]:
        """What the babysitter sends now, which the engine then answers."""
        run, state = self.engine.run, self.state()
        metrics = MetricsReader(run.path)
        metrics.poll()
        self.sitter.look(state, whole(run, EventReader(run.events_path).read_all(), metrics))
        return [(command.action, dict(command.changes)) for command in self.engine.answer()]

    def state(self) -> RunState:
        return RunState().apply_all(EventReader(self.engine.run.events_path).read_all())


def collapsed_vae(folder: Path, *settings: str, origin: Origin | None = None) -> PlayedEngine:
    spec = override(load_recipe("vae-mnist"), [*ASKED, *settings])
    return PlayedEngine(create_run(folder, spec, "played", origin))


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Played]:
    """A VAE whose posterior collapsed, with a babysitter for that."""
    with started(collapsed_vae(tmp_path)) as engine:
        engine.train(2000, collapsed=["kl"])
        yield Played(engine)


def test_the_remedy_is_sent_once_as_a_command_that_says_who_and_what_for(played: Played) -> None:
    assert played.look() == [("set", {"warmup": 1.0})]
    (done,) = (c for c in played.state().commands if c.outcome == "applied")
    assert done.by == sender("babysitter")
    assert who(done.by) == "babysitter"
    assert done.note == "advice on posterior-collapse: layer 1"
    assert played.look() == [], "whether it helps is told later"
    eyes = Eyes(played.engine.run)
    assert eyes.view.lines[-1].text.startswith("babysitter: warm-up on → applied")
    (advised,) = eyes.view.advised
    assert advised.finding.kind == "posterior-collapse"


def test_a_key_takes_it_back_and_it_is_then_left_alone(played: Played) -> None:
    played.look()
    eyes = Eyes(played.engine.run)
    Steering(eyes.view, lambda words: None, lambda: None, lambda deed, failed: deed()).undo()
    (undo,) = played.engine.answer()
    assert (undo.changes, undo.note.startswith(UNDO)) == ({"warmup": 0.0}, True)
    played.engine.train(9000, collapsed=["kl"])
    assert played.look() == []


def test_nothing_is_sent_that_was_not_asked_for_or_while_somebody_has_paused(tmp_path: Path) -> None:
    with started(collapsed_vae(tmp_path, "policy.babysit=safe")) as engine:
        engine.train(2000, collapsed=["kl"])
        assert Played(engine).look() == [], "a warm-up is no safe remedy"
    with started(collapsed_vae(tmp_path / "paused")) as engine:
        engine.train(2000, collapsed=["kl"])
        engine.record(Commanded(step=2000, id="p", by="ann", action="pause", outcome="applied"))
        assert Played(engine).look() == []


def lost(engine: PlayedEngine) -> None:
    """Its cost is lost, with a checkpoint from before."""
    engine.record(Checkpointed(step=2000, file="step-000002000.ckpt", sha256="", bytes=1, reason="schedule"))
    engine.train(40, nan=True)
    engine.record(Logged(step=engine.step, level="error", text="", diverged=True, sound_until=2000))


@pytest.mark.parametrize("policy", ["nothing", "rollback"])
def test_going_back_is_safe_where_the_cost_is_lost_and_left_to_the_engine_where_that_does_it(
    tmp_path: Path, policy: str
) -> None:
    with started(collapsed_vae(tmp_path, "policy.babysit=safe", f"policy.on_divergence={policy}")) as engine:
        engine.train(2000)
        lost(engine)
        sent = Played(engine).look()
    rate = load_recipe("vae-mnist").optimizer.lr / 10
    assert sent == ([] if policy == "rollback" else [("rollback", {"step": 2000.0}), ("set", {"lr": rate})])


def test_so_many_remedies_of_a_kind_are_sent_and_then_it_says_once_that_it_leaves_it(tmp_path: Path) -> None:
    with started(collapsed_vae(tmp_path, "policy.babysit=safe", "policy.remedies=2")) as engine:
        engine.train(2000)
        lost(engine)
        for number in range(2):
            # Those of engines before: this one was killed and is another.
            note, by = "advice on not-finite", sender("babysitter")
            engine.record(
                Commanded(
                    step=2040, id=f"{number}", by=by, action="rollback", outcome="refused", reason="no", note=note
                )
            )
        played = Played(engine)
        assert played.look() == [("annotate", {})]
        assert played.state().commands[-1].note == "not finite after 2 remedies: the babysitter leaves it to you"
        assert played.look() == []
        assert Played(engine).look() == [], "another one knows that it was said"


@pytest.mark.parametrize(("until", "begins", "sends"), [(None, 0, False), (3000, 0, False), (1000, 1000, True)])
def test_a_run_that_trains_another_again_has_what_was_sent_to_that_and_no_more(
    tmp_path: Path, until: int | None, begins: int, sends: bool
) -> None:
    origin = Origin(kind="replay", run="other", folder="/other", until=until)
    engine = collapsed_vae(tmp_path, origin=origin)
    engine.step = begins
    with started(engine):
        engine.train(2000, collapsed=["kl"])
        assert bool(Played(engine).look()) == sends


def test_a_name_that_no_diagnosis_has_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(ValueError, match=r"no kind .* called diverge; did you mean diverged\?"):
        check_kinds(PolicySpec(babysit="safe,diverge"))
    safe = kinds_of(PolicySpec(babysit="safe,plateau"))
    assert safe == {one.kind for one in DIAGNOSES if one.safe} | {"plateau"}
    assert {"diverged", "not-finite"} < safe
    assert "posterior-collapse" not in safe


def test_the_screen_and_the_summary_say_that_one_is_at_work_and_what_it_did(played: Played) -> None:
    run: RunFolder = played.engine.run
    played.look()
    with run.babysitter_lock() as mine:
        assert mine
        assert "babysitter" in StatusBar(Eyes(run).view, id="status").picture(1, 120).text()
        told = summary(run)["babysitter"]
    assert told["at_work"]
    assert told["kinds"] == ["posterior-collapse"]
    assert [(one["kind"], one["action"], one["changes"], one["helped"]) for one in told["sent"]] == [
        ("posterior-collapse", "set", {"warmup": 1.0}, None)
    ]
    assert "babysitter" not in StatusBar(Eyes(run).view, id="status").picture(1, 120).text()
    assert not summary(run)["babysitter"]["at_work"]
