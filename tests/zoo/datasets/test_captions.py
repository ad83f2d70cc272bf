"""digit-captions: images of digits side by side; nothing leaks from one split to another."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.datasets.features.text import Text
from zoo.datasets.sources import open_source
from zoo.datasets.sources.base import Loaded
from zoo.datasets.sources.captions import HEIGHT, SIZES, WIDTH, WORDS, lay_out


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return open_source("digit-captions").load()


def columns(of: Loaded, split: str) -> tuple[np.ndarray, list[str]]:
    (found,) = of.splits[split].chunks(20_000)
    return found["image"], [text.decode() for text in found["text"]]


def test_examples_are_as_described_and_the_same_every_time(loaded: Loaded) -> None:
    described = open_source("digit-captions").describe()
    again = open_source("digit-captions").load()
    for split, size in SIZES.items():
        images, texts = columns(loaded, split)
        assert len(texts) == described.sizes[split] == size
        assert images.shape == (size, HEIGHT, WIDTH, 1)
        assert {len(text.split()) for text in texts} == {1, 2, 3, 4}
        assert {word for text in texts for word in text.split()} == set(WORDS)
        other, other_texts = columns(again, split)
        np.testing.assert_array_equal(images, other)
        assert texts == other_texts


def test_digits_stand_side_by_side_in_the_order_of_the_caption() -> None:
    # A digit that is full of its own number, so that columns tell which one stands where.
    images = np.stack([np.full((8, 8, 1), (number + 1) / 10, np.float32) for number in range(10)])
    made = lay_out(images, np.arange(10), 200, seed=3)
    tops = set()
    for page, text in zip(made["image"], made["text"], strict=True):
        ink = page[..., 0].max(axis=0)
        starts = [at for at in np.flatnonzero(ink) if at == 0 or ink[at - 1] == 0]
        assert np.count_nonzero(ink) == 8 * len(text.split())
        read: list[str] = []
        at = starts[0]
        while at < WIDTH and len(read) < len(text.split()):
            if ink[at]:
                read.append(WORDS[round(float(ink[at]) * 10) - 1])
                at += 8
            else:
                at += 1
        assert " ".join(read) == text
        tops.add(int(np.flatnonzero(page[:, starts[0], 0])[0]))
    assert tops == set(range(HEIGHT - 8 + 1))


def test_no_digit_of_a_test_image_is_in_a_training_image(loaded: Loaded) -> None:
    """Every image with one digit shows one of its own split, and of no other."""
    digits = open_source("digits").load().splits
    own = {}
    for split in SIZES:
        (found,) = digits[split].chunks(2000)
        own[split] = {image.tobytes() for image in found["image"]}
    for split in SIZES:
        images, texts = columns(loaded, split)
        single = [image for image, text in zip(images, texts, strict=True) if " " not in text]
        places = [(top, left) for top in range(HEIGHT - 7) for left in range(WIDTH - 7)]
        for image in single[:25]:
            crops = {
                image[top : top + 8, left : left + 8].tobytes()
                for top, left in places
                if image[top : top + 8, left : left + 8].sum() == image.sum()
            }
            assert crops & own[split]
            assert not any(crops & own[other] for other in SIZES if other != split)


def test_the_note_says_what_counting_scores(loaded: Loaded) -> None:
    _, train = columns(loaded, "train")
    _, test = columns(loaded, "test")
    most = max(set(train), key=train.count)
    note = open_source("digit-captions").describe().note
    assert f"scores {np.mean([text == most for text in test]):.3f} exact" in note
    known = set(train)
    assert f"have {np.mean([text in known for text in test]):.2f} of the test captions" in note


def test_captions_are_words() -> None:
    feature = open_source("digit-captions").describe().features["text"]
    assert isinstance(feature, Text)
    assert feature.unit == "word"
    assert feature.titles([b"one two", "three"]) == ["one two", "three"]
