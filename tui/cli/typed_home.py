"""The commands that are about this machine and its user: learn, serve, config, keys, doctor, completion."""

from __future__ import annotations

from typing import Annotated

import typer

from laddertop.tui.cli.options import Json, ReadOnly, Runs, SlowLink, Trust

app = typer.Typer()


@app.command()
def learn(
    lesson: Annotated[
        int | None, typer.Argument(metavar="[N]", help="The lesson to begin, or to go on with (default: list them).")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Begin the lesson anew, with a new run.")] = False,
    runs: Runs = None,
    slow_link: SlowLink = False,
    json: Json = False,
) -> None:
    """List the lessons, or play one: a run, and a guide beside it."""
    from laddertop.tui.cli.learn import play, print_lessons

    if lesson is None:
        print_lessons(runs, json)
    else:
        play(runs, lesson, again, slow_link)


@app.command()
def serve(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="The run that a page opens with (default: the list).")
    ] = None,
    port: Annotated[
        int, typer.Option(metavar="N", min=0, max=65535, help="Port that is listened at; 0: a free one.")
    ] = 8612,
    host: Annotated[str, typer.Option(metavar="NAME", help="Its own address that is listened at.")] = "127.0.0.1",
    expose: Annotated[
        bool, typer.Option("--expose", help="Let other machines in, unencrypted, by the --host that you name.")
    ] = False,
    runs: Runs = None,
    slow_link: SlowLink = False,
    read_only: ReadOnly = False,
    trust: Trust = False,
) -> None:
    """Show the dashboard in a browser on this machine."""
    from laddertop.tui.cli.serve import serve as serve_pages

    flags = {"--slow-link": slow_link, "--read-only": read_only, "--trust": trust}
    chosen = [flag for flag, given in flags.items() if given]
    raise typer.Exit(serve_pages(runs, run, chosen, host=host, port=port, expose=expose))


@app.command()
def config(json: Json = False) -> None:
    """Print the settings that hold, and where each comes from."""
    from laddertop.tui.cli.config import print_config

    raise typer.Exit(print_config(json))


@app.command()
def keys(json: Json = False) -> None:
    """List the keys of the dashboard by name."""
    from laddertop.tui.cli.keys import print_keys

    raise typer.Exit(print_keys(json))


@app.command()
def doctor(runs: Runs = None, json: Json = False) -> None:
    """Examine terminal, torch, folders and disk, with advice."""
    from laddertop.tui.cli.doctor import examine

    raise typer.Exit(examine(runs, json))


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that completes words in a shell."""
    from laddertop.tui.cli.completion import SCRIPTS

    if shell not in SCRIPTS:
        raise ValueError(f"there is a script for bash, zsh and fish (you gave {shell!r})")
    print(SCRIPTS[shell], end="")
