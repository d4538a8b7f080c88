"""Faults that are planted into trainings: which of them the diagnoses find, when, what they cry for nothing, and
whether what they advise repairs.

    python benchmarks/faults.py [--open] [--drawn] [--seeds N] [--only WORD …] [--train | --find]
    python benchmarks/faults.py --table

Every training of benchmarks/planted/faults.py is trained sound and with each fault that is planted into it, by one
thread each; what is found is told from the journals, by the function that the dashboard uses, with the step at which it
could be told first. Then the remedy of the finding is given at that step, and the training is compared with the sound
one of the same seed. `--open` takes the faults that the diagnoses may be tried on, `--drawn` the other half, and
neither both. `--train` trains and looks at nothing that is found, `--find` tries no remedy.

Runs live in the user's cache, and beside them the results, a line of JSON for each; a result is of the diagnoses as
they stand, by a checksum of theirs, and is not measured again. What is interrupted goes on where it was. `--table`
prints what is measured as RESULTS.md has it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.planted.faults import BASES, DRAWN, FAULTS, OPEN, Fault
from benchmarks.planted.table import table, version
from benchmarks.reproduce import append_result
from laddertop.journal.files import user_cache

FIRST_SEED = 1


def sound_cases(seeds: int, faults: tuple[Fault, ...] = ()) -> list[tuple[str, str, int]]:
    """Every sound training, or those that some faults are planted into: base, no fault, seed."""
    bases = {base for fault in faults for base in fault.bases} or set(BASES)
    return [(base, "", seed) for seed in range(FIRST_SEED, FIRST_SEED + seeds) for base in BASES if base in bases]


def faulty_cases(seeds: int, faults: tuple[Fault, ...]) -> list[tuple[str, str, int]]:
    """Every training with each fault: base, fault, seed. Each fault comes once before one comes again, so that an early
    end has some of each."""
    return [
        (fault.bases[i], fault.name, seed)
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        for i in range(max(len(fault.bases) for fault in faults))
        for fault in faults
        if i < len(fault.bases)
    ]


def read_results(path: Path) -> list[dict[str, Any]]:
    """What is measured; a line that was cut off is not there yet."""
    return [json.loads(line) for line in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def to_try(result: dict[str, Any]) -> bool:
    """Whether a remedy was advised that can be tried and was not."""
    fault = FAULTS.get(result["fault"])
    return bool(fault and not fault.in_code and result["remedy"] and result["as_good"] is None)


def at_work(
    work: Callable[..., dict[str, Any]], runs: Path, cases: list[tuple[str, str, int]], side_by_side: int, file: Path
) -> bool:
    """Does some cases, each in a process of its own that has torch already, and keeps what each gives in `file`;
    whether all could be done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.planted.measure"])
    whole = True
    with ProcessPoolExecutor(side_by_side, context, max_tasks_per_child=1) as pool:
        jobs = {pool.submit(work, runs, *case): case for case in cases}
        for done, job in enumerate(as_completed(jobs), 1):
            name = "-".join(map(str, jobs[job]))
            try:
                result = job.result()
            except BrokenProcessPool:
                raise
            except Exception as error:
                whole = False
                print(f"{done}/{len(jobs)} {name}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
                continue
            if result:
                append_result(file, result)
            print(f"{done}/{len(jobs)} {name} {' '.join(map(str, result.get('words', ())))}", flush=True)
    return whole


def main() -> int:
    """Measures what is not measured yet; the exit status says whether everything could be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--open", action="store_true", help="only the faults that the diagnoses may be tried on")
    parser.add_argument("--drawn", action="store_true", help="only the faults that are measured at the end")
    parser.add_argument("--sound", action="store_true", help="only the sound trainings")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="only faults or trainings of these names")
    parser.add_argument("--seeds", type=int, default=5, metavar="N")
    parser.add_argument("--train", action="store_true", help="train, and look at nothing that is found")
    parser.add_argument("--find", action="store_true", help="try no remedy, which takes a training")
    parser.add_argument("--table", action="store_true", help="print what is measured, and end")
    parser.add_argument("--side-by-side", type=int, default=2, choices=(1, 2), help="trainings at a time")
    parser.add_argument("--nice", type=int, default=19, metavar="N", help="how far it gives way to what else runs")
    parser.add_argument("--runs", type=Path, default=user_cache() / "faults", help="where the runs live")
    arguments = parser.parse_args()
    runs = arguments.runs.absolute()
    results = runs / "results.jsonl"
    if arguments.table:
        print(table(read_results(results)))
        return 0
    # The table needs no torch.
    from benchmarks.planted import measure

    os.environ["OMP_NUM_THREADS"] = "1"
    os.setpriority(os.PRIO_PROCESS, 0, max(arguments.nice, os.getpriority(os.PRIO_PROCESS, 0)))
    runs.mkdir(parents=True, exist_ok=True)
    both = arguments.open == arguments.drawn
    faults = (OPEN if arguments.open or both else ()) + (DRAWN if arguments.drawn or both else ())
    sound = sound_cases(arguments.seeds, () if both or arguments.sound else faults)
    cases = sound + ([] if arguments.sound else faulty_cases(arguments.seeds, faults))
    if arguments.only:
        cases = [case for case in cases if {*case[:2]} & {*arguments.only}]
    # What was advised and not tried is still to be measured, unless nothing is to be tried now either.
    whole = [r for r in read_results(results) if arguments.find or not to_try(r)]
    known = {(r["base"], r["fault"], r["seed"]) for r in whole if r["version"] == version()}
    work = measure.train_only if arguments.train else measure.find_only if arguments.find else measure.measure
    left = cases if arguments.train else [case for case in cases if case not in known]
    print(f"{len(cases) - len(left)} of {len(cases)} are measured", flush=True)
    return 0 if at_work(work, runs, left, arguments.side_by_side, results) else 1


if __name__ == "__main__":
    sys.exit(main())
