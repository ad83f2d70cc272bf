"""Cutout, mixup and cutmix: what is left of an image, and targets by the same shares."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.augmentation.augmented import MANY, change, make, seeds

SHAPE = (MANY, 12, 20, 3)
ONES, ZEROS = np.ones(SHAPE, "float32"), np.zeros(SHAPE, "float32")
OWN = np.tile(np.array([1.0, 0.0, 0.0], "float32"), (MANY, 1))
OTHER = np.tile(np.array([0.0, 0.0, 1.0], "float32"), (MANY, 1))
MIXES: list[tuple[str, dict[str, Any]]] = [
    ("mixup", {"alpha": 0.4}),
    ("cutmix", {"alpha": 1}),
]


def mixed(*steps: tuple[str, dict[str, Any]], own: Any = OWN, other: Any = OTHER) -> Any:
    """White images mixed with black ones, and their targets."""
    images, targets = make(*steps).mix(ONES, own, ZEROS, other, seeds(MANY))
    return np.asarray(images), np.asarray(targets)


def box(image: np.ndarray) -> tuple[int, int, int, int]:
    """Where an image is 0 in every channel: top, bottom, left, right, if it is a filled box."""
    rows, columns = np.nonzero((image == 0.0).all(axis=-1))
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    assert (image[top:bottom, left:right] == 0.0).all()
    assert (image == 0.0).sum() == (bottom - top) * (right - left) * image.shape[-1]
    return int(top), int(bottom), int(left), int(right)


def test_cutout_sets_a_square_to_0_that_may_hang_over_the_edge() -> None:
    boxes = [box(image) for image in change(ONES, "cutout", size=0.5)]
    whole = [one for one in boxes if one[0] > 0 and one[1] < 12 and one[2] > 0 and one[3] < 20]
    # Half of the shorter side.
    assert {(bottom - top, right - left) for top, bottom, left, right in whole} == {(6, 6)}
    # The centre is anywhere: at a corner, 3 pixels of each side are left.
    assert {bottom - top for top, bottom, _, _ in boxes} == {3, 4, 5, 6}
    assert {right - left for _, _, left, right in boxes} == {3, 4, 5, 6}
    assert {top for top, _, _, _ in boxes} >= set(range(9))
    assert {left for _, _, left, _ in boxes} >= set(range(17))


def test_a_square_of_odd_pixels_is_cut_whole() -> None:
    sides = {box(image)[1] - box(image)[0] for image in change(ONES, "cutout", size=0.26)}
    assert sides == {2, 3}  # 3 pixels, or 2 of them at the lower edge


def test_mixup_blends_images_and_targets_by_one_share() -> None:
    images, targets = mixed(("mixup", {"alpha": 1.0}))
    kept = images[:, 0, 0, 0]
    np.testing.assert_array_equal(images, np.broadcast_to(kept[:, None, None, None], SHAPE))
    np.testing.assert_allclose(targets, np.stack([kept, 0 * kept, 1 - kept], 1), atol=1e-6)
    # Beta(1, 1) is uniform, and each image draws its own.
    assert np.abs(np.sort(kept) - np.linspace(0, 1, MANY)).max() < 0.12
    assert len(np.unique(kept)) == MANY


def test_a_small_alpha_leaves_most_images_nearly_one_of_the_two() -> None:
    _, targets = mixed(("mixup", {"alpha": 0.1}))
    assert (np.minimum(targets[:, 0], targets[:, 2]) < 0.05).mean() > 0.6


def test_cutmix_puts_a_box_of_the_image_into_another_and_counts_what_is_seen_of_it() -> None:
    images, targets = mixed(("cutmix", {"alpha": 1.0}))
    np.testing.assert_allclose(targets[:, 0], images.mean(axis=(1, 2, 3)), atol=1e-6)
    cut = [(box(image), image) for image in images if (image == 0.0).any()]
    assert len(cut) > 0.9 * MANY
    inside = [one for one, _ in cut if one[0] > 0 and one[1] < 12 and one[2] > 0 and one[3] < 20]
    assert len(inside) > 10
    # The box has the image's proportions, to whole pixels.
    for top, bottom, left, right in inside:
        assert abs((bottom - top) / 12 - (right - left) / 20) < 1 / 12
    assert {one[0] == 0 for one, _ in cut} == {one[2] == 0 for one, _ in cut} == {True, False}


@pytest.mark.parametrize("steps", [[MIXES[0]], [MIXES[1]], MIXES], ids=["mixup", "cutmix", "both"])
def test_targets_add_up_and_are_the_pixels_shares(steps: list[tuple[str, dict[str, Any]]]) -> None:
    images, targets = mixed(*steps)
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(targets[:, 0], images.mean(axis=(1, 2, 3)), atol=1e-5)
    assert images.min() >= 0.0
    assert images.max() <= 1.0


@pytest.mark.parametrize(("name", "arguments"), MIXES)
@pytest.mark.parametrize("shape", [(MANY,), (MANY, 1)])
def test_the_share_of_the_second_of_two_classes_is_mixed(
    name: str, arguments: dict[str, Any], shape: tuple[int, ...]
) -> None:
    ones, zeros = np.ones(shape, "int32"), np.zeros(shape, "int32")
    images, targets = mixed((name, arguments), own=ones, other=zeros)
    assert targets.shape == shape
    assert targets.dtype == np.float32
    np.testing.assert_allclose(np.ravel(targets), images.mean(axis=(1, 2, 3)), atol=1e-5)


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_an_alpha_of_0_mixes_nothing(name: str) -> None:
    images, targets = mixed((name, {"alpha": 0}))
    np.testing.assert_array_equal(images, ONES)
    np.testing.assert_array_equal(targets, OWN)


@pytest.mark.parametrize(("name", "arguments"), MIXES)
def test_a_mix_depends_on_the_examples_seeds_whatever_its_batch(
    name: str, arguments: dict[str, Any]
) -> None:
    images, others = np.random.default_rng(0).uniform(size=(2, 10, 6, 9, 1)).astype("float32")
    made, pairs = make((name, arguments)), seeds(10)
    together, targets = made.mix(images, OWN[:10], others, OTHER[:10], pairs)
    back, _ = made.mix(images[::-1], OWN[:10], others[::-1], OTHER[:10], pairs[::-1])
    np.testing.assert_array_equal(np.asarray(back)[::-1], together)
    alone, own = made.mix(images[3:4], OWN[:1], others[3:4], OTHER[:1], pairs[3:4])
    np.testing.assert_array_equal(alone, together[3:4])
    np.testing.assert_array_equal(own, targets[3:4])
    _, later = made.mix(images, OWN[:10], others, OTHER[:10], seeds(10, epoch=6))
    assert (np.asarray(later)[:, 0] != np.asarray(targets)[:, 0]).sum() > 5


def test_a_batch_can_be_mixed_with_itself() -> None:
    images = tf.constant(np.random.default_rng(0).uniform(size=(8, 4, 4, 1)).astype("float32"))
    targets = tf.eye(8)
    mixed_images, shares = make(("mixup", {"alpha": 1.0})).mix(
        images, targets, tf.roll(images, 1, 0), tf.roll(targets, 1, 0), seeds(8)
    )
    expected = np.asarray(shares) @ np.asarray(images).reshape(8, -1)
    np.testing.assert_allclose(np.asarray(mixed_images).reshape(8, -1), expected, atol=1e-6)


def test_partners_are_drawn_from_the_whole_split_by_each_examples_seeds() -> None:
    made = make(MIXES[0])
    found = np.asarray(made.partners(seeds(MANY), 20))
    assert set(found) == set(range(20))
    np.testing.assert_array_equal(made.partners(seeds(MANY)[7:9], 20), found[7:9])
    assert (np.asarray(made.partners(seeds(MANY, epoch=6), 20)) == found).mean() < 0.15
