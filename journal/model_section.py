"""What the sections of all models share; laddertop.journal.models has one for each."""

from __future__ import annotations

from typing import ClassVar

from laddertop.journal.sections import DataSpec, NoiseSpec, Section, WarmupSpec


class ModelSection(Section):
    """What the spec knows of every model."""

    kind: str
    """Which model."""

    group: ClassVar[str]
    """What its recipes are listed under."""
    warmable: ClassVar[tuple[str, ...]]
    """What the warm-up factor can multiply."""
    labelled: ClassVar[bool] = False
    """Whether a step sees labelled rows."""
    noisy: ClassVar[bool] = True
    """Whether training can corrupt what the model sees."""
    ours: ClassVar[bool] = True
    """Whether an engine of ours trains it; else a program of the user's own, to which other sections mean nothing."""

    @property
    def called(self) -> str:
        """What sentences call it."""
        return self.kind

    def layers(self) -> int:
        """How many layers take noise of a strength of their own."""
        return 1

    def fits(self, data: DataSpec, noise: NoiseSpec, warmup: WarmupSpec) -> None:
        """Raises ValueError, naming the key, where other sections of the spec ask what this model can't do."""
        if not self.noisy and noise not in (NoiseSpec(), NoiseSpec(on=False)):
            raise ValueError(f"noise: nothing is corrupted in the training of an {self.called}; leave it out")
        if isinstance(noise.std, list) and len(noise.std) != self.layers():
            raise ValueError(f"noise.std: needs one number or {self.layers()}, has {len(noise.std)}")
        if self.labelled and not data.facts.same_classes:
            raise ValueError(
                f"data: the test images of {data.name} are of other classes than the training images, so what "
                f"a {self.called} learns from labels can't be tested; take another data set"
            )
        if self.labelled and data.own and data.facts.classes == 1:
            raise ValueError(f"data: {data.name} has no labels, and a {self.called} learns from labels; add them")
        if warmup.of not in self.warmable:
            raise ValueError(f"warmup.of: a {self.called} can warm up {' or '.join(self.warmable)}")

    def too_short(self, epochs: float) -> list[str]:
        """What a run of so many epochs does not come to the end of, each in a sentence."""
        return []


def needs_black_and_white(model: str, data: DataSpec) -> None:
    """Raises ValueError where pixels are no grey values, which `model`, with its article, takes for black or white."""
    if data.real:
        raise ValueError(
            f"data: {model} draws black and white pixels; take images that are not whitened, with values in 0…1"
        )
