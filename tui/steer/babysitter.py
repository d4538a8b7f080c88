"""Sends the remedies of what is found in a training, where its spec asks for that: `python -m
laddertop.tui.steer.babysitter RUN SINCE`.

A process of its own beside the engine, which reads the journal as every front end does, and sends commands as every
front end does: they are answered, recorded, undone and repeated as those of a person are. It holds no training up, and
one that dies leaves all as it is.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import sys
import time
from pathlib import Path

from laddertop.journal.commands import Command, drawn_up, put
from laddertop.journal.folder import RunFolder
from laddertop.journal.policies import SAFE, PolicySpec
from laddertop.journal.state import RunState
from laddertop.tui.watch.babysat import BABYSITTER, by_babysitter
from laddertop.tui.watch.diagnoses.advised import keys_in, note_of
from laddertop.tui.watch.diagnoses.diagnoses import Diagnoses
from laddertop.tui.watch.diagnoses.finding import Finding
from laddertop.tui.watch.diagnoses.table import DIAGNOSES
from laddertop.tui.watch.event_line import UNDO
from laddertop.tui.watch.following import BEGINS, LOOK, looks


def check_kinds(policy: PolicySpec) -> None:
    """Raises ValueError where a babysitter is asked for a kind of findings that there is not."""
    known = [SAFE, *(one.kind for one in DIAGNOSES)]
    for word in sorted(policy.babysat - {*known}):
        near = difflib.get_close_matches(word, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"policy.babysit: no kind of findings is called {word}; {hint}")


def kinds_of(policy: PolicySpec) -> frozenset[str]:
    """The kinds of findings whose remedies are sent."""
    safe = {one.kind for one in DIAGNOSES if one.safe} if SAFE in policy.babysat else set()
    return policy.babysat - {SAFE} | safe


class Babysitter:
    """Looks after one start of a run."""

    def __init__(self, run: RunFolder) -> None:
        """It sends what the run's spec asks for."""
        self._run, self._policy = run, run.spec.policy
        self._kinds = kinds_of(self._policy)
        self._sent: set[str] = set()

    def look(self, state: RunState, diagnoses: Diagnoses) -> None:
        """Sends at most one remedy: what it changes may be all that another finding wants. The next one waits until
        the engine has answered. A paused run is somebody's who looks at it."""
        answered = {command.id for command in state.commands}
        if state.paused or self._sent - answered or self._repeats(state):
            return
        settled = {one.key for one in diagnoses.standing()}
        for finding in diagnoses.findings():
            if finding.key in settled and self._sees_to(finding) and self._may(finding, state, diagnoses):
                self._send(finding, state)
                return

    def _sees_to(self, finding: Finding) -> bool:
        """Whether it was asked for that, and has something to send. Going back is left to the engine's own policy,
        where there is one."""
        asks = finding.remedy.commands if finding.remedy else ()
        of_engine = self._policy.on_divergence != "nothing" and any(ask.action == "rollback" for ask in asks)
        return finding.kind in self._kinds and bool(asks) and not of_engine

    def _may(self, finding: Finding, state: RunState, diagnoses: Diagnoses) -> bool:
        """Whether it is not too early, not too often, and nobody has taken its remedy back."""
        if any(one.finding.key == finding.key and one.helped is None for one in diagnoses.advised()):
            return False  # whether the last one helps is not told yet
        mine = [c for c in state.commands if by_babysitter(c) and finding.kind in {kind for kind, _ in keys_in(c.note)}]
        undone = {f"{UNDO}{command.id}" for command in mine}
        if any(command.note in undone and command.outcome == "applied" for command in state.commands):
            return False
        assert finding.remedy
        first = finding.remedy.commands[0].action
        given = {command.id for command in mine if command.action == first}
        if len(given) < self._policy.remedies:
            return True
        self._leave(f"{finding.name} after {len(given)} remedies: the babysitter leaves it to you", state)
        return False

    def _leave(self, words: str, state: RunState) -> None:
        """Says once in the event log what it leaves alone."""
        if not any(command.note == words for command in state.commands):
            self._put(drawn_up(state.segment, "annotate", by=BABYSITTER, note=words))

    def _send(self, finding: Finding, state: RunState) -> None:
        assert finding.remedy
        note, segment = note_of([finding]), state.segment
        for action, changes in finding.remedy.commands:
            self._put(drawn_up(segment, action, changes, by=BABYSITTER, note=note))
            # Going back is a start of its own, which hears what is meant for it.
            segment += action == "rollback"

    def _put(self, command: Command) -> None:
        # A disk that takes nothing now may take it at the next look.
        with contextlib.suppress(OSError, ValueError):
            put(self._run.path, command)
            self._sent.add(command.id)

    def _repeats(self, state: RunState) -> bool:
        """Whether the run trains another one again, which has all that was sent to that; where that was stopped it
        goes its own way."""
        origin = self._run.origin
        repeats = origin is not None and origin.kind == "replay" and not any(s.rolled_back for s in state.starts)
        begun = state.started.step if state.started else 0
        return bool(repeats and origin and (origin.until is None or begun < origin.until))


def babysit(run: RunFolder, since: float) -> None:
    """Looks after the start of a run after `since` (seconds since 1970), until its engine is not at work any more."""
    while time.time() - since < BEGINS:
        with run.babysitter_lock() as mine:
            if mine:
                babysitter = Babysitter(run)
                for look in looks(run, since):
                    if look.alive:
                        babysitter.look(look.state, look.diagnoses)
                return
        # That of the start before has not noticed yet that it is over.
        time.sleep(LOOK)


if __name__ == "__main__":
    os.nice(10)
    babysit(RunFolder(Path(sys.argv[1])), float(sys.argv[2]))
