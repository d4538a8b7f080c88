"""The inbox keeps its promises: whole commands only, in the order they were sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from laddertop.journal import inside
from laddertop.journal.actions import ACTIONS
from laddertop.journal.commands import Command, pending, send, sender
from laddertop.journal.files import write_atomically


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "commands").mkdir()
    return tmp_path


def test_commands_come_back_in_the_order_they_were_sent(folder: Path) -> None:
    sent = [send(folder, 2, action, by="ann@box", note="σ\n") for action in ACTIONS]
    sent.append(send(folder, 2, "set", {"noise": "off", "lr": 1e-3}, by="ann@box"))
    assert [command for _, command in pending(folder)] == sent
    assert len({command.id for command in sent}) == len(sent)
    path, last = pending(folder)[-1]
    assert isinstance(last, Command)
    assert last.changes == {"noise": "off", "lr": 1e-3}
    assert json.loads(path.read_bytes())["segment"] == 2


def test_a_command_that_the_disk_did_not_take_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inside.os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        send(folder, 1, "pause", by="ann")
    assert list((folder / "commands").iterdir()) == []


def test_a_file_that_is_being_written_is_not_pending(folder: Path) -> None:
    whole = Command(id="1", segment=1, by="ann", action="stop").model_dump_json()
    (folder / "commands" / ".1.json.tmp").write_text(whole[:10])
    assert pending(folder) == []


@pytest.mark.parametrize("junk", [b"", b"{", b'{"id": 1}', b"\xff\xfe", b'{"action": "explode"}'])
def test_what_is_no_command_is_named_and_does_not_hide_the_next_one(folder: Path, junk: bytes) -> None:
    (folder / "commands" / "00.json").write_bytes(junk)
    after = send(folder, 1, "pause", by="ann")
    (path, complaint), (_, command) = pending(folder)
    assert path.name == "00.json"
    assert isinstance(complaint, str)
    assert complaint.startswith("not a command")
    assert command == after


def test_the_sender_names_the_front_end() -> None:
    assert sender("command line").endswith(" (command line)")
    assert "@" in sender("command line")


SENDER = """
import sys
from pathlib import Path
from laddertop.journal.commands import send
print("ready", flush=True)
for i in range(100_000):
    send(Path(sys.argv[1]), i, "annotate", by="x", note="n" * 5000)
"""


def test_an_engine_never_sees_half_a_command_even_from_a_sender_that_is_killed(folder: Path) -> None:
    seen: list[int] = []
    for _ in range(3):
        with subprocess.Popen([sys.executable, "-c", SENDER, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            until = time.monotonic() + 0.2
            killed = False
            while not killed or pending(folder):
                if time.monotonic() > until and not killed:
                    os.kill(process.pid, signal.SIGKILL)
                    process.wait()
                    killed = True
                for path, command in pending(folder):
                    assert isinstance(command, Command)
                    assert len(command.note) == 5000
                    seen.append(command.segment)
                    path.unlink()
        assert seen == list(range(len(seen))), "a command was lost or overtaken"
        assert len(seen) > 10
        seen.clear()


def test_a_file_is_the_old_or_the_new_one_and_never_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "spec.json"
    write_atomically(path, b"old")
    inside.write(tmp_path, path.name, b"new", durable=True)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(inside.os, "replace", lambda *_, **__: (_ for _ in ()).throw(OSError("gone")))
    with pytest.raises(OSError, match="gone"):
        write_atomically(path, b"newer")
    assert [file.name for file in tmp_path.iterdir()] == ["spec.json"]
    assert path.read_bytes() == b"new"
