"""The run folder: creating one, finding one, and whether an engine is at work in it."""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from laddertop.journal import inside, lease, settings
from laddertop.journal.events import Checkpointed
from laddertop.journal.files import Lock, flag, held, knows_locks, lock, raised
from laddertop.journal.origin import ORIGIN_CHECKPOINT, Origin, read_origin
from laddertop.journal.own_model import COPY, OwnModelSection, read_code, sum_of
from laddertop.journal.places import runs_in
from laddertop.journal.spec import Spec, parse

ARCHIVED = "archived"
"""An empty file in a run's folder that puts the run away: lists leave it out, and `last` never means it."""

LOOK_BACK = 1 << 16
"""Bytes of what was printed that are searched for an engine's last words."""

LABELLED = "labelled.json"
"""Which training images carry labels, where not all do."""

NOTE = "note.txt"
"""The user's words about a run, one line."""

WAITING = "waiting.lock"
"""An empty file that the engine holds a lock on while it waits for the disk, which takes no other sign of it."""


def runs_folder(option: Path | None = None) -> Path:
    """Where runs live: the option, else what the user settled, else checkpoints/ in the current folder."""
    return option or Path(str(settings.held("runs").value))


class RunFolder:
    """One run on disk. Cheap to make; reads nothing until asked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        """The folder."""

    @property
    def name(self) -> str:
        """The run's name: that of its folder, not of a link to it."""
        plain = self.path.name not in ("", "..") and not os.path.islink(self.path)
        return self.path.name if plain else self.path.resolve().name

    @property
    def events_path(self) -> Path:
        """The event file."""
        return self.path / "events.jsonl"

    @property
    def console_path(self) -> Path:
        """What the engine and its libraries printed."""
        return self.path / "console.log"

    def console(self) -> BinaryIO:
        """The file of what is printed, opened for more. Raises ValueError when it is a link or no plain file."""
        return inside.appending(self.path, "console.log")

    def last_printed(self, since: int = 0) -> list[str]:
        """The last lines that were printed, of those from byte `since` on, without empty ones.

        Raises OSError when it can't be read, ValueError when it is a link or no plain file.
        """
        with inside.reading(self.path, "console.log") as file:
            file.seek(max(since, file.seek(0, 2) - LOOK_BACK))
            lines = file.read(LOOK_BACK).decode(errors="replace").split("\n")
        return [line.rstrip() for line in lines if line.strip()]

    @property
    def spec(self) -> Spec:
        """What to train. Raises ValueError when the spec is missing or damaged."""
        return read_spec(self.path)

    @property
    def note(self) -> str:
        """The user's words about it, one line; empty when there are none, or none that can be read."""
        try:
            return " ".join(inside.read(self.path, NOTE).decode(errors="replace").split())
        except (OSError, ValueError):
            return ""

    @property
    def tags(self) -> list[str]:
        """The tags of the run: the words of its note that begin with #, without that."""
        return tags_of(self.note)

    @property
    def archived(self) -> bool:
        """Whether a user put it away."""
        return inside.look(self.path, ARCHIVED) is not None

    @property
    def origin(self) -> Origin | None:
        """Where it comes from; None when it began from nothing. Raises ValueError when that is damaged."""
        return read_origin(self.path)

    @property
    def labelled(self) -> list[int] | None:
        """The training images that carry labels, counted from 0, one class after the other; None: all or none.

        Raises ValueError when the file is damaged.
        """
        path = self.path / LABELLED
        try:
            images = json.loads(inside.read(self.path, LABELLED))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} can't be read: {error}") from None
        if not isinstance(images, list) or not all(isinstance(image, int) for image in images):
            raise ValueError(f"{path} can't be read: it is no list of whole numbers")
        return images

    def write_labelled(self, images: list[int]) -> None:
        """Records which training images carry labels."""
        inside.write(self.path, LABELLED, json.dumps(images).encode())

    def checkpoints(self, recorded: list[Checkpointed]) -> list[Checkpointed]:
        """What the run can go on from, oldest first: its origin, and what it recorded as far as the files are there; of
        several of one step the newest.

        Raises ValueError when its origin is damaged.
        """
        origin = self.origin
        first = [origin.checkpoint] if origin and origin.checkpoint else []
        there = [saved for saved in [*first, *recorded] if inside.look(self.path, saved.file)]
        return list({saved.step: saved for saved in there}.values())

    def engine_alive(self) -> bool:
        """Whether an engine holds this run, on this host or another one that shares the disk."""
        return held(self.path / "engine.lock")

    def explorer_alive(self) -> bool:
        """Whether a process of its own answers questions about this run."""
        return held(self.path / "explorer.lock")

    @contextlib.contextmanager
    def engine_lock(self) -> Iterator[Lock]:
        """Held by the engine for as long as it lives; the system lets go of it however the engine dies.

        Raises ValueError when another engine holds it, OSError when there are no locks and no room for a lease.
        """
        with lock(self.path / "engine.lock") as mine:
            if not mine:
                raise ValueError(
                    f"another engine is training {self.name}{self.engine_elsewhere()}; watch it with "
                    f"`laddertop attach {self.name}`"
                )
            yield mine

    def engine_elsewhere(self) -> str:
        """Where the engine is that holds this run by a lease, and since when it gave no sign of life; empty where that
        is this machine, or it holds a lock."""
        found = lease.holder(self.path / "engine.lock")
        if found is None or found.age is None:
            return ""
        return (
            f" ({found.holder.words()}, whose last sign of life is {found.age:.0f} s old; where there are no locks it "
            f"counts as gone after {lease.SILENCE:.0f} s without one)"
        )

    def shortcomings(self) -> list[str]:
        """What an engine that holds the run can't do where it lies, each in a sentence."""
        if knows_locks(self.path / "engine.lock"):
            return []
        return [
            "there are no locks where this run lies: a lease file keeps other engines out, and for other machines an "
            f"engine that dies is alive for {lease.SILENCE:.0f} s more"
        ]

    def engine_waits(self) -> bool:
        """Whether the training stands still because the disk takes nothing of what it writes."""
        return raised(self.path / WAITING) and self.engine_alive()

    def prepare_waiting(self) -> None:
        """Makes what `waiting` needs, while there is room for it: without it nobody sees that it waits.

        Raises ValueError when something else lies there.
        """
        with contextlib.suppress(OSError):
            inside.touch(self.path, WAITING)
            with self.waiting():  # takes away what an engine that was killed left
                pass

    def waiting(self) -> contextlib.AbstractContextManager[None]:
        """Tells everybody, without writing anything, that the training waits for the disk."""
        return flag(self.path / WAITING)

    def babysitter_alive(self) -> bool:
        """Whether a process sends the remedies of what is found in this run; nothing depends on it."""
        with contextlib.suppress(OSError, ValueError):
            return held(self.path / "babysitter.lock")
        return False

    def babysitter_lock(self) -> contextlib.AbstractContextManager[Lock | None]:
        """Held by that process; None: there is one already."""
        return lock(self.path / "babysitter.lock")

    def explorer_lock(self) -> contextlib.AbstractContextManager[Lock | None]:
        """Held by the process that answers questions; None: there is one already."""
        return lock(self.path / "explorer.lock")


def tags_of(note: str) -> list[str]:
    """The tags in a note, each once, in order."""
    return list(dict.fromkeys(word[1:] for word in note.split() if word.startswith("#") and word != "#"))


def new_name(spec: Spec) -> str:
    """A name for a new run: date, recipe and four random letters."""
    return f"{time.strftime('%Y-%m-%d')}-{spec.recipe}-{secrets.token_hex(2)}"


def check_name(name: str) -> None:
    """Raises ValueError when a name can't be that of a run."""
    if not name.isprintable() or "/" in name or name.startswith((".", "-")) or name in ("", "last"):
        raise ValueError(f"{name!r} can't name a run: take letters, digits, dots and dashes, not starting with one")


def create_run(
    runs: Path,
    spec: Spec,
    name: str | None = None,
    origin: Origin | None = None,
    checkpoint: bytes | None = None,
    parent: RunFolder | None = None,
) -> RunFolder:
    """Makes the folder of a new run with its spec in it, with its origin and the content of the origin's checkpoint.
    The text of a model of the user's own comes from its file, or from the run that this one is made from.

    Without a name the run is called by date, recipe and four random letters. It is there whole, or not at all. Raises
    ValueError when the name is taken, is no plain name or the folder can't be written.
    """
    drawn = name is None  # of hundreds of runs of a day two would have the same letters
    while name is None or (drawn and os.path.lexists(runs / name)):
        name = new_name(spec)
    check_name(name)
    code = _code(spec.model, parent) if isinstance(spec.model, OwnModelSection) else None
    path, making = runs / name, runs / f".new-{secrets.token_hex(4)}"
    if os.path.lexists(path):
        raise ValueError(f"there is a run {name} in {runs} already; take another name")
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in ("", "/commands", "/samples"):
            inside.make_folder(runs, f"{making.name}{folder}")
        if checkpoint is not None:
            inside.write(making, ORIGIN_CHECKPOINT, checkpoint, durable=True)
        if code is not None:
            inside.write(making, COPY, code)
        if origin is not None:
            inside.write(making, "origin.json", origin.model_dump_json(indent=1).encode())
        inside.write(making, "spec.json", spec.model_dump_json(indent=1).encode(), durable=True)
        making.rename(path)
        inside.sync_folder(runs)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        if os.path.lexists(path):  # somebody else was faster
            raise ValueError(f"there is a run {name} in {runs} already; take another name") from None
        raise ValueError(f"can't make the run folder {path}: {error.strerror}; choose another with --runs") from None
    return RunFolder(path)


def _code(model: OwnModelSection, parent: RunFolder | None) -> bytes:
    """The text of the file of a model. Raises ValueError when it is not the one that an engine looked at."""
    assert model.found, "a run is made of a model that was looked at"
    file = Path(model.found.file)
    try:
        text = inside.read(parent.path, COPY) if parent else read_code(file).text
    except OSError as error:
        raise ValueError(f"{file}: {error.strerror}") from None
    if sum_of(text) != model.found.sha256:
        whose = f"the text of the model that {parent.name} keeps" if parent else str(file)
        raise ValueError(f"{whose} was changed meanwhile; begin again")
    return text


def read_spec(path: Path) -> Spec:
    """The spec of the run in `path`. Raises ValueError when it is missing or damaged."""
    file = path / "spec.json"
    try:
        tree = json.loads(inside.read(path, "spec.json"))
    except FileNotFoundError:
        raise ValueError(f"{path} is no run folder: it has no spec.json; `laddertop runs` lists the runs") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{file} can't be read: {error}; the run can't be used without it") from None
    if not isinstance(tree, dict):
        raise ValueError(f"{file} holds no spec; the run can't be used without it")
    spec = parse(tree, str(file))
    if not spec.data.known:
        raise ValueError(f"{file} does not say what was found in {spec.data.name}; the run can't be used without it")
    if isinstance(spec.model, OwnModelSection) and spec.model.found is None:
        raise ValueError(f"{file} does not say what was found in {spec.model.place}; the run can't be used without it")
    return spec


def list_runs(runs: Path) -> list[RunFolder]:
    """The runs in a folder, newest first; empty when there is no such folder."""
    return [RunFolder(Path(place)) for place in runs_in(runs)]


def find_run(runs: Path, text: str) -> RunFolder:
    """The run that a user means: a folder, a name, a unique prefix of a name, or `last` for the newest.

    Raises ValueError that names what was looked for and where, with the nearest names.
    """
    if text != "last" and (Path(text) / "spec.json").is_file():
        return RunFolder(Path(text))
    found = list_runs(runs)
    if text == "last" and (kept := next((run for run in found if not run.archived), None)):
        return kept
    if text != "last" and ("/" in text or (Path(text).is_dir() and not (runs / text).is_dir())):
        if Path(text).is_dir():
            raise ValueError(f"{text} is no run folder: it has no spec.json")
        raise ValueError(f"there is no folder {text}")
    if not found:
        raise ValueError(f"there are no runs in {runs.absolute()}; start one with `laddertop train ladder-digits`")
    names = {run.name: run for run in found}
    fitting = [run for name, run in names.items() if name == text] or [
        r for n, r in names.items() if n.startswith(text)
    ]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise ValueError(f"{text!r} begins {len(fitting)} runs: {', '.join(run.name for run in fitting[:4])}")
    near = difflib.get_close_matches(text, list(names), n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; `laddertop runs` lists them"
    raise ValueError(f"no run {text!r} in {runs.absolute()}{hint}")
