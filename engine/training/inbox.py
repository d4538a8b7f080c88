"""What people want of a running training: the commands in its inbox, and nothing that lies there can end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from laddertop.journal import commands, inside
from laddertop.journal.folder import RunFolder

FOLDERS = ("commands", "samples")
"""Folders of a run that may be empty, and are then missing from many a copy of it."""


def make_folders(run: RunFolder) -> None:
    """Makes the folders that are missing. Raises ValueError when a link or a file stands in the place of one."""
    for name in FOLDERS:
        inside.make_folder(run.path, name)


class Inbox:
    """The commands to one start of a run, each taken up once."""

    def __init__(self, run: RunFolder, answered: Iterable[str], warn: Callable[[str], None]) -> None:
        """`answered` are the ids that have an answer already; `warn` tells people what is wrong in the inbox."""
        self._run, self._answered, self._warn = run, set(answered), warn

    def take_up(self) -> Iterator[commands.Command]:
        """The commands in the order of sending; each is removed once it is carried out.

        What is no command, or can't be read, is told and removed. What can't be removed is left, and an inbox that
        can't be read is looked into again the next time.
        """
        try:
            found = commands.pending(self._run.path)
        except (OSError, ValueError) as error:
            self._warn(f"the inbox can't be read, and commands wait: {error}")
            self._make_again()
            return
        for path, command in found:
            if isinstance(command, str):
                self._warn(f"commands/{path.name}: {command}")
                self._remove(path)
            elif command.id in self._answered:
                # Answered by an engine that had no time to remove it, or here already under another file's name.
                self._remove(path)
            else:
                self._answered.add(command.id)
                try:
                    yield command
                finally:
                    self._remove(path)

    def _make_again(self) -> None:
        try:
            make_folders(self._run)
        except (OSError, ValueError) as error:
            self._warn(f"a folder of the run can't be made: {error}")

    def _remove(self, path: Path) -> None:
        try:
            commands.done(self._run.path, path)
        except (OSError, ValueError) as error:
            self._warn(f"commands/{path.name} can't be removed, and is left: {error}")


def step_wanted(command: commands.Command) -> int:
    """The step that a rollback goes back to. Raises ValueError when it names none."""
    step = command.changes.get("step")
    if set(command.changes) != {"step"} or not isinstance(step, float) or not step.is_integer():
        raise ValueError("rollback takes one whole number, the step of a checkpoint")
    return int(step)


def refuse(command: commands.Command, segment: int, step: int, paused: bool, finite: Callable[[], bool]) -> None:
    """Raises ValueError, which says why, for what start `segment` can't do at `step`, where it is `paused` or not;
    `finite` tells whether its weights are, and waits for the device."""
    commands.check_meant(command, segment, step, paused)
    if command.action == "checkpoint" and not finite():
        raise ValueError("nothing is saved: the weights are no longer finite, and the checkpoints before are kept")
