"""The queue of a sweep: an Optuna study in a file of its folder, which any number of workers share.

Every run is a trial that waits there from the beginning. A worker claims one by a lock on a file of the trial's own,
which the system lets go of however the worker dies; a trial that the study calls running and nobody claims is taken up
again.
"""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from laddertop.journal import inside
from laddertop.journal.files import Lock, held
from laddertop.journal.value import Value
from laddertop.tui.sweep.plan import PLAN, Plan, check_free, number, read_plan

STUDY = "optuna.log"
"""The file of the study, which `optuna-dashboard` opens, too."""
OPEN = (TrialState.RUNNING, TrialState.WAITING)
"""States of trials that are not over, those first that somebody began."""
MEASURED = "headline"
"""The attribute of a trial that holds what its run came to: a Value, and its name as `name`."""


def create(runs: Path, plan: Plan) -> Path:
    """Makes the folder of a sweep with all its trials waiting; there whole, or not at all.

    Raises ValueError when the name is taken or the folder can't be written.
    """
    check_free(runs, plan)
    runs = runs.absolute()
    path, making = runs / plan.name, runs / f".new-{secrets.token_hex(4)}"
    try:
        (making / "claims").mkdir(mode=0o700, parents=True)
        making.chmod(0o700)
        inside.write(making, PLAN, plan.model_dump_json(indent=1).encode(), durable=True)
        _study(making, plan, new=True)
        making.rename(path)
        inside.sync_folder(runs)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise ValueError(
            f"can't make the folder of the sweep {path}: {error.strerror}; choose another with --runs"
        ) from None
    return path


def _study(folder: Path, plan: Plan, *, new: bool = False) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage = JournalStorage(JournalFileBackend(str(folder / STUDY)))
    pruner = optuna.pruners.MedianPruner() if plan.prune else optuna.pruners.NopPruner()
    if not new:
        return optuna.load_study(study_name=plan.name, storage=storage, pruner=pruner)
    study = optuna.create_study(study_name=plan.name, storage=storage, pruner=pruner, direction="minimize")
    for setting in range(plan.settings):
        for seed in plan.seeds:
            study.enqueue_trial(plan.point(setting), user_attrs={"setting": setting, "seed": seed})
    return study


class Claimed:
    """A trial that this process alone works at, until `close`."""

    def __init__(self, trial: Trial, values: dict[str, str], lock: Lock) -> None:
        self.trial = trial
        """Optuna's."""
        self.values = values
        """What its setting takes by key: the words of the grid, the numbers of the search."""
        self.seed = int(trial.user_attrs["seed"])
        """The seed of its run."""
        self._lock = lock

    def report(self, step: int, value: Value) -> bool:
        """Tells the study of an evaluation; whether the run is to be pruned."""
        known = self.trial.study.trials[self.trial.number].intermediate_values
        if step not in known:
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
        try:
            self._study = _study(folder, self.plan)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{folder / STUDY} can't be read: {error}") from None

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        """The trials, those of some states or all, by number."""
        return self._study.get_trials(deepcopy=False, states=states or None)

    def take(self) -> Claimed | None:
        """The next trial that nobody works at; none: all are over, or others work at those that are left."""
        for state in OPEN:
            for seen in self.trials(state):
                claim = self.folder / "claims" / f"{seen.number:05d}.lock"
                if held(claim):
                    continue
                lock = Lock(claim)
                # Others may have come to its end before the lock was ours.
                if lock.take() and self.trials()[seen.number].state in OPEN:
                    return self._begun(seen, lock)
                lock.close()
        return None

    def _begun(self, seen: FrozenTrial, lock: Lock) -> Claimed:
        study = self._study
        study._storage.set_trial_state_values(seen._trial_id, TrialState.RUNNING)
        setting = int(seen.user_attrs["setting"])
        # Each setting is drawn once, from what the study knows then: one worker draws the same after any interruption.
        study.sampler = optuna.samplers.TPESampler(seed=self.plan.seeds[0] + setting)
        trial = Trial(study, seen._trial_id)
        values = {key: str(trial.suggest_categorical(key, words)) for key, words in self.plan.grid.items()}
        if self.plan.search:
            drawing = Lock(self.folder / "claims" / "drawing.lock")
            while not drawing.take():
                time.sleep(0.05)
            try:
                values |= self._drawn(trial, setting)
            finally:
                drawing.close()
        return Claimed(trial, values, lock)

    def _drawn(self, trial: Trial, setting: int) -> dict[str, str]:
        """What is searched, by key: what another seed of the setting has drawn, else drawn now."""
        keys = {one.key for one in self.plan.search}
        same = [one for one in self.trials() if one.user_attrs["setting"] == setting and keys <= set(one.params)]
        found = {}
        for one in self.plan.search:
            space = (
                IntDistribution(int(one.low), int(one.high), log=one.log)
                if one.whole
                else FloatDistribution(one.low, one.high, log=one.log)
            )
            if same and one.key not in trial.params:
                inside_optuna = space.to_internal_repr(same[0].params[one.key])
                trial.storage.set_trial_param(trial._trial_id, one.key, inside_optuna, space)
                found[one.key] = number(one, same[0].params[one.key])
            else:
                found[one.key] = number(one, trial._suggest(one.key, space))
        return found
