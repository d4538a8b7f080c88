"""What each model can be told: one section per model, `[model] kind = …`."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, model_validator

from laddertop.journal.maps import Shape, shape_above
from laddertop.journal.model_section import ModelSection, needs_black_and_white
from laddertop.journal.sections import DEEPEST, LONGEST, WIDEST, DataSpec, NoiseSpec, WarmupSpec, Width, Widths

FreeBits = Annotated[float, Field(ge=0, le=1e6)] | None
_LayerWords = Annotated[
    str, Field(pattern=r"^(conv[vf]:[1-9]\d{0,4}:[1-9]\d?|maxpool:[2-9]|globalmeanpool|fc:[1-9]\d{0,4})$")
]


class LadderSection(ModelSection):
    """What all ladder networks share: the denoising function, and the weights λ of the denoising costs."""

    warmable: ClassVar[tuple[str, ...]] = ("noise", "denoising")
    combinator: Literal[
        "gauss",
        "gauss_stable",
        "gated_gauss",
        "sig",
        "no_mult",
        "no_sig",
        "linear",
        "separate",
        "modulated",
        "no_lateral",
        "mlp",
        "amlp",
    ] = "gauss"
    """Denoising function g that joins lateral and vertical signal."""
    combinator_hidden: list[Annotated[int, Field(ge=1, le=16)]] = Field(default=[2, 2, 2], min_length=1, max_length=4)
    """Hidden units per layer of the denoising functions mlp and amlp."""
    combinator_shared: bool = False
    """Whether all units of a layer share one set of the parameters of g."""
    combinator_init: Literal["published", "random", "reversed"] = "published"
    """Initial parameters of g: as published, all random, or the weights of z~ at 0 and those of u at 1."""
    combinator_std: float = Field(default=0.1, gt=0, le=10)
    """Standard deviation of random initial parameters of g, and of the weights of mlp and amlp."""
    activation: Literal["relu", "leaky_relu"] = "relu"
    """Activation of the hidden layers; the leaky one has slope 0.1 below 0."""
    denoising: list[float]
    """Weights λ of the denoising costs, input first. The decoder reaches down to the lowest non-zero."""
    batch_norm: bool = True
    """Whether pre-activations and vertical signals are batch-normalised; off: the targets of the denoising costs are
    the pre-activations as they are, which nothing keeps from shrinking."""
    project_every: int = Field(default=0, ge=0, le=LONGEST)
    """Steps after which the weights that come into a unit are scaled to norm 1 (Huang et al. 2017); 0: never."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, the noise is gaussian."""
        if noise.kind != "gaussian":
            raise ValueError("noise.kind: a ladder network takes gaussian noise only")
        super().fits(data, noise, warmup)

    @model_validator(mode="after")
    def _denoises_as_it_can(self) -> LadderSection:
        if min(self.denoising, default=0) < 0 or max(self.denoising, default=0) > 1e6:
            raise ValueError("denoising weights must not be negative or above 1e6")
        needed, given = self.layers(), len(self.denoising)
        if given != needed:
            raise ValueError(f"denoising needs {needed} weights (input and every layer), has {given}")
        if self.project_every and not self.batch_norm:
            raise ValueError("project_every: with batch_norm only, which makes the norm of the weights mean nothing")
        swappable = ("sig", "no_mult", "no_sig", "linear", "no_lateral")
        if self.combinator_init == "reversed" and self.combinator not in swappable:
            raise ValueError(f"combinator_init: reversed goes with the combinators {', '.join(swappable)}")
        return self


class LabelledLadderSection(LadderSection):
    """What ladder networks with classes share."""

    labelled: ClassVar[bool] = True
    statistics: Literal["labelled", "training"] = "labelled"
    """Images whose batch statistics the clean encoder takes when it is evaluated: the labelled ones, as published, or
    all training images."""


class LadderSpec(LabelledLadderSection):
    """Ladder network (Rasmus et al. 2015). Bottom-only, Γ and the supervised baseline are other weights λ."""

    group: ClassVar[str] = "ladder network"
    kind: Literal["ladder"]
    """Which model."""
    widths: Widths = Field(default=[1000, 500, 250, 250, 250])
    """Hidden units per layer, from the input up; the input's and the classes' widths come from the data."""
    denoising: list[float] = Field(default=[1000, 10, 0.1, 0.1, 0.1, 0.1, 0.1])
    """Weights λ of the denoising costs, input first. The decoder reaches down to the lowest non-zero."""

    def layers(self) -> int:
        """Input, hidden layers and top."""
        return len(self.widths) + 2


class ConvLadderSpec(LabelledLadderSection):
    """Convolutional ladder network (Rasmus et al. 2015, sections 4.1.3 and 4.2): Conv-FC, Conv-Small, Conv-Large."""

    group: ClassVar[str] = "convolutional ladder network"
    kind: Literal["conv_ladder"]
    """Which model."""
    architecture: list[_LayerWords] = Field(min_length=1, max_length=DEEPEST)
    """Layers from the input up: convv:C:K and convf:C:K (convolutions to C channels, kernel K, valid and full padding),
    maxpool:K, globalmeanpool, fc:N. The last is the softmax and has as many units as the data has classes."""
    top_scale: bool = True
    """Whether the class layer has a learnt scale γ before its softmax."""

    def layers(self) -> int:
        """The input and every layer of the architecture."""
        return len(self.architecture) + 1

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, each layer fits on the one below, and the top one is the classes."""
        super().fits(data, noise, warmup)
        images = data.facts
        above: Shape = (images.channels, images.height, images.width)
        for words in self.architecture:
            above = shape_above(words, above)
        if (units := math.prod(above)) != images.classes:
            raise ValueError(
                f"model.architecture: the top layer has {units} units, {data.name} has {images.classes} classes"
            )


class UnsupervisedLadderSpec(LadderSection):
    """Ladder network without labels (Valpola 2015): every layer denoises, no layer classifies."""

    group: ClassVar[str] = "ladder network without labels"
    kind: Literal["unsupervised_ladder"]
    """Which model."""
    widths: Widths = Field(default=[1000, 500, 250, 250, 250])
    """Units per layer above the input, from the bottom up."""
    denoising: list[float] = Field(default=[1000, 10, 0.1, 0.1, 0.1, 0.1])
    """Weights λ of the denoising costs, input first. The decoder reaches down to the lowest non-zero."""

    def layers(self) -> int:
        """Input and hidden layers."""
        return len(self.widths) + 1

    @model_validator(mode="after")
    def _one_weight_is_left(self) -> UnsupervisedLadderSpec:
        if not any(self.denoising):
            raise ValueError("denoising: without labels one weight at least must be above 0")
        return self


class VaeSpec(ModelSection):
    """Variational autoencoder (Kingma & Welling 2013), also importance-weighted (Burda et al. 2016) and denoising."""

    group: ClassVar[str] = "VAE, IWAE and denoising VAE"
    warmable: ClassVar[tuple[str, ...]] = ("kl", "noise")
    kind: Literal["vae"]
    """Which model."""
    hidden: Widths = Field(default=[200, 200])
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    latent: Width = 50
    """Latent units, of the lower stochastic layer where there are two."""
    upper_hidden: list[Width] = Field(default=[], max_length=DEEPEST)
    """Hidden units between the two stochastic layers, from the lower one up; the decoder mirrors them."""
    upper_latent: int = Field(default=0, ge=0, le=WIDEST)
    """Latent units of a second stochastic layer above the first; 0: there is none."""
    decoder_hidden: Annotated[list[Width], Field(max_length=DEEPEST)] | None = None
    """Hidden units of the decoder, from the latent units down to the pixels; none: those of the encoder, mirrored."""
    activation: Literal["tanh", "relu", "softplus"] = "tanh"
    """Activation of the hidden layers."""
    output: Literal["bernoulli", "gaussian"] = "bernoulli"
    """Distribution of a pixel; gaussian with a mean and a standard deviation of its own for every pixel."""
    bound: Literal["elbo", "iwae"] = "elbo"
    """What is maximised over the samples of an image: the mean of log w, or the log of the mean of w."""
    samples: int = Field(default=1, ge=1, le=1000)
    """Samples of the latent units per image in training."""
    free_bits: FreeBits = None
    """λ nats per image that each layer tells at no price, Σ max(λ, KL) (Kingma et al. 2016); none: it pays for all."""
    gradient_noise: bool = False
    """Whether evaluations measure how much the gradient varies with what is drawn, by two estimators of it."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, pixels are distributed as the data is."""
        super().fits(data, noise, warmup)
        if self.output == "bernoulli" and data.real:
            raise ValueError(f"model.output: {data.why_real()} need gaussian")
        if self.output == "gaussian" and data.binarise != "none":
            raise ValueError("data.binarise: none, where model.output is gaussian")
        if self.free_bits is not None and self.bound == "iwae":
            raise ValueError("model.free_bits: of the bound elbo only, whose KL stands by itself")
        if self.gradient_noise and (self.bound == "iwae" or self.upper_latent):
            raise ValueError("model.gradient_noise: of the bound elbo and one stochastic layer only")

    @model_validator(mode="after")
    def _a_second_layer_is_whole(self) -> VaeSpec:
        if bool(self.upper_hidden) != bool(self.upper_latent):
            raise ValueError("upper_hidden and upper_latent: a second stochastic layer needs both")
        return self


class LvaeSpec(ModelSection):
    """Deep VAE and ladder VAE: several stochastic layers and a Bernoulli decoder (Sønderby et al. 2016)."""

    group: ClassVar[str] = "deep VAE and ladder VAE"
    warmable: ClassVar[tuple[str, ...]] = ("kl",)
    noisy: ClassVar[bool] = False
    kind: Literal["lvae"]
    """Which model."""
    latent: list[Width] = Field(default=[64, 32, 16, 8, 4], min_length=1, max_length=5)
    """Units of the stochastic layers, from the bottom up."""
    hidden: list[Width] = Field(default=[512, 256, 128, 64, 32], min_length=1, max_length=5)
    """Units of the MLP below each stochastic layer, from the bottom up; one number per stochastic layer."""
    dense: int = Field(default=2, ge=1, le=10)
    """Dense layers of every MLP."""
    inference: Literal["bottom_up", "ladder"] = "ladder"
    """bottom_up: deep VAE; ladder: up without draws, then down, merged with the generative model by precision."""
    top_down: Literal["shared", "separate"] = "shared"
    """What the ladder merges with: the generative model itself, or a top-down model of the inference's own."""
    batch_norm: bool = True
    """Whether every dense layer but the output is batch-normalised."""
    leak: float = Field(default=0.1, ge=0, le=1)
    """Slope of the leaky ReLUs below 0: 0.1 in the paper, 0.01 in the authors' code."""
    mc_samples: int = Field(default=1, ge=1, le=1000)
    """Monte-Carlo samples per image in training: the bound is averaged over them."""
    iw_samples: int = Field(default=1, ge=1, le=1000)
    """Importance samples per image in training, for each Monte-Carlo sample."""
    free_bits: FreeBits = None
    """λ nats per image that each layer tells at no price, Σ max(λ, KL) (Kingma et al. 2016); none: it pays for all."""

    @model_validator(mode="after")
    def _one_mlp_per_stochastic_layer_and_a_kl_that_stands_by_itself(self) -> LvaeSpec:
        if self.free_bits is not None and self.iw_samples > 1:
            raise ValueError("free_bits: with iw_samples = 1 only, where the KL stands by itself")
        if len(self.hidden) != len(self.latent):
            needed, given = len(self.latent), len(self.hidden)
            raise ValueError(f"hidden needs {needed} numbers, one per stochastic layer, has {given}")
        return self


class M2Spec(ModelSection):
    """Semi-supervised VAE M2 (Kingma, Mohamed, Rezende & Welling 2014): the class is latent, too, but for labels."""

    group: ClassVar[str] = "semi-supervised VAE"
    warmable: ClassVar[tuple[str, ...]] = ("kl",)
    labelled: ClassVar[bool] = True
    noisy: ClassVar[bool] = False
    kind: Literal["m2"]
    """Which model."""
    hidden: Widths = Field(default=[500])
    """Hidden units of q(z|x, y) and of q(y|x), from the input up; the decoder mirrors them."""
    latent: Width = 50
    """Latent units z, beside the class."""
    activation: Literal["tanh", "relu", "softplus"] = "softplus"
    """Activation of the hidden layers."""
    init_std: float = Field(default=0.001, gt=0, le=10)
    """Standard deviation of the initial weights."""
    alpha: float = Field(default=0.1, ge=0, le=1e6)
    """Weight of the labels' cross-entropy in the cost of an image; times the training images it is α of equation 9."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, a pixel is black or white."""
        super().fits(data, noise, warmup)
        needs_black_and_white("an m2", data)


class DaeSpec(ModelSection):
    """Denoising autoencoder (Vincent et al. 2010); without corruption the plain autoencoder."""

    group: ClassVar[str] = "autoencoder and denoising autoencoder"
    warmable: ClassVar[tuple[str, ...]] = ("noise",)
    kind: Literal["dae"]
    """Which model."""
    hidden: Widths = Field(default=[1000])
    """Hidden units of the encoder, from the input up; the decoder mirrors them."""
    tied: bool = True
    """Decoder weights are the transposed encoder weights."""
    activation: Literal["sigmoid", "tanh", "relu"] = "sigmoid"
    """Activation of the hidden layers."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """Reconstruction cost, summed over pixels: cross-entropy (sigmoid output) or squared error (linear output)."""
    on_corrupted: float = Field(default=1, ge=0, le=100)
    """Emphasis α: what the cost of a corrupted pixel is multiplied by."""
    on_kept: float = Field(default=1, ge=0, le=100)
    """Emphasis β: what the cost of a pixel that was kept is multiplied by."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, the cost is one for the data."""
        super().fits(data, noise, warmup)
        if self.loss == "cross_entropy" and data.real:
            raise ValueError(f"model.loss: {data.why_real()} need squared")


class SdaeSpec(ModelSection):
    """Stacked denoising autoencoder (Vincent et al. 2010): a layer is trained after the other, then all by labels."""

    group: ClassVar[str] = "stacked denoising autoencoder"
    warmable: ClassVar[tuple[str, ...]] = ("noise",)
    labelled: ClassVar[bool] = True
    kind: Literal["sdae"]
    """Which model."""
    hidden: Widths = Field(default=[1000, 1000, 1000])
    """Hidden sigmoid units, from the input up; each layer is pre-trained as a denoising autoencoder."""
    pretrain_epochs: float = Field(default=15, ge=0, le=LONGEST)
    """Passes over the training images that each layer is pre-trained for; the rest of the run is fine-tuning."""
    tied: bool = True
    """Decoder weights are the transposed encoder weights."""
    loss: Literal["cross_entropy", "squared"] = "cross_entropy"
    """Reconstruction cost, summed over units: cross-entropy (sigmoid output) or squared error (linear output)."""
    on_corrupted: float = Field(default=1, ge=0, le=100)
    """Emphasis α: what the cost of a corrupted unit is multiplied by."""
    on_kept: float = Field(default=1, ge=0, le=100)
    """Emphasis β: what the cost of a unit that was kept is multiplied by."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, the cost is one for the data."""
        super().fits(data, noise, warmup)
        if self.loss == "cross_entropy" and data.real:
            raise ValueError(f"model.loss: {data.why_real()} need squared")

    def too_short(self, epochs: float) -> list[str]:
        """Pre-training that leaves nothing of the run."""
        before = self.pretrain_epochs * len(self.hidden)
        if before < epochs:
            return []
        return [f"pre-training takes {before:g} epochs and the run has {epochs:.4g}: no labels are learnt from"]


class GsnSpec(ModelSection):
    """Generative stochastic network, with one hidden layer the walkback autoencoder (Bengio et al. 2013)."""

    group: ClassVar[str] = "walkback and GSN"
    warmable: ClassVar[tuple[str, ...]] = ("noise",)
    kind: Literal["gsn"]
    """Which model."""
    hidden: Widths = Field(default=[1500, 1500])
    """Hidden units, from the input up."""
    activation: Literal["sigmoid", "tanh", "relu"] = "tanh"
    """Activation of the hidden layers."""
    walkback: int = Field(default=4, ge=1, le=50)
    """Steps of the chain that a training step goes; its cost is the sum over them."""
    hidden_noise: float = Field(default=2.0, ge=0, le=10)
    """Standard deviation of the noise before and after the activation of hidden layers above the first."""

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Beyond what holds for every model, a pixel is black or white."""
        super().fits(data, noise, warmup)
        needs_black_and_white("a gsn", data)

    @model_validator(mode="after")
    def _the_chain_reaches_the_top(self) -> GsnSpec:
        # The image hears of the first layer at once, and of two more with every transition.
        if self.walkback <= len(self.hidden) // 2:
            raise ValueError(
                f"walkback: {len(self.hidden)} hidden layers need {len(self.hidden) // 2 + 1} steps at least, "
                "so that the cost reaches the top one"
            )
        return self


ModelSpec = (
    LadderSpec | ConvLadderSpec | UnsupervisedLadderSpec | VaeSpec | LvaeSpec | M2Spec | DaeSpec | SdaeSpec | GsnSpec
)
"""The section of any model."""

KINDS: tuple[type[ModelSection], ...] = get_args(ModelSpec)
"""Every model section."""
