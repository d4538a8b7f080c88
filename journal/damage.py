"""What is wrong with the files of a run, each in a sentence: what was cut, is gone, or is not as it was written.

Nothing here is an error: whoever looks at a run shows what can be read, and says what can't be relied on.
"""

from __future__ import annotations

import sys
import zlib

import numpy as np

from laddertop.journal import inside
from laddertop.journal.checkpoints import step_of, unrecorded
from laddertop.journal.folder import LABELLED, NOTE, RunFolder
from laddertop.journal.metrics import MetricsReader, segment_name, segment_size
from laddertop.journal.metrics_sums import BLOCK, block_sums, read_sums, sums_name
from laddertop.journal.own_model import COPY
from laddertop.journal.state import RunState

BEGUN_WITH = ("spec.json", "origin.json", "metrics.json", LABELLED, COPY)
"""Files that stay as they are once a start began with them."""

_AT_ONCE = 1 << 20
"""Bytes of metrics that are read at once."""


def sums_of_files(run: RunFolder) -> dict[str, str]:
    """The checksums of what a start begins with, of as much as is there."""
    return {
        name: f"{zlib.crc32(inside.read(run.path, name)):08x}" for name in BEGUN_WITH if inside.look(run.path, name)
    }


def damages(run: RunFolder, state: RunState, metrics: MetricsReader, alive: bool) -> list[str]:
    """What is wrong with the files of `run`, whose events amount to `state`, as far as it is seen without reading the
    numbers; `metrics` were read after the events, and `alive` says whether an engine is at work."""
    told = changed(run, state)
    if not alive:
        told += _unknown_to_events(run, state, metrics)
    told += _short_of_events(state, metrics)
    try:
        run.origin  # noqa: B018
    except ValueError as error:
        told.append(str(error))
    try:
        inside.read(run.path, NOTE).decode()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        told.append(f"{NOTE} can't be read: {error}")
    return told


def all_damages(
    run: RunFolder, state: RunState, metrics: MetricsReader, alive: bool, newest: int | None = None
) -> list[str]:
    """What `damages` tells, and what a comparison of all numbers with their checksums does, or of the `newest` bytes of
    each segment besides its newest block."""
    check = MetricsCheck(metrics, newest)
    check.look(sys.maxsize)
    return [*damages(run, state, metrics, alive), *check.told()]


def changed(run: RunFolder, state: RunState) -> list[str]:
    """What a run began with and is not as it was when its newest start did, each in a sentence."""
    told = []
    for name, said in (state.started.files if state.started else {}).items():
        if name not in BEGUN_WITH:
            continue
        try:
            if f"{zlib.crc32(inside.read(run.path, name)):08x}" != said:
                told.append(f"{name} is not what the newest start began with: it was changed, or is damaged")
        except FileNotFoundError:
            told.append(f"{name} is gone, with which the newest start began")
        except (OSError, ValueError) as error:
            told.append(f"{name} can't be read: {error}")
    return told


def _unknown_to_events(run: RunFolder, state: RunState, metrics: MetricsReader) -> list[str]:
    told = []
    if steps := sorted({step_of(name) for name in unrecorded(run, state)}):
        named = f"{'checkpoint' if len(steps) == 1 else 'checkpoints'} of step {', '.join(map(str, steps))}"
        told.append(f"events.jsonl lacks its end: it does not name the {named}, which a resume finds again")
    if later := [n for n in range(state.segment + 1, metrics.segments + 1) if segment_size(run.path, n)]:
        told.append(f"events.jsonl lacks its end: it knows nothing of the start that wrote {segment_name(later[-1])}")
    return told


def _short_of_events(state: RunState, metrics: MetricsReader) -> list[str]:
    """Segments whose numbers end before what the events say was done after them."""
    begun = {start.segment: start.step for start in state.starts}
    told = []
    for segment, step in state.reached.items():
        later = min((n for n in begun if n > segment), default=segment + 1)
        last = max((metrics.span(n)[1] for n in range(segment, later)), default=0)
        if max(last, begun.get(segment, step)) < step:
            end = f"ends at step {last}" if last else "holds no number"
            told.append(f"{segment_name(segment)} {end}, and the run had come to step {step}: the numbers are lost")
    return told


class MetricsCheck:
    """Compares the numbers of a run with their checksums, some of them at a time, the newest segment first."""

    def __init__(self, metrics: MetricsReader, newest: int | None = None) -> None:
        """Of the `newest` bytes of each segment only, or of all. Reads nothing yet."""
        self._metrics, self._newest = metrics, newest
        self._done: dict[int, int] = {}
        """By segment: blocks that were compared, or are not to be."""
        self._wrong: dict[int, list[int]] = {}
        """By segment: blocks that are not as they were written."""
        self._cut: dict[int, str] = {}

    def look(self, at_most: int) -> bool:
        """Compares up to `at_most` bytes, or a little more; false when there are more of them."""
        for segment in reversed(range(1, self._metrics.segments + 1) if self._metrics.width else ()):
            at_most = self._compare(segment, at_most)
            if at_most <= 0:
                return False
        return True

    def told(self) -> list[str]:
        """What was found, each in a sentence."""
        found = [self._cut[segment] for segment in sorted(self._cut)]
        for segment, blocks in sorted(self._wrong.items()):
            name = segment_name(segment)
            first, last = blocks[0] * BLOCK + 1, (blocks[-1] + 1) * BLOCK
            found.append(f"{name} is damaged: records {first} to {last} are not all as they were recorded")
        return found

    def _compare(self, segment: int, at_most: int) -> int:
        """Compares blocks of one segment; returns how many bytes are left to be compared of `at_most`."""
        done = self._done.get(segment, 0)
        try:
            known = read_sums(self._metrics.folder, segment)
        except (OSError, ValueError) as error:
            self._cut[segment] = f"{sums_name(segment)} can't be read: {error}"
            return at_most
        if known is None:
            return at_most
        if (known["records"][:-1] != BLOCK).any() or (known["records"][-1:] > BLOCK).any():
            self._cut[segment] = f"{sums_name(segment)} is damaged; the numbers of its start can't be checked"
            return at_most
        # Read after the checksums, which are written after what they are of.
        size = segment_size(self._metrics.folder, segment) or 0
        held, there = int(known["records"].sum()), size // self._metrics.width
        if there < held:
            left = f"has {there} left" if there else "has none left"
            self._cut[segment] = f"{segment_name(segment)} was cut: it held {held} records, and {left}"
        block = BLOCK * self._metrics.width
        if segment not in self._done and self._newest is not None:
            done = max(len(known) - self._newest // block - 1, 0)
        while done < len(known) and at_most > 0:
            until = min(done + max(_AT_ONCE // block, 1), len(known))
            ends = done * BLOCK + np.cumsum(known["records"][done:until])
            whole = int((ends <= there).sum())
            data = self._metrics.read(segment, done * BLOCK, min(until * BLOCK, held)).tobytes() if whole else b""
            pairs = zip(known["sum"][done : done + whole].tolist(), block_sums(data, block), strict=False)
            wrong = [done + at for at, (said, found) in enumerate(pairs) if said != found]
            if wrong:
                self._wrong.setdefault(segment, []).extend(wrong)
            at_most -= len(data)
            done = until
        self._done[segment] = done
        return at_most
