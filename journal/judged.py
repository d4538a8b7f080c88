"""The values of an evaluation that a model can be judged by, by its spec alone: what a policy may go by."""

from __future__ import annotations

import difflib

from laddertop.journal.model_section import ModelSection
from laddertop.journal.models import (
    DaeSpec,
    GsnSpec,
    LabelledLadderSection,
    LvaeSpec,
    M2Spec,
    SdaeSpec,
    UnsupervisedLadderSpec,
    VaeSpec,
)


def judged(model: ModelSection) -> list[str]:
    """Names of the values that evaluations during training have and of which one of two is better; the headline is the
    first. None of a model of the user's own, which nobody knows before it is evaluated."""
    match model:
        case LabelledLadderSection():
            return ["error_percent", "cross_entropy"]
        case UnsupervisedLadderSpec():
            return ["denoising", *(f"denoise.{i}" for i, weight in enumerate(model.denoising) if weight > 0)]
        case VaeSpec():
            bound = [f"negative_l{model.samples}"] if model.bound == "iwae" else []
            return [*bound, "negative_elbo", "reconstruction", *(["kl.1", "kl.2"] if model.upper_latent else ["kl"])]
        case LvaeSpec():
            return ["negative_elbo", "reconstruction", *(f"kl.{i}" for i in range(1, len(model.latent) + 1))]
        case M2Spec():
            return ["error_percent", "cross_entropy", "negative_elbo", "reconstruction", "kl", "kl_y"]
        case DaeSpec():
            return ["reconstruction"]
        case SdaeSpec():
            return ["error_percent", *(f"layer_{k}" for k in range(1, len(model.hidden) + 1))]
        case GsnSpec():
            return ["last_step", "first_step"]
    return []


def check_judged(key: str, name: str, model: ModelSection) -> None:
    """Raises ValueError, with the nearest names, where the evaluations of a model have no value `name` to go by, which
    is what the `key` of a spec asks for."""
    known = judged(model)
    if known and name not in known:
        near = difflib.get_close_matches(name, known, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"{key}: evaluations of a {model.called} have no such value; {hint} (you gave {name!r})")
