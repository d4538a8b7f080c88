"""The queue of a sweep: an Optuna study in a file of its folder, which any number of workers share.

Every run is a trial that waits there from the beginning. A worker claims one by a lock on a file of the trial's own,
which the system lets go of however the worker dies; a trial that the study calls running and nobody claims is taken up
again.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, Trial, TrialState

from laddertop.journal import inside
from laddertop.journal.files import Lock, held
from laddertop.journal.value import Value
from laddertop.tui.sweep.asked import Inbox, trials_of
from laddertop.tui.sweep.plan import PLAN, Plan, check_free, claim, number, read_plan
from laddertop.tui.sweep.study import MEASURED, STUDY

OPEN = (TrialState.RUNNING, TrialState.WAITING)
"""States of trials that are not over, those first that somebody began."""


def create(runs: Path, plan: Plan) -> Path:
    """Makes the folder of a sweep with all its trials waiting; there whole, or not at all.

    Raises ValueError when the name is taken or the folder can't be written.
    """
    check_free(runs, plan)
    runs = runs.absolute()
    path, making = runs / plan.name, runs / f".new-{secrets.token_hex(4)}"
    try:
        for inner in ("claims", "commands"):
            (making / inner).mkdir(mode=0o700, parents=True)
        making.chmod(0o700)
        inside.write(making, PLAN, plan.model_dump_json(indent=1).encode(), durable=True)
        _study(_storage(making), plan, new=True)
        making.rename(path)
        inside.sync_folder(runs)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise ValueError(
            f"can't make the folder of the sweep {path}: {error.strerror}; choose another with --runs"
        ) from None
    return path


def _storage(folder: Path) -> JournalStorage:
    return JournalStorage(JournalFileBackend(str(folder / STUDY)))


def _study(storage: JournalStorage, plan: Plan, *, new: bool = False) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    pruner = optuna.pruners.MedianPruner() if plan.prune else optuna.pruners.NopPruner()
    if not new:
        return optuna.load_study(study_name=plan.name, storage=storage, pruner=pruner)
    study = optuna.create_study(study_name=plan.name, storage=storage, pruner=pruner, direction="minimize")
    for setting, seed in trials_of(plan, []):
        _enqueue(study, plan, setting, seed)
    return study


def _enqueue(study: optuna.Study, plan: Plan, setting: int, seed: int) -> None:
    study.enqueue_trial(plan.point(setting), user_attrs={"setting": setting, "seed": seed})


def mend(folder: Path) -> None:
    """Cuts off what a power cut left of a line of the queue, which would spoil the next one that is written.

    Raises OSError when it can't be written.
    """
    lock = JournalFileSymlinkLock(str(folder / STUDY))
    lock.acquire()
    try:
        with (folder / STUDY).open("r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)
    finally:
        lock.release()


class Claimed:
    """A trial that this process alone works at, until `close`."""

    def __init__(self, trial: Trial, identity: int, values: dict[str, str], lock: Lock) -> None:
        self.trial = trial
        """Optuna's."""
        self.values = values
        """What its setting takes by key: the words of the grid, the numbers of the search."""
        self.seed = int(trial.user_attrs["seed"])
        """The seed of its run."""
        self._id, self._lock = identity, lock

    def report(self, step: int, value: Value) -> bool:
        """Tells the study of an evaluation; whether the run is to be pruned."""
        if step not in self.trial.storage.get_trial(self._id).intermediate_values:
            self.trial.report(told(value), step)
        return self.trial.should_prune()

    def tell(self, state: TrialState, measured: tuple[str, Value] | None, why: str = "") -> None:
        """Tells the study what the run came to, and lets go of it."""
        if measured:
            self.trial.set_user_attr(MEASURED, {"name": measured[0], **measured[1].model_dump(mode="json")})
        if why:
            self.trial.set_user_attr("why", why)
        value = told(measured[1]) if measured and state == TrialState.COMPLETE else None
        self.trial.study.tell(self.trial, value, TrialState.FAIL if value != value else state)
        self.close()

    def close(self) -> None:
        """Lets go of it; whoever takes it next goes on with its run."""
        self._lock.close()


def told(value: Value) -> float:
    """What the study, which looks for the least, is told of a value."""
    return -value.value if value.better == "higher" else value.value


class Queue:
    """The queue of the sweep in a folder."""

    def __init__(self, folder: Path) -> None:
        """Opens it. Raises ValueError when it is damaged."""
        self.folder = folder
        """That of the sweep."""
        self.plan = read_plan(folder)
        """What it varies."""
        self.inbox = Inbox(folder)
        """What is asked of its workers."""
        try:
            self._storage = _storage(folder)
            self._study = _study(self._storage, self.plan)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{folder / STUDY} can't be read: {error}") from None

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials, those of some states or all, by number."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def grow(self) -> None:
        """Takes what was added to the sweep into the queue, each once, whoever looks, and whoever is killed there."""
        if len(wanted := trials_of(self.plan, self.inbox.look())) <= len(self.trials()):
            return
        with self._alone("adding"):
            there = {(one.user_attrs["setting"], one.user_attrs["seed"]) for one in self.trials()}
            for setting, seed in (one for one in wanted if one not in there):
                _enqueue(self._study, self.plan, setting, seed)

    @contextlib.contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Does something that no other worker does meanwhile."""
        lock = Lock(self.folder / "claims" / f"{name}.lock")
        try:
            while not lock.take():
                time.sleep(0.05)
            yield
        finally:
            lock.close()

    def at_work(self, trial: FrozenTrial) -> bool:
        """Whether a living worker has claimed a trial."""
        return held(claim(self.folder, trial.number))

    def take(self) -> Claimed | None:
        """The next trial that nobody works at; none: all are over, or others work at those that are left."""
        for state in OPEN:
            for seen in self.trials(state):
                if self.at_work(seen):
                    continue
                lock = Lock(claim(self.folder, seen.number))
                # Others may have come to its end before the lock was ours.
                if lock.take() and self.trials()[seen.number].state in OPEN:
                    return self._begun(seen, lock)
                lock.close()
        return None

    def _begun(self, seen: FrozenTrial, lock: Lock) -> Claimed:
        study = self._storage.get_study_id_from_name(self.plan.name)
        identity = self._storage.get_trial_id_from_study_id_trial_number(study, seen.number)
        self._storage.set_trial_state_values(identity, TrialState.RUNNING)
        trial = Trial(self._study, identity)
        values = {key: str(trial.suggest_categorical(key, words)) for key, words in self.plan.grid.items()}
        if self.plan.search:
            with self._alone("drawing"):
                values |= self._drawn(trial, identity)
        return Claimed(trial, identity, values, lock)

    def _drawn(self, trial: Trial, identity: int) -> dict[str, str]:
        """What is searched, by key: what another seed of the setting has drawn, else drawn now."""
        setting, search = trial.user_attrs["setting"], self.plan.search
        keys = {one.key for one in search}
        same = [one for one in self.trials() if one.user_attrs["setting"] == setting and keys <= set(one.params)]
        found = {}
        for i, one in enumerate(search):
            low, high = (int(one.low), int(one.high)) if one.whole else (one.low, one.high)
            if same and one.key not in trial.params:
                space = (IntDistribution if one.whole else FloatDistribution)(low, high, log=one.log)  # type: ignore[arg-type]
                drawn = space.to_internal_repr(same[0].params[one.key])
                self._storage.set_trial_param(identity, one.key, drawn, space)
            # From what the study knows and this seed alone: a lone worker draws the same after any interruption.
            self._study.sampler = optuna.samplers.TPESampler(seed=self.plan.seeds[0] + setting * len(search) + i)
            draw = Trial(self._study, identity)
            drawn = (
                draw.suggest_int(one.key, int(low), int(high), log=one.log)
                if one.whole
                else draw.suggest_float(one.key, low, high, log=one.log)
            )
            found[one.key] = number(one, drawn)
        return found
