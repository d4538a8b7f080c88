"""What a sweep's folder tells without Optuna is what Optuna makes of it; what was added is added once."""

from __future__ import annotations

import json
import random
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from laddertop.journal.spec import Spec, load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.sweep import study
from laddertop.tui.sweep.asked import Inbox, ask_to_add, ask_to_stop, trials_of
from laddertop.tui.sweep.group import Group
from laddertop.tui.sweep.plan import MOST, Plan, planned
from laddertop.tui.sweep.queue import Queue, create, mend
from laddertop.tui.sweep.study import STATES, STUDY, StudyReader
from laddertop.tui.sweep.table import outcome


def small() -> Spec:
    return override(load_recipe("ladder-digits"), ["device=cpu", "steps=10", "warmup.on=off"])


def searched(**options: int) -> Plan:
    words = {"grid": ["model.activation=relu,leaky_relu"], "search": ["noise.std=0.1..0.5:log", "data.batch=10..20"]}
    return planned(small(), "s", seeds=2, trials=options.get("trials", 6), prune=False, **words)


def by_optuna(folder: Path) -> list[tuple[object, ...]]:
    """Every trial as Optuna itself reads it."""
    storage = JournalStorage(JournalFileBackend(str(folder / STUDY)))
    trials = optuna.load_study(study_name="s", storage=storage).trials
    words = [{**t.system_attrs["fixed_params"], **{k: str(v) for k, v in t.params.items()}} for t in trials]
    return [
        (t.number, t.user_attrs["setting"], t.user_attrs["seed"], STATES[t.state], values,
         (t.user_attrs.get("headline") or {}).get("value"), t.user_attrs.get("why", ""))
        for t, values in zip(trials, words, strict=True)
    ]  # fmt: skip


def by_us(reader: StudyReader) -> list[tuple[object, ...]]:
    return [(t.number, t.setting, t.seed, t.state, t.values, t.value and t.value.value, t.why) for t in reader.trials]


@pytest.mark.parametrize("at_once", [1 << 22, 1200])
def test_the_queue_read_without_optuna_is_what_optuna_reads_at_every_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(study, "AT_ONCE", at_once)
    folder, draw = create(tmp_path, searched()), random.Random(2)
    storage = JournalStorage(JournalFileBackend(str(folder / STUDY)))
    other = optuna.create_study(study_name="another", storage=storage)  # as optuna-dashboard makes them
    queue, reader = Queue(folder), StudyReader(folder, "s")
    ends = [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL]
    for i in range(12):
        claimed = queue.take()
        assert claimed is not None
        claimed.report(10, Value(value=draw.random(), unit="x"))
        other.tell(other.ask(), 1.0)
        if i % 4:
            measured = ("cost", Value(value=draw.random(), unit="x", better="higher")) if i % 3 else None
            claimed.tell(ends[i % 3] if measured else TrialState.FAIL, measured, "because" * (i % 2))
        else:
            claimed.close()
        while reader.look():
            pass
        assert by_us(reader) == by_optuna(folder)
    assert not reader.look(), "nothing is new"
    whole = (folder / STUDY).read_bytes()
    with (folder / STUDY).open("ab") as file:
        file.write(b'{"op_code":5,"trial')
    assert not reader.look()
    mend(folder)
    assert (folder / STUDY).read_bytes() == whole
    assert by_us(reader) == by_optuna(folder)


def test_a_sweep_tells_who_is_at_work_what_is_left_and_what_is_best(tmp_path: Path) -> None:
    folder = create(tmp_path, planned(small(), "s", seeds=2, grid=[], search=["noise.std=0..1"], trials=3, prune=False))
    group, queue = Group(folder), Queue(folder)
    group.look()
    assert (group.counts(), group.status(), group.best()) == ({"waiting": 6}, "stopped", None)
    taken = [claimed for _ in range(4) if (claimed := queue.take())]
    for claimed, value in zip(taken[:2], (0.2, 0.1), strict=True):
        claimed.tell(TrialState.COMPLETE, ("accuracy", Value(value=value, unit="x", better="higher")))
    group.look()
    assert (group.counts(), group.status()) == ({"finished": 2, "running": 2, "waiting": 2}, "training")
    best = group.best()
    assert best is not None
    assert (best.trial.number, best.value.value) == (0, 0.2), "higher is better"
    ask_to_stop(folder, "ann")
    taken[2].close()
    taken[3].close()
    group.look()
    assert (group.counts(), group.status()) == ({"finished": 2, "waiting": 2, "left": 2}, "stopped")
    assert group.stopped_by() == "ann"
    assert group.counts() == outcome(queue)["states"]


@pytest.mark.parametrize("search", [[], ["noise.std=0..1"]])
def test_what_is_added_is_in_the_queue_once_whoever_looks_and_whoever_is_killed(
    tmp_path: Path, search: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    varies = {"grid": [] if search else ["optimizer.lr=1e-3,2e-3,3e-3"], "search": search}
    plan = planned(small(), "s", seeds=2, trials=3 if search else None, prune=False, **varies)
    folder = create(tmp_path, plan)
    one, other, group = Queue(folder), Queue(folder), Group(folder)
    for count in (1, 2):
        ask_to_add(folder, count, "ann")
    wanted = trials_of(plan, one.inbox.look())
    assert len(wanted) == len(set(wanted)) == (6 + 3 * 2 if search else 6 + 3 * 3)
    assert wanted == trials_of(plan, one.inbox.look()[::-1]), "in whichever order requests are seen"
    group.look()
    assert group.counts() == outcome(one)["states"] == {"waiting": len(wanted)}, "told before any worker looked"

    added = 0

    def dies(*_: object) -> None:
        nonlocal added
        added += 1
        if added == 3:
            raise KeyboardInterrupt
        enqueue(*_)  # type: ignore[arg-type]

    from laddertop.tui.sweep import queue as module

    enqueue = module._enqueue
    monkeypatch.setattr(module, "_enqueue", dies)
    with pytest.raises(KeyboardInterrupt):
        one.grow()
    other.grow()
    one.grow()
    there = [(t.user_attrs["setting"], t.user_attrs["seed"]) for t in other.trials()]
    assert sorted(there) == sorted(wanted)
    points = {t.user_attrs["setting"]: t.system_attrs["fixed_params"] for t in other.trials()}
    assert all(points[setting] == plan.point(setting) for setting, _ in wanted)
    group.look()
    assert len(group.trials) == len(wanted)
    with pytest.raises(ValueError, match=f"{MOST} is the most"):
        ask_to_add(folder, MOST, "ann")


def test_what_a_stranger_put_into_a_sweep_is_told_and_does_nothing(tmp_path: Path) -> None:
    folder = create(tmp_path, searched())
    for name, text in (("00-x.json", "{"), ("01-y.json", '{"action":"go"}'), ("02-z.json", "[" * 10_000)):
        (folder / "commands" / name).write_text(text)
    (folder / "commands" / "03-link.json").symlink_to("/etc/passwd")
    assert Inbox(folder).look() == []
    group = Group(folder)
    group.look()
    assert (group.problem, len(group.trials)) == ("", 12)
    line = json.dumps({"op_code": 5, "trial_id": 0, "param_name": "x", "param_value_internal": 1e400})
    for damage in (line, "[]", '{"op_code":4,"study_id":0}', '{"op_code":6,"trial_id":99,"state":1}', "\x1b[2J"):
        before = (folder / STUDY).read_bytes()
        with (folder / STUDY).open("a") as file:
            file.write(damage + "\n")
        group.look()
        assert group.problem.endswith(f"{STUDY} is damaged in line {len(before.splitlines()) + 1}"), damage
        assert group.status() == "damaged"
        (folder / STUDY).write_bytes(before)
        group.look()
        assert group.problem == ""
    plan = json.loads((folder / "sweep.json").read_text())
    (folder / "sweep.json").write_text(json.dumps({**plan, "settings": 10**15}))
    group.look()
    assert group.problem == f"s has more than {MOST} runs"
    (folder / "sweep.json").unlink()
    group.look()
    assert "sweep.json can't be read" in group.problem
