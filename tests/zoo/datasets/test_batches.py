"""Training batches: full, complete, and in an order that seed and epoch alone decide."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.augmented import make
from zoo.datasets.augmentation import Augmenter
from zoo.datasets.batches import TrainingBatches, evaluation_batches

SIZE = 23
INPUTS = np.arange(SIZE, dtype="float32")[:, None]  # each example is its own number
TARGETS = np.arange(SIZE, dtype="int32") * 10


def batches(batch_size: int = 5, seed: int = 0, **arguments: Any) -> TrainingBatches:
    """Batches of the 23 examples."""
    arguments = {"targets": TARGETS, **arguments}
    return TrainingBatches(INPUTS, batch_size=batch_size, seed=seed, **arguments)


def order(made: TrainingBatches, epoch: int) -> list[int]:
    """The numbers of the examples in the order in which an epoch gives them."""
    return [int(number) for x, _ in made.epoch(epoch) for number in np.ravel(x)]


@pytest.mark.parametrize("batch_size", [1, 5, 22, 23])
def test_every_batch_is_full_and_every_example_is_in_every_epoch(batch_size: int) -> None:
    made = batches(batch_size)
    steps = -(-SIZE // batch_size)
    for epoch in range(3):
        parts = list(made.epoch(epoch))
        assert len(parts) == made.steps == steps == int(made.epoch(epoch).cardinality())
        assert all(x.shape == (batch_size, 1) and y.shape == (batch_size,) for x, y in parts)
        numbers = order(made, epoch)
        assert set(numbers) == set(range(SIZE))
        # Before the last batch is filled up, nothing comes twice.
        assert len(set(numbers[:SIZE])) == SIZE


def test_the_last_batch_is_filled_up_from_the_epochs_beginning() -> None:
    numbers = order(batches(5), 0)
    assert numbers[SIZE:] == numbers[:2]


def test_the_whole_split_at_once_has_each_example_once() -> None:
    assert sorted(order(batches(SIZE), 4)) == list(range(SIZE))


def test_targets_stay_with_their_inputs() -> None:
    for x, y in batches().epoch():
        np.testing.assert_array_equal(np.ravel(x) * 10, y)


def test_without_targets_a_batch_is_inputs_alone() -> None:
    parts = list(batches(targets=None).epoch())
    assert all(part.shape == (5, 1) for part in parts)


def test_the_order_differs_by_epoch_and_by_seed() -> None:
    orders = [order(batches(seed=seed), epoch) for seed in (0, 1, 2) for epoch in (0, 1, 2)]
    assert len({tuple(numbers) for numbers in orders}) == 9
    assert list(range(SIZE)) not in [numbers[:SIZE] for numbers in orders]


def test_the_order_depends_on_nothing_else() -> None:
    keras.utils.set_random_seed(1)
    expected = order(batches(seed=7), 3)
    keras.utils.set_random_seed(2)
    other = batches(seed=7)
    for earlier in (0, 1, 2, 5):  # whatever came before
        order(other, earlier)
    tf.random.uniform((3,))
    assert order(other, 3) == expected


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_a_training_that_begins_at_an_epoch_sees_what_one_that_came_to_it_saw(seed: int) -> None:
    uninterrupted = batches(seed=seed)
    orders = [order(uninterrupted, epoch) for epoch in range(6)]
    resumed = batches(seed=seed)
    assert [order(resumed, epoch) for epoch in range(4, 6)] == orders[4:]


def test_the_batch_size_cuts_the_same_order() -> None:
    assert order(batches(4), 1)[:SIZE] == order(batches(9), 1)[:SIZE]


def seeds(made: TrainingBatches, epoch: int) -> dict[int, tuple[int, int]]:
    """The seeds that each example is changed by in an epoch."""
    return {
        int(number): (int(pair[0]), int(pair[1]))
        for pairs, y in made.epoch(epoch)
        for number, pair in zip(y // 10, np.asarray(pairs), strict=True)
    }


def test_each_example_is_changed_by_seeds_of_its_own_whatever_its_batch() -> None:
    def show_seeds(images: Any, given: Any) -> Any:
        return given  # instead of the image

    def drawn(seed: int, epoch: int, batch_size: int) -> dict[int, tuple[int, int]]:
        return seeds(batches(batch_size, seed, augment=show_seeds), epoch)

    first = drawn(seed=3, epoch=2, batch_size=5)
    assert set(first) == set(range(SIZE))
    assert first == drawn(seed=3, epoch=2, batch_size=8)
    several = [drawn(seed=seed, epoch=epoch, batch_size=5) for seed in (3, 4) for epoch in (0, 2)]
    assert len({pair for one in several for pair in one.values()}) == 4 * SIZE


def test_targets_are_not_augmented() -> None:
    made = batches(augment=lambda images, given: -images)
    for x, y in made.epoch():
        np.testing.assert_array_equal(-np.ravel(x) * 10, y)


def test_evaluation_sees_each_example_once_in_its_own_order() -> None:
    parts = list(evaluation_batches(INPUTS, TARGETS, batch_size=10))
    assert [len(x) for x, _ in parts] == [10, 10, 3]
    np.testing.assert_array_equal(np.concatenate([x for x, _ in parts]), INPUTS)
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), TARGETS)
    alone = list(evaluation_batches(INPUTS, None, batch_size=10))
    np.testing.assert_array_equal(np.concatenate(alone), INPUTS)


# Each image is lit at its own place alone, so that a mix shows whose images are in it.
SPOTS = np.eye(SIZE, dtype="float32")[:, None, :, None]
ONE_HOT = np.eye(SIZE, dtype="float32")


def mixed(augment: Augmenter, epoch: int, batch_size: int = 5, seed: int = 0) -> Any:
    """What an epoch makes of each example: images (23, 1, 23, 1) and targets (23, 23)."""
    made = TrainingBatches(SPOTS, ONE_HOT, batch_size=batch_size, seed=seed, augment=augment)
    assert made.mixes == augment.mixes
    numbers = order(batches(batch_size, seed), epoch)
    parts = list(made.epoch(epoch))
    images, targets = np.zeros_like(SPOTS), np.zeros_like(ONE_HOT)
    images[numbers] = np.concatenate([x for x, _ in parts])
    targets[numbers] = np.concatenate([y for _, y in parts])
    return images, targets


def test_a_mix_depends_on_seed_epoch_and_example_alone() -> None:
    mixup = make(("mixup", {"alpha": 1.0}))
    images, targets = mixed(mixup, epoch=2)
    np.testing.assert_allclose(images[:, 0, :, 0], targets, atol=1e-6)
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-6)
    assert np.all(np.diag(targets) > 0.0)
    partners = (targets - np.diag(np.diag(targets))).argmax(axis=1)
    assert len(set(partners)) > 8  # of the whole split
    for batch_size in (8, 23):
        again, shares = mixed(mixup, epoch=2, batch_size=batch_size)
        np.testing.assert_array_equal(again, images)
        np.testing.assert_array_equal(shares, targets)
    for arguments in ({"epoch": 3}, {"epoch": 2, "seed": 1}):
        _, other = mixed(mixup, **arguments)
        assert (np.abs(other - targets).max(axis=1) > 0.01).mean() > 0.8


def test_what_is_mixed_in_is_changed_as_in_its_own_place() -> None:
    brightness = ("brightness", {"strength": 0.5})
    changed, _ = mixed(make(brightness), epoch=4)
    images, targets = mixed(make(brightness, ("mixup", {"alpha": 1.0})), epoch=4)
    expected = targets @ changed.reshape(SIZE, -1)
    np.testing.assert_allclose(images.reshape(SIZE, -1), expected, atol=1e-6)
