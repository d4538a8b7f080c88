"""Nothing that lies in the folder of a run, or is missing there, ends a training that is under way."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from pathlib import Path

import pytest

from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import Training
from laddertop.journal import inside
from laddertop.journal.commands import Command, send
from laddertop.journal.events import Commanded, Event, EventReader, EventWriter, Logged, RunEnded, RunStarted
from laddertop.journal.explore import Sample, ask
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.state import RunState
from tests.kinds import small_spec


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path, small_spec("dae", "steps=30", "evaluate.every=0", "samples.every=0"), "run")


def trained(run: RunFolder, stop: Stop, at_step_10: object = None) -> list[Event]:
    """Trains it to its end in this process, looking into the inbox before every step, and returns what happened."""
    with EventWriter(run.events_path) as events:
        training = Training(run, events, RunState())
        obey = training.obey

        def obey_at_every_step(told: Stop) -> None:
            if training.step == 10 and callable(at_step_10):
                at_step_10()
            training._looked = 0.0
            obey(told)

        training.obey = obey_at_every_step  # type: ignore[method-assign]
        ended = training.loop(stop)
        assert isinstance(ended, RunEnded)
        assert ended.reason == "finished"
        training.recorder.close()
    return EventReader(run.events_path).read_all()


def warnings(happened: list[Event]) -> list[str]:
    return [event.text for event in happened if isinstance(event, Logged) and event.level == "warning"]


def junk(inbox: Path, kind: str) -> None:
    place = inbox / "00.json"
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "huge":
            with place.open("wb") as file:
                file.truncate(3 << 30)
        case "a link to itself":
            place.symlink_to(place)
        case "a link":
            place.symlink_to("/etc/passwd")
        case "a folder":
            place.mkdir()
        case "no folder":
            shutil.rmtree(inbox)
        case "a file as folder":
            shutil.rmtree(inbox)
            inbox.write_text("")
        case "a link as folder":
            shutil.rmtree(inbox)
            inbox.symlink_to("/etc")


@pytest.mark.parametrize("inbox", ["commands", "explore"])
@pytest.mark.parametrize(
    "kind",
    ["pipe", "huge", "a link to itself", "a link", "a folder", "no folder", "a file as folder", "a link as folder"],
)
def test_nothing_in_the_place_of_a_command_or_a_question_ends_a_training(run: RunFolder, stop: Stop, inbox, kind):
    (run.path / inbox).mkdir(exist_ok=True)
    happened = trained(run, stop, lambda: junk(run.path / inbox, kind))
    assert len(warnings(happened)) <= 2
    if inbox == "commands" and kind != "a folder":
        assert "commands" in warnings(happened)[0]


@pytest.mark.parametrize("folder", ["commands", "samples"])
def test_an_empty_folder_that_a_copy_lost_is_made_again(run: RunFolder, stop: Stop, folder: str):
    (run.path / folder).rmdir()
    trained(run, stop)
    assert (run.path / folder).is_dir()


def test_an_inbox_that_is_gone_is_made_again(run: RunFolder, stop: Stop):
    trained(run, stop, (run.path / "commands").rmdir)
    assert (run.path / "commands").is_dir()


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE])
@pytest.mark.parametrize("call", ["names", "read", "remove"])
def test_a_disk_that_fails_under_the_inbox_is_told_once_and_ends_nothing(
    run: RunFolder, stop: Stop, monkeypatch: pytest.MonkeyPatch, call: str, number: int
):
    real = getattr(inside, call)

    def failing(folder: Path, name: str, *more: object) -> object:
        if name.startswith("commands"):
            raise OSError(number, os.strerror(number), f"{folder}/{name}")
        return real(folder, name, *more)

    def fail() -> None:
        monkeypatch.setattr(inside, call, failing)
        (run.path / "commands" / "1.json").write_text(command("1", action="set", changes={"lr": 0.5}))

    happened = trained(run, stop, fail)
    (told,) = warnings(happened)
    assert os.strerror(number) in told
    assert sum(isinstance(event, Commanded) for event in happened) == (call == "remove")


def command(identity: str, **more: object) -> str:
    words = {"id": identity, "segment": 1, "by": "ann", "action": "annotate", **more}
    return Command.model_validate(words).model_dump_json()


def test_a_command_that_lies_there_several_times_is_applied_once(run: RunFolder, stop: Stop):
    def put(*names: str) -> None:
        for name in names:
            (run.path / "commands" / f"{name}.json").write_text(command("same", action="set", changes={"lr": 0.5}))

    put("1", "2", "3")
    happened = trained(run, stop, lambda: put("2", "4"))
    assert [event.id for event in happened if isinstance(event, Commanded)] == ["same"]
    assert not list((run.path / "commands").iterdir())


def test_commands_of_five_senders_at_once_are_answered_once_and_in_the_order_of_each(run: RunFolder, stop: Stop):
    sent: dict[str, list[str]] = {f"sender {number}": [] for number in range(5)}

    def ask(by: str) -> None:
        sent[by] += [send(run.path, 1, "set", {"lr": 1e-3 + number * 1e-5}, by=by).id for number in range(8)]

    def all_ask() -> None:
        senders = [threading.Thread(target=ask, args=(by,)) for by in sent]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()

    answers = [event for event in trained(run, stop, all_ask) if isinstance(event, Commanded)]
    assert {by: [event.id for event in answers if event.by == by] for by in sent} == sent
    assert {event.outcome for event in answers} == {"applied"}


@pytest.mark.parametrize("step", ["1e999", "-1e999", "1.5", '"NaN"', "1" + "0" * 400])
def test_a_step_that_is_none_is_refused_in_a_sentence(run: RunFolder, stop: Stop, step: str):
    tree = json.loads(command("back", action="rollback"))
    text = json.dumps(tree).replace('"changes": {}', f'"changes": {{"step": {step}}}')
    (run.path / "commands" / "1.json").write_text(text)
    happened = trained(run, stop)
    (answer,) = [event for event in happened if isinstance(event, Commanded)]
    assert answer.outcome == "refused"
    assert "rollback takes one whole number" in answer.reason
    assert sum(isinstance(event, RunStarted) for event in happened) == 1


def test_a_name_that_begins_with_a_dot_is_still_being_written(run: RunFolder, stop: Stop):
    (run.path / "commands" / ".1.json").write_text(command("half", action="stop"))
    assert not [event for event in trained(run, stop) if isinstance(event, Commanded)]


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("samples/step", "the samples can't be written"),
        ("labelled.json", "which images carry labels can't be written"),
        ("explore/", ""),
    ],
)
def test_what_a_training_can_do_without_is_a_warning_where_the_disk_does_not_take_it(
    tmp_path: Path, stop: Stop, monkeypatch: pytest.MonkeyPatch, file: str, says: str
):
    run = create_run(tmp_path, small_spec("ladder", "steps=20", "evaluate.every=0", "samples.every=10"), "full")
    real = inside.write

    def failing(folder: Path, name: str, *more: object, **options: bool) -> None:
        if name.startswith(file):
            raise OSError(errno.EIO, os.strerror(errno.EIO), f"{folder}/{name}")
        real(folder, name, *more, **options)  # type: ignore[arg-type]

    ask(run.path, Sample(rows=1))
    monkeypatch.setattr(inside, "write", failing)
    told = warnings(trained(run, stop))
    assert bool(says) == any(text.startswith(says) for text in told)
