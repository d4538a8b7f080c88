"""Plays the engine of a run with the journal's own writers: declares terms and knobs, records steps, answers commands.

The numbers are made up but behave: costs fall, switched-off noise lowers them, a learning rate above 0.1 gives NaN.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from laddertop.journal.commands import Command, pending
from laddertop.journal.events import (
    Activity,
    Change,
    Checkpointed,
    Column,
    Commanded,
    Evaluated,
    Event,
    EventWriter,
    Knob,
    Logged,
    RunEnded,
    RunStarted,
    Sampled,
    Schedule,
    Term,
    TermLayer,
)
from laddertop.journal.folder import RunFolder, create_run
from laddertop.journal.knobs import members
from laddertop.journal.metrics import MetricsWriter, write_columns
from laddertop.journal.models import LadderSpec
from laddertop.journal.samples import write_samples
from laddertop.journal.sections import SETS
from laddertop.journal.spec import load_recipe, override
from laddertop.journal.value import Value
from laddertop.tui.dashboard import aside

WIDTHS = {"ladder": 784, "vae": 784, "dae": 784}
ERROR = "squared error per unit, mean over rows"
NATS = "nats per image, mean over the batch"


def knob(
    name: str,
    value: float,
    short: str,
    keys: str = "",
    *,
    factor: float | None = 1.5,
    high: float = 10.0,
    label: str = "",
) -> Knob:
    """A number, or a switch when `factor` is None."""
    return Knob(
        name=name,
        label=label or name,
        kind="switch" if factor is None else "number",
        unit="",
        low=0.0,
        high=1.0 if factor is None else high,
        factor=factor,
        help=f"Help of {name}.",
        value=value,
        short=short,
        keys=keys,
    )


class PlayedEngine:
    """An engine that trains nothing, that of a fork where its first step is not 0; use it as a context manager, which
    holds the run's lock."""

    def __init__(self, run: RunFolder, *, steps: int = 90_000, seed: int = 0, first: int = 0, segment: int = 1) -> None:
        self.run = run
        self.step = first
        self.segment = segment
        self._steps = steps
        self._rng = np.random.default_rng(seed)
        self._time = 1_700_000_000.0
        self._stack = contextlib.ExitStack()
        self._terms, self._knobs = self._declared()
        self._values = {k.name: k.value for k in self._knobs}
        self._warmed = 0.0
        self.paused = False
        self.rate = 600.0

    @classmethod
    def new(cls, runs: Path, recipe: str = "ladder-mnist-100", name: str = "played", **options: int) -> PlayedEngine:
        """An engine for a new run in the folder `runs`."""
        spec = override(load_recipe(recipe), ["epochs=150"] if recipe.startswith("ladder-mnist") else [])
        return cls(create_run(runs, spec, name), **options)

    def declare(self, knob: Knob) -> None:
        """One knob more, before the start."""
        self._knobs.append(knob)
        self._values[knob.name] = knob.value

    def __enter__(self) -> Self:
        self._stack.enter_context(self.run.engine_lock())
        self._events = self._stack.enter_context(EventWriter(self.run.events_path))
        names = ["total", *(t.name for t in self._terms), *(k.name for k in self._knobs), "grad_norm"]
        if self.segment == 1:
            write_columns(self.run.path, [Column(name=n, label=n, unit="") for n in names])
        self._metrics = MetricsWriter(self.run.path, self.segment, len(names))
        self._stack.callback(self._metrics.close)
        self._events.append(
            RunStarted(
                time=self._time,
                step=self.step,
                segment=self.segment,
                pid=4242,
                host="box",
                device="cuda:0",
                precision="bf16",
                compiled=True,
                threads=2,
                versions={"torch": "2.9"},
                resumed_from=self.step if self.segment > 1 or self.step else None,
                steps=self._steps,
                epoch_steps=600,
                terms=self._terms,
                knobs=self._knobs,
                schedules=self._schedules(),
            )
        )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._stack.close()

    def _schedules(self) -> list[Schedule]:
        """The linear fall of the learning rate, as an engine of 600 steps an epoch tells it."""
        share = self.run.spec.optimizer.decay_from
        first = 600 * (int(share * self._steps / 600) + 1)
        return [Schedule(knob="lr", what="falls to 0", first=first)] if first < self._steps else []

    def train(
        self, steps: int, *, nan: bool = False, nan_terms: Sequence[str] = (), collapsed: Sequence[str] = ()
    ) -> None:
        """Record that many steps; with nan everywhere, in some terms only, or with terms that are about zero."""
        at = self.step + 1 + np.arange(steps)
        warmed = np.clip(self._warmed + np.arange(steps) / self._values["warmup.steps"], 0, 1)
        warmup = warmed if self._values["warmup"] else np.ones(steps)
        self._warmed = float(warmed[-1])
        columns = []
        total = np.zeros(steps)
        for i, term in enumerate(self._terms):
            start, floor, pace = _SHAPES[term.name.partition(".")[0]]
            level = floor * (1 + i / 3) + start * np.exp(-at / (pace * (1 + 0.4 * i)))
            level = level * (1 + 0.4 * self._values["noise"] * warmup)
            raw = level * np.exp(self._rng.normal(size=steps) * 0.08)
            if term.name in collapsed:
                raw *= 1e-5
            columns.append(np.full(steps, np.nan) if nan or term.name in nan_terms else raw)
            raw = np.full(steps, np.nan) if nan else raw
            total += raw * (self._values[term.weight] if term.weight else 1.0)
        for name, value in self._values.items():
            column = np.full(steps, value)
            if name.startswith("noise."):
                column = value * self._values["noise"] * warmup
            columns.append(warmup if name == "warmup" else column)
        columns.append(np.abs(self._rng.normal(size=steps)) + 0.1)
        self._metrics.append(at, self._time + (1 + np.arange(steps)) / self.rate, np.stack([total, *columns], 1))
        self.step += steps
        self._time += steps / self.rate

    def answer(self) -> list[Command]:
        """Take up the commands in the inbox as the real engine would, and return them: all that keys asked for."""
        aside.wait()
        taken = []
        for path, command in pending(self.run.path):
            assert isinstance(command, Command), command
            self._events.append(self._outcome(command))
            path.unlink()
            taken.append(command)
        return taken

    def evaluate(self, error: float) -> None:
        """Record an evaluation; of a model without classes its cost instead."""
        values = {
            "error_percent": Value(value=error, unit="% of images"),
            "cross_entropy": Value(value=0.1, unit="nats"),
        }
        if not any(t.name == "class" for t in self._terms):
            values = {"negative_elbo": Value(value=100 + error, unit=NATS)}
        model = self.run.spec.model
        layers = {}
        if isinstance(model, LadderSpec):
            units = {f"h{layer}": width for layer, width in enumerate(model.widths, 1)}
            layers = {name: Activity(units=n, active=n - n // 7, sd=0.8) for name, n in units.items()}
        self._events.append(
            Evaluated(time=self._time, step=self.step, split="test", values=values, seconds=0.5, layers=layers)
        )

    def sample(self, items: int = 10) -> None:
        """Record samples: discs, noisy discs, smoothed discs."""
        y, x = np.mgrid[0:28, 0:28]
        clean = np.stack([255 * (np.hypot(x - 10 - i % 5, y - 13) < 5 + i % 4) for i in range(items)]).astype(np.uint8)
        noisy = np.clip(clean + self._rng.normal(0, 60, clean.shape), 0, 255).astype(np.uint8)
        soft = (clean * 0.85 + 10).astype(np.uint8)
        rows = {"input": clean, "corrupted": noisy, "reconstruction": soft}
        if any(t.name == "kl" for t in self._terms):
            rows["prior"] = soft[::-1]
        file = write_samples(self.run.path, self.step, rows)
        self._events.append(Sampled(time=self._time, step=self.step, file=file, rows=list(rows)))

    def checkpoint(self, content: bytes = b"") -> None:
        """Record a checkpoint; there is a file of it only where it is told what is in it."""
        file = f"step-{self.step:09d}.ckpt"
        if content:
            (self.run.path / file).write_bytes(content)
        self._events.append(
            Checkpointed(
                time=self._time,
                step=self.step,
                file=file,
                sha256=hashlib.sha256(content).hexdigest(),
                bytes=len(content) or 37_500_000,
                reason="schedule",
            )
        )

    def record(self, event: Event) -> None:
        """Record something that the engine would not come to by itself."""
        self._events.append(event)

    def log(self, text: str, rank_seconds: Sequence[float] = ()) -> None:
        """Record a line for people, and how long each rank takes."""
        said = Logged(time=self._time, step=self.step, level="info", text=text, rank_seconds=list(rank_seconds))
        self._events.append(said)

    def end(self, reason: str = "finished", detail: str = "") -> None:
        """Record the end."""
        self._events.append(RunEnded(time=self._time, step=self.step, reason=reason, detail=detail))  # type: ignore[arg-type]

    def keep_time(self, now: float) -> None:
        """Set the clock of what is recorded next."""
        self._time = now

    def _outcome(self, command: Command) -> Commanded:
        changes, reason = [], ""
        for name, text in command.changes.items():
            value = float(text)
            meant = members(name, self._values)
            for declared in (k for k in self._knobs if k.name in meant):
                if not declared.low <= value <= declared.high:
                    reason = f"{name} must lie between {declared.low:g} and {declared.high:g}, not {value:g}"
                old = self._values[declared.name]
                changes.append(Change(knob=declared.name, old=old, applied=value))
            if not meant:
                reason = f"unknown knob {name!r}"
        if not reason:
            self._values |= {c.knob: c.applied for c in changes}
            self.paused = {"pause": True, "continue": False}.get(command.action, self.paused)
        return Commanded(
            time=self._time,
            step=self.step,
            id=command.id,
            by=command.by,
            action=command.action,
            outcome="refused" if reason else "applied",
            reason=reason,
            changes=[] if reason else changes,
            note=command.note,
        )

    def _declared(self) -> tuple[list[Term], list[Knob]]:
        spec = self.run.spec
        shared = [
            knob("noise", float(spec.noise.on), "noise", "n", factor=None),
            knob("warmup", float(spec.warmup.on), "warm-up", "w", factor=None),
            knob("warmup.steps", float(spec.warmup.steps), "warm-up steps", factor=2.0, high=1e9),
            knob("warmup.hold", 0.0, "hold", "h", factor=None),
            knob("lr", spec.optimizer.lr, "lr", "[]", label="learning rate"),
            knob("clip", spec.optimizer.clip, "clip", "{}", factor=2.0, high=1e9),
        ]
        if isinstance(spec.model, LadderSpec):
            layers = range(len(spec.model.denoising))
            known = SETS[spec.data.name]
            units = [known.channels * known.height * known.width, *spec.model.widths, known.classes]
            names = ["x", *(f"h{w}" for w in spec.model.widths), "y"]
            terms = [Term(name="class", label="labelled cross-entropy", unit="nats, mean over rows", weight=None)] + [
                Term(
                    name=f"denoise.{i}",
                    label=f"denoising {i} {names[i]}",
                    unit=ERROR,
                    weight=f"lambda.{i}",
                    layer=TermLayer(
                        index=i,
                        name=names[i],
                        units=units[i],
                        code=names[i] if names[i] in "xy" else f"h{i}",
                        noise=f"noise.std.{i}",
                    ),
                )
                for i in layers
            ]
            shared += [knob(f"noise.std.{i}", 0.3, "σ", "<>", factor=1.1) for i in layers]
            shared += [
                knob(f"lambda.{i}", v, "λ", "yY", factor=2.0, high=1e6) for i, v in enumerate(spec.model.denoising)
            ]
        elif spec.model.kind == "vae":
            terms = [
                Term(name="reconstruction", label="reconstruction", unit=NATS, weight=None),
                Term(name="kl", label="KL q(z|x) ‖ p(z)", unit=NATS, weight="beta"),
            ]
            shared += [knob("noise.level", 0.05, "level", "<>", factor=1.1, high=1.0), knob("beta", 1.0, "β", "bB")]
        else:
            terms = [Term(name="reconstruction", label="reconstruction", unit=NATS, weight=None)]
            shared += [knob("noise.level", 0.25, "level", "<>", factor=1.1, high=1.0)]
        return terms, shared


_SHAPES = {
    "class": (2.0, 0.004, 900.0),
    "denoise": (1.1, 0.05, 1500.0),
    "reconstruction": (450.0, 88.0, 1500.0),
    "kl": (3.0, 22.0, 4000.0),
}
"""By kind of term: what it falls by, where it ends, in how many steps."""
