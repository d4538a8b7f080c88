"""How large a run is, by its spec alone, without torch: parameters, the multiply-adds of a step, memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from laddertop.journal.maps import shape_above
from laddertop.journal.models import (
    ConvLadderSpec,
    DaeSpec,
    GsnSpec,
    LadderSection,
    LadderSpec,
    LvaeSpec,
    SdaeSpec,
    UnsupervisedLadderSpec,
    VaeSpec,
)
from laddertop.journal.sections import SETS
from laddertop.journal.spec import Spec
from laddertop.journal.start import epoch_steps, planned_steps

FORWARD, WEIGHTS, BOTH = 1.0, 2.0, 3.0
"""What a product is computed for: itself; also the gradient of its weights; also the gradient of what goes into it."""

ENGINE = 35_000_000
"""Bytes that the engine takes besides torch, whatever it trains."""
STEP = 8
"""Numbers that a step holds at its peak for each that its products put out: activations, gradients, draws."""
AT_ONCE = 1000
"""Test images that ladder networks and GSNs evaluate at once; others take the whole set."""

_FUNCTIONS = {
    "gauss": 10,
    "gauss_stable": 10,
    "gated_gauss": 7,
    "sig": 9,
    "no_mult": 7,
    "no_sig": 4,
    "linear": 3,
    "separate": 8,
    "modulated": 5,
    "no_lateral": 5,
}
"""Parameters of a denoising function of a ladder network, per unit or channel."""


class Product(NamedTuple):
    """A matrix product of a step."""

    rows: int
    inputs: int
    outputs: int
    times: float = BOTH
    """How often its multiply-adds are done in a step, forward and backward, mean over the steps of the run."""
    places: int = 1
    """Places of a map, each of which has that product."""


@dataclass(frozen=True)
class Sizes:
    """How large a run is."""

    parameters: int
    """Numbers that are trained."""
    products: list[Product]
    """The matrix products of a step."""

    @property
    def multiply_adds(self) -> int:
        """Multiplications with an addition in the products of a step, forward and backward."""
        return round(sum(p.rows * p.places * p.inputs * p.outputs * p.times for p in self.products))

    @property
    def outputs(self) -> int:
        """Numbers that the products of a step put out, forward."""
        return sum(p.rows * p.places * p.outputs for p in self.products)

    @property
    def outputs_of_a_row(self) -> int:
        """Numbers that they put out for one row."""
        return sum(p.places * p.outputs for p in self.products)


def sizes(spec: Spec) -> Sizes:
    """How large a run of `spec` is. Raises ValueError where its layers don't fit together."""
    shape = SETS[spec.data.name]
    image = (shape.channels, shape.height, shape.width)
    pixels, rows = math.prod(image), spec.data.batch
    match spec.model:
        case LadderSpec(widths=widths):
            return _ladder(spec, [(pixels,), *((width,) for width in widths), (shape.classes,)])
        case UnsupervisedLadderSpec(widths=widths):
            return _ladder(spec, [(pixels,), *((width,) for width in widths)])
        case ConvLadderSpec(architecture=architecture):
            shapes: list[tuple[int, ...]] = [image]
            for words in architecture:
                shapes.append(shape_above(words, shapes[-1]))
            return _ladder(spec, shapes, architecture)
        case VaeSpec():
            return _vae(spec.model, pixels, rows)
        case LvaeSpec():
            return _lvae(spec.model, pixels, rows)
        case DaeSpec():
            return _dae(spec.model, pixels, rows)
        case SdaeSpec():
            return _sdae(spec, spec.model, pixels, shape.classes)
        case GsnSpec():
            return _gsn(spec.model, pixels, rows)


def memory_bytes(spec: Spec) -> int:
    """About how much memory a run takes at its peak, besides what torch itself takes.

    Parameters × 16 bytes (weight and float32 master are one where products are in float32, 4; gradient 4; two moments
    8), the data set, and what is larger of a step (its activations, their gradients, its draws) and an evaluation.
    benchmarks/memory.py compares it with the peak of real runs: for 21 runs of every kind of model, uncompiled in
    float32 on a CPU, it lay between 0.75 and 1.21 of it. A compiler takes more: 230 MB for ladder-digits.

    Raises ValueError where the layers of the spec don't fit together.
    """
    shape, many = SETS[spec.data.name], sizes(spec)
    pixels = shape.channels * shape.height * shape.width
    real = shape.height == 1 or spec.data.whiten
    data = (shape.training + shape.test) * (pixels * (4 if real else 1) + 8)
    match spec.model:
        case LvaeSpec():
            evaluated = shape.training * many.outputs_of_a_row
        case GsnSpec():
            evaluated = 5 * AT_ONCE * many.outputs_of_a_row
        case LadderSection():
            evaluated = round(2.5 * AT_ONCE * many.outputs_of_a_row)
        case DaeSpec():
            evaluated = 2 * shape.test * pixels
        case _:
            evaluated = 5 * shape.test * pixels
    return ENGINE + data + 16 * many.parameters + 4 * max(STEP * many.outputs, evaluated)


def labelled_rows(spec: Spec) -> int:
    """Rows of a step that carry labels."""
    labels = spec.data.labels
    many = SETS[spec.data.name].training - spec.data.held_back if labels == "all" else labels
    return min(spec.data.labelled_batch, many) if spec.model.labelled else 0


def _ladder(spec: Spec, shapes: list[tuple[int, ...]], architecture: Sequence[str] = ()) -> Sizes:
    model, top = spec.model, len(shapes) - 1
    assert isinstance(model, LadderSection)
    weighted = [layer for layer, weight in enumerate(model.denoising) if weight > 0]
    highest, lowest = max(weighted, default=0), min(weighted, default=top + 1)
    labelled, rows = labelled_rows(spec), spec.data.batch if weighted else 0
    parameters, products = 0, []
    for layer in range(1, top + 1):
        below, above = shapes[layer - 1], shapes[layer]
        words = architecture[layer - 1] if architecture else "fc"
        if words.startswith(("maxpool", "globalmeanpool")):
            if model.labelled and layer == top:
                parameters += above[0]
            continue
        # A convolution sees a patch of all channels at every place, and a dense layer is one of a single place.
        patch = int(words.split(":")[2]) ** 2 if words.startswith("conv") else 1
        inputs = patch * below[0] if words.startswith("conv") else math.prod(below)
        parameters += inputs * above[0] + above[0]
        seen = labelled + rows + (rows if layer <= highest else 0)
        times = WEIGHTS if layer == 1 else BOTH
        products.append(Product(seen, inputs, above[0], times, math.prod(above[1:])))
        if layer > lowest:
            outputs, places = (below[0], math.prod(below[1:])) if words.startswith("conv") else (inputs, 1)
            products.append(Product(rows, patch * above[0], outputs, places=places))
            parameters += patch * above[0] * outputs
    if model.labelled and (not isinstance(model, ConvLadderSpec) or model.top_scale):
        parameters += math.prod(shapes[top])
    for layer in range(lowest, top + 1):
        mapped = layer < top and len(shapes[layer + 1]) == 3
        functions = 1 if model.combinator_shared else shapes[layer][0] if mapped else math.prod(shapes[layer])
        parameters += _function_parameters(model) * functions
    return Sizes(parameters, products)


def _function_parameters(model: LadderSection) -> int:
    if model.combinator not in ("mlp", "amlp"):
        return _FUNCTIONS[model.combinator]
    widths = [3 if model.combinator == "amlp" else 2, *model.combinator_hidden, 1]
    return sum((below + 1) * above for below, above in itertools.pairwise(widths))


def _dense(widths: Sequence[int]) -> int:
    """Weights and biases of dense layers from the first width to the last."""
    return sum(below * above + above for below, above in itertools.pairwise(widths))


def _chain(rows: int, widths: Sequence[int], first: float = BOTH) -> list[Product]:
    """The products of dense layers; `first` says what the lowest is computed for."""
    pairs = itertools.pairwise(widths)
    return [Product(rows, below, above, BOTH if i else first) for i, (below, above) in enumerate(pairs)]


def _vae(model: VaeSpec, pixels: int, rows: int) -> Sizes:
    drawn = rows * model.samples
    up = [pixels, *model.hidden, 2 * model.latent]
    decoder = model.hidden[::-1] if model.decoder_hidden is None else model.decoder_hidden
    output = [model.latent, *decoder, pixels if model.output == "bernoulli" else 2 * pixels]
    parameters = _dense(up) + _dense(output)
    products = _chain(rows, up, WEIGHTS) + _chain(drawn, output)
    if model.upper_latent:
        for widths in (
            [model.latent, *model.upper_hidden, 2 * model.upper_latent],
            [model.upper_latent, *model.upper_hidden[::-1], 2 * model.latent],
        ):
            parameters += _dense(widths)
            products += _chain(drawn, widths)
    return Sizes(parameters, products)


def _lvae(model: LvaeSpec, pixels: int, rows: int) -> Sizes:
    drawn, latent, hidden = rows * model.mc_samples * model.iw_samples, model.latent, model.hidden
    ladder = model.inference == "ladder"
    separate = ladder and model.top_down == "separate"
    lower = range(len(latent) - 1)
    from_below = [pixels, *(hidden if ladder else latent)]
    parts = [  # rows, and the widths from below the MLP to the heads
        *(
            (rows if ladder or i == 0 else drawn, [from_below[i], *[hidden[i]] * model.dense, 2 * latent[i]])
            for i in range(len(latent))
        ),
        *((drawn, [latent[i + 1], *[hidden[i if separate else i + 1]] * model.dense, 2 * latent[i]]) for i in lower),
        *((drawn, [latent[i + 1], *[hidden[i + 1]] * model.dense, 2 * latent[i]]) for i in lower if separate),
        (drawn, [latent[0], *[hidden[0]] * model.dense, pixels]),
    ]
    parameters, products = 0, []
    for i, (many, widths) in enumerate(parts):
        # With batch normalisation every layer but the output has a scale too.
        scales = sum(widths[1:]) - (pixels if i == len(parts) - 1 else 0) if model.batch_norm else 0
        parameters += _dense(widths) + scales
        products += _chain(many, widths, BOTH if i else WEIGHTS)
    return Sizes(parameters, products)


def _dae(model: DaeSpec, pixels: int, rows: int) -> Sizes:
    up = [pixels, *model.hidden]
    weights = sum(below * above for below, above in itertools.pairwise(up))
    parameters = weights * (1 if model.tied else 2) + sum(up[1:]) + sum(up[:-1])
    return Sizes(parameters, _chain(rows, up, WEIGHTS) + _chain(rows, up[::-1]))


def _sdae(spec: Spec, model: SdaeSpec, pixels: int, classes: int) -> Sizes:
    """The products of every stage count as often as the stage has a part in the run."""
    widths, steps, rows = [pixels, *model.hidden], planned_steps(spec), spec.data.batch
    weights = sum(below * above for below, above in itertools.pairwise(widths))
    parameters = weights * (1 if model.tied else 2) + sum(widths[1:]) + sum(widths[:-1])
    parameters += _dense([widths[-1], classes])
    starts = [min(round(k * model.pretrain_epochs * epoch_steps(spec)), steps) for k in range(len(model.hidden) + 1)]
    products = []
    for k, (start, end) in enumerate(itertools.pairwise(starts)):
        share = (end - start) / max(steps, 1)
        products += [Product(rows, a, b, FORWARD * share) for a, b in itertools.pairwise(widths[: k + 1])]
        products += [
            Product(rows, widths[k], widths[k + 1], WEIGHTS * share),
            Product(rows, widths[k + 1], widths[k], BOTH * share),
        ]
    share = (steps - starts[-1]) / max(steps, 1)
    tuned = _chain(labelled_rows(spec), [*widths, classes], WEIGHTS)
    return Sizes(parameters, products + [p._replace(times=p.times * share) for p in tuned])


def _gsn(model: GsnSpec, pixels: int, rows: int) -> Sizes:
    widths = [pixels, *model.hidden]
    parameters = sum(below * above for below, above in itertools.pairwise(widths)) + sum(widths)
    products = []
    for below, above in itertools.pairwise(widths):
        # In every transition a layer hears of the one below and of the one above. No gradient goes into a drawn image.
        for _ in range(model.walkback):
            products += [Product(rows, below, above, WEIGHTS if below is widths[0] else BOTH)]
            products += [Product(rows, above, below)]
    return Sizes(parameters, products)
