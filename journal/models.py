"""What each model can be told: one section per model, `[model] kind = …`."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from journal.sections import Section


class ModelSection(Section):
    """What the spec knows of every model."""

    warmable: ClassVar[tuple[str, ...]]
    """What the warm-up factor can multiply."""
    labelled: ClassVar[bool] = False
    """Whether a step sees labelled rows."""

    def layers(self) -> int:
        """How many layers take noise of a strength of their own."""
        return 1


class LadderSpec(ModelSection):
    """Ladder network (Rasmus et al. 2015). Bottom-only, Γ and the supervised baseline are other weights λ."""

    warmable: ClassVar[tuple[str, ...]] = ("noise", "denoising")
    labelled: ClassVar[bool] = True
    kind: Literal["ladder"]
    """Which model."""
    widths: list[int] = Field(default=[1000, 500, 250, 250, 250], min_length=1)
    """Hidden units per layer, from the input up; the input's and the classes' widths come from the data."""
    combinator: Literal["gauss"] = "gauss"
    """Denoising function g that joins lateral and vertical signal."""
    denoising: list[float] = Field(default=[1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1])
    """Weights λ of the denoising costs, input first. The decoder reaches down to the lowest non-zero."""

    def layers(self) -> int:
        """Input, hidden layers and top."""
        return len(self.widths) + 2

    @model_validator(mode="after")
    def _one_weight_per_layer(self) -> LadderSpec:
        if len(self.denoising) != self.layers():
            raise ValueError(
                f"denoising needs {self.layers()} weights (input, {len(self.widths)} hidden layers, top), "
                f"has {len(self.denoising)}"
            )
        if min(self.denoising) < 0 or max(self.denoising) > 1e6:
            raise ValueError("denoising weights must not be negative or above 1e6")
        if min(self.widths) < 1:
            raise ValueError("widths must be positive")
        return self


class VaeSpec(ModelSection):
    """Variational autoencoder with one stochastic layer and a Bernoulli decoder (Kingma & Welling 2013)."""

    warmable: ClassVar[tuple[str, ...]] = ("kl", "noise")
    kind: Literal["vae"]
    """Which model."""
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[200, 200], min_length=1)
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    latent: int = Field(default=50, ge=1)
    """Latent units."""
    activation: Literal["tanh", "relu", "softplus"] = "tanh"
    """Activation of the hidden layers."""


class DaeSpec(ModelSection):
    """Denoising autoencoder (Vincent et al. 2010); without corruption the plain autoencoder."""

    warmable: ClassVar[tuple[str, ...]] = ("noise",)
    kind: Literal["dae"]
    """Which model."""
    hidden: list[Annotated[int, Field(ge=1)]] = Field(default=[1000], min_length=1)
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    tied: bool = True
    """Decoder weights are the transposed encoder weights."""
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """Activation of the hidden layers."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """Reconstruction cost, summed over pixels: cross-entropy (sigmoid output) or squared error (linear output)."""


ModelSpec = LadderSpec | VaeSpec | DaeSpec
"""The section of any model."""

KINDS: tuple[type[ModelSection], ...] = get_args(ModelSpec)
"""Every model section."""
