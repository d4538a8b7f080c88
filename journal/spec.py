"""What to train: the spec of a run, the recipes that come with the package, and `key=value` overrides.

A spec is written once into the run folder and never changed; what the user does to a running training is recorded as
events instead. The docstring below a field is its documentation: `laddertop recipes --keys` prints it.
"""

from __future__ import annotations

import difflib
import itertools
import re
import reprlib
from collections.abc import Iterable, Iterator
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from laddertop.journal.declared import model_knobs, shared_knobs
from laddertop.journal.judged import check_judged
from laddertop.journal.knobs import start_values
from laddertop.journal.models import KINDS, ModelSpec
from laddertop.journal.own_loop import LoopSection
from laddertop.journal.own_model import SHORTEST_RECIPE, OwnModelSection, is_place
from laddertop.journal.places import MODELS_GROUP, RECIPES, offered, recipes
from laddertop.journal.policies import PolicySpec
from laddertop.journal.sections import (
    LONGEST,
    CheckpointSpec,
    DataSpec,
    EvaluateSpec,
    NoiseSpec,
    OptimizerSpec,
    SamplesSpec,
    Section,
    WarmupSpec,
    field_docs,
)
from laddertop.journal.settings import DEVICE

LARGEST = 1 << 14
"""Bytes of a recipe file at most; those of the package have hundreds."""
LOOKED_AT_WITH = ("data.name", "data.size", "data.colour", "data.label", "data.test_share")
"""The keys that decide what is found in a user's own data."""
COMPLAINTS = 5
"""How many of the wrong keys are told at most."""


class _Short(reprlib.Repr):
    """Values as they were given, in few words however long or deep they are."""

    maxstring = maxother = maxlong = 80

    def repr_int(self, x: int, level: int) -> str:
        """A whole number; Python writes none of more than 4300 digits."""
        return repr(x) if abs(x) < 10**80 else "a number of more than 80 digits"


_SHORT = _Short()


class Spec(Section):
    """Everything that decides a run, apart from what the user does to it while it trains."""

    recipe: str = "custom"
    """Name of the recipe."""
    about: str = ""
    """The recipe in one sentence."""
    seed: int = Field(default=1, ge=0, lt=2**32)
    """Seed of the initial weights, the label draw, the shuffles and the noise."""
    epochs: float | None = Field(default=None, gt=0, le=LONGEST)
    """Length of the run in passes over the training images; give this or steps."""
    steps: int | None = Field(default=None, ge=1, le=LONGEST)
    """Length of the run in steps; give this or epochs."""
    device: str = Field(default="auto", pattern=DEVICE)
    """auto, cpu, cuda, cuda:N or mps; auto takes a GPU where there is one."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """Precision of the matrix products; statistics and costs are always float32."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Whether the step is compiled; auto decides from the length of the run."""
    threads: int | None = Field(default=None, ge=1, le=1024)
    """CPU threads; none: one for a small model, else as many as torch thinks fit."""
    knobs: dict[str, float | str] = Field(default={}, exclude_if=lambda knobs: not knobs)
    """What knobs are turned to before the first step, by name: values, or courses such as 0..1:linear:2000."""
    data: DataSpec = DataSpec()
    model: ModelSpec | OwnModelSection | LoopSection = Field(discriminator="kind")
    noise: NoiseSpec = NoiseSpec()
    warmup: WarmupSpec = WarmupSpec()
    optimizer: OptimizerSpec = OptimizerSpec()
    checkpoint: CheckpointSpec = CheckpointSpec()
    evaluate: EvaluateSpec = EvaluateSpec()
    samples: SamplesSpec = SamplesSpec()
    policy: PolicySpec = Field(default=PolicySpec(), exclude_if=lambda policy: policy == PolicySpec())

    @model_validator(mode="after")
    def _parts_fit(self) -> Spec:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("give the length of the run either in epochs or in steps")
        if self.data.known:
            self.model.fits(self.data, self.noise, self.warmup)
        by, patience = self.policy.patience
        for key, name in (("policy.early_stop", by), ("policy.keep_best", self.policy.keep_best)):
            if name:
                check_judged(key, name, self.model)
        if patience and not self.evaluate.every:
            raise ValueError("policy.early_stop: nothing is evaluated before the end; set evaluate.every")
        if self.knobs and self.model.ours and self.model.kind != "own":
            turned = start_values(self.knobs, [*shared_knobs(self), *model_knobs(self)])
            self.knobs.clear()
            self.knobs.update(turned)
        return self

    @field_validator("knobs", mode="before")
    @classmethod
    def _as_one_table(cls, given: Any) -> Any:
        """As `knobs.noise.std.0 = 0.1` means for TOML tables in tables."""
        return dict(_leaves(given, "")) if isinstance(given, dict) else given


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
    limits: str
    """Its bounds, such as ≥ 0, < 1; empty when it has none."""


def load_recipe(name: str) -> Spec:
    """The spec of a recipe of the package, of a user's own TOML file, or of a class in a user's own Python file.

    Raises ValueError when there is no such recipe or file, or when it is no valid spec.
    """
    if name in recipes():
        return _parse_toml(RECIPES.joinpath(f"{name}.toml").read_text(encoding="utf-8"), name, name)
    if is_place(name):
        if name.endswith(".py"):
            raise ValueError(f"{name}: name the class behind a colon, as in {name}:MyVae")
        model = {"kind": "own", "place": name}
        return parse({"recipe": name.rpartition(":")[2], **SHORTEST_RECIPE, "model": model}, name)
    path = Path(name)
    if path.is_file():
        try:
            with path.open("rb") as file:
                data = file.read(LARGEST + 1)
            text = data.decode("utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} can't be read as a recipe: {error}") from None
        if len(data) > LARGEST:
            raise ValueError(f"{path} is too large for a recipe: more than {LARGEST >> 10} KiB")
        return _parse_toml(text, str(path), path.stem)
    if path.suffix == ".toml" or "/" in name:
        raise ValueError(f"no recipe file {path}; `laddertop recipes` lists the recipes that come with laddertop")
    if name in (there := offered(MODELS_GROUP)):
        return parse({"recipe": name, **SHORTEST_RECIPE, "model": {"kind": "own", "place": name}}, name)
    near = did_you_mean(name, [*recipes(), *there])
    raise ValueError(f"unknown recipe {name!r}{near}; `laddertop recipes` lists them all")


def override(spec: Spec, settings: Iterable[str]) -> Spec:
    """The spec with `key=value` settings applied, keys dotted, values as TOML or plain words.

    Raises ValueError naming the setting for an unknown key (with the nearest names) or a value that does not fit.
    """
    tree = spec.model_dump()
    known = [key.name for key in keys(spec)]
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = _whole(name.strip(), known, spec)
        if not equals:
            raise ValueError(f"{setting!r} is no setting: write key=value, such as optimizer.lr=0.001")
        if name not in known and not name.startswith("knobs.") and not _may_be_declared(name, spec):
            raise ValueError(
                f"unknown key {name!r}{did_you_mean(name, known)}; `laddertop recipes --keys` lists them all"
            )
        if name.startswith("knobs."):
            turned = tree.setdefault("knobs", {})
            # Of two that mean the same knob the later one counts.
            turned.pop(knob := name.removeprefix("knobs."), None)
            turned[knob] = _toml_value(text.strip())
            continue
        *path, last = name.split(".")
        section = tree
        for part in path:
            section = section.setdefault(part, {})
        section[last] = _toml_value(text.strip())
        if name in LOOKED_AT_WITH:
            section["found"] = None
        if name in ("epochs", "steps"):
            tree["steps" if name == "epochs" else "epochs"] = None
    return parse(tree, "the settings")


def _whole(name: str, known: list[str], spec: Spec) -> str:
    """The whole name of a key: the parameters of a user's own model may be typed without `model.` before them."""
    own = isinstance(spec.model, OwnModelSection) and name not in known and name.isidentifier()
    return f"model.{name}" if own else name


def _may_be_declared(name: str, spec: Spec) -> bool:
    """Whether a key may be a parameter of the user's own model, which no engine looked at yet to tell."""
    parameter = name.removeprefix("model.")
    unknown = isinstance(spec.model, OwnModelSection) and spec.model.found is None
    return unknown and parameter != name and parameter.isidentifier() and parameter not in OwnModelSection.model_fields


def parse(tree: dict[str, Any], source: str) -> Spec:
    """The spec written in a tree of plain values. Raises ValueError that names `source` and every wrong key."""
    try:
        return Spec.model_validate(tree)
    except ValidationError as error:
        told = list(itertools.islice(_complaints(error, tree), COMPLAINTS + 1))
        more = "; and more" if len(told) > COMPLAINTS else ""
        raise ValueError(f"{source}: {'; '.join(told[:COMPLAINTS])}{more}") from None


def keys(spec: Spec | None = None) -> list[Key]:
    """Every key that `--set` takes: those that fit `spec`, or those of all models."""
    hidden = ("about", "model.kind", *(["noise."] if spec and not spec.model.noisy else []))
    return [key for key in _keys(Spec, "", spec) if not key.name.startswith(hidden)]


def keys_of(section: type[BaseModel]) -> list[Key]:
    """The keys of one section alone, by the names of its fields. Raises KeyError for a type that no setting has."""
    return list(_keys(section, "", None))


def _keys(section: type[BaseModel], prefix: str, spec: Spec | None) -> Iterator[Key]:
    seen = set()
    docs = field_docs(section)
    if spec and isinstance(spec.model, OwnModelSection) and section is OwnModelSection:
        for parameter in spec.model.found.parameters if spec.model.found else []:
            yield Key(f"model.{parameter.name}", *list(parameter.model_dump().values())[1:])
        return
    for name, field in section.model_fields.items():
        if section is DataSpec and name == "found":
            continue
        if name == "knobs":
            yield from _knob_keys(spec)
            continue
        if name == "model":
            for kind in [type(spec.model)] if spec else KINDS:
                for key in _keys(kind, "model.", spec):
                    if key.name not in seen:
                        seen.add(key.name)
                        yield key
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _keys(field.annotation, f"{name}.", spec)
        else:
            default = "" if field.is_required() or field.default is None else str(field.default)
            limits = _range_in_words(field.metadata)
            yield Key(prefix + name, _type_in_words(field.annotation), default, docs.get(name, ""), limits)


def _knob_keys(spec: Spec | None) -> Iterator[Key]:
    if spec is None:
        yield Key("knobs.NAME", "number | course | on/off", "", "What a knob is turned to before the first step.", "")
        return
    for knob in (*shared_knobs(spec), *model_knobs(spec)):
        switch, limits = knob.kind == "switch", f"≥ {knob.low:g}, ≤ {knob.high:g}"
        yield Key(
            f"knobs.{knob.name}", "on/off" if switch else "number | course", "", knob.help, "" if switch else limits
        )


def _leaves(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            if isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 10**80):
                value = float(value)
            yield prefix + key, value if isinstance(value, float | str) else _SHORT.repr(value)


def _type_in_words(annotation: Any) -> str:
    kind, inner = get_origin(annotation), get_args(annotation)
    if kind is Annotated:
        return _type_in_words(inner[0])
    if kind is Literal:
        return " | ".join(map(str, inner))
    if kind is list:
        return f"list of {_type_in_words(inner[0])}"
    if inner:
        return " | ".join(_type_in_words(one) for one in inner if one is not type(None))
    return {bool: "on/off", float: "number", int: "whole number", str: "text"}[annotation]


def _range_in_words(limits: list[Any]) -> str:
    """The bounds among pydantic's constraints: ≥ 0, < 1."""
    words = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
    found = [
        f"{sign} {getattr(limit, name):g}" for limit in limits for name, sign in words.items() if hasattr(limit, name)
    ]
    return ", ".join(found)


def _parse_toml(text: str, source: str, name: str) -> Spec:
    import tomllib  # which runs do without

    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{source} is not valid TOML: {error}") from None
    except (ValueError, RecursionError):
        raise ValueError(f"{source} holds a number that is too long, or nests its values too deeply") from None
    return parse({"recipe": name, **tree}, source)


def _toml_value(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text


def did_you_mean(name: str, known: list[str]) -> str:
    """A hint at the known names that are nearest to one that is not known; empty when none is near."""
    tails = {k.rsplit(".", 1)[-1]: k for k in known}
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    near += [tails[t] for t in difflib.get_close_matches(name, list(tails), n=3, cutoff=0.75) if tails[t] not in near]
    return f" (did you mean {' or '.join(near[:3])}?)" if near else ""


_KIND_NAMES = [get_args(kind.model_fields["kind"].annotation)[0] for kind in KINDS]


def _complaints(error: ValidationError, tree: dict[str, Any]) -> Iterator[str]:
    by_key: dict[str, list[Any]] = {}
    for one in error.errors(include_url=False):
        where = [str(part) for part in one["loc"] if part not in (*_KIND_NAMES, "own")]
        # Members of a union such as `int | "all"` complain one by one; their names are no keys.
        while (
            where
            and not _leads_somewhere(where, tree)
            and one["type"] not in ("extra_forbidden", "missing")
            and len(where) > 1
        ):
            where.pop()
        by_key.setdefault(".".join(where), []).append(one)
    for key, (one, *more) in by_key.items():
        declared = next((known for known in keys() if known.name == re.sub(r"\.\d+$", "", key)), None)
        given: Any = one["input"]
        if one["type"] == "extra_forbidden":
            message = f"unknown key{did_you_mean(key, [k.name for k in keys()])}"
        elif one["type"] in ("union_tag_not_found", "missing") and key == "model":
            message = f"name the model: [model] kind = {', '.join(_KIND_NAMES)}"
        else:
            message = one["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
            if more:
                given = reduce(lambda part, name: part[name], key.split("."), tree)
            if declared and (more or one["type"].endswith(("_parsing", "_type", "_from_float", "literal_error"))):
                message = f"takes {_with_articles(declared.type, of_list=key != declared.name)}"
            elif declared and one["type"] == "string_pattern_mismatch":
                about = " ".join(declared.help.split())
                message = f"is none of these: {about[0].lower()}{about[1:].rstrip('.')}"
            if not isinstance(given, dict):
                message += f" (you gave {_SHORT.repr(given)})"
        yield f"{key[:80]}: {message}" if key else message


def _with_articles(types: str, of_list: bool) -> str:
    """What a key takes, `a whole number or all`; or what its list takes."""
    words = [word.removeprefix("list of ") if of_list else word for word in types.split(" | ")]
    words = [f"{word}s" if word.startswith("list") and word.endswith("number") else word for word in words]
    words = [f"a {word}" if word.startswith("list") or word.endswith("number") else word for word in words]
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]


def _leads_somewhere(where: list[str], tree: Any) -> bool:
    for part in where:
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        else:
            return isinstance(tree, list) and part.isdigit()
    return True
