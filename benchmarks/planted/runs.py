"""The trainings of the benchmark of planted faults: sound, with a fault, and with its remedy, each once and kept.

A run is what its name, its spec and its commands say: whole runs are kept from one measurement to the next, half ones
and those of another spec are trained anew. What is planted while a run trains, and what is advised, is done at its very
step: the run is made as a replay is, which does at each step what was done to another one there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.planted.faults import BASES, Base, Fault
from laddertop.engine.training.stop import Stop
from laddertop.engine.training.train import train
from laddertop.engine.trial import look
from laddertop.journal import commands
from laddertop.journal.events import Change, Commanded, Evaluated, EventReader
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.origin import Origin
from laddertop.journal.own_model import OwnModelSection
from laddertop.journal.spec import Spec, override
from laddertop.journal.state import OVER, RunState
from laddertop.journal.value import Value
from laddertop.tui.watch.diagnoses.finding import Remedy

BY = "benchmarks/faults.py"
"""Who turns knobs here, for the record."""


@dataclass(frozen=True)
class Case:
    """One training: of a base, with a fault or sound, with a seed."""

    base: str
    fault: Fault | None
    seed: int

    @property
    def name(self) -> str:
        """The name of its run."""
        return f"{self.base}-{self.fault.name if self.fault else 'sound'}-s{self.seed}"

    @property
    def sound(self) -> Case:
        """The same without the fault."""
        return replace(self, fault=None)

    @property
    def steps(self) -> int:
        """Length of the run."""
        return BASES[self.base].steps

    @property
    def asked(self) -> Spec:
        """The spec that it asks for. A class of one's own is still to be looked at."""
        base: Base = BASES[self.base]
        if self.fault is None:
            return base.spec(self.seed)
        return replace(base, recipe=self.fault.model or base.recipe).spec(self.seed, *self.fault.settings)

    def spec(self) -> Spec:
        """The spec that it trains."""
        return _looked_at(self.asked)

    def planted(self) -> list[Commanded]:
        """What is turned while it trains."""
        if not self.fault or not self.fault.turned:
            return []
        changes = [Change(knob=knob, old=value, applied=value) for knob, value in self.fault.turned.items()]
        step = round(self.fault.at * self.steps)
        turned = Commanded(step=step, id="planted", by=BY, action="set", outcome="applied", changes=changes, time=0.0)
        return [turned]


def trained(runs: Path, case: Case) -> RunFolder:
    """The run of a case in the folder `runs`, whole."""
    return _whole(runs, case.name, case.spec(), case.planted())


def remedied(runs: Path, case: Case, remedy: Remedy, found: int) -> RunFolder:
    """The run of a case to which the commands of a remedy are given at the step at which it was found; where it has
    none, the training anew with its settings."""
    name = f"{case.name}-remedy-{_sum([remedy.commands, remedy.settings, found])}"
    if not remedy.commands:
        return _whole(runs, name, _looked_at(override(case.asked, remedy.settings)), case.planted())
    run = runs / name
    if _is_whole(RunFolder(run)):
        return RunFolder(run)
    first, *_ = asks = list(remedy.commands)
    back_to = int(first.changes["step"]) if first.action == "rollback" else None
    with _silence():
        made = _made(runs, name, case.spec(), case.planted(), None if found >= case.steps else found)
        train(made, Stop(foreground=False))
        state = _state(made)
        for ask in asks[back_to is not None :]:
            commands.send(made.path, state.segment + 1, ask.action, dict(ask.changes), by=BY)
        train(made, Stop(foreground=False), back_to)
    return made


def value_of(run: RunFolder, name: str) -> Value | None:
    """What a run came to, by its last evaluation: a value by its name, the headline without one, the number of active
    units of all layers as `active`; None where it was not evaluated at its end."""
    last = next(iter(_state(run).evaluations[-1:]), None)
    if not isinstance(last, Evaluated):
        return None
    if name == "active":
        active = float(sum(layer.active for layer in last.layers.values()))
        return Value(value=active, unit="active units", better="higher")
    return last.values[name] if name else next((one for one in last.values.values() if one.headline), None)


def _whole(runs: Path, name: str, spec: Spec, turned: list[Commanded]) -> RunFolder:
    """A run of that spec and name which is over; it is trained where it is not there."""
    run = RunFolder(runs / name)
    if _is_whole(run) and run.spec == spec:
        return run
    with _silence():
        train(_made(runs, name, spec, turned), Stop(foreground=False))
    return run


def _made(runs: Path, name: str, spec: Spec, turned: list[Commanded], until: int | None = None) -> RunFolder:
    """A new run in the place of what is there, to which that is done, and which stops at a step."""
    shutil.rmtree(runs / name, ignore_errors=True)
    origin = Origin(kind="replay", run=name, folder=str(runs / name), commands=turned, until=until)
    return create_run(runs, spec, name, origin if turned or until is not None else None)


def _is_whole(run: RunFolder) -> bool:
    """Whether a run was trained to its end, or lost on the way."""
    try:
        state = _state(run)
        return bool(state.ended) and state.ended.reason in OVER and state.step >= (state.starts[-1].steps or 0)
    except (OSError, ValueError):
        return False


def _state(run: RunFolder) -> RunState:
    return RunState().apply_all(EventReader(run.events_path).read_all())


def _looked_at(spec: Spec) -> Spec:
    """The spec with what is found in a class of one's own, where it has one."""
    return look(spec) if isinstance(spec.model, OwnModelSection) else spec


def _sum(what: object) -> str:
    return hashlib.sha256(json.dumps(what, default=str).encode()).hexdigest()[:8]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """What an engine prints goes nowhere; the journal has it."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere):
        yield
