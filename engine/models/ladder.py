"""Ladder network, semi-supervised (Rasmus et al. 2015, arXiv:1507.02672v2; the authors' code of December 2015).

Full, bottom-only, Γ-model and the supervised baseline are this model with other weights λ of the denoising costs.

Shape letters: A labelled rows, B unlabelled rows, D_l units of layer l = 0..L (input 0, top L).
A letter z is a pre-activation after batch normalisation, h an activation; z~ and h~ are corrupted, u is the vertical
signal of the decoder and ẑ the denoised estimate of z.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.combinators import Combinator
from engine.data import Batches, Images
from engine.knobs import number
from engine.layers import EPSILON, normalise, normalise_with_statistics, ones, product, weight, zeros
from engine.randomness import Draws
from journal.events import Knob, Term, Value
from journal.models import LadderSpec
from journal.spec import Spec


class Ladder(nn.Module):
    """A ladder network with one of the denoising functions of `engine.combinators`."""

    def __init__(self, spec: Spec, pixels: int, classes: int, precision: torch.dtype) -> None:
        """Initial weights are those of numpy's RandomState(spec.seed): encoder first, then decoder from the top."""
        super().__init__()
        assert isinstance(spec.model, LadderSpec)
        self.widths = [pixels, *spec.model.widths, classes]
        self.top = len(self.widths) - 1
        weighted = [layer for layer, weight in enumerate(spec.model.denoising) if weight > 0]
        self.lowest = min(weighted, default=self.top + 1)
        """The decoder reaches down to this layer: no cost uses what lies below."""

        random = np.random.RandomState(spec.seed)
        widths, layers = self.widths, range(self.lowest, self.top + 1)
        self.W = nn.ParameterList([_normal(random, widths[i], widths[i + 1], precision) for i in range(self.top)])
        self.beta = nn.ParameterList([zeros(width) for width in widths[1:]])
        self.gamma = ones(classes)
        self.V = nn.ParameterDict(
            {str(i): _normal(random, widths[i + 1], widths[i], precision) for i in reversed(layers) if i < self.top}
        )
        self.combinator = Combinator(spec.model)
        self.a = nn.ParameterDict({str(i): self.combinator.initial(widths[i], random) for i in layers})

        self.terms = [Term(name="class", label="labelled cross-entropy", unit="nats, mean over rows", weight=None)] + [
            Term(
                name=f"denoise.{i}",
                label=f"denoising {_layer_name(i, widths)}",
                unit="squared error per unit, mean over rows",
                weight=f"lambda.{i}",
            )
            for i in layers
        ]
        self.knobs = _knobs(spec, widths, self.lowest)

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step."""
        return (labelled_rows + rows) * sum(self.widths), 0

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The raw terms, in the order of `terms`, float32.

        labelled [A, D_0], labels int64 [A], x [B, D_0]; knobs are scalar tensors. There is no stop-gradient: gradients
        flow through the clean targets and their statistics, too.
        """
        z_noisy, logits, unlabelled_logits, z_clean, means, scales = self._encode(labelled, x, draws, knobs)
        terms = [functional.cross_entropy(logits, labels)]
        denoised = self._decode(z_noisy, torch.softmax(unlabelled_logits, 1))
        for layer in range(self.lowest, self.top + 1):
            estimate = denoised[layer]
            if layer > 0:
                estimate = (estimate - means[layer]) * scales[layer]
            terms.append(functional.mse_loss(estimate, z_clean[layer]))
        return torch.stack(terms)

    def _encode(
        self, labelled: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]
    ) -> tuple[list[Tensor], Tensor, Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """Corrupted and clean encoder: corrupted labelled, corrupted and clean unlabelled rows share every product.

        Returns, of the unlabelled rows, z~ per layer [B, D_l]; corrupted logits of the labelled [A, D_L] and of the
        unlabelled rows [B, D_L]; and of the clean rows z per layer [B, D_l], with the batch means before normalisation
        and 1/√variance [D_l]. The clean labelled rows serve no cost.
        """

        def noise(layer: int, z: Tensor) -> Tensor:
            return z + knobs[f"noise.std.{layer}"] * draws.normal(*z.shape)

        rows = [len(labelled), len(x), len(x)]
        z_labelled, noisy, clean = noise(0, labelled), noise(0, x), x
        z_noisy, z_clean, means, scales = [noisy], [clean], [x.new_empty(0)], [x.new_empty(0)]
        h = torch.cat([z_labelled, noisy, clean])
        for layer in range(1, self.top + 1):
            # Labelled and unlabelled rows have batch statistics of their own, corrupted and clean rows too.
            parts = torch.split(product(h, self.W[layer - 1]), rows)
            z_labelled = noise(layer, normalise(parts[0]) if rows[0] else parts[0])
            noisy = noise(layer, normalise(parts[1]))
            clean, mean, scale = normalise_with_statistics(parts[2])
            z_noisy.append(noisy)
            z_clean.append(clean)
            means.append(mean)
            scales.append(scale)
            if layer < self.top:
                h = torch.cat([torch.relu(z + self.beta[layer - 1]) for z in (z_labelled, noisy, clean)])
        logits, unlabelled_logits = (self.gamma * (z + self.beta[-1]) for z in (z_labelled, noisy))
        return z_noisy, logits, unlabelled_logits, z_clean, means, scales

    def _decode(self, z_noisy: list[Tensor], top: Tensor) -> dict[int, Tensor]:
        """Denoised estimates ẑ per layer [B, D_l], from the top down.

        z_noisy are the lateral signals [B, D_l], `top` is the corrupted softmax output [B, D_L]. The decoder's batch
        normalisation always uses batch statistics.
        """
        denoised: dict[int, Tensor] = {}
        for layer in range(self.top, self.lowest - 1, -1):
            above = top if layer == self.top else product(denoised[layer + 1], self.V[str(layer)])
            denoised[layer] = self.combinator(z_noisy[layer], normalise(above), self.a[str(layer)])
        return denoised

    @torch.no_grad()
    def evaluate(self, test: Images, batches: Batches, seed: int) -> dict[str, Value]:
        """Test error of the clean encoder with fixed statistics, as the authors measure it.

        The statistics are those of the clean labelled rows: the mean over batches of the batch means, and of the batch
        variances times n/(n-1).
        """
        sums = [
            (torch.zeros(w, device=test.pixels.device), torch.zeros(w, device=test.pixels.device)) for w in self.widths
        ]
        labelled_batches = batches.labelled_batches()
        for batch in labelled_batches:
            h = batch
            for layer in range(1, self.top + 1):
                pre = product(h, self.W[layer - 1])
                variance, mean = torch.var_mean(pre, 0, correction=0)
                sums[layer][0].add_(mean)
                sums[layer][1].add_(variance * len(batch) / (len(batch) - 1))
                h = torch.relu((pre - mean) * torch.rsqrt(variance + EPSILON) + self.beta[layer - 1])
        h = test.rows(slice(None))
        for layer in range(1, self.top + 1):
            mean, variance = (total / len(labelled_batches) for total in sums[layer])
            z = (product(h, self.W[layer - 1]) - mean) * torch.rsqrt(variance + EPSILON)
            h = z + self.beta[layer - 1]
            h = torch.relu(h) if layer < self.top else self.gamma * h
        error = (h.argmax(1) != test.labels).float().mean() * 100
        entropy = functional.cross_entropy(h, test.labels)
        return {
            "error_percent": Value(value=error.item(), unit="% of images"),
            "cross_entropy": Value(value=entropy.item(), unit="nats, mean over images"),
        }

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the decoder makes of corrupted images: `corrupted` and `reconstruction`, [B, D_0] each.

        Uses the statistics of this batch, so x should have a hundred rows or more. Without a cost at the input there is
        no reconstruction.
        """
        z_noisy, _, logits, *_ = self._encode(x[:0], x, draws, knobs)
        shown = {"corrupted": z_noisy[0]}
        if self.lowest == 0:
            shown["reconstruction"] = self._decode(z_noisy, torch.softmax(logits, 1))[0]
        return shown


def _normal(random: np.random.RandomState, inputs: int, outputs: int, precision: torch.dtype) -> nn.Parameter:
    """Weights [inputs, outputs] ~ N(0, 1/inputs)."""
    return weight(random.randn(inputs, outputs) / np.sqrt(inputs), precision)


def _layer_name(layer: int, widths: list[int]) -> str:
    return f"{layer} {'x' if layer == 0 else 'y' if layer == len(widths) - 1 else f'h{widths[layer]}'}"


def _knobs(spec: Spec, widths: list[int], lowest: int) -> list[Knob]:
    assert isinstance(spec.model, LadderSpec)
    std = spec.noise.std if isinstance(spec.noise.std, list) else [spec.noise.std] * len(widths)
    noise = []
    for i, value in enumerate(std):
        help = f"Standard deviation of the Gaussian noise at layer {i}."
        label = f"σ {_layer_name(i, widths)}"
        noise.append(number(f"noise.std.{i}", label, "standard deviation", 0, 10, value, 1.25, help))
    weights = []
    for i in range(lowest, len(widths)):
        help = f"Weight of the denoising cost of layer {i}."
        label = f"λ {_layer_name(i, widths)}"
        weights.append(number(f"lambda.{i}", label, "", 0, 1e6, spec.model.denoising[i], 1.5, help))
    return noise + weights
