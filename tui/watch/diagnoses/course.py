"""The numbers of a run gathered into at most 512 blocks of steps, as they come: what diagnoses look at.

A block begins as a single step; whenever all blocks are full, each takes up its neighbour. So a run of any length has
the same small memory, and the newest of it is as fine as a five-hundredth of what was trained. B blocks, K columns, N
records.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

BLOCKS = 512
"""Blocks that there are at most."""
_KINDS = ("mean", "square", "low", "high")


class Course:
    """What every column of the metrics did in the course of a run."""

    def __init__(self, names: list[str]) -> None:
        """`names` are those of the columns."""
        self.names = names
        self.size = 1
        """Steps of a block."""
        self.count = 0
        """Records that were taken up."""
        self.newest = np.full(len(names), np.nan)
        """The newest record [K]."""
        self.lost_since: tuple[int, float] | None = None
        """Step and time of the first of the newest records without a finite total; none while the newest has one."""
        self._blocks = 0
        self._at = np.zeros((BLOCKS, 2), np.int64)
        self._time = np.zeros(BLOCKS)
        self._values = {kind: np.zeros((BLOCKS, len(names))) for kind in _KINDS}
        self._bad = np.zeros((BLOCKS, len(names)), np.int64)
        self._rest: np.ndarray | None = None
        self._gathered: tuple[int, dict[str, np.ndarray]] = -1, {}

    def take(self, records: np.ndarray) -> None:
        """Takes up the next records [N]."""
        if not len(records):
            return
        self.count += len(records)
        self.newest = records["values"][-1].astype(np.float64)
        self._follow_total(records)
        while len(records):
            if self._rest is not None:
                records, self._rest = np.concatenate([self._rest, records]), None
            if self._blocks == BLOCKS:
                self._halve()
            whole = min(len(records) // self.size, BLOCKS - self._blocks)
            if not whole:
                self._rest = records.copy()
                return
            self._put(records[: whole * self.size], whole)
            records = records[whole * self.size :]

    def forget_after(self, step: int) -> None:
        """A start goes on from `step`: what was trained beyond it is no part of the run any more."""
        self._rest = None
        self._blocks = int(np.searchsorted(self._at[: self._blocks, 1], step, "right"))
        self.newest, self.lost_since = np.full(len(self.names), np.nan), None

    def __contains__(self, name: str) -> bool:
        return name in self.names

    @property
    def first(self) -> np.ndarray:
        """First step of every block [B], the last of which may be a part of one."""
        return self._with_rest(self._at[: self._blocks, 0], lambda rest: rest["step"][0])

    @property
    def last(self) -> np.ndarray:
        """Last step of every block [B]."""
        return self._with_rest(self._at[: self._blocks, 1], lambda rest: rest["step"][-1])

    @property
    def time(self) -> np.ndarray:
        """When the last step of every block was recorded [B], in seconds since 1970."""
        return self._with_rest(self._time[: self._blocks], lambda rest: rest["time"][-1])

    def mean(self, name: str) -> np.ndarray:
        """Mean of the finite values of a column in every block [B]; nan where there is none."""
        return self._of("mean", name)

    def low(self, name: str) -> np.ndarray:
        """Smallest finite value of a column in every block [B]; nan where there is none."""
        return self._of("low", name)

    def high(self, name: str) -> np.ndarray:
        """Largest finite value of a column in every block [B]; nan where there is none."""
        return self._of("high", name)

    def sd(self, name: str) -> np.ndarray:
        """Standard deviation of the finite values of a column within every block [B]."""
        variance = self._of("square", name) - self._of("mean", name) ** 2
        return np.asarray(np.sqrt(np.maximum(variance, 0)))

    def bad(self, name: str) -> np.ndarray:
        """How many values of a column are not finite in every block [B]."""
        column = self.names.index(name)
        own: np.ndarray = self._bad[: self._blocks, column]
        return self._with_rest(own, lambda rest: self._gathered_rest(rest)["bad"][0, column])

    def now(self, name: str) -> float:
        """The newest value of a column; nan before there is one."""
        return float(self.newest[self.names.index(name)]) if name in self.names else float("nan")

    def _follow_total(self, records: np.ndarray) -> None:
        if "total" not in self.names:
            return
        sound = np.flatnonzero(np.isfinite(records["values"][:, self.names.index("total")]))
        lost = int(sound[-1]) + 1 if len(sound) else 0
        if lost == len(records):
            self.lost_since = None
        elif len(sound) or self.lost_since is None:
            self.lost_since = int(records["step"][lost]), float(records["time"][lost])

    def _put(self, records: np.ndarray, blocks: int) -> None:
        at = slice(self._blocks, self._blocks + blocks)
        self._at[at, 0], self._at[at, 1] = records["step"][:: self.size], records["step"][self.size - 1 :: self.size]
        self._time[at] = records["time"][self.size - 1 :: self.size]
        for kind, values in _gathered(records["values"], self.size).items():
            (self._bad if kind == "bad" else self._values[kind])[at] = values
        self._blocks += blocks

    def _halve(self) -> None:
        half = BLOCKS // 2
        self._at[:half, 0], self._at[:half, 1] = self._at[::2, 0].copy(), self._at[1::2, 1].copy()
        self._time[:half] = self._time[1::2].copy()
        counts = self.size - self._bad
        total = np.maximum(counts[::2] + counts[1::2], 1)
        for kind in _KINDS:
            values = self._values[kind]
            pair = values[::2].copy(), values[1::2].copy()
            if kind in ("low", "high"):
                values[:half] = (np.fmin if kind == "low" else np.fmax)(*pair)
            else:
                parts = (np.where(n, one * n, 0) for one, n in zip(pair, (counts[::2], counts[1::2]), strict=True))
                with np.errstate(invalid="ignore"):
                    values[:half] = np.where(counts[::2] + counts[1::2], sum(parts) / total, np.nan)
        self._bad[:half] = self._bad[::2] + self._bad[1::2]
        self._blocks, self.size = half, 2 * self.size

    def _of(self, kind: str, name: str) -> np.ndarray:
        column = self.names.index(name)
        own = self._values[kind][: self._blocks, column]
        return self._with_rest(own, lambda rest: self._gathered_rest(rest)[kind][0, column])

    def _gathered_rest(self, rest: np.ndarray) -> dict[str, np.ndarray]:
        """What is after the whole blocks, gathered once."""
        if self._gathered[0] != self.count:
            self._gathered = self.count, _gathered(rest["values"], len(rest))
        return self._gathered[1]

    def _with_rest(self, own: np.ndarray, gather: Callable[[np.ndarray], float]) -> np.ndarray:
        """What whole blocks have [B], and what is gathered of the records after them, where there are any."""
        return own if self._rest is None else np.append(own, gather(self._rest))


def _gathered(values: np.ndarray, size: int) -> dict[str, np.ndarray]:
    """Values [N, K] in blocks of `size`: each kind [B, K]."""
    blocks = values.astype(np.float64).reshape(-1, size, values.shape[1])
    finite = np.isfinite(blocks)
    bad = size - finite.sum(1)
    if not bad.any():
        return {
            "mean": blocks.mean(1),
            "square": (blocks**2).mean(1),
            "low": blocks.min(1),
            "high": blocks.max(1),
            "bad": bad,
        }
    there = np.where(bad == size, np.nan, size - bad)
    kept = np.where(finite, blocks, 0)
    low, high = np.where(finite, blocks, np.inf).min(1), np.where(finite, blocks, -np.inf).max(1)
    none = np.isnan(there)
    return {
        "mean": kept.sum(1) / there,
        "square": (kept**2).sum(1) / there,
        "low": np.where(none, np.nan, low),
        "high": np.where(none, np.nan, high),
        "bad": bad,
    }
