"""The processes that train one run together, and what they exchange.

One process trains alone, and nothing here costs it anything. Of several, each is a *rank*: it has the whole model and
an equal share of the rows of every batch. What is a mean over the rows of a batch is then the mean over ranks of what
each computes from its own rows: costs, gradients and, while a step is taken, statistics of batch normalisations. Rank 0
alone writes to the journal; what it does with the training it tells the others, which follow.

Shape letters: R ranks, B rows of a batch.
"""

from __future__ import annotations

import contextlib
import datetime
import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore, Store, TCPStore

from laddertop.engine.randomness import Draws

BEAT = 1.0
"""Seconds between two signs of life of a rank."""
SILENCE = 60.0
"""Seconds without a sign of life after which a rank counts as hung: a starved machine is no dead one."""
_FOREVER = datetime.timedelta(days=365)
"""How long one waits for the others: a pause has no end, and a rank that is gone is noticed otherwise."""

Gone = Callable[[], str]
"""What is known of processes that have ended, in a sentence; empty while all are there."""


class LostRankError(Exception):
    """A rank is gone, so the training can't go on; says which and why, for people."""


class _Team:
    """What this process knows of the others."""

    number, count = 0, 1
    joint = False
    """Whether a step is being taken, in which statistics are those of all ranks."""
    store: Store | None = None
    gone: Gone = staticmethod(lambda: "")
    hung = ""
    """Which rank gives no sign of life, in a sentence."""
    beating: threading.Thread | None = None
    leaving = threading.Event()
    waited = 0.0
    """Seconds that went into exchanges so far, nearly all of them until the others were there."""
    own = 0.0
    """Seconds that this rank took for its own part of the newest step."""
    sums: tuple[float, ...] = ()
    """By rank, what it took for its own parts since somebody asked, in `steps`."""
    steps = 0


_team = _Team()


def count() -> int:
    """R."""
    return _team.count


def join(
    rank: int,
    ranks: int,
    device: torch.device,
    gone: Gone = lambda: "",
    hang: Callable[[int], None] = lambda rank: None,
) -> None:
    """Meets the others, `ranks` with this one, at $MASTER_ADDR:$MASTER_PORT; returns once all are there.

    `gone` tells of processes that have ended, and `hang` is told the number of one that gives no sign of life. Raises
    LostRankError when one ends before it is there.
    """
    place = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"  # torchrun's own process has it then

    def meet(host: bool = False) -> TCPStore:
        return TCPStore(*place, ranks, host, _FOREVER, wait_for_workers=False)

    store = meet(host=rank == 0 and not hosted)
    _team.number, _team.count, _team.store, _team.gone = rank, ranks, store, gone
    store.set(f"here/{rank}", "")
    while not store.check([f"here/{other}" for other in range(ranks)]):
        if why := gone() or _failures(store):
            raise LostRankError(why)
        time.sleep(0.02)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=PrefixStore("group", store), rank=rank, world_size=ranks, timeout=_FOREVER)
    # With a connection of its own: the other one may be waiting.
    _team.beating = threading.Thread(target=_beat, args=(PrefixStore("beat", meet()), rank, ranks, hang), daemon=True)
    _team.beating.start()


def leave() -> None:
    """Says good-bye, so that nobody waits for this process."""
    if _team.beating:
        _team.leaving.set()
        _team.beating.join()
        dist.destroy_process_group()


def say_failed(why: str) -> None:
    """Leaves word of what ended this rank, for rank 0 to tell."""
    if _team.store:
        with contextlib.suppress(RuntimeError):
            _team.store.set(f"failed/{_team.number}", why)


def share(rows: Tensor) -> Tensor:
    """Of the rows [B, …] of a batch those of this rank [B/R, …]."""
    return rows if _team.count == 1 else rows.chunk(_team.count)[_team.number]


def check_divides(name: str, rows: int) -> None:
    """Raises ValueError where that many rows can't be shared out evenly."""
    if rows % _team.count:
        raise ValueError(f"{name}: {rows} rows can't be shared out evenly among {_team.count} ranks")


@contextlib.contextmanager
def jointly() -> Iterator[None]:
    """Around a step, whose statistics are those of the whole batch."""
    _team.joint = True
    began = time.perf_counter() - _team.waited
    try:
        yield
    finally:
        _team.joint = False
        _team.own = time.perf_counter() - _team.waited - began


def joint() -> bool:
    """Whether statistics are those of all ranks now."""
    return _team.joint


def gathered(mine: Tensor) -> Tensor:
    """What all ranks have [R, …] of that which this one has as `mine`; gradients flow back to all of them."""
    return cast(Tensor, _Gather.apply(mine))


def mean(tensors: list[Tensor]) -> list[Tensor]:
    """The means over all ranks of tensors that each has, exchanged in one piece; without gradients.

    On a CPU what each took for its own part of the step before goes with them; the clock of a GPU would have to be
    waited for.
    """
    parts = [tensor.detach().flatten() for tensor in tensors]
    if timed := parts[0].device.type == "cpu":
        mine = torch.zeros(_team.count)
        mine[_team.number] = _team.own
        parts.append(mine)
    flat = torch.cat(parts)  # in the widest precision of all of them
    _sum(flat)
    if timed and _team.own:
        took = flat[-_team.count :].tolist()
        _team.sums = tuple(map(sum, zip(_team.sums or [0.0] * _team.count, took, strict=True)))
        _team.steps += 1
    flat /= _team.count
    means = torch.split(flat, [part.numel() for part in parts])
    return [one.view_as(tensor).to(tensor.dtype) for one, tensor in zip(means, tensors, strict=False)]


def own_times() -> list[float]:
    """By rank the seconds that it took for its own part of a step, without what it waited for the others, in the mean
    since this was asked; empty where nothing was measured."""
    times = [total / _team.steps for total in _team.sums] if _team.steps else []
    _team.sums, _team.steps = (), 0
    return times


def tell(what: Any = None) -> Any:
    """From rank 0 to all others: what it tells; they call it without anything and wait."""
    told = [what]
    _exchange(lambda: dist.broadcast_object_list(told, src=0))
    return told[0]


class ShareOfDraws(Draws):
    """Of the draws for the rows of a whole batch those for the rows of this rank.

    What is asked for has rows first; the others skip the rows of this one, and it skips theirs.
    """

    def normal(self, *shape: int) -> Tensor:
        """The next standard normal draws of this rank."""
        start = self._at_normal + _team.number * math.prod(shape)
        self._at_normal += _team.count * math.prod(shape)
        return self._normals[start : start + math.prod(shape)].view(shape)

    def uniform(self, *shape: int) -> Tensor:
        """The next draws of this rank uniform on [0, 1)."""
        start = self._at_uniform + _team.number * math.prod(shape)
        self._at_uniform += _team.count * math.prod(shape)
        return self._uniforms[start : start + math.prod(shape)].view(shape)


class _Gather(torch.autograd.Function):
    # A sum in which every rank has a place of its own and zeros elsewhere is exact, and every backend can do it.
    @staticmethod
    def forward(ctx: Any, mine: Tensor) -> Tensor:
        every = mine.new_zeros(_team.count, *mine.shape)
        every[_team.number] = mine
        _sum(every)
        return every

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        grad = grad.clone(memory_format=torch.contiguous_format)
        _sum(grad)
        return grad[_team.number]


def _sum(flat: Tensor) -> None:
    _exchange(lambda: dist.all_reduce(flat))


def _exchange(do: Callable[[], object]) -> None:
    began = time.perf_counter()
    try:
        do()
    except RuntimeError as error:  # a connection was closed
        raise LostRankError(_why(str(error))) from None
    _team.waited += time.perf_counter() - began


def _why(otherwise: str) -> str:
    """Who is gone and why, as soon as that is known."""
    for _ in range(100):
        if why := _team.hung or (_failures(_team.store) if _team.store else "") or _team.gone():
            return why
        time.sleep(0.05)
    return f"another rank is gone: {otherwise.splitlines()[0]}"


def _failures(store: Store) -> str:
    with contextlib.suppress(RuntimeError):
        for rank in range(_team.count):
            if store.check([key := f"failed/{rank}"]):
                return f"rank {rank} failed: {store.get(key).decode()}"
    return ""


def _beat(store: Store, rank: int, ranks: int, hang: Callable[[int], None]) -> None:
    """Gives signs of life, and rank 0 looks for those of the others, until the store is gone."""
    seen = {other: ("", time.monotonic()) for other in range(1, ranks)}
    with contextlib.suppress(RuntimeError):
        for beat in range(1 << 62):
            store.set(str(rank), str(beat))
            for other, (last, since) in seen.items() if rank == 0 else ():
                now = store.get(str(other)).decode() if store.check([str(other)]) else ""
                if now != last:
                    seen[other] = now, time.monotonic()
                elif time.monotonic() - since > SILENCE and not _team.hung:
                    _team.hung = f"rank {other} gave no sign of life for {SILENCE:.0f} s: it hangs, or its machine does"
                    hang(other)
            if _team.leaving.wait(BEAT):
                return
