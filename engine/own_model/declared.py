"""What a class of the user's own declares: parameters in `__init__`, and the terms and knobs of its instance."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from torch import nn

from laddertop.engine.loop.declared import LETTERS, knobs_of, terms_of
from laddertop.journal.events import Knob, Term
from laddertop.journal.own_model import OwnModelSection, Parameter, Setting
from laddertop.journal.spec import did_you_mean, keys, keys_of

GIVEN = ("inputs", "spec", "precision")
"""What a class is handed where it asks for it by these names; everything else that it takes are its parameters."""
SHARED_KEYS = "nwh"
"""Letters that the knobs of every run have."""


def asked(loaded: type[nn.Module]) -> list[inspect.Parameter]:
    """What the class takes when it is made. Raises ValueError for what can't be given by name."""
    taken = list(inspect.signature(loaded).parameters.values())
    for one in taken:
        if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD, one.POSITIONAL_ONLY):
            raise ValueError(f"{loaded.__name__}: __init__ takes {one}; name every parameter, so that it can be set")
    return taken


def parameters(loaded: type[nn.Module]) -> list[Parameter]:
    """What can be set of the class, as front ends know it. Raises ValueError for a type that no setting has."""
    form = _form(loaded)
    if taken := [name for name in form.model_fields if name in OwnModelSection.model_fields]:
        raise ValueError(f"{loaded.__name__}: a parameter can't be called {taken[0]}, as the spec has that; rename it")
    try:
        return [
            Parameter(name=key.name, type=key.type, default=key.default, help=key.help, limits=key.limits)
            for key in keys_of(form)
        ]
    except KeyError as error:
        raise ValueError(
            f"{loaded.__name__}: a parameter has the type {error.args[0]!r}; take bool, int, float, str, Literal, or a "
            "list of those"
        ) from None


def checked(loaded: type[nn.Module], settings: dict[str, Setting]) -> dict[str, Setting]:
    """Its parameters with the values of `settings`, defaults and all. Raises ValueError that names what is wrong."""
    form = _form(loaded)
    for name in settings:
        if name not in form.model_fields:
            known = [*form.model_fields, *(key.name for key in keys())]
            has = f"it has {', '.join(form.model_fields)}" if form.model_fields else "it has none"
            raise ValueError(f"{loaded.__name__} has no parameter {name}{did_you_mean(name, known)}; {has}")
    try:
        return form.model_validate(settings).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        if first["type"] == "missing":
            raise ValueError(f"{loaded.__name__} needs a value of {name}: --set {name}=…") from None
        said = first["msg"].removeprefix("Value error, ")
        raise ValueError(f"model.{name}: {said[0].lower()}{said[1:]} (you gave {first['input']!r})") from None


def declare(model: Any) -> tuple[list[Term], list[Knob]]:
    """The terms and knobs of an instance, as the journal has them. Raises ValueError for what is not right."""
    called = type(model).__name__
    for name, example in (("terms", '{"kl": "beta", "reconstruction": None}'), ("knobs", '{"beta": 1.0}')):
        given = getattr(model, name, None if name == "terms" else {})
        kind = Term if name == "terms" else Knob
        if not isinstance(given, dict) and not (
            isinstance(given, list | tuple) and all(isinstance(one, kind) for one in given)
        ):
            raise ValueError(f"{called} declares no {name}; write {name} = {example}, or a list of {kind.__name__}")
    knobs = knobs_of(getattr(model, "knobs", {}), [key for key in LETTERS if key not in SHARED_KEYS], "the model")
    try:
        terms = terms_of(model.terms, knobs, "as the model counts it")
    except ValueError as error:
        raise ValueError(f'{called}: {error}; knobs gives each its value, as in {{"beta": 1.0}}') from None
    if not any(not term.watched for term in terms):
        raise ValueError(f"{called} has no term; a cost has one at least")
    return terms, knobs


def warmable(knobs: Sequence[Knob]) -> list[str]:
    """What a warm-up can multiply, by the names of the knobs."""
    begins = {"kl": "beta", "noise": "noise.", "denoising": "lambda."}
    return [what for what, prefix in begins.items() if any(knob.name.startswith(prefix) for knob in knobs)]


def _form(loaded: type[nn.Module]) -> type[BaseModel]:
    """The parameters as a model of pydantic, which checks values against their types and bounds."""
    try:
        hints = get_type_hints(loaded.__init__, include_extras=True)
    except NameError as error:
        raise ValueError(f"{loaded.__name__}: the type of a parameter of __init__ is not known: {error}") from None
    fields: dict[str, Any] = {}
    for one in asked(loaded):
        if one.name not in GIVEN:
            default = ... if one.default is one.empty else one.default
            plain = type(default) if isinstance(default, bool | int | float | str) else None
            hint = hints.get(one.name, plain)
            if hint is None:
                raise ValueError(f"{loaded.__name__}: say what {one.name} is, as in `{one.name}: int = 3`")
            fields[one.name] = (hint, default)
    config = ConfigDict(extra="forbid", allow_inf_nan=False, protected_namespaces=())
    try:
        form: type[BaseModel] = create_model(loaded.__name__, __config__=config, **fields)
    except Exception as error:  # pydantic has many words for a type that it does not know
        raise ValueError(f"{loaded.__name__}: its parameters can't be settings: {str(error).splitlines()[0]}") from None
    return form
