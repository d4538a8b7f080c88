"""The kinds of models, each with what the tests that hold for every kind need of it: the one place that lists them."""

from __future__ import annotations

from dataclasses import dataclass

from laddertop.journal.spec import Spec, load_recipe, override

NAN = float("nan")


@dataclass(frozen=True)
class Kind:
    """A kind of model as the tests train it, small and on the digits."""

    recipe: str
    settings: tuple[str, ...]
    """What makes it small."""
    costs: tuple[float, ...]
    """At step 0 in float64, as this implementation had them when the tests against independent references passed: they
    change when data, draws, initial values or formulas do."""
    nudged: tuple[float, ...]
    """The same once every parameter is moved by a wave; many start at 0, which hides whatever multiplies them."""
    layers: dict[str, str]
    """Its layers top first, each with the term that is its cost, or nothing."""
    variants: tuple[tuple[str, ...], ...] = ()
    """Settings that change how many parameters it has or how it computes."""


_TWO_LAYERS = ("model.upper_hidden=[9]", "model.upper_latent=3", "model.samples=4")

KINDS = {
    "ladder": Kind(
        "ladder-digits",
        ("model.widths=[32, 16]", "model.denoising=[10, 1, 0.1, 0.1]", "warmup.on=off"),
        (2.75729663, 0.229301758, 2.63382788, 1.785718, 1.24631506),
        (2.91685144, 0.23398563, 2.50454032, 1.68608941, 1.21283956),
        {"y": "denoise.3", "h2": "denoise.2", "h1": "denoise.1", "x": "denoise.0"},
        (
            ("model.denoising=[0, 0, 0, 1]",),
            ("model.denoising=[0, 0, 0, 0]",),
            ("data.labels=all",),
            ("model.batch_norm=off",),
        ),
    ),
    "conv_ladder": Kind(
        "conv-fc-mnist-100",
        (
            "data.name=digits",
            'model.architecture=["convf:4:3", "maxpool:2", "convv:6:3", "convv:10:1", "globalmeanpool"]',
            "model.denoising=[10, 1, 0.1, 0.1, 0.1, 0.1]",
        ),
        (2.84284248, 0.229301758, 1.23221846, 2.24479765, 1.18718208, 1.54079336, 6.86928378),
        (2.78424063, 0.229550427, 1.74183414, 2.50954774, 1.15609135, 1.61134113, 7.17285632),
        {
            "y": "denoise.5",
            "h4": "denoise.4",
            "h3": "denoise.3",
            "h2": "denoise.2",
            "h1": "denoise.1",
            "x": "denoise.0",
        },
        (("model.denoising=[0, 0, 0, 0, 0, 1]", "model.top_scale=off"),),
    ),
    "unsupervised_ladder": Kind(
        "ladder-unsupervised-mnist",
        ("data.name=digits", "model.widths=[32, 16]", "model.denoising=[10, 1, 0.1]"),
        (0.229301758, 2.63382788, 1.785718),
        (0.234217049, 2.5069144, 1.78193909),
        {"h2": "denoise.2", "h1": "denoise.1", "x": "denoise.0"},
        (("model.denoising=[0, 1, 0.1]",),),
    ),
    "vae": Kind(
        "vae-mnist",
        ("data.name=digits", "model.hidden=[32]", "model.latent=5", "data.binarise=none"),
        (28.4987868, 2.49044733),
        (28.8363331, 2.66446203),
        {"z": "kl"},
        (
            _TWO_LAYERS,
            ("model.output=gaussian", "model.decoder_hidden=[7, 8]"),
            ("model.bound=iwae", *_TWO_LAYERS),
        ),
    ),
    "lvae": Kind(
        "lvae-mnist",
        ("data.name=digits", "model.latent=[6, 4, 3]", "model.hidden=[16, 12, 8]"),
        (45.0760459, 3.70141315, 2.39128655, 1.65786013),
        (45.8360363, 3.24508181, 2.73501409, 1.61206476),
        {"z3": "kl.3", "z2": "kl.2", "z1": "kl.1"},
        (
            ("model.inference=bottom_up", "model.iw_samples=3"),
            ("model.top_down=separate", "model.mc_samples=2"),
            ("model.batch_norm=off", "model.dense=1"),
        ),
    ),
    "m2": Kind(
        "m2-mnist-100",
        ("data.name=digits", "model.hidden=[32]", "model.latent=5", "model.init_std=0.1"),
        (43.473653, 0.66028364, 0.27908672, 2.47909348, 0.026446867),
        (43.5901063, 0.524081457, 0.339074157, 2.5546518, 0.0399723318),
        {"z": "kl"},
        (("model.hidden=[32, 16]", "data.labels=all", "data.binarise=none"),),
    ),
    "dae": Kind(
        "dae-mnist",
        ("data.name=digits", "model.hidden=[32]"),
        (69.2504545,),
        (69.3633076,),
        {"hidden.1": ""},
        (("model.tied=off", "model.hidden=[32, 16]"),),
    ),
    "sdae": Kind(
        "sdae-digits",
        ("model.hidden=[32, 16]", "model.pretrain_epochs=0.5", "steps=60"),
        (NAN, NAN, 2.30258509),
        (NAN, NAN, 2.28622175),
        {"hidden.2": "layer.2", "hidden.1": "layer.1"},
        (("model.tied=off",),),
    ),
    "gsn": Kind(
        "gsn-mnist",
        ("data.name=digits", "model.hidden=[32, 24]", "model.walkback=3"),
        (0.73646843, 0.782516223, 0.785551585),
        (0.744261829, 0.801315972, 0.805287939),
        {"hidden.2": "", "hidden.1": ""},
        (("model.hidden=[32]", "model.walkback=2"),),
    ),
}
"""Every kind."""

LADDERS = [kind for kind, known in KINDS.items() if "x" in known.layers]
"""Those that denoise every layer."""


def small_spec(kind: str, *settings: str) -> Spec:
    """A spec of the given kind that trains on the digits in a moment."""
    common = ["steps=60", "data.batch=50", "data.labelled_batch=50", "samples.items=4", *settings]
    return override(load_recipe(KINDS[kind].recipe), [*KINDS[kind].settings, *common])
