"""Images of several handwritten digits with their captions, computed from the bundled digits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from zoo.datasets.features.image import Image
from zoo.datasets.features.text import Text
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.sources.bundled import openers as bundled_openers

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIZES = {"train": 12_000, "validation": 1_500, "test": 3_000}
MOST_DIGITS = 4
HEIGHT, WIDTH = 12, 44
"""Of an image, in pixels; a digit is 8 × 8."""
GAP = 3
"""The most empty columns between two digits."""
VERSION = 1
"""Raised when other examples are computed."""
_SEED = 2015


@dataclass(frozen=True, kw_only=True)
class DigitCaptions(Source):
    """One to four digits side by side, and their names from left to right."""

    description: Description
    digits: Source
    """Gives the images of single digits, in the splits that they stay in."""

    def describe(self) -> Description:
        """Return what is known beforehand."""
        return self.description

    def fingerprint(self) -> str:
        """Return the name, the version and the fingerprint of the digits."""
        return f"{self.description.name} {VERSION} {self.digits.fingerprint()}"

    def load(self) -> Loaded:
        """Compute the examples; those of a split from the digits of the same split alone."""
        from zoo.datasets.split import Split

        digits = self.digits.load().splits
        splits = {}
        for number, (name, size) in enumerate(SIZES.items()):
            given = digits[name]
            (columns,) = given.chunks(len(given))
            drawn = lay_out(columns["image"], columns["label"], size, seed=number)
            splits[name] = Split.in_memory(drawn)
        return Loaded(splits, self.description.features)


def lay_out(
    images: np.ndarray, labels: np.ndarray, size: int, *, seed: int
) -> Mapping[str, np.ndarray]:
    """Return images of one to four digits at random places, and their captions.

    Args:
        images: (N, 8, 8, 1) of single digits, in [0, 1].
        labels: (N,) which digits they are.
        size: How many images to make.
        seed: The same seed makes the same images.

    Returns:
        Columns ``image``, (size, HEIGHT, WIDTH, 1) float32, and ``text``, (size,) of strings.
    """
    draw = np.random.default_rng([_SEED, seed])
    side = images.shape[1]
    pages = np.zeros((size, HEIGHT, WIDTH, 1), np.float32)
    captions = []
    for page in pages:
        chosen = draw.integers(len(images), size=draw.integers(1, MOST_DIGITS + 1))
        gaps = draw.integers(GAP + 1, size=len(chosen) - 1)
        left = draw.integers(WIDTH - side * len(chosen) - gaps.sum() + 1)
        for place, gap in zip(chosen, (*gaps, 0), strict=True):
            top = draw.integers(HEIGHT - side + 1)
            page[top : top + side, left : left + side] = images[place]
            left += side + gap
        captions.append(" ".join(WORDS[label] for label in labels[chosen]))
    return {"image": pages, "text": np.array(captions)}


def openers() -> Mapping[str, Callable[[], Source]]:
    """Return the function that opens the data set, by its name."""
    return {"digit-captions": partial(_open, bundled_openers()["digits"])}


def _open(digits: Callable[[], Source]) -> Source:
    source = digits()
    told = source.describe()
    return DigitCaptions(
        digits=source,
        description=Description(
            name="digit-captions",
            title="Captions of handwritten digits",
            question="Which digits stand side by side? 12x44 grey images of one to four, spelled "
            "out from left to right.",
            note="Always answering the most frequent caption scores 0.027 exact, 0.029 where the "
            "number of digits is known, and the caption of the most similar training image "
            "0.179. No digit of a test image is in a training image. The captions repeat, as there "
            "are only 11,110: training images have 0.81 of the test captions too, and 0.28 of "
            "those of four digits.",
            features={
                "image": Image(raw_shape=(HEIGHT, WIDTH, 1)),
                "text": Text(unit="word"),
            },
            inputs=("image",),
            targets=("text",),
            sizes=SIZES,
            rows=sum(SIZES.values()),
            source=f"Computed from digits: {told.source}",
            url=told.url,
            licence=told.licence,
            citation=told.citation,
            origin="computed",
        ),
    )
