"""The command line of laddertop: what there is to type, and where errors end.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys
from copy import copy
from typing import Any

import typer

from laddertop.journal.settings import look
from laddertop.tui.cli.options import with_value
from laddertop.tui.cli.typed_diagnose import app as diagnoses
from laddertop.tui.cli.typed_explore import app as explore
from laddertop.tui.cli.typed_home import app as at_home
from laddertop.tui.cli.typed_runs import app as whole_runs
from laddertop.tui.cli.typed_sweep import app as many_runs
from laddertop.tui.cli.typed_training import app as trainings

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    # With a default for its own --help, the group has no value to coerce, for which Typer would import pydantic.
    context_settings={"help_option_names": ["-h", "--help"], "default_map": {"help": False}},
)


@app.callback()
def laddertop() -> None:
    """Train denoising autoencoders, VAEs and ladder networks, and steer them from the terminal.

    Without a command, the dashboard opens, as with `open`; `laddertop --version` prints the version."""


for _part in (trainings, many_runs, diagnoses, whole_runs, explore, at_home):
    app.add_typer(_part)


def main() -> None:
    """Runs the command line; the border where errors become sentences.

    Exit status: 0 done, 2 asked for something that can't be, 3 no engine is at work in the run, 1 failed on the way,
    128 + n stopped by signal n.
    """
    # Nearly all that is made here is kept, so garbage is looked for seldom.
    gc.set_threshold(20_000)
    # Nothing here uses plugins of pydantic, for which it would look through all packages that are installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    for stream in (sys.stdout, sys.stderr):
        # A terminal without Unicode gets question marks, not an error.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    # The group itself has no options for the same reason; those of `open` may be given without its name.
    words = sys.argv[1:]
    if words == ["--version"]:
        from importlib.metadata import version

        print(f"laddertop {version('laddertop')}")
        return
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words = ["open", *words]
    if words[:2] == ["completion", "words"]:
        # What the scripts of the shells ask, around Typer, which would import pydantic to parse it.
        from laddertop.tui.cli.completion import completed

        commands: Any = typer.main.get_command(app)
        print("".join(f"{word}\n" for word in completed(commands.commands, words[-1])), end="")
        return
    if words[0] not in ("-h", "--help", "config", "doctor", "train"):  # these tell it themselves
        _tell_wrong_settings()
    try:
        sys.exit(_with_command(words[0])(with_value(words), prog_name="laddertop", standalone_mode=False))
    except _MISTYPED as error:
        _mistyped(error)
    except typer.Abort:
        _fail("nothing was done", 1)
    except ValueError as error:
        _fail(error, 2)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}" if error.filename else error, 1)
    except Exception as error:
        from laddertop.tui.steer.engine_process import EngineError

        if not isinstance(error, EngineError):
            raise
        _fail(error, error.exit_status)


def _with_command(word: str) -> typer.Typer:
    """The command line with the command `word` alone, as each costs a millisecond to make; whole without such one."""
    for part in (app, *(group.typer_instance for group in app.registered_groups)):
        for command in part.registered_commands if part else ():
            if word == (command.name or typer.main.get_command_name(command.callback.__name__)):  # type: ignore[union-attr]
                alone = copy(app)
                alone.registered_commands, alone.registered_groups = [command], []
                return alone
    return app


_MISTYPED: type[Exception] = typer.BadParameter.__mro__[1]
"""What typer raises where the words of a command line don't fit; it has no public name for all of it."""


def _mistyped(error: Any) -> None:
    """What is wrong with the words, and how they are meant. They may be names of files of somebody else."""
    from laddertop.tui.cli.print import say

    if error.ctx is not None:
        say(f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} -h' for help.\n")
    say(f"Error: {error.format_message()}")
    sys.exit(error.exit_code)


def _tell_wrong_settings() -> None:
    """Says what of the settings is not understood, and goes on without it."""
    for problem in look()[1]:
        from laddertop.tui.cli.print import say

        say(f"laddertop: {problem}")


def _fail(what: object, status: int) -> None:
    from laddertop.tui.cli.print import say

    say(f"laddertop: {what}")
    sys.exit(status)


if __name__ == "__main__":
    main()
