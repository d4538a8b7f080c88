"""What all ladder networks compute: corrupted and clean encoder, decoder, denoising costs (Rasmus et al. 2015, alg. 1).

As in the authors' code of December 2015 (arXiv:1507.02672v2). Where it and the paper's Algorithm 1 differ the code is
followed: γ scales the class layer only, and the estimate of the input is not normalised.

Shape letters: A labelled rows, B unlabelled rows, D_l numbers of layer l = 0..L (input 0, top L): units, or channels
C_l × height × width. A letter z is a pre-activation after batch normalisation, h an activation; z~ and h~ are
corrupted, u is the vertical signal of the decoder and ẑ the denoised estimate of z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from laddertop.engine.data import Batches, Images
from laddertop.engine.ladder.combinators import Combinator
from laddertop.engine.ladder.layers import Layer
from laddertop.engine.ladder.statistics import Statistics
from laddertop.engine.parts.layers import normalise, normalise_with_statistics, ones, per_channel, zeros
from laddertop.engine.randomness import Draws, Stream
from laddertop.engine.randomness import draws as evaluation_draws
from laddertop.journal.declared import layer_names, model_knobs
from laddertop.journal.events import Term, TermLayer
from laddertop.journal.models import LadderSection
from laddertop.journal.spec import Spec
from laddertop.journal.value import Value

LEAK = 0.1
"""Slope of the leaky ReLU below 0."""


_BATCHES = 50
"""Batches of training images whose statistics `denoise` uses."""


class Passes(NamedTuple):
    """What the encoder's corrupted and clean passes leave behind."""

    labelled: Tensor | None
    """Corrupted labelled rows at the top, before the softmax if there is one [A, D_L]."""
    top: Tensor | None
    """Corrupted unlabelled rows at the top, after the softmax if there is one [B, D_L]."""
    z_noisy: list[Tensor]
    """Per layer z~ of the unlabelled rows [B, D_l]."""
    z_clean: list[Tensor]
    """Per layer up to the highest that a cost needs, z of the clean unlabelled rows [B, D_l]."""
    means: list[Tensor]
    """Their batch means before normalisation [D_l] or [C_l]; empty for the input; none without batch normalisation."""
    scales: list[Tensor]
    """Their 1/√(variance + ε) likewise."""


class LadderNetwork(nn.Module):
    """A ladder network over layers of any kind. Only rows and layers that some cost uses are computed."""

    def __init__(
        self, spec: Spec, layers: list[Layer], classes: int | None, precision: torch.dtype, top_scale: bool = True
    ) -> None:
        """With `classes` the top layer is their softmax, after a learnt scale γ if `top_scale`.

        Initial weights are those of numpy's RandomState(spec.seed): encoder first, then decoder from the top.
        Raises ValueError when the top layer has not as many units as classes.
        """
        super().__init__()
        assert isinstance(spec.model, LadderSection)
        self.layers, self.top, self.classes = layers, len(layers), classes
        self.shapes = [layers[0].below, *[layer.shape for layer in layers]]
        if classes and math.prod(self.shapes[-1]) != classes:
            raise ValueError(f"model: the top layer has {math.prod(self.shapes[-1])} units, the data {classes} classes")
        self.batch_norm = spec.model.batch_norm
        self.leaky = spec.model.activation == "leaky_relu"
        self.weighted = [layer for layer, weight in enumerate(spec.model.denoising) if weight > 0]
        """Layers with a denoising cost; what no cost needs is not computed."""
        self.weights = spec.model.denoising
        """λ of every layer, as the spec says."""
        self.lowest = min(self.weighted, default=self.top + 1)
        """The decoder reaches down to this layer."""
        self.rows = spec.data.batch
        self.project_every = spec.model.project_every
        self._clean, self._corrupted = Statistics(), Statistics()

        random = np.random.RandomState(spec.seed)
        decoded = range(self.lowest, self.top + 1)
        self.W = _present({i: layer.weight_up(random, precision) for i, layer in enumerate(layers)})
        self.beta = nn.ParameterDict(
            {str(i): zeros(s[0]) for i, s in enumerate(self.shapes[1:]) if layers[i].activated or self._is_class(i + 1)}
        )
        self.gamma = ones(classes) if classes and top_scale else None
        self.V = _present({i: layers[i].weight_down(random, precision) for i in reversed(decoded) if i < self.top})
        self.combinator = Combinator(spec.model)
        # One function per channel where a convolution or pooling leads up from here, else one per unit.
        self.a = nn.ParameterDict({str(i): self.combinator.initial(self._functions(i), random) for i in decoded})

        names = layer_names(spec.model)
        self.terms = [
            Term(
                name=f"denoise.{i}",
                label=f"denoising {i} {names[i]}",
                unit="squared error per unit, mean over rows",
                weight=f"lambda.{i}",
                layer=self._term_layer(i, names[i]),
            )
            for i in self.weighted
        ]
        if classes:
            label = "labelled cross-entropy"
            self.terms.insert(0, Term(name="class", label=label, unit="nats, mean over rows", weight=None))
        self.noise = spec.noise.std if isinstance(spec.noise.std, list) else [spec.noise.std] * (self.top + 1)
        """Standard deviation of the noise of every layer, as the spec says."""
        self.knobs = model_knobs(spec)

    def _term_layer(self, layer: int, name: str) -> TermLayer:
        ends = layer == 0 or self._is_class(layer)
        return TermLayer(
            index=layer,
            name=name,
            units=math.prod(self.shapes[layer]) if ends or len(self.shapes[layer]) == 1 else None,
            code=name if ends else f"h{layer}",
            noise=f"noise.std.{layer}",
        )

    def incoming(self) -> dict[str, int]:
        """Every weight up and down: the columns of a matrix, the first axis of kernels. All of them lead to a batch
        normalisation, so that their norm changes nothing that is computed."""
        weights = [("W", self.W), ("V", self.V)]
        return {f"{name}.{i}": int(w.dim() == 2) for name, part in weights for i, w in part.items()}

    def draws_needed(self, labelled_rows: int, rows: int) -> tuple[int, int]:
        """Normal and uniform draws of one step; unlabelled rows take none where no denoising cost uses them."""
        return (labelled_rows + rows * bool(self.weighted)) * sum(map(math.prod, self.shapes)), 0

    def costs(self, labelled: Tensor, labels: Tensor, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> Tensor:
        """The raw terms, in the order of `terms`, float32.

        labelled [A, D_0], labels int64 [A], x [B, D_0]; knobs are scalar tensors. There is no stop-gradient: gradients
        flow through the clean targets and their statistics, too.
        """
        passes = self._encode(labelled, x if self.weighted else x[:0], draws, knobs, max(self.weighted, default=0))
        terms = self._denoising(passes) if self.weighted else []
        if passes.labelled is not None:
            terms.insert(0, functional.cross_entropy(passes.labelled, labels))
        return torch.stack(terms)

    def _encode(
        self, labelled: Tensor, x: Tensor, draws: Draws | None, knobs: dict[str, Tensor], targets: int
    ) -> Passes:
        """Corrupted and clean encoder: corrupted labelled, corrupted and clean unlabelled rows share every product.

        Labelled and unlabelled rows have batch statistics of their own, corrupted and clean rows too. The clean pass
        goes up to layer `targets`, the others to the top; the clean labelled rows serve no cost. No draws: no noise.
        """

        def corrupt(layer: int, z: Tensor) -> Tensor:
            return z if draws is None else z + knobs[f"noise.std.{layer}"] * draws.normal(*z.shape)

        given = [rows.view(-1, *self.shapes[0]) for rows in (labelled, x) if len(rows)]
        noisy = [corrupt(0, rows) for rows in given]
        clean = given[-1:] if targets else []
        z_noisy, z_clean = [noisy[-1]], [given[-1]]
        means, scales = [x.new_empty(0)], [x.new_empty(0)]
        h = [*noisy, *clean]
        for layer in range(1, self.top + 1):
            pre = torch.split(self._up(layer, torch.cat(h)), [len(rows) for rows in h])
            noisy = [corrupt(layer, self._norm(rows)) for rows in pre[: len(noisy)]]
            z_noisy.append(noisy[-1])
            clean = []
            if layer <= targets:
                z = pre[-1]
                if self.batch_norm:
                    z, mean, scale = normalise_with_statistics(z)
                    means.append(mean)
                    scales.append(scale)
                z_clean.append(z)
                clean = [z] if layer < targets else []
            h = [self._activation(layer, z) for z in (*noisy, *clean)]
        top = self._softmax(h[-1]) if len(x) else None
        return Passes(h[0] if len(labelled) else None, top, z_noisy, z_clean, means, scales)

    def _norm(self, rows: Tensor, norm: Callable[[str, Tensor], Tensor] | None = None, name: str = "") -> Tensor:
        """Rows, normalised with their own statistics, or with those of `norm` under a name; as they are without batch
        normalisation."""
        if not self.batch_norm:
            return rows
        return norm(name, rows) if norm else normalise(rows)

    def _up(self, layer: int, h: Tensor) -> Tensor:
        return self.layers[layer - 1].up(h, self.W.get(str(layer - 1)))

    def _activation(self, layer: int, z: Tensor) -> Tensor:
        """h of z, for the class layer γ(z + β) [B, D_L] before its softmax; pooling layers have neither β nor slope."""
        key = str(layer - 1)
        if key not in self.beta:
            return z
        shifted = z + per_channel(self.beta[key], z)
        if self._is_class(layer):
            shifted = shifted.flatten(1)
            return shifted if self.gamma is None else self.gamma * shifted
        return torch.maximum(shifted, LEAK * shifted) if self.leaky else torch.relu(shifted)

    def _softmax(self, h: Tensor) -> Tensor:
        return torch.softmax(h, 1) if self.classes else h

    def _decode(
        self, z_noisy: list[Tensor], top: Tensor, norm: Callable[[str, Tensor], Tensor] | None = None
    ) -> dict[int, Tensor]:
        """Denoised estimates ẑ per layer [B, D_l], from the top down.

        z_noisy are the lateral signals [B, D_l], `top` is h~(L), where there are classes the softmax, [B, D_L]. The
        decoder's batch normalisation uses batch statistics, or those of `norm`.
        """
        denoised: dict[int, Tensor] = {}
        above = top
        for layer in range(self.top, self.lowest - 1, -1):
            u = self._norm(above, norm, f"u{layer}")
            a = per_channel(self.a[str(layer)], u)
            denoised[layer] = self.combinator(z_noisy[layer].reshape_as(u), u, a).reshape_as(z_noisy[layer])
            if layer > self.lowest:
                above = self.layers[layer - 1].down(denoised[layer], self.V.get(str(layer - 1)))
        return denoised

    def _denoising(self, passes: Passes) -> list[Tensor]:
        """The denoising costs of the weighted layers: ‖(ẑ - m)/√(v + ε) - z‖² / D_l, mean over rows; without batch
        normalisation ‖ẑ - z‖² / D_l."""
        assert passes.top is not None
        denoised = self._decode(passes.z_noisy, passes.top)
        costs = []
        for layer in self.weighted:
            estimate = denoised[layer]
            if layer > 0 and self.batch_norm:
                # With the clean statistics; the input is compared as it is: blank pixels have no variance.
                mean, scale = (per_channel(s, estimate) for s in (passes.means[layer], passes.scales[layer]))
                estimate = (estimate - mean) * scale
            # In two sums: a GPU computes the rows' side by side, but a single sum one piece after the other.
            costs.append((estimate - passes.z_clean[layer]).square().flatten(1).mean(1).mean())
        return costs

    @torch.no_grad()
    def reconstruct(self, x: Tensor, draws: Draws, knobs: dict[str, Tensor]) -> dict[str, Tensor]:
        """What the decoder makes of corrupted images: `corrupted` and `reconstruction`, [B, D_0] each.

        Uses the statistics of this batch, so x should have a hundred rows or more. Without a cost at the input there is
        no reconstruction, without any denoising cost nothing is corrupted.
        """
        if not self.weighted:
            return {}
        passes = self._encode(x[:0], x, draws, knobs, 0)
        shown = {"corrupted": passes.z_noisy[0].flatten(1)}
        if self.lowest == 0:
            assert passes.top is not None
            shown["reconstruction"] = self._decode(passes.z_noisy, passes.top)[0].flatten(1)
        return shown

    @torch.no_grad()
    def gather(self, batches: Iterable[Tensor]) -> None:
        """Fixes the statistics of the clean encoder: those of batches of images [B, D_0], passed through one by one."""
        self._clean = Statistics()
        for batch in batches if self.batch_norm else ():
            self._climb(batch, self._clean.gather)

    def clean(self, x: Tensor) -> list[Tensor]:
        """The clean activations of x [B, D_0], layer 1 up to the top (a class layer before its softmax), [B, D_l] each.

        With the statistics fixed by `gather`, which comes first.
        """
        return [h.flatten(1) for h in self._climb(x, self._clean.apply)[1]]

    @torch.no_grad()
    def gather_corrupted(self, batches: Batches) -> None:
        """Fixes the statistics of `denoise`: of training images with the spec's noise at the input, none above it."""
        self._corrupted = Statistics()
        for step in range(min(batches.epoch_steps, _BATCHES) if self.lowest == 0 and self.batch_norm else 0):
            x = batches.at(step)[2]
            noise = evaluation_draws((x.numel(), 0), 0, Stream.EVALUATE, step, x.device).normal(*x.shape)
            self._restored(x + self.noise[0] * noise, self._corrupted.gather)

    @torch.no_grad()
    def denoise(self, x: Tensor) -> Tensor:
        """The decoder's estimate of the clean images behind x [B, D_0], which is corrupted already; no noise is added.

        With the statistics fixed by `settle`, which comes first. Raises ValueError where no cost trains the decoder
        down to the input.
        """
        if self.lowest > 0:
            raise ValueError("this ladder network has no denoising cost at the input, so it reconstructs no images")
        return self._restored(x, self._corrupted.apply).flatten(1)

    def _restored(self, x: Tensor, norm: Callable[[str, Tensor], Tensor]) -> Tensor:
        z, h = self._climb(x, norm)
        return self._decode(z, self._softmax(h[-1]), norm)[0]

    def _climb(self, x: Tensor, norm: Callable[[str, Tensor], Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """z of the input and every layer, and h of every layer above it, of x [B, D_0] without noise."""
        z, h = [x.view(-1, *self.shapes[0])], [x.view(-1, *self.shapes[0])]
        for layer in range(1, self.top + 1):
            z.append(self._norm(self._up(layer, h[-1]), norm, f"z{layer}"))
            h.append(self._activation(layer, z[-1]))
        return z, h[1:]

    @torch.no_grad()
    def codes(self, x: Tensor) -> dict[str, Tensor]:
        """Clean activations [B, D_l] of the hidden layers, h1 at the bottom; `settle` comes first."""
        hidden = self.clean(x)[: -1 if self.classes else None]
        return {f"h{layer}": h for layer, h in enumerate(hidden, 1)}

    def gates(self, x: Tensor) -> dict[str, Tensor]:
        """How much of its lateral signal each decoded layer lets through: ∂ẑ/∂z~ [B, D_l] for x [B, D_0] without noise.

        With the Gaussian denoising function that is v(u) (Rasmus et al. 2015 v2, eq. 2); the input is x, then h1, ….
        """
        passes = self._encode(x[:0], x, None, {}, 0)
        assert passes.top is not None
        with torch.enable_grad():
            lateral = [z.detach().float().requires_grad_() for z in passes.z_noisy]
            denoised = self._decode(lateral, passes.top.detach())
            # A layer's estimate depends on its own lateral signal unit by unit, on those above through u alone.
            gates = {
                layer: torch.autograd.grad(estimate.sum(), lateral[layer], retain_graph=True, allow_unused=True)[0]
                for layer, estimate in denoised.items()
            }
        names = ["x", *(f"h{layer}" for layer in range(1, self.top)), "y" if self.classes else f"h{self.top}"]
        return {
            names[layer]: torch.zeros_like(lateral[layer]) if gate is None else gate.flatten(1)
            for layer, gate in gates.items()
        }

    @torch.no_grad()
    def denoising_costs(self, test: Images, seed: int) -> dict[str, Value]:
        """The denoising costs of test images, as in training: batches as large, or all where they are fewer; their
        statistics, the spec's noise."""
        knobs = {f"noise.std.{i}": torch.tensor(std, device=test.device) for i, std in enumerate(self.noise)}
        rows = min(self.rows, len(test))
        sums, count = torch.zeros(len(self.weighted), device=test.device), len(test) // rows
        for batch in range(count):
            x = test.rows(slice(batch * rows, (batch + 1) * rows))
            drawn = evaluation_draws(self.draws_needed(0, len(x)), seed, Stream.EVALUATE, batch, x.device)
            sums += torch.stack(self._denoising(self._encode(x[:0], x, drawn, knobs, self.weighted[-1])))
        unit = f"squared error per unit, mean over the {test.split} images"
        named = zip(self.weighted, (sums / count).tolist(), strict=True)
        return {f"denoise.{layer}": Value(value=cost, unit=unit) for layer, cost in named}

    def _is_class(self, layer: int) -> bool:
        return self.classes is not None and layer == self.top

    def _functions(self, layer: int) -> int:
        """How many denoising functions a layer has: one per channel below a convolution or pooling, else per unit."""
        mapped = layer < self.top and len(self.layers[layer].shape) == 3
        return self.shapes[layer][0] if mapped else math.prod(self.shapes[layer])


def _present(weights: dict[int, nn.Parameter | None]) -> nn.ParameterDict:
    return nn.ParameterDict({str(i): weight for i, weight in weights.items() if weight is not None})
