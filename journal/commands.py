"""What front ends ask of a running engine: one small JSON file per command in the run's `commands/` folder.

A front end writes a command and waits for the `Commanded` event with its id; the engine takes commands up between two
steps, in the order they were sent, and removes each file once its outcome is recorded. A command is meant for one
segment: an engine that was started later refuses it.
"""

from __future__ import annotations

import getpass
import os
import re
import secrets
import socket
import time
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from laddertop.journal import inside
from laddertop.journal.actions import Action
from laddertop.journal.events import Change, Commanded
from laddertop.journal.record import Record

COMMAND_FILE = re.compile(r"[\w-][\w.-]{0,100}\.json", re.ASCII)
"""Names of the files of commands."""


class Command(Record):
    """One request to the engine."""

    id: str
    """Unique within the run; its outcome bears the same id."""
    segment: int
    """The segment it is meant for."""
    by: str
    """Who sent it, and from where."""
    action: Action
    """What is asked for."""
    changes: dict[str, float | str] = Field(default={})
    """New values by knob for `set`; a switch also takes on and off; a group such as noise.std sets all its members."""
    note: str = ""
    """The sender's words."""


def sender(front_end: str) -> str:
    """Who sends a command, for the record: user@host and the front end."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()} ({front_end})"


def drawn_up(
    segment: int, action: Action, changes: dict[str, Any] | None = None, *, by: str, note: str = ""
) -> Command:
    """A command as it is asked for now; nobody has it yet."""
    identity = f"{time.time_ns():020d}-{secrets.token_hex(3)}"
    return Command(id=identity, segment=segment, by=by, action=action, changes=changes or {}, note=note)


def put(folder: Path, command: Command) -> None:
    """Puts a command into the inbox of the run in `folder`. Raises OSError when it can't be written, ValueError when
    something else stands in its place."""
    inside.make_folder(folder, "commands")
    inside.write(folder, f"commands/{command.id}.json", command.model_dump_json().encode())


def send(
    folder: Path, segment: int, action: Action, changes: dict[str, Any] | None = None, *, by: str, note: str = ""
) -> Command:
    """Draws up a command, puts it into the inbox of the run in `folder`, and returns it. Raises as `put`."""
    command = drawn_up(segment, action, changes, by=by, note=note)
    put(folder, command)
    return command


def check_meant(command: Command, segment: int, step: int, paused: bool) -> None:
    """Raises ValueError, which says why, where a command is of another start than `segment`, or asks for what is so
    already at `step`, where the run is `paused` or not."""
    if command.segment != segment:
        raise ValueError(f"it was meant for start {command.segment} of this run; this is start {segment}")
    if command.action == "pause" and paused:
        raise ValueError(f"it is paused already, at step {step}; continue lets it go on")
    if command.action == "continue" and not paused:
        raise ValueError("it is not paused; it trains")


def outcome(command: Command, step: int, changes: list[Change], refusal: str = "") -> Commanded:
    """What is recorded of a command that was carried out before the step after `step`, or of its `refusal`."""
    return Commanded(
        step=step,
        id=command.id,
        by=command.by,
        action=command.action,
        outcome="refused" if refusal else "applied",
        reason=refusal,
        changes=changes,
        note=command.note,
    )


def done(folder: Path, path: Path) -> None:
    """Takes a file out of the inbox."""
    inside.remove(folder, f"commands/{path.name}")


def pending(folder: Path) -> list[tuple[Path, Command | str]]:
    """The inbox in the order of sending: each file with its command, or with what is wrong with it.

    Raises FileNotFoundError when there is no inbox, ValueError when it is a
    link.
    """
    found: list[tuple[Path, Command | str]] = []
    for name in inside.names(folder, "commands", COMMAND_FILE):
        file = f"commands/{name}"
        try:
            found.append((folder / file, Command.model_validate_json(inside.read(folder, file))))
        except FileNotFoundError:
            continue  # the engine has just answered it
        except ValidationError as error:
            found.append((folder / file, f"not a command: {error.errors()[0]['msg']}"))
        except ValueError as error:
            found.append((folder / file, str(error)))
        except OSError as error:
            found.append((folder / file, f"can't be read: {error.strerror}"))
    return found
