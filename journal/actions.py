"""What can be asked of a running engine, and in which words: the one table that the engine's answers, the command line
and the dashboard read. Imports nothing, so that `--help` is quick.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Action = Literal["set", "pause", "continue", "stop", "checkpoint", "evaluate", "sample", "annotate", "rollback"]


class About(NamedTuple):
    """One action in words."""

    words: str
    """What is asked for, as the event log and the help say it."""
    short: str
    """The same in a word, beside a key."""
    typed: str = ""
    """The command that asks for it and needs nothing but a run; empty: there is none, or it has a form of its own."""
    help: str = ""
    """What that command does, one sentence."""
    yields: str = ""
    """Type of the event that is recorded once it is done; empty: it is done when it is answered."""


ACTIONS: dict[Action, About] = {
    "set": About("set", "set"),
    "pause": About("pause", "pause", "pause", "Pause a running training."),
    "continue": About("continue", "continue", "continue", "Let a paused training go on."),
    "stop": About("stop", "stop", "stop", "Save and end a running training; `resume` goes on with it.", "run_ended"),
    "checkpoint": About("checkpoint now", "save", "checkpoint", "Save a running training now.", "checkpointed"),
    "evaluate": About("evaluate now", "evaluate", yields="evaluated"),
    "sample": About(
        "refresh the samples", "refresh", "refresh", "Pass the test items through a running model now.", "sampled"
    ),
    "annotate": About("note", "note"),
    "rollback": About("back to a checkpoint", "roll back", yields="run_started"),
}
"""set changes knobs, annotate only leaves its note, rollback goes on from the checkpoint of the step that its changes
name; the others do what their names say."""


def command_name(action: str) -> str:
    """What the command line calls what was asked for: the command that is typed for it, else a word."""
    return next((about.typed or about.short for name, about in ACTIONS.items() if name == action), action)
