"""What is planted where, what has to be found, and by which number it is told whether it was repaired.

This list was written before its writer had looked at a threshold of a diagnosis, but for the engine's own limit of a
diverged cost (`engine/training/divergence.py`), which was known; the strengths of the faults were
chosen by what they do to a training, not by what is found; the names of the kinds were put in later. `OPEN`
is what the diagnoses may be tried on while they are written; `DRAWN` is as many again, drawn by `SEED` from `MORE`, and
measured at the end alone.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

from laddertop.journal.spec import Spec, load_recipe, override

OWN = Path(__file__).with_name("models.py")
COMMON = ("device=cpu", "threads=1", "precision=fp32", "compile=off", "samples.every=0")
"""What every run here has: one thread, and the same numbers everywhere."""


@dataclass(frozen=True)
class Base:
    """A sound training of some seconds."""

    recipe: str
    """Recipe, or a class in planted/models.py."""
    steps: int
    settings: tuple[str, ...] = ()
    """What makes it short."""
    value: str = ""
    """Value of the evaluations by which it is judged; empty: the headline."""

    def spec(self, seed: int, *settings: str) -> Spec:
        """What is trained, with more settings after its own. A class of one's own is still to be looked at."""
        recipe = f"{OWN}:{self.recipe}" if self.recipe[0].isupper() else self.recipe
        every = max(1, self.steps // 10)
        length = (f"steps={self.steps}", f"evaluate.every={every}", f"checkpoint.every={every}", f"seed={seed}")
        return override(load_recipe(recipe), [*COMMON, *self.settings, *length, *settings])


_DEEP = ("data.name=digits", "data.batch=100", "model.latent=[16, 8, 4]", "model.hidden=[64, 32, 16]")
_DEEP += ("warmup.steps=300", "optimizer.lr=2e-3")
_LADDER = ("model.widths=[64, 32]", "warmup.steps=150")

BASES = {
    "vae": Base("vae-digits", 1000, ("warmup.steps=200",)),
    "vae-two": Base("vae-digits", 1000, ("warmup.steps=200", "model.upper_hidden=[32]", "model.upper_latent=4")),
    "iwae": Base("vae-digits", 1000, ("warmup.steps=300", "model.bound=iwae", "model.samples=5")),
    "dvae": Base("vae-digits", 1000, ("warmup.steps=300", "noise.on=on")),
    "deep-vae": Base("deep-vae-bn-warmup-mnist-short", 1000, _DEEP),
    "lvae": Base("lvae-mnist-short", 1000, _DEEP),
    "ladder": Base("ladder-digits", 1000, (*_LADDER, "model.denoising=[100, 10, 0.1, 0.1]")),
    "gamma": Base("ladder-digits", 1000, (*_LADDER, "model.denoising=[0, 0, 0, 1]")),
    "free-ladder": Base(
        "ladder-unsupervised-mnist", 1000, ("data.name=digits", "model.widths=[64, 32]", "model.denoising=[100, 10, 1]")
    ),
    "dae": Base("dae-digits", 1000),
    "swissroll": Base("dae-swissroll", 1000),
    "spiral": Base("dae-spiral", 1000),
    "moons": Base("dae-moons", 1000),
    "circles": Base("dae-circles", 1000),
    "mixture": Base("dae-mixture", 1000),
    "sdae": Base("sdae-digits", 1000, ("model.hidden=[128, 128]", "model.pretrain_epochs=12")),
    "gsn": Base("gsn-mnist", 1000, ("data.name=digits", "model.hidden=[128]")),
    "own-vae": Base("Vae", 1000),
    "own-deep": Base("Deep", 1000),
}
"""Every sound training by name. Each is trained with every seed: the healthy runs."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong because it was planted."""

    name: str
    bases: tuple[str, ...]
    """The trainings that it is planted into."""
    found_by: tuple[str, ...]
    """Kinds of findings that count as having found it: what it is, or what it does."""
    settings: tuple[str, ...] = ()
    """What plants it; a rate of learning is worth its own trainings."""
    model: str = ""
    """The class in planted/models.py that has it, in place of the training's own."""
    turned: dict[str, float] = field(default_factory=dict)
    """Knobs that are turned for it."""
    at: float = 0.0
    """Share of the run after which they are."""
    value: str = ""
    """Value by which it is judged whether it was repaired; empty: that of the training. `active` is the number of
    active units of all layers."""
    in_code: bool = False
    """Whether it stands in the code of a model, where no command and no setting reaches it."""


OPEN = (
    Fault("rate-far-too-high", ("vae", "lvae", "dae", "own-vae"), ("diverged", "not-finite"), ("optimizer.lr=5",)),
    Fault(
        "rate-too-high",
        ("vae", "dae", "ladder", "swissroll", "own-deep"),
        ("learning-rate-too-high", "diverged", "exploding-gradients"),
        ("optimizer.lr=0.2",),
    ),
    Fault(
        "rate-too-low",
        ("vae", "lvae", "ladder", "dae", "swissroll", "own-vae"),
        ("learning-rate-too-low",),
        ("optimizer.lr=5e-6",),
    ),
    Fault("beta-too-high", ("vae", "lvae", "own-vae"), ("kl-too-strong", "posterior-collapse"), turned={"beta": 30}),
    Fault(
        "deep-without-warm-up",
        ("deep-vae",),
        ("posterior-collapse", "dead-layer", "no-batch-norm"),
        (
            "warmup.on=off",
            "model.batch_norm=off",
            "model.latent=[32, 16, 8, 4, 2]",
            "model.hidden=[64, 32, 32, 16, 16]",
        ),
        value="active",
    ),
    Fault("warm-up-too-long", ("vae", "lvae", "ladder"), ("warm-up-too-long",), ("warmup.on=on", "warmup.steps=40000")),
    Fault(
        "noise-too-strong",
        ("ladder", "dae", "swissroll"),
        ("noise-too-strong",),
        ("noise.kind=gaussian", "noise.std=4"),
    ),
    Fault("noise-too-weak", ("ladder", "free-ladder"), ("noise-too-weak",), ("noise.std=0.001",)),
    Fault("kl-summed-over-rows", ("own-vae",), ("kl-too-strong", "posterior-collapse"), model="KlSummedOverRows"),
    Fault(
        "detached-sample",
        ("own-vae",),
        ("decoder-ignores-code", "posterior-collapse", "kl-too-strong"),
        model="Detached",
        in_code=True,
    ),
    Fault(
        "few-labels-learnt-by-heart",
        ("sdae", "gamma"),
        ("overfitted-labels",),
        ("data.labels=10", "noise.on=off"),
    ),
    Fault(
        "no-batch-norm",
        ("own-deep",),
        ("no-batch-norm", "vanishing-gradients", "learning-rate-too-low"),
        ("model.norm=off", "model.depth=14"),
    ),
)
"""Known while the diagnoses are written."""

MORE = (
    Fault(
        "vanishing",
        ("own-deep",),
        ("vanishing-gradients", "no-batch-norm"),
        ("model.norm=off", "model.activation=sigmoid"),
    ),
    Fault(
        "exploding",
        ("own-deep",),
        ("exploding-gradients", "diverged", "not-finite", "learning-rate-too-high"),
        ("model.norm=off", "model.gain=6"),
    ),
    Fault("dying-units", ("own-deep",), ("dead-units", "dead-layer"), model="DyingUnits"),
    Fault("saturated-units", ("own-deep",), ("saturated-units", "vanishing-gradients"), model="SaturatedUnits"),
    Fault("mean-over-pixels", ("own-vae",), ("kl-too-strong", "posterior-collapse"), model="MeanOverPixels"),
    Fault(
        "code-ignored",
        ("own-vae",),
        ("decoder-ignores-code", "posterior-collapse"),
        model="IgnoresCode",
        in_code=True,
    ),
    Fault(
        "targets-shifted",
        ("own-vae",),
        ("decoder-ignores-code", "posterior-collapse"),
        model="TargetsShifted",
        in_code=True,
    ),
    Fault(
        "kl-of-wrong-sign", ("own-vae",), ("diverged", "not-finite", "kl-negative"), model="KlOfWrongSign", in_code=True
    ),
    Fault("overflow", ("own-vae",), ("not-finite",), model="NaiveSoftplus", in_code=True),
    Fault("no-nonlinearity", ("own-vae",), ("no-nonlinearity",), model="WithoutNonlinearity", in_code=True),
    Fault("slows-down", ("own-vae",), ("throughput-fell",), model="Slows", in_code=True),
    Fault(
        "beta-turned-up",
        ("vae", "iwae"),
        ("kl-too-strong", "posterior-collapse"),
        turned={"beta": 40},
        at=0.4,
    ),
    Fault("beta-turned-down", ("vae", "lvae"), ("prior-mismatch", "kl-too-weak"), turned={"beta": 1e-3}),
    Fault("rate-turned-up", ("vae", "dvae", "gsn"), ("diverged", "learning-rate-too-high"), turned={"lr": 1}, at=0.4),
    Fault("rate-dies", ("vae", "ladder"), ("learning-rate-too-low", "schedule-too-short"), ("optimizer.anneal=0.5",)),
    Fault("clipped-to-a-standstill", ("gsn",), ("learning-rate-too-low", "clips-always"), ("optimizer.clip=0.001",)),
    Fault("epsilon-of-one", ("vae", "dae"), ("learning-rate-too-low",), ("optimizer.eps=1", "optimizer.lr=1e-3")),
    Fault("all-masked", ("dae", "sdae"), ("noise-too-strong",), ("noise.kind=masking", "noise.level=0.97")),
    Fault("pre-trains-to-the-end", ("sdae",), ("schedule-too-long",), ("model.pretrain_epochs=60",)),
    Fault(
        "hidden-noise",
        ("gsn",),
        ("noise-too-strong",),
        ("model.hidden=[128, 128]", "model.hidden_noise=10", "noise.level=0.9"),
    ),
    Fault("denoising-swamps-labels", ("ladder",), ("term-swamps",), ("model.denoising=[1e6, 1e5, 1e4, 1e4]",)),
    Fault("one-label-each", ("ladder",), ("confused-classes", "overfitted-labels"), ("data.labels=10",)),
    Fault(
        "momentum-too-high",
        ("swissroll", "gsn"),
        ("learning-rate-too-high", "diverged", "not-finite"),
        ("optimizer.kind=sgd", "optimizer.beta1=0.999", "optimizer.lr=1"),
    ),
    Fault("noise-turned-off", ("ladder", "free-ladder"), ("noise-too-weak",), turned={"noise": 0}, at=0.2),
    Fault(
        "upper-layer-starved",
        ("vae-two",),
        ("dead-layer", "posterior-collapse"),
        ("warmup.on=off", "model.upper_hidden=[2]"),
        value="active",
    ),
)
"""What the other half is drawn from."""

SEED = 21
"""Seed of the draw."""
DRAWN = tuple(sorted(random.Random(SEED).sample(MORE, len(OPEN)), key=MORE.index))
"""The other half: nobody looks at what is found in them before the end."""

FAULTS = {fault.name: fault for fault in OPEN + DRAWN}
"""Every fault that is measured, by name."""

MISSING = frozenset(
    {
        "clips-always",
        "confused-classes",
        "dead-units",
        "exploding-gradients",
        "vanishing-gradients",
        "learning-rate-too-high",
        "learning-rate-too-low",
        "noise-too-strong",
        "noise-too-weak",
        "overfitted-labels",
        "warm-up-too-long",
        "decoder-ignores-code",
        "kl-negative",
        "kl-too-strong",
        "kl-too-weak",
        "no-batch-norm",
        "no-nonlinearity",
        "prior-mismatch",
        "saturated-units",
        "schedule-too-long",
        "schedule-too-short",
        "term-swamps",
        "throughput-fell",
    }
)
"""Kinds that would find a fault, and that no diagnosis tells yet."""
