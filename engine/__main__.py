"""`python -m laddertop.engine train RUN` trains a run folder; `evaluate`, `weights`, `program` and `explore` ask its
newest checkpoint; `sizes` tells how large runs are, `look` what is in a user's own data, `look-model` what a user's own
model is."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from pathlib import Path

from laddertop.engine.training.compiler_cache import name_cache
from laddertop.engine.training.launch import Launched, asked_for, follow_to_the_end
from laddertop.engine.training.stop import Stop
from laddertop.journal.folder import RunFolder
from laddertop.journal.sections import DataSpec
from laddertop.journal.spec import parse


def main() -> int:
    """Runs one command; what goes wrong ends in one sentence on standard error.

    Exit status: 0 done, 2 asked for something that can't be, 1 failed on the way.
    """
    parser = argparse.ArgumentParser(prog="python -m laddertop.engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    train = commands.add_parser("train", help="train a run to its end, or on from its newest checkpoint")
    train.add_argument("run", type=Path)
    train.add_argument("--foreground", action="store_true", help="stop when standard input ends")
    train.add_argument("--back-to", type=int, metavar="STEP", help="go on from the checkpoint of that step instead")
    train.add_argument("--nproc", type=int, default=1, metavar="N", help="processes that share every batch")
    evaluate = commands.add_parser("evaluate", help="evaluate the newest checkpoint on the test set; prints JSON")
    evaluate.add_argument("run", type=Path)
    evaluate.add_argument("--step", type=int, help="evaluate the checkpoint of that step instead")
    evaluate.add_argument("--split", choices=("test", "held_back", "training"), default="test")
    evaluate.add_argument(
        "--quick", action="store_true", help="measure what a training does, not what the paper reports"
    )
    evaluate.add_argument("--representation", action="store_true", help="also score the codes")
    weights = commands.add_parser(
        "weights", help="write the weights of the newest checkpoint as safetensors; prints JSON"
    )
    weights.add_argument("run", type=Path)
    weights.add_argument("out", type=Path)
    weights.add_argument("--step", type=int, help="those of the checkpoint of that step instead")
    program = commands.add_parser("program", help="write the model of the newest checkpoint as a program; prints JSON")
    program.add_argument("run", type=Path)
    program.add_argument("kind", choices=("onnx", "pt2"))
    program.add_argument("out", type=Path)
    program.add_argument("--step", type=int, help="that of the checkpoint of that step instead")
    explore = commands.add_parser("explore", help="answer questions from the newest checkpoint until nobody asks")
    explore.add_argument("run", type=Path)
    explore.add_argument("--idle", type=float, default=60, metavar="SECONDS", help="end when nobody asked for so long")
    sizes = commands.add_parser("sizes", help="tell the sizes of runs: a spec as JSON on each line of standard input")
    sizes.add_argument("--recipes", action="store_true", help="print the file of the sizes of all recipes instead")
    commands.add_parser("look", help="tell what is in a user's own data, which standard input names")
    commands.add_parser(
        "look-model", help="tell what the user's own model is that a spec as JSON on standard input names"
    )
    offered = commands.add_parser("offered", help="tell where data lie that an installed package offers")
    offered.add_argument("name")
    about = commands.add_parser("about", help="tell what torch finds on this machine, as JSON")
    about.add_argument("--device", default="auto", help="the device to look at")
    arguments = parser.parse_args()
    if arguments.command == "sizes":
        return tell_sizes(arguments.recipes)
    if arguments.command == "look":
        return tell_found()
    if arguments.command == "offered":
        return tell_offered(arguments.name)
    if arguments.command == "look-model":
        return tell_model()
    if arguments.command == "about":
        name_cache()
        from laddertop.engine.training.about import about as tell_about

        print(tell_about(arguments.device))
        return 0
    run = RunFolder(arguments.run)
    if "OMP_WAIT_POLICY" not in os.environ:
        # Threads that spin while they wait for each other starve each other as soon as anything else runs on the
        # machine: with one core taken, a step then takes thirty times as long.
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    name_cache()
    keep_nice()
    try:
        if arguments.command == "train":
            return train_or_follow(run, arguments)
        if arguments.command == "explore":
            with run.explorer_lock() as mine:
                if not mine:
                    return 0  # somebody answers already
                from laddertop.engine.saved.serve import serve

                return serve(run, arguments.idle)
        if arguments.command == "weights":
            from laddertop.engine.saved.weights import write_weights

            return write_weights(run, arguments.step, arguments.out)
        if arguments.command == "program":
            from laddertop.engine.saved.program import write_program

            return write_program(run, arguments.step, arguments.kind, arguments.out)
        from laddertop.engine.saved.evaluate import evaluate as evaluate_run

        return evaluate_run(run, arguments.step, arguments.split, arguments.quick, arguments.representation)
    except (ValueError, OSError) as error:
        return complain(error)


def train_or_follow(run: RunFolder, arguments: argparse.Namespace) -> int:
    """Trains a run as the only rank or as rank 0, which starts the others unless they are there; else follows that."""
    if asked_for()[0] > 0:
        follow_to_the_end(arguments.foreground)
        from laddertop.engine.training.follow import follow

        return follow(run)
    # Listens before torch is there: a signal in its first second ends a run as any other does.
    stop = Stop(arguments.foreground)
    with run.engine_lock() as lock:
        launched = Launched(arguments.run, arguments.nproc) if arguments.nproc > 1 and asked_for()[1] == 1 else None
        try:
            from laddertop.engine.training.train import train as train_run

            return train_run(run, stop, arguments.back_to, lock, launched)
        finally:
            if launched:
                launched.end()


def complain(error: ValueError | OSError) -> int:
    """Says what went wrong; the exit status for it."""
    with contextlib.suppress(OSError):  # what is printed may go to the disk that is full
        print(f"laddertop: {error}", file=sys.stderr)
    return 2 if isinstance(error, ValueError) else 1


def keep_nice() -> None:
    """Makes `nice` mean of an engine what it means of a command: Linux weighs processes against those of their own
    session only where it groups them by session (autogroup, see sched(7)), and an engine has one of its own."""
    if os.getsid(0) == os.getpid() and os.nice(0) > 0:
        with contextlib.suppress(OSError):
            Path("/proc/self/autogroup").write_text(str(os.nice(0)))


def tell_sizes(of_all_recipes: bool) -> int:
    """Answers until standard input ends; beside trainings, to which it gives way."""
    os.nice(5)
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is loaded
    from laddertop.engine.sizes import of_recipes, serve

    if of_all_recipes:
        sys.stdout.buffer.write(of_recipes())
        return 0
    return serve(sys.stdin, sys.stdout)


def tell_found() -> int:
    """Reads `{"data": …, "seed": …}` and prints what is found in the data that it names."""
    from laddertop.engine.own import look

    asked = json.load(sys.stdin)
    try:
        print(look(DataSpec.model_validate(asked["data"]), asked["seed"]).model_dump_json())
    except (ValueError, OSError) as error:
        return complain(error)
    return 0


def tell_offered(name: str) -> int:
    """Prints the path of the data that a package offers; what that prints goes elsewhere."""
    from laddertop.engine.own.offered import path_of

    try:
        with contextlib.redirect_stdout(sys.stderr):
            path = path_of(name)
    except ValueError as error:
        return complain(error)
    print(path)
    return 0


def tell_model() -> int:
    """Reads a spec and prints it with what is found in the class that is its model; what that prints goes elsewhere."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is loaded
    from laddertop.engine.trial import look

    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec = look(parse(json.load(sys.stdin), "the spec"))
    except (ValueError, OSError) as error:
        return complain(error)
    print(spec.model_dump_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
