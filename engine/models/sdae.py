"""Stacked denoising autoencoder (Vincent et al. 2010, JMLR 11, section 6).

Layer k is trained as a denoising autoencoder of what the layers below make of clean images: the corruption is at the
input of the layer that is being trained and nowhere else (section 3.4). When all layers are trained, a logistic layer
is put on top and all weights of the encoder are fine-tuned by the labels, on clean images.

Initial values as in the tutorial code of the authors' laboratory: uniform on ±4·√(6 / (inputs + outputs)), biases 0,
and 0 for the logistic layer.

Shape letters: A labelled rows, B rows, D pixels, D_k units of layer k (D_0 = D), L hidden layers, C classes.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from laddertop.engine.contract import Stage
from laddertop.engine.data import Batches, Images, Inputs
from laddertop.engine.parts.corruption import corrupt, corrupt_and_tell, draws_needed, emphasised
from laddertop.engine.parts.distributions import bernoulli_cross_entropy
from laddertop.engine.parts.layers import glorot_uniform, product, zeros
from laddertop.engine.randomness import Draws
from laddertop.journal.declared import level_of, model_knobs
from laddertop.journal.events import Term, TermLayer
from laddertop.journal.models import SdaeSpec
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value


class Sdae(nn.Module):
    """h_k = s(h_{k-1} W_k + b_k), h_0 = x; the decoder of layer k is s(h_k W_kᵀ + b'_k), or has weights of its own."""

    def __init__(self, spec: Spec, inputs: Inputs, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(spec.model, SdaeSpec)
        self.noise = spec.noise
        self.cross_entropy = spec.model.loss == "cross_entropy"
        self.emphasis = spec.model.on_corrupted, spec.model.on_kept
        self.pretrain_epochs = spec.model.pretrain_epochs
        self.widths = [inputs.pixels, *spec.model.hidden]
        self.depth = len(spec.model.hidden)
        self.stage = self.depth
        """What is computed: 0 to L-1 pre-train that layer, counted from 0; L fine-tunes."""
        random = np.random.RandomState(spec.seed)
        pairs = list(itertools.pairwise(self.widths))
        self.W = nn.ParameterList([glorot_uniform(*pair, random, precision, 4.0) for pair in pairs])
        self.b = nn.ParameterList([zeros(above) for _, above in pairs])
        self.V = nn.ParameterList(
            [] if spec.model.tied else [glorot_uniform(b, a, random, precision, 4.0) for a, b in pairs]
        )
        self.c = nn.ParameterList([zeros(below) for below, _ in pairs])
        self.logistic = nn.Parameter(torch.zeros(self.widths[-1], inputs.classes, dtype=precision))
        self.logistic_bias = zeros(inputs.classes)

        unit = ("nats" if self.cross_entropy else "squared error") + " per image, mean over the batch"
        layers = range(1, self.depth + 1)
        self.terms = [
            *(
                Term(
                    name=f"layer.{k}",
                    label=f"layer {k} of {self.depth}",
                    unit=unit,
                    weight=f"train.{k}",
                    layer=TermLayer(index=k, name=f"hidden.{k}", units=self.widths[k], code=f"hidden.{k}"),
                )
                for k in layers
            ),
            Term(
                name="classification",
                label="classification",
                unit="nats per labelled image, mean over the batch",
                weight="train.top",
            ),
        ]
        self.knobs = model_knobs(spec)
        self.level = level_of(spec.noise)

    def stages(self, epoch_steps: int) -> list[Stage]:
        """One per layer, bottom first, then the fine-tuning."""
        layers = [
            Stage(
                name=f"pre-training layer {k + 1} of {self.depth}",
                first=round(k * self.pretrain_epochs * epoch_steps),
                terms=(f"layer.{k + 1}",),
                parameters=(f"W.{k}", f"b.{k}", f"c.{k}", *((f"V.{k}",) if len(self.V) else ())),
            )
            for k in range(self.depth)
        ]
        encoder = [f"{name}.{k}" for k in range(self.depth) for name in ("W", "b")]
        last = Stage(
            name="fine-tuning all layers by the labels",
            first=round(self.depth * self.pretrain_epochs * epoch_steps),
            terms=("classification",),
            parameters=(*encoder, "logistic", "logistic_bias"),
        )
        return [*layers, last]

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step of any stage."""
        return draws_needed(self.noise.kind, rows * max(self.widths[:-1]))

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The terms [L + 1], NaN but for the one of the stage.

        Fine-tuning sees labelled [A, D] and labels int64 [A], pre-training sees x [B, D].
        """
        if self.stage == self.depth:
            logits = product(self._encode(labelled, self.depth), self.logistic) + self.logistic_bias
            cost = functional.cross_entropy(logits, labels)
        else:
            # The layers below run clean and are not trained.
            with torch.no_grad():
                below = self._encode(x, self.stage)
            corrupted, hit = corrupt_and_tell(below, self.noise.kind, knobs[self.level], draws, self.noise.salt)
            per_unit = self._per_unit(below, self._decoder(self._layer(corrupted, self.stage), self.stage))
            cost = emphasised(per_unit, hit, *self.emphasis).sum(1).mean()
        others = torch.full_like(cost.detach(), math.nan)
        return torch.stack([cost if k == self.stage else others for k in range(self.depth + 1)])

    def _layer(self, h: Tensor, k: int) -> Tensor:
        return torch.sigmoid(product(h, self.W[k]) + self.b[k])

    def _encode(self, x: Tensor, layers: int) -> Tensor:
        """The output of the lowest `layers` layers [B, D_layers] for clean x [B, D]."""
        for k in range(layers):
            x = self._layer(x, k)
        return x

    def _decoder(self, h: Tensor, k: int) -> Tensor:
        """What the decoder of layer k puts out: logits for cross-entropy, the values for squared error, [B, D_k]."""
        weight: Tensor = self.V[k] if len(self.V) else self.W[k].t()
        bias: Tensor = self.c[k]
        return product(h, weight) + bias

    def _down(self, h: Tensor, layers: int) -> Tensor:
        """Pixels [B, D] of the output h [B, D_layers] of the lowest `layers` layers, through their decoders."""
        for k in reversed(range(layers)):
            h = self._decoder(h, k)
            if self.cross_entropy:
                h = torch.sigmoid(h)
        return h

    def _per_unit(self, target: Tensor, output: Tensor) -> Tensor:
        if self.cross_entropy:
            return bernoulli_cross_entropy(target, output)
        return (target - output).square()

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The test error, which means nothing before the fine-tuning, and each layer's cost without corruption."""
        h = test.rows(slice(None))
        values = {}
        unit = ("nats" if self.cross_entropy else "squared error") + f" per image, mean over the {test.split} images"
        for k in range(self.depth):
            above = self._layer(h, k)
            cost = self._per_unit(h, self._decoder(above, k)).sum(1).mean().item()
            values[f"layer_{k + 1}"] = Value(value=cost, unit=f"{unit}, not corrupted")
            h = above
        wrong = (product(h, self.logistic) + self.logistic_bias).argmax(1) != test.labels
        unit = f"% of the {test.split} images, misclassified"
        error = Value(value=100 * wrong.float().mean().item(), unit=unit, headline=True, label="error")
        return {"error_percent": error, **values}

    def report(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """The same as `evaluate`: the paper reports the test error."""
        return self.evaluate(test, batches, seed)

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """`corrupted` and `reconstruction`, pixels [B, D] each, of the layer that is being trained, or of the top one.

        What the layer sees and what it makes of it, both brought down to pixels by the decoders below.
        """
        k = min(self.stage, self.depth - 1)
        below = self._encode(x, k)
        corrupted = corrupt(below, self.noise.kind, knobs[self.level], draws, self.noise.salt)
        restored = self._layer(corrupted, k)
        return {"corrupted": self._down(corrupted, k), "reconstruction": self._down(restored, k + 1)}

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Outputs of the hidden layers for x [B, D], bottom first, [B, D_k] each."""
        return {f"hidden.{k}": self._encode(x, k) for k in range(1, self.depth + 1)}

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """Pixels [B, D] for outputs z [B, D_L] of the top hidden layer, through the decoders of the pre-training."""
        return self._down(z, self.depth)

    @torch.no_grad()
    def classify(self, x: Tensor) -> Tensor:
        """Probabilities of the classes [B, C] for x [B, D]."""
        return torch.softmax(product(self._encode(x, self.depth), self.logistic) + self.logistic_bias, 1)

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """The reconstruction [B, D] of x [B, D] by the bottom layer, which is the one that learnt to denoise images."""
        return self._down(self._layer(x, 0), 1)
