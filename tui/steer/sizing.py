"""Asking how large runs are, before they are made: what is known is told at once, all else by an engine, which is asked
in a thread of its own and stays there until it is closed. No textual here.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from laddertop.journal.files import keep_for_user, user_cache
from laddertop.journal.sizes import Sizes, key_of, of_recipe, read, with_recipes, write
from laddertop.journal.spec import Spec
from laddertop.tui.steer.engine_process import command, environment


def sizes_of(spec: Spec) -> Sizes:
    """The sizes of a run of `spec`, at once for a recipe as it comes, else after an engine has told them."""
    if known := of_recipe(spec):
        return known
    try:
        done = subprocess.run(
            command("sizes"), input=f"{spec.model_dump_json()}\n", capture_output=True, text=True, env=environment()
        )
        return Sizes.model_validate_json(done.stdout)
    except (OSError, ValueError) as error:
        return Sizes(problem=f"no engine tells how large such a run is: {error}")


class Sizing:
    """What is known of the sizes of runs, and an engine that knows the rest."""

    def __init__(self, news: Callable[[], None]) -> None:
        """Calls `news` in its thread whenever more is known."""
        self._news = news
        self._known: dict[str, Sizes] = {}
        self._wanted: list[Spec] = []
        self._closed = False
        self._wake = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None

    def known(self, spec: Spec) -> Sizes | None:
        """The sizes of a run of `spec`; none: they are not known yet."""
        return self._known.get(key_of(spec))

    def ask(self, specs: Sequence[Spec]) -> None:
        """Finds out the sizes of these runs, one after the other, and no longer those of an earlier call."""
        with self._wake:
            self._wanted = list(specs)
            self._wake.notify()
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._answer, name="sizes", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends the engine that answers, and its thread."""
        with self._wake:
            self._closed = True
            self._wake.notify()
            if self._process is not None:
                self._process.kill()

    def _answer(self) -> None:
        shipped = with_recipes()
        # An engine that counts otherwise comes with other sizes of the recipes.
        cache = user_cache() / f"sizes-{hashlib.sha256(shipped).hexdigest()[:12]}.json"
        found: dict[str, Sizes] = {}
        with contextlib.suppress(OSError):
            found = read(cache.read_bytes())
        self._known |= found | read(shipped)
        self._news()
        while (spec := self._next()) is not None:
            told = self._asked(spec)
            if self._closed:
                break
            self._known[key_of(spec)] = told
            if not told.problem:
                found[key_of(spec)] = told
                _keep(cache, found)
            self._news()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _next(self) -> Spec | None:
        """What is asked next; waits until there is something, and is none once closed."""
        with self._wake:
            while not self._closed:
                self._wanted = [spec for spec in self._wanted if key_of(spec) not in self._known]
                if self._wanted:
                    return self._wanted[0]
                self._wake.wait()
        return None

    def _asked(self, spec: Spec) -> Sizes:
        """What the engine answers, or why it does not."""
        try:
            with self._wake:
                if self._closed:
                    return Sizes()
                if self._process is None or self._process.poll() is not None:
                    self._process = subprocess.Popen(
                        command("sizes"),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        text=True,
                        start_new_session=True,
                        env=environment(),
                    )
            process = self._process
            assert process.stdin
            assert process.stdout
            with contextlib.suppress(BrokenPipeError):  # it died, which its answer tells, too
                print(spec.model_dump_json(), file=process.stdin, flush=True)
            answer = process.stdout.readline()
        except OSError as error:
            return Sizes(problem=f"no engine tells how large such a run is: {error}")
        if not answer.endswith("\n"):
            return Sizes(problem=f"the engine that tells how large runs are died (exit status {process.wait()})")
        return Sizes.model_validate_json(answer)


def _keep(cache: Path, found: dict[str, Sizes]) -> None:
    # A cache that can't be written is no reason to disturb anybody.
    with contextlib.suppress(OSError):
        keep_for_user(cache, write(found))
