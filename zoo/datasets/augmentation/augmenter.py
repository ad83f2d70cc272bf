"""Changes to training images, drawn for each (seed, epoch, example) and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from recipes.recipe import Named
from zoo.base.errors import UsageError, unknown
from zoo.datasets.augmentation import geometric, mixing, photometric, random_numbers
from zoo.datasets.augmentation.arguments import Mix, Step, checked_arguments
from zoo.datasets.features.base import Feature

ALONE = {**geometric.KINDS, **mixing.CUTS}
KINDS = {**ALONE, **photometric.KINDS, **mixing.MIXES}
"""By the name that recipes use."""


@dataclass(frozen=True)
class Augmenter:
    """The steps of a recipe: changes of each image alone, and after them mixes with another."""

    column: str
    """The images that are changed."""
    steps: tuple[Step, ...] = ()
    mixers: tuple[Mix, ...] = ()

    @property
    def mixes(self) -> bool:
        """Whether images are mixed with others, and so targets too."""
        return bool(self.mixers)

    def __call__(self, images: Any, seeds: Any) -> Any:
        """Return the images (B, height, width, channels) changed, each by its own seeds.

        Args:
            images: Encoded, float32.
            seeds: (B, 2) int64, one pair for each (seed, epoch, example).
        """
        for number, step in enumerate(self.steps):
            images = step(images, _seeds_of_step(seeds, number))
        return images

    def partners(self, seeds: Any, size: int) -> Any:
        """Return which of `size` examples each is mixed with: (B,) int64.

        Args:
            seeds: As for the images.
            size: Of the training split.
        """
        return random_numbers.places(seeds, size)

    def mix(
        self, images: Any, targets: Any, other_images: Any, other_targets: Any, seeds: Any
    ) -> tuple[Any, Any]:
        """Return images mixed with others, and targets with the others' by the same shares.

        Args:
            images: (B, height, width, channels), changed.
            targets: Probabilities (B, classes), or (B,) or (B, 1) of the second of two classes.
            other_images: One for each, changed by seeds of their own.
            other_targets: Theirs.
            seeds: The images'.
        """
        targets, other_targets = (tf.cast(each, tf.float32) for each in (targets, other_targets))
        for number, mixer in enumerate(self.mixers, start=len(self.steps)):
            images, kept = mixer(images, other_images, _seeds_of_step(seeds, number))
            kept = tf.reshape(kept, (-1, *(1,) * (len(targets.shape) - 1)))
            targets = kept * targets + (1.0 - kept) * other_targets
        return images, targets


def augmenter(named: Sequence[Named], features: Mapping[str, Feature]) -> Augmenter | None:
    """Return what changes training images, or None for no changes.

    Args:
        named: The recipe's list.
        features: Of the columns that a model is fed with; one of them must be images.

    Raises:
        UsageError: A name or an argument is unknown, a value is out of range, a mix is not at the
            end, or no column is images.
    """
    if not named:
        return None
    images = {name: one.pixels for name, one in features.items() if one.pixels is not None}
    if not images:
        columns = ", ".join(f"{name} is {one.noun()}" for name, one in features.items())
        raise UsageError(f"augmentation changes images; {columns}")
    column, pixels = next(iter(images.items()))
    steps: list[Step] = []
    mixers: list[Mix] = []
    for one in named:
        if one.name not in KINDS:
            raise unknown("augmentation", one.name, KINDS)
        arguments = checked_arguments(one, KINDS[one.name])
        if one.name in mixing.MIXES:
            mixers.append(mixing.MIXES[one.name](**arguments))
        elif mixers:
            raise UsageError(
                f"augmentation {one.name} comes after a mix; mixup and cutmix mix images that are "
                "already changed: put them last"
            )
        elif one.name in photometric.KINDS:
            steps.append(photometric.KINDS[one.name](pixels, **arguments))
        else:
            steps.append(ALONE[one.name](**arguments))
    return Augmenter(column, tuple(steps), tuple(mixers))


def _seeds_of_step(seeds: Any, number: int) -> Any:
    """Return other seeds for each step, so that each draws for itself."""
    return seeds + tf.constant([0, (number + 1) << 40], tf.int64)
