"""What names tell by themselves: of values and findings, and of terms and knobs, for which that is all in journals of
before the engine declared it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


def group_of(knob: str) -> str:
    """The name that means a knob together with others: its own without the number at its end, noise.std of noise.std.3.

    A knob without a number is alone in the group of its own name: train.top is no member of train.
    """
    group, _, number = knob.rpartition(".")
    return group if group and number.isdigit() else knob


_KNOBS = {
    "noise": ("noise", "n"),
    "noise.std": ("σ", "-+"),
    "noise.level": ("level", "-+"),
    "warmup": ("warm-up", "w"),
    "warmup.hold": ("hold", "h"),
    "lr": ("lr", "[]"),
    "beta": ("β", "bB"),
    "lambda": ("λ", ""),
}
"""Short names and keys by group."""


def short_of(knob: str) -> str:
    """The short name of a knob that declares none."""
    group = group_of(knob)
    return _KNOBS.get(group, (group, ""))[0]


def keys_of(knob: str) -> str:
    """The keys of a knob that declares none."""
    return _KNOBS.get(group_of(knob), ("", ""))[1]


_WORDS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"_percent$"), lambda _: ""),
    (re.compile(r"^negative_(elbo|l\d+)"), lambda bound: f"−{bound[1].upper()}"),
    (re.compile(r"\.(\d+)$"), lambda layer: f" of layer {layer[1]}"),
    (re.compile(r"^kl(?![a-z])"), lambda _: "KL"),
    (re.compile(r"^denoise\b"), lambda _: "denoising"),
    (re.compile(r"_"), lambda _: " "),
)
"""How the name of a value in files becomes the one on screens, one step after the other."""


def label_of(value: str) -> str:
    """What a value of an evaluation is called that declares nothing: error_percent → error, negative_elbo → −ELBO,
    kl.2 → KL of layer 2, last_step → last step."""
    for part, becomes in _WORDS:
        value = part.sub(becomes, value)
    return value


def kind_in_words(kind: str) -> str:
    """A kind of findings as people read it: warm-up too long."""
    return kind.replace("-", " ").replace("warm up", "warm-up")


def layer_of(term: dict[str, Any]) -> dict[str, Any] | None:
    """The layer of a term that declares none: of denoise.3, kl.2, layer.1, and of the kl of a model with one layer."""
    group, _, number = str(term.get("name")).partition(".")
    if group == "denoise" and number.isdigit():
        name = str(term.get("label")).rpartition(" ")[2]
        code = name if name in ("x", "y") else f"h{number}"
        return {"index": int(number), "name": name, "code": code, "noise": f"noise.std.{number}"}
    if term.get("name") == "kl" or (group in ("kl", "layer") and number.isdigit()):
        code = f"z{number}" if group == "kl" else f"hidden.{number}"
        return {"index": int(number or 1), "name": code, "code": code}
    return None
