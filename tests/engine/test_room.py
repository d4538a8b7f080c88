"""What has no room is refused before it takes any, with the batch that would fit."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.memory import BARE, TRAIN, peak
from laddertop.engine import sizes
from laddertop.engine.sizes import Followed, follow
from laddertop.engine.training.room import check_room, free, needed
from laddertop.journal.folder import create_run
from laddertop.journal.memory import available, left_to_groups
from laddertop.journal.spec import Spec, override
from tests import PATIENCE
from tests.engine.conftest import CPU
from tests.kinds import KINDS, small_spec
from tests.processes import ROOT, typed

LARGE = ("data.batch=1437", "data.labelled_batch=100")
"""All of the digits in a batch: the step takes more than the evaluation."""


@pytest.fixture
def followed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a spec takes is found out once, which takes a second for some kinds, however often it is asked."""
    known: dict[str, Followed] = {}

    def once(spec: Spec) -> Followed:
        key = spec.model_dump_json()
        return known.get(key) or known.setdefault(key, follow(spec))

    monkeypatch.setattr(sizes, "follow", once)


@pytest.mark.usefixtures("followed_once")
@pytest.mark.parametrize("kind", KINDS)
def test_what_has_no_room_is_refused_with_the_batch_that_has(kind: str) -> None:
    spec = small_spec(kind, *LARGE)
    least, most = needed(small_spec(kind, "data.batch=2", "data.labelled_batch=2"), False), needed(spec, False)
    check_room(spec, CPU, False, most)
    room = (least + most) // 2
    with pytest.raises(ValueError, match=r"memory: with these settings a run takes \S+ GB at least, and cpu") as said:
        check_room(spec, CPU, False, room)
    settings = [word for word in str(said.value).split() if word.startswith("data.")]
    smaller = override(spec, settings)
    assert room * 0.7 < needed(smaller, False) <= room, "the largest batch that fits, but for its digits"
    check_room(smaller, CPU, False, room)
    check_room(spec, CPU, True, most // 2 + least)  # a compiled step keeps some of its tensors nowhere
    with pytest.raises(ValueError, match="take fewer or narrower layers"):
        check_room(spec, CPU, False, least // 2)
    with pytest.raises(ValueError, match="the parameters of the model alone take"):
        check_room(spec, CPU, False, 1000)


def test_no_run_loads_the_compiler_of_torch_before_it_compiles(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom laddertop.engine.training.stop import Stop\n"
        "from laddertop.engine.training.train import train\nfrom laddertop.journal.folder import create_run\n"
        "from tests.kinds import KINDS, small_spec\n"
        "for kind in KINDS:\n"
        "    spec = small_spec(kind, 'steps=2', 'device=cpu', 'compile=off')\n"
        f"    run = create_run(Path({str(tmp_path)!r}), spec, kind)\n"
        "    with run.engine_lock() as lock:\n"
        "        assert train(run, Stop(False), None, lock, None) == 0\n"
        "    assert not {'torch._dynamo', 'sympy'} & set(sys.modules), f'{kind}: seconds of every start'\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_run_that_does_not_fit_into_this_machine_leaves_no_folder(tmp_path: Path) -> None:
    wide = [*([65536, 64] * min(49, 3 + free(CPU) // 9_000_000_000)), 65536]  # each of them takes 9 GB
    settings = [f"model.widths={wide}", f"model.denoising={[1] * (len(wide) + 2)}", "steps=1", "data.batch=1400"]
    if free(CPU) > 400_000_000_000:
        pytest.skip("this machine has room for all that is tried")
    words = [word for setting in settings for word in ("--set", setting.replace(" ", ""))]
    done = typed("train", "ladder-digits", *words, "--device", "cpu", "--runs", str(tmp_path / "runs"), "--name", "big")
    assert done.returncode == 1, done.stderr
    assert "memory: with these settings a run takes" in done.stderr
    assert "data.batch=" in done.stderr
    assert "would fit" in done.stderr
    assert not (tmp_path / "runs" / "big").exists()


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of 3 GiB for a process of ours."""
    told = dict(line.split(":")[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    top, limit = Path("/sys/fs/cgroup"), "memory.max"
    if "memory" in told:
        top, limit = top / "memory", "memory.limit_in_bytes"
    made = top / f"laddertop-test-{os.getpid()}"
    try:
        made.mkdir()
        (made / limit).write_text(str(3 << 30))
    except OSError as error:
        if made.is_dir():
            made.rmdir()
        pytest.skip(f"no control group of memory can be made here: {error}")
    yield made
    made.rmdir()


def test_in_a_control_group_no_more_is_free_than_is_left_to_it(group: Path) -> None:
    code = (
        f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
        "import torch; from laddertop.engine.training.room import free; print(free(torch.device('cpu')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert 1 << 30 < int(done.stdout) < 3 << 30


def test_the_smallest_of_nested_groups_counts_in_either_version(tmp_path: Path) -> None:
    for version, inner in ((1, "memory/"), (2, "")):
        groups = tmp_path / str(version)
        limit, usage, cached = {
            1: ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
            2: ("memory.max", "memory.current", "inactive_file"),
        }[version]
        for place, most in (("", "max" if version == 2 else str((1 << 63) - 4096)), ("a/", "5000"), ("a/b/", "9000")):
            (folder := groups / f"{inner}{place}").mkdir(parents=True, exist_ok=True)
            (folder / limit).write_text(f"{most}\n")
            (folder / usage).write_text("1000\n")
            (folder / "memory.stat").write_text(f"anon 900\n{cached} 70\n")
        (mine := tmp_path / "mine").write_text("4:memory:/a/b\n1:cpu:/\n" if version == 1 else "0::/a/b\n")
        assert left_to_groups(groups, mine) == 5000 - 1000 + 70
    assert left_to_groups(tmp_path, tmp_path / "absent") == float("inf")
    assert 0 < available(Path("/proc/meminfo")) <= available(tmp_path / "absent")


@pytest.mark.stress
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_run_is_refused_for_is_no_more_than_it_takes(kind: str, tmp_path: Path) -> None:
    spec = small_spec(kind, *LARGE, "steps=3", "threads=1", "device=cpu", "precision=fp32", "compile=off")
    run = create_run(tmp_path, spec, "run")
    measured = peak([sys.executable, "-c", TRAIN, "train", str(run.path)], tmp_path)
    bare = peak([sys.executable, "-c", BARE], tmp_path)
    assert needed(spec, False) + follow(spec).stored < measured - bare
