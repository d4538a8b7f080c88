"""What each latent unit of a stochastic model carries: its KL in both directions, and whether it is active.

Shape letters: N images, Z units of a stochastic layer.
"""

from __future__ import annotations

from torch import Tensor

from laddertop.engine.parts.distributions import Gaussian
from laddertop.journal.value import Value

ACTIVE = 0.01
"""A unit is active when its mean KL exceeds this many nats (Sønderby et al. 2016), or when the mean of its q varies by
more than this over the images (Burda et al. 2016, section 5)."""


def latent_units(
    q: list[Gaussian], p: list[Gaussian], again: list[Gaussian], ends: list[str], split: str
) -> dict[str, Value]:
    """Active units by both definitions, and the sums of D(q‖p) and D(p‖q) with the value of every unit.

    `q` and `p` are those of one drawn pass of the images of a `split`, [N, Z] for every layer from the bottom up, and
    `again` the q of a second pass with other draws. `ends` ends the names of each layer's values: .1, .2, or nothing.

    The mean of q varies with what is drawn of other layers, too; the covariance of two passes is the variance over the
    images alone.
    """
    forwards = [mine.kl(prior).mean(0) for mine, prior in zip(q, p, strict=True)]
    backwards = [prior.kl(mine).mean(0) for mine, prior in zip(q, p, strict=True)]
    variances = [_covariance(one.mean, other.mean) for one, other in zip(q, again, strict=True)]
    values = _active("active_units", forwards, ends, f"mean KL > {ACTIVE} nats")
    values |= _active("active_units_by_variance", variances, ends, f"variance of the mean of q > {ACTIVE}")
    for name, by_layer in {"kl_q_p": forwards, "kl_p_q": backwards}.items():
        about = f"nats, closed form, mean over the {split} images, sum over the units"
        for end, each in zip(ends, by_layer, strict=True):
            values[name + end] = Value(value=each.sum().item(), unit=about, per_unit=each.tolist(), better="none")
    return values


def _active(name: str, measures: list[Tensor], ends: list[str], rule: str) -> dict[str, Value]:
    """How many units exceed ACTIVE, of all layers and of each, by a measure [Z] per layer."""
    counts = [int((measure > ACTIVE).sum()) for measure in measures]
    values = {name: Value(value=sum(counts), unit=f"of {sum(map(len, measures))}, {rule}", better="none")}
    for end, count, measure in zip(ends, counts, measures, strict=True):
        values[name + end] = Value(value=count, unit=f"of {len(measure)}, {rule}", better="none")
    return values


def _covariance(one: Tensor, other: Tensor) -> Tensor:
    """Per unit [Z], over the rows of [N, Z]."""
    return ((one - one.mean(0)) * (other - other.mean(0))).mean(0)
