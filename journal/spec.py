"""What to train: the spec of a run, the recipes that come with the package, and `key=value` overrides.

A spec is written once into the run folder and never changed; what the user does to a running training is recorded as
events instead. Every field's description is its documentation: `laddertop recipes --keys` prints it.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

Positive = Field(gt=0)


class Section(BaseModel):
    """A part of the spec. Unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class DataSpec(Section):
    """Which data, and which of it carries labels."""

    name: Literal["digits", "mnist"] = "digits"
    """Data set: digits (8×8, comes with scikit-learn) or mnist (28×28, through torchvision)."""
    root: str | None = None
    """Folder that holds the data set in torchvision's layout; none: $LADDERTOP_DATA or the per-user cache."""
    labels: int | Literal["all"] = Field(default="all")
    """Labelled training images, the same number of every class; all: every image. Only ladder networks use labels."""
    held_back: int = Field(default=0, ge=0)
    """Training images held back; when there are any, evaluations during training use them instead of the test set."""
    binarise: Literal["none", "dynamic"] = "none"
    """dynamic: every use of an image draws each pixel from a Bernoulli with the grey value as probability."""
    batch: int = Field(default=100, ge=2)
    """Rows of a step (for a ladder network: unlabelled rows)."""
    labelled_batch: int = Field(default=100, ge=2)
    """Labelled rows of a step of a ladder network; fewer when fewer images carry labels."""

    @model_validator(mode="after")
    def _labels_can_be_drawn(self) -> DataSpec:
        if isinstance(self.labels, int) and (self.labels < 10 or self.labels % 10):
            raise ValueError("labels must be a positive multiple of 10 (as many of every class), or all")
        return self


class LadderSpec(Section):
    """Ladder network (Rasmus et al. 2015). Bottom-only, Γ and the supervised baseline are other weights λ."""

    kind: Literal["ladder"]
    """Model: ladder, vae or dae."""
    widths: list[int] = Field(default=[1000, 500, 250, 250, 250], min_length=1)
    """Hidden units per layer, from the input up; the input's and the classes' widths come from the data."""
    combinator: Literal["gauss"] = "gauss"
    """Denoising function g that joins lateral and vertical signal."""
    denoising: list[float] = Field(default=[1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1])
    """Weights λ of the denoising costs, input first. The decoder reaches down to the lowest non-zero."""

    @model_validator(mode="after")
    def _one_weight_per_layer(self) -> LadderSpec:
        if len(self.denoising) != len(self.widths) + 2:
            raise ValueError(
                f"denoising needs {len(self.widths) + 2} weights (input, {len(self.widths)} hidden layers, top), "
                f"has {len(self.denoising)}"
            )
        if min(self.denoising) < 0 or max(self.denoising) > 1e6:
            raise ValueError("denoising weights must not be negative or above 1e6")
        if min(self.widths) < 1:
            raise ValueError("widths must be positive")
        return self


class VaeSpec(Section):
    """Variational autoencoder with one stochastic layer and a Bernoulli decoder (Kingma & Welling 2013)."""

    kind: Literal["vae"]
    """Model: ladder, vae or dae."""
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[200, 200], min_length=1)
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    latent: int = Field(default=50, ge=1)
    """Latent units."""
    activation: Literal["tanh", "relu", "softplus"] = "tanh"
    """Activation of the hidden layers."""


class DaeSpec(Section):
    """Denoising autoencoder (Vincent et al. 2010); without corruption the plain autoencoder."""

    kind: Literal["dae"]
    """Model: ladder, vae or dae."""
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[1000], min_length=1)
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    tied: bool = True
    """Decoder weights are the transposed encoder weights."""
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """Activation of the hidden layers."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """Reconstruction cost, summed over pixels: cross-entropy (sigmoid output) or squared error (linear output)."""


class NoiseSpec(Section):
    """Corruption: Gaussian noise at every layer of a ladder network, corruption of the input elsewhere."""

    on: bool = True
    """Whether training starts with the noise switched on."""
    kind: Literal["gaussian", "masking", "salt_and_pepper"] = "gaussian"
    """Kind of corruption; ladder networks take gaussian only."""
    std: float | list[float] = 0.3
    """Standard deviation of Gaussian noise; for a ladder network one number, or one per layer, input first."""
    level: float = Field(default=0.25, ge=0, le=1)
    """Probability that masking or salt-and-pepper corrupts a pixel."""

    @model_validator(mode="after")
    def _not_negative(self) -> NoiseSpec:
        every = self.std if isinstance(self.std, list) else [self.std]
        if not every or min(every) < 0 or max(every) > 10:
            raise ValueError("std must not be empty, negative or above 10")
        return self


class WarmupSpec(Section):
    """A factor that rises linearly from 0 to 1."""

    on: bool = False
    """Whether training starts in a warm-up."""
    of: Literal["noise", "denoising", "kl"] = "noise"
    """What the factor multiplies: the noise, the denoising weights λ of a ladder network, or a VAE's KL weight β."""
    steps: int = Field(default=2000, ge=1, le=10**9)
    """Steps from 0 to 1."""


class OptimizerSpec(Section):
    """Adam (Kingma & Ba 2015)."""

    lr: float = Field(default=0.002, gt=0, le=10)
    """Learning rate."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the first moment."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the second moment."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    decay_from: float = Field(default=1.0, ge=0, le=1)
    """Share of the run after which the learning rate falls linearly to 0, epoch by epoch; 1: never."""
    clip: float = Field(default=0.0, ge=0, le=1e9)
    """Largest norm of the gradient over all parameters; 0: no clipping."""


class CheckpointSpec(Section):
    """When the training is saved; it is always saved at its end."""

    every: int = Field(default=5000, ge=0)
    """Steps between checkpoints; 0: only at the end."""
    keep: int = Field(default=2, ge=1)
    """How many of the newest checkpoints are kept."""


class EvaluateSpec(Section):
    """When the model is evaluated; it is always evaluated at the end."""

    every: int = Field(default=5000, ge=0)
    """Steps between evaluations; 0: only at the end."""


class SamplesSpec(Section):
    """When the fixed test items are passed through the model for the sample panel."""

    every: int = Field(default=2000, ge=0)
    """Steps between samples; 0: only at the start and the end."""
    items: int = Field(default=10, ge=1, le=100)
    """Number of fixed test items."""


class Spec(Section):
    """Everything that decides a run, apart from what the user does to it while it trains."""

    recipe: str = "custom"
    """Name of the recipe."""
    about: str = ""
    """The recipe in one sentence."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of the initial weights, the label draw, the shuffles and the noise."""
    epochs: float | None = Field(default=None, gt=0)
    """Length of the run in passes over the training images; give this or steps."""
    steps: int | None = Field(default=None, ge=1)
    """Length of the run in steps; give this or epochs."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$")
    """auto, cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision of the matrix products; statistics and costs are always float32."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Whether the step is compiled; auto decides from the length of the run."""
    threads: int | None = Field(default=None, ge=1, le=1024)
    """CPU threads; none: one for a small model, else as many as torch thinks fit."""
    data: DataSpec = DataSpec()
    model: LadderSpec | VaeSpec | DaeSpec = Field(discriminator="kind")
    noise: NoiseSpec = NoiseSpec()
    warmup: WarmupSpec = WarmupSpec()
    optimizer: OptimizerSpec = OptimizerSpec()
    checkpoint: CheckpointSpec = CheckpointSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    samples: SamplesSpec = SamplesSpec()

    @model_validator(mode="after")
    def _parts_fit(self) -> Spec:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of the run either in epochs or in steps")
        ladder = isinstance(self.model, LadderSpec)
        if ladder and self.noise.kind != "gaussian":
            raise ValueError("noise.kind: a ladder network takes gaussian noise only")
        if isinstance(self.noise.std, list):
            layers = len(self.model.denoising) if isinstance(self.model, LadderSpec) else 1
            if len(self.noise.std) != layers:
                raise ValueError(f"noise.std: needs one number or {layers}, has {len(self.noise.std)}")
        fitting = {"ladder": ("noise", "denoising"), "vae": ("kl", "noise"), "dae": ("noise",)}[self.model.kind]
        if self.warmup.of not in fitting:
            raise ValueError(f"warmup.of: a {self.model.kind} can warm up {' or '.join(fitting)}")
        return self


class Key(NamedTuple):
    """One dotted key of a spec, as `--set` takes it."""

    name: str
    """Dotted name, such as optimizer.lr."""
    type: str
    """What it takes, in words."""
    default: str
    """The default as TOML would write it; empty when there is none."""
    help: str
    """One sentence."""


def recipes() -> list[str]:
    """Names of the recipes that come with the package, sorted."""
    return sorted(f.name.removesuffix(".toml") for f in _recipe_folder().iterdir() if f.name.endswith(".toml"))


def load_recipe(name: str) -> Spec:
    """The spec of a recipe of the package, or of a user's own TOML file.

    Raises ValueError when there is no such recipe or file, or when it is no valid spec.
    """
    if name in recipes():
        return _parse_toml(_recipe_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), name, name)
    path = Path(name)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} can't be read as a recipe: {error}") from None
        return _parse_toml(text, str(path), path.stem)
    if path.suffix == ".toml" or "/" in name:
        raise ValueError(f"no recipe file {path}; `laddertop recipes` lists the recipes that come with laddertop")
    raise ValueError(f"unknown recipe {name!r}{_did_you_mean(name, recipes())}; `laddertop recipes` lists them all")


def override(spec: Spec, settings: Iterable[str]) -> Spec:
    """The spec with `key=value` settings applied, keys dotted, values as TOML or plain words.

    Raises ValueError naming the setting for an unknown key (with the nearest names) or a value that does not fit.
    """
    tree = spec.model_dump()
    known = [key.name for key in keys(spec)]
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        if not equals:
            raise ValueError(f"{setting!r} is no setting: write key=value, such as optimizer.lr=0.001")
        if name not in known:
            raise ValueError(
                f"unknown key {name!r}{_did_you_mean(name, known)}; `laddertop recipes --keys` lists them all"
            )
        *path, last = name.split(".")
        section = tree
        for part in path:
            section = section[part]
        section[last] = _toml_value(text.strip())
        if name in ("epochs", "steps"):
            tree["steps" if name == "epochs" else "epochs"] = None
    return parse(tree, "the settings")


def parse(tree: dict[str, Any], source: str) -> Spec:
    """The spec written in a tree of plain values. Raises ValueError that names `source` and every wrong key."""
    try:
        return Spec.model_validate(tree)
    except ValidationError as error:
        raise ValueError(f"{source}: " + "; ".join(_complaints(error, tree))) from None


def keys(spec: Spec | None = None) -> list[Key]:
    """Every key that `--set` takes: those that fit `spec`, or those of all models."""
    return [key for key in _keys(Spec, "", spec) if key.name != "model.kind" and not key.name.startswith("about")]


def _keys(section: type[BaseModel], prefix: str, spec: Spec | None) -> Iterator[Key]:
    seen = set()
    for name, field in section.model_fields.items():
        if name == "model":
            kinds: list[type[Section]] = [type(spec.model)] if spec else [LadderSpec, VaeSpec, DaeSpec]
            for kind in kinds:
                for key in _keys(kind, "model.", spec):
                    if key.name not in seen:
                        seen.add(key.name)
                        yield key
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _keys(field.annotation, f"{name}.", spec)
        else:
            default = "" if field.is_required() or field.default is None else str(field.default)
            yield Key(prefix + name, _type_in_words(field.annotation), default, field.description or "")


def _type_in_words(annotation: Any) -> str:
    words = str(getattr(annotation, "__name__", annotation) if isinstance(annotation, type) else annotation)
    words = (
        words.replace("typing.", "").replace("Union", "").replace(" | None", "").replace("Literal", "").replace("'", "")
    )
    for code, word in {"bool": "on/off", "float": "number", "int": "whole number", "str": "text"}.items():
        words = words.replace(code, word)
    return words.replace("list[", "list of [").replace("[", "").replace("]", "").replace(",", " |")


def _recipe_folder() -> Any:
    return files("journal") / "recipes"


def _parse_toml(text: str, source: str, name: str) -> Spec:
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source} is not valid TOML: {error}") from None
    return parse({"recipe": name, **tree}, source)


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _did_you_mean(name: str, known: list[str]) -> str:
    tails = {k.rsplit(".", 1)[-1]: k for k in known}
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    near += [tails[t] for t in difflib.get_close_matches(name, list(tails), n=3, cutoff=0.75) if tails[t] not in near]
    return f" (did you mean {' or '.join(near[:3])}?)" if near else ""


def _complaints(error: ValidationError, tree: dict[str, Any]) -> Iterator[str]:
    for one in error.errors(include_url=False):
        where = [str(part) for part in one["loc"] if part not in ("ladder", "vae", "dae")]
        # Members of a union such as `int | "all"` complain one by one; their names are no keys.
        while where and not _leads_somewhere(where, tree) and one["type"] != "extra_forbidden" and len(where) > 1:
            where.pop()
        message = one["msg"].removeprefix("Value error, ")
        key = ".".join(where)
        if one["type"] == "extra_forbidden":
            message = f"unknown key{_did_you_mean(key, [k.name for k in keys()])}"
        elif one["type"] in ("union_tag_not_found", "missing") and key == "model":
            message = "name the model: [model] kind = ladder, vae or dae"
        else:
            message = message[0].lower() + message[1:]
            if not isinstance(one.get("input"), dict):
                message += f" (you gave {one['input']!r})"
        yield f"{key}: {message}" if key else message


def _leads_somewhere(where: list[str], tree: Any) -> bool:
    for part in where:
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        else:
            return isinstance(tree, list) and part.isdigit()
    return True
