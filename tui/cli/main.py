"""The command line of laddertop: what there is to type, and where errors end.

Commands import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Annotated, Any

import typer

from laddertop.journal.actions import ACTIONS, Action
from laddertop.journal.settings import look
from laddertop.tui.cli.open import show_dashboard
from laddertop.tui.cli.options import (
    Babysit,
    Detach,
    EarlyStop,
    Json,
    JsonLines,
    KeepBest,
    Name,
    Note,
    Nproc,
    OnDivergence,
    Pixels,
    ReadOnly,
    Run,
    Runs,
    SlowLink,
    Timeout,
    Trust,
    heard,
    with_value,
)
from laddertop.tui.cli.typed_diagnose import app as diagnoses
from laddertop.tui.cli.typed_explore import app as explore
from laddertop.tui.cli.typed_home import app as at_home
from laddertop.tui.cli.typed_runs import app as whole_runs
from laddertop.tui.cli.typed_sweep import app as many_runs

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


@app.command("open")
def open_dashboard(
    runs: Runs = None,
    slow_link: SlowLink = False,
    read_only: ReadOnly = False,
    trust: Trust = False,
    pixels: Pixels = False,
) -> None:
    """Open the dashboard with the list of runs."""
    show_dashboard(runs, slow_link=slow_link, read_only=read_only, trust=trust, pixels=pixels)


@app.command()
def new(runs: Runs = None, slow_link: SlowLink = False, pixels: Pixels = False) -> None:
    """Open the dashboard with the form for a new run."""
    show_dashboard(runs, form=True, slow_link=slow_link, pixels=pixels)


@app.command()
def attach(
    run: Run = "last",
    runs: Runs = None,
    slow_link: SlowLink = False,
    read_only: ReadOnly = False,
    trust: Trust = False,
    pixels: Pixels = False,
) -> None:
    """Open the dashboard with a run: live, finished or crashed."""
    show_dashboard(runs, run, slow_link=slow_link, read_only=read_only, trust=trust, pixels=pixels)


@app.command()
@heard
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe (see `recipes`) or a TOML file.")],
    data: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="Data set: digits, mnist, moons, …, or ./mine.npz (docs/data.md)."),
    ] = None,
    data_root: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder that holds the data set in torchvision's layout.")
    ] = None,
    labels: Annotated[str | None, typer.Option(metavar="N|all", help="Labelled training images.")] = None,
    epochs: Annotated[
        float | None, typer.Option(metavar="N", help="Length in passes over the training images.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="N", help="Length in steps, instead of epochs.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of everything random.")] = None,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Train N runs with N seeds, side by side.")
    ] = 1,
    at_once: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Seeds side by side (default: one per core that memory allows, or per GPU)."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:N or mps; with --seeds also cuda:0,1.")
    ] = None,
    precision: Annotated[str | None, typer.Option(metavar="NAME", help="auto, fp32 or bf16.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any key of a recipe; see `recipes --keys`.")
    ] = None,
    on_divergence: OnDivergence = None,
    early_stop: EarlyStop = None,
    keep_best: KeepBest = None,
    babysit: Babysit = None,
    nproc: Nproc = None,
    name: Name = None,
    runs: Runs = None,
    detach: Detach = False,
    json: JsonLines = False,
) -> None:
    """Train a new run without the dashboard."""
    if epochs is not None and steps is not None:
        raise ValueError("give the length of the run either with --epochs or with --steps")
    from laddertop.tui.cli.train import train as train_run

    flags = {
        "data.labels": labels,
        "epochs": epochs,
        "steps": steps,
        "seed": seed,
        "precision": precision,
        "policy.on_divergence": on_divergence,
        "policy.early_stop": early_stop,
        "policy.keep_best": keep_best,
        "policy.babysit": babysit,
    }
    chosen = [f"{key}={value}" for key, value in flags.items() if value is not None] + (settings or [])
    raise typer.Exit(
        train_run(
            recipe,
            settings=chosen,
            data=data,
            data_root=data_root,
            name=name,
            runs=runs,
            seeds=seeds,
            at_once=at_once,
            nproc=nproc,
            device=device,
            detach=detach,
            as_json=json,
        )
    )


@app.command()
@heard
def resume(
    run: Run,
    runs: Runs = None,
    trust: Trust = False,
    nproc: Nproc = None,
    detach: Detach = False,
    json: JsonLines = False,
) -> None:
    """Go on with a run from its newest checkpoint."""
    from laddertop.tui.cli.train import resume as resume_run

    raise typer.Exit(resume_run(runs, run, trust=trust, nproc=nproc, detach=detach, as_json=json))


@app.command("runs")
def list_runs(
    runs: Runs = None,
    archived: Annotated[bool, typer.Option("--all", help="Also those that were put away with `archive`.")] = False,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", metavar="WORD", help="Only those with that tag; all, if given again.")
    ] = None,
    json: Json = False,
) -> None:
    """List the runs, newest first."""
    from laddertop.tui.cli.show import print_runs

    print_runs(runs, archived, tag or [], json)


@app.command("set")
def set_knobs(
    run: Run,
    settings: Annotated[
        list[str], typer.Argument(metavar="KNOB=VALUE", help="noise=off, lr=1e-3, noise.std=0.2 (every layer), …")
    ],
    note: Note = "",
    runs: Runs = None,
    trust: Trust = False,
    timeout: Timeout = 30,
    json: Json = False,
) -> None:
    """Change knobs of a running training."""
    _ask(runs, run, "set", note, trust, timeout, json, settings)


def _command(action: Action) -> Callable[..., None]:
    def ask(
        run: Run,
        note: Note = "",
        runs: Runs = None,
        trust: Trust = False,
        timeout: Timeout = 30,
        json: Json = False,
    ) -> None:
        _ask(runs, run, action, note, trust, timeout, json)

    return ask


for _name, _about in ACTIONS.items():
    if _about.typed:
        app.command(_about.typed, help=_about.help)(_command(_name))

for _part in (many_runs, diagnoses, whole_runs, explore, at_home):
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


def _ask(
    runs: Path | None,
    run: str,
    action: Action,
    note: str,
    trust: bool,
    timeout: float,
    json: bool,
    settings: list[str] | None = None,
) -> None:
    from laddertop.tui.cli.steer import ask

    ask(runs, run, action, settings=settings, note=note, trust=trust, timeout=timeout, as_json=json)


if __name__ == "__main__":
    main()
