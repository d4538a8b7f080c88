"""The knobs that a run has, by its spec alone: what an engine declares of a model of ours, and what a recipe may set.

A knob is declared here and read where it acts; see CONTRIBUTING.md. There is no torch in it, so that a wrong name or
value is told before there is a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from laddertop.journal.events import Knob
from laddertop.journal.maps import short_name
from laddertop.journal.model_section import ModelSection
from laddertop.journal.models import (
    ConvLadderSpec,
    GsnSpec,
    LadderSection,
    LadderSpec,
    LvaeSpec,
    M2Spec,
    SdaeSpec,
    UnsupervisedLadderSpec,
    VaeSpec,
)
from laddertop.journal.sections import NoiseSpec, OptimizerSpec, WarmupSpec


class Parts(Protocol):
    """What of a spec decides its knobs."""

    @property
    def model(self) -> ModelSection:
        """The model."""

    @property
    def noise(self) -> NoiseSpec:
        """Its corruption."""

    @property
    def warmup(self) -> WarmupSpec:
        """Its warm-up."""

    @property
    def optimizer(self) -> OptimizerSpec:
        """Its optimizer."""


def switch(name: str, label: str, *, short: str, on: bool, help: str, key: str = "") -> Knob:
    """A knob that is on or off; see laddertop.journal.events.Knob."""
    return Knob(
        name=name,
        label=label,
        kind="switch",
        unit="",
        low=0,
        high=1,
        factor=None,
        help=help,
        value=float(on),
        short=short,
        keys=key,
    )


def number(
    name: str,
    label: str,
    *,
    short: str,
    value: float,
    low: float = 0.0,
    high: float,
    factor: float,
    unit: str = "",
    help: str,
    keys: str = "",
) -> Knob:
    """A knob with bounds; a key press divides or multiplies it by `factor`. See laddertop.journal.events.Knob."""
    return Knob(
        name=name,
        label=label,
        kind="number",
        unit=unit,
        low=low,
        high=high,
        factor=factor,
        help=help,
        value=value,
        short=short,
        keys=keys,
    )


def shared_knobs(spec: Parts) -> list[Knob]:
    """The knobs that do not come from the model; the switch of the noise only where the model takes noise."""
    warmed = {"noise": "the noise", "denoising": "the denoising weights λ", "kl": "the KL weight β"}[spec.warmup.of]

    noise = switch(
        "noise",
        "noise",
        short="noise",
        key="n",
        on=spec.noise.on,
        help="Corruption of what the model sees; off trains on clean data.",
    )
    return [
        *([noise] if spec.model.noisy else []),
        switch(
            "warmup",
            "warm-up",
            short="warm-up",
            key="w",
            on=spec.warmup.on,
            help=f"Raises {warmed} from 0 to 1; switching it on starts at 0 again.",
        ),
        number(
            "warmup.steps",
            "warm-up length",
            short="warm-up steps",
            value=spec.warmup.steps,
            low=1,
            high=1e9,
            factor=2.0,
            unit="steps",
            help="Steps of the warm-up from 0 to 1.",
        ),
        number(
            "warmup.after",
            "warm-up delay",
            short="warm-up delay",
            value=spec.warmup.after,
            high=1e9,
            factor=2.0,
            unit="steps",
            help=f"Steps without {warmed} before the warm-up rises.",
        ),
        switch(
            "warmup.hold",
            "warm-up hold",
            short="hold",
            key="h",
            on=False,
            help="Keeps the warm-up where it is.",
        ),
        number(
            "lr",
            "learning rate",
            short="lr",
            keys="[]",
            value=spec.optimizer.lr,
            high=10,
            factor=1.5,
            help="Learning rate before its decay.",
        ),
        number(
            "clip",
            "gradient clip",
            short="clip",
            keys="{}",
            value=spec.optimizer.clip,
            high=1e9,
            factor=2.0,
            unit="norm",
            help="Largest norm of the gradient; 0 is off.",
        ),
    ]


def model_knobs(spec: Parts) -> list[Knob]:
    """The knobs of a model of ours; none of a model or a loop of the user's own, which declares them itself."""
    model = spec.model
    match model:
        case LadderSection():
            return list(_of_ladder(model, spec.noise))
        case VaeSpec():
            beta = _beta("term", "Weight of the KL in the bound; 1 is a bound on log p(x).")
            return [beta, *_free_bits(model.free_bits), level_knob(spec.noise)]
        case LvaeSpec():
            beta = _beta("terms", "Weight of the KL terms; 1 is the evidence lower bound.")
            return [beta, *_free_bits(model.free_bits)]
        case M2Spec():
            return [_beta("term", "Weight of the KL of z; 1 is the evidence lower bound."), _alpha(model.alpha)]
        case SdaeSpec():
            layers = range(1, len(model.hidden) + 1)
            return [
                level_knob(spec.noise),
                *(_trained(f"train.{k}", f"weight of layer {k}", "layers", f"layer {k}") for k in layers),
                _trained("train.top", "weight of the classes", "classes", "classification"),
            ]
        case GsnSpec() if len(model.hidden) > 1:
            return [level_knob(spec.noise), _hidden_noise(model.hidden_noise)]
    return [level_knob(spec.noise)] if model.ours and model.noisy and model.kind != "own" else []


def layer_names(model: LadderSection) -> list[str]:
    """What the layers of a ladder network are called, the input first: x, h500, c64, y."""
    match model:
        case LadderSpec():
            return ["x", *(f"h{units}" for units in model.widths), "y"]
        case ConvLadderSpec():
            return ["x", *map(short_name, model.architecture[:-1]), "y"]
        case UnsupervisedLadderSpec():
            return ["x", *(f"h{units}" for units in model.widths)]
    raise AssertionError(model)


def level_of(noise: NoiseSpec) -> str:
    """Name of the knob that sets the level of the corruption: noise.std for gaussian, noise.level for the others."""
    return "noise.std" if noise.kind == "gaussian" else "noise.level"


def level_knob(noise: NoiseSpec) -> Knob:
    """The knob that sets the level of the corruption."""
    if noise.kind == "gaussian":
        std = noise.std[0] if isinstance(noise.std, list) else noise.std
        about = "Standard deviation of the Gaussian noise on every pixel."
        return _deviation(level_of(noise), "σ of the corruption", std, about, short="σ", keys="<>")
    kind = noise.kind.replace("_", "-")
    return number(
        level_of(noise),
        f"{kind} ν",
        short="level",
        keys="<>",
        value=noise.level,
        high=1,
        factor=1.25,
        unit="probability per pixel",
        help=f"Probability that {kind} corruption hits a pixel.",
    )


def _of_ladder(model: LadderSection, noise: NoiseSpec) -> Iterator[Knob]:
    names = layer_names(model)
    for i, std in enumerate(noise.std if isinstance(noise.std, list) else [noise.std] * len(names)):
        about = f"Standard deviation of the Gaussian noise at layer {i}."
        yield _deviation(f"noise.std.{i}", f"σ {i} {names[i]}", std, about, short="σ", keys="<>")
    for i, weight in enumerate(model.denoising):
        if weight > 0:
            yield number(
                f"lambda.{i}",
                f"λ {i} {names[i]}",
                short="λ",
                keys="yY",
                value=weight,
                high=1e6,
                factor=1.5,
                help=f"Weight of the denoising cost of layer {i}.",
            )


def _beta(terms: str, about: str) -> Knob:
    return number("beta", f"β of the KL {terms}", short="β", keys="bB", value=1, high=100, factor=1.25, help=about)


def _free_bits(least: float | None) -> Iterator[Knob]:
    if least is not None:
        yield number(
            "free_bits",
            "λ of the free bits",
            short="free bits",
            keys="yY",
            value=least,
            high=1e6,
            factor=1.25,
            unit="nats per image and layer",
            help="What each layer may tell at no price: the objective has max(λ, KL), the KL terms are as they are.",
        )


def _alpha(weight: float) -> Knob:
    about = "Weight of the labels' cross-entropy in the cost of an image; at 0 q(y|x) hears of labels by no term."
    return number("alpha", "α of the labels", short="α", keys="yY", value=weight, high=1e6, factor=1.5, help=about)


def _trained(name: str, label: str, short: str, cost: str) -> Knob:
    about = f"Weight of the {cost} cost while it is trained; 0 at all other times."
    return number(name, label, short=short, value=1, high=1e6, factor=1.25, help=about)


def _hidden_noise(std: float) -> Knob:
    about = "Standard deviation of the noise before and after the activation of the layers above the first."
    return _deviation("noise.hidden", "σ of the hidden noise", std, about, short="hidden σ", keys="()")


def _deviation(name: str, label: str, std: float, about: str, *, short: str, keys: str) -> Knob:
    unit = "standard deviation"
    return number(name, label, short=short, keys=keys, value=std, high=10, factor=1.25, unit=unit, help=about)
