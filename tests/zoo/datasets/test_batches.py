"""Batches: full, complete, and in an order that (seed, epoch, example) alone decide."""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.augmentation.augmented import make
from tests.zoo.datasets.feeding import (
    FEATURES,
    NUMBERS,
    SIZE,
    SPLITS,
    WEIGHTS,
    batches,
    feed,
    in_memory,
    on_disk,
    order,
    shares,
    weighted,
)
from zoo.datasets import split as split_module
from zoo.datasets.augmentation.augmenter import Augmenter
from zoo.datasets.batches import evaluation_batches, example_seeds, prepared
from zoo.datasets.features.image import Image
from zoo.datasets.split import Split

WHERE = pytest.mark.parametrize("where", SPLITS)


@pytest.fixture(autouse=True)
def _several_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(split_module, "WINDOW", 4)


def arrays(batch: Any) -> list[np.ndarray]:
    return [np.asarray(part) for part in tf.nest.flatten(batch)]


@WHERE
@pytest.mark.parametrize(("batch_size", "window"), [(1, 4), (5, 1024), (23, 4), (60, 4)])
def test_every_batch_is_full_and_every_example_is_in_every_epoch(
    where: str, batch_size: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(split_module, "WINDOW", window)
    made = batches(where, batch_size)
    steps = -(-SIZE // batch_size)
    for epoch in range(2):
        parts = list(made.epoch(epoch))
        assert len(parts) == made.steps == steps == int(made.epoch(epoch).cardinality())
        assert all(x.shape == (batch_size, 4, 4, 3) and y.shape == (batch_size,) for x, y in parts)
        numbers = [int(number) for _, y in parts for number in y]
        assert sorted(numbers[:SIZE]) == list(range(SIZE))
        # The last batch is filled up from the epoch's beginning.
        assert numbers[SIZE:] == (3 * numbers[:SIZE])[: steps * batch_size - SIZE]


@WHERE
def test_shapes_are_known_before_anything_is_read(where: str) -> None:
    images, targets = batches(where).start().element_spec
    assert (images.shape, images.dtype) == ((5, 4, 4, 3), tf.float32)
    assert (targets.shape, targets.dtype) == ((5,), tf.int32)


@WHERE
def test_targets_and_weights_stay_with_their_images(where: str) -> None:
    for x, y, weight in batches(where, feed=weighted).epoch():
        np.testing.assert_allclose(np.asarray(x)[:, 0, 0, 0] * 25.5, y, atol=1e-4)
        np.testing.assert_array_equal(weight, WEIGHTS[np.asarray(y)])


@WHERE
def test_what_a_model_is_not_fed_with_is_left_out(where: str) -> None:
    alone = batches(where, feed=lambda columns: (columns["image"], None, None))
    assert next(iter(alone.epoch())).shape == (5, 4, 4, 3)


@WHERE
def test_the_order_differs_by_epoch_and_by_seed(where: str) -> None:
    orders = [order(batches(where, seed=seed), epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(numbers) for numbers in orders}) == 4
    assert list(range(SIZE)) not in [numbers[:SIZE] for numbers in orders]


def test_parts_on_disk_are_mixed_and_each_is_shuffled() -> None:
    orders = [order(batches("disk", seed=seed), 0)[:SIZE] for seed in range(2)]
    for numbers in orders:
        assert len({0 if number < 9 else 1 if number < 15 else 2 for number in numbers[:12]}) > 1
    first = [[number for number in numbers if number < 9] for numbers in orders]
    assert [sorted(numbers) for numbers in first] != first


@WHERE
def test_the_order_depends_on_nothing_else(where: str) -> None:
    keras.utils.set_random_seed(1)
    expected = order(batches(where, seed=7), 3)
    keras.utils.set_random_seed(2)
    other = batches(where, seed=7)
    for earlier in (0, 5):  # whatever came before
        order(other, earlier)
    assert order(other, 3) == expected
    assert order(batches(where, batch_size=9, seed=7), 3)[:SIZE] == expected[:SIZE]


# Starting anywhere, for any share of the work.


@WHERE
@pytest.mark.parametrize(("step", "shards"), [(0, 1), (2, 3), (5, 2)])
def test_every_start_and_shard_is_a_slice_of_the_whole_run(
    where: str, step: int, shards: int
) -> None:
    made = batches(where, 6, seed=3, feed=weighted)
    assert made.steps == 4
    crop = Image(raw_shape=(0, 0, 3), size=(4, 4), crop=(2, 3))
    made = dataclasses.replace(made, features={**FEATURES, "image": crop}, augment=NOISE)
    whole = [arrays(batch) for batch in made.start().take(step + 4)]
    for shard in range(shards):
        share = 6 // shards
        part = made.start(step, shard, shards)
        assert part.element_spec[0].shape == (share, 2, 3, 3)
        for expected, found in zip(whole[step:], islice(part, 4), strict=True):
            for all_of_it, mine in zip(expected, arrays(found), strict=True):
                np.testing.assert_array_equal(all_of_it[shard * share : (shard + 1) * share], mine)


NOISE = make(("noise", {}))
MIXUP = make(("brightness", {"strength": 0.5}), ("mixup", {"alpha": 1.0}))


def test_mixes_in_memory_do_not_depend_on_the_shard() -> None:
    made = batches("memory", 6, augment=MIXUP, feed=shares)
    whole = [arrays(batch) for batch in made.start(3).take(3)]
    for shard in range(2):
        for expected, found in zip(whole, islice(made.start(3, shard, 2), 3), strict=True):
            for all_of_it, mine in zip(expected, arrays(found), strict=True):
                np.testing.assert_allclose(all_of_it[3 * shard : 3 * shard + 3], mine, atol=1e-6)


@WHERE
def test_batches_that_cannot_be_divided_equally_are_refused(where: str) -> None:
    with pytest.raises(ValueError, match="batches of 5 cannot be divided into 2 equal parts"):
        batches(where, 5).start(0, 0, 2)


@WHERE
def test_an_epoch_is_where_a_whole_run_comes_to_it(where: str) -> None:
    made = batches(where)
    whole = [int(number) for _, y in made.start().take(3 * made.steps) for number in y]
    assert whole == [number for epoch in range(3) for number in order(made, epoch)]


# Changes.


@WHERE
def test_each_example_is_changed_by_seeds_of_its_own_whatever_its_batch(where: str) -> None:
    def show_seeds(images: Any, seeds: Any) -> Any:
        pairs = tf.cast(seeds - tf.constant([0, 1 << 40], tf.int64), tf.float32)
        return images[:, :1, :1, :2] * 0.0 + pairs[:, None, None]  # instead of the image

    def drawn(seed: int, epoch: int, batch_size: int) -> dict[int, list[int]]:
        made = batches(where, batch_size, seed, Augmenter("image", (show_seeds,)))
        return {
            int(number): image.ravel().astype(int).tolist()
            for x, y in made.epoch(epoch)
            for image, number in zip(np.asarray(x), y, strict=True)
        }

    # (seed, epoch) in one number, and the place in the split.
    expected = {number: [3 * 2**20 + 2, number] for number in range(SIZE)}
    assert drawn(seed=3, epoch=2, batch_size=5) == expected
    assert drawn(seed=3, epoch=2, batch_size=8) == expected
    pair = example_seeds(3, tf.constant(2, tf.int64), tf.constant([4], tf.int64))
    assert pair.numpy().tolist() == [expected[4]]


@WHERE
def test_windows_are_drawn_for_each_example_and_epoch(where: str) -> None:
    feature = Image(raw_shape=(0, 0, 3), size=(4, 4), crop=(2, 2))
    made = batches(where)
    rows = np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1).repeat(3, axis=3)

    def corners(epoch: int) -> dict[int, float]:
        columns = {**FEATURES, "image": feature}
        numbered = made.split.mapped(lambda one: {**one, "image": one["image"] * 0.0 + rows})
        changed = dataclasses.replace(made, split=numbered, features=columns)
        return {
            int(number): float(image[0, 0, 0])
            for x, y in changed.epoch(epoch)
            for number, image in zip(y, np.asarray(x), strict=True)
        }

    assert corners(1) == corners(1)
    assert corners(1) != corners(2)
    assert len(set(corners(1).values())) > 3


def mixed(augment: Augmenter, epoch: int, batch_size: int = 5, seed: int = 0) -> Any:
    """What an epoch makes of each example in memory: its brightness (23,) and shares (23, 23)."""
    made = batches("memory", batch_size, seed, augment, feed=shares)
    assert made.mixes == augment.mixes
    numbers = order(batches("memory", batch_size, seed), epoch)
    parts = list(made.epoch(epoch))
    images, targets = np.zeros(SIZE), np.zeros((SIZE, SIZE))
    images[numbers] = np.concatenate([np.asarray(x)[:, 0, 0, 0] for x, _ in parts])
    targets[numbers] = np.concatenate([y for _, y in parts])
    return images, targets


def test_a_mix_depends_on_seed_epoch_and_example_alone() -> None:
    mixup = make(("mixup", {"alpha": 1.0}))
    images, targets = mixed(mixup, epoch=2)
    np.testing.assert_allclose(25.5 * images, targets @ NUMBERS, atol=1e-4)
    np.testing.assert_allclose(targets.sum(axis=1), 1.0, atol=1e-6)
    assert np.all(np.diag(targets) > 0.0)
    partners = (targets - np.diag(np.diag(targets))).argmax(axis=1)
    assert len(set(partners)) > 8  # of the whole split
    for batch_size in (8, 23):
        again, other = mixed(mixup, epoch=2, batch_size=batch_size)
        np.testing.assert_array_equal(again, images)
        np.testing.assert_array_equal(other, targets)
    for arguments in ({"epoch": 3}, {"epoch": 2, "seed": 1}):
        _, other = mixed(mixup, **arguments)
        assert (np.abs(other - targets).max(axis=1) > 0.01).mean() > 0.8


def test_what_is_mixed_in_is_changed_as_in_its_own_place() -> None:
    changed, _ = mixed(make(("brightness", {"strength": 0.5})), epoch=4)
    images, targets = mixed(MIXUP, epoch=4)
    np.testing.assert_allclose(images, targets @ changed, atol=1e-5)


def test_on_disk_images_and_targets_are_mixed_with_the_one_before() -> None:
    def half(images: Any, others: Any, seeds: Any) -> Any:
        return (images + others) / 2.0, tf.fill((len(seeds),), 0.5)

    made = batches("disk", augment=Augmenter("image", mixers=(half,)), feed=shares)
    assert made.mixes
    unmixed = order(batches("disk"), 0)
    for x, y in made.epoch():
        numbers = np.asarray(y) @ NUMBERS.astype("float32")
        np.testing.assert_allclose(np.asarray(x)[:, 0, 0, 0] * 25.5, numbers, atol=1e-3)
    first = np.asarray(next(iter(made.epoch()))[1]) @ NUMBERS
    assert first[0] == (unmixed[0] + unmixed[4]) / 2  # before the first is the last
    assert first[1] == (unmixed[1] + unmixed[0]) / 2


# Evaluation.


@WHERE
def test_evaluation_sees_each_example_once_in_its_own_order(where: str) -> None:
    parts = list(evaluation_batches(SPLITS[where](), FEATURES, feed, batch_size=10))
    assert [len(y) for _, y in parts] == [10, 10, 3]
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), NUMBERS)
    brightness = np.concatenate([np.asarray(x)[:, 0, 0, 0] for x, _ in parts])
    np.testing.assert_allclose(25.5 * brightness, NUMBERS, atol=1e-4)


@WHERE
def test_replicas_get_batches_of_one_size_whose_padding_weighs_nothing(where: str) -> None:
    parts = list(evaluation_batches(SPLITS[where](), FEATURES, feed, batch_size=11, replicas=2))
    assert [len(y) for _, y, _ in parts] == [8, 8, 8]
    weights = np.concatenate([weight for _, _, weight in parts])
    np.testing.assert_allclose(weights[:SIZE], 24 / SIZE, rtol=1e-6)
    np.testing.assert_array_equal(weights[SIZE:], 0.0)
    numbers = np.concatenate([y for _, y, _ in parts])
    np.testing.assert_array_equal(numbers[:SIZE], NUMBERS)


def test_batches_that_come_out_even_are_not_padded() -> None:
    even = Split.in_memory({"image": np.zeros((8, 4, 4, 3), "uint8"), "label": NUMBERS[:8]})
    parts = list(evaluation_batches(even, FEATURES, feed, batch_size=4, replicas=2))
    assert [len(part) for part in parts] == [2, 2]  # no weights


def network() -> keras.Model:
    """A tiny classifier with a fixed start."""
    inputs = keras.Input((4, 4, 3))
    hidden = keras.layers.Flatten()(inputs)
    start = keras.initializers.RandomNormal(stddev=0.3, seed=5)
    outputs = keras.layers.Dense(SIZE, "softmax", kernel_initializer=start)(hidden)
    model = keras.Model(inputs, outputs)
    model.compile(
        loss="sparse_categorical_crossentropy",
        weighted_metrics=["accuracy", keras.metrics.SparseCategoricalCrossentropy(name="entropy")],
    )
    return model


@pytest.mark.parametrize(("where", "fed"), [("memory", weighted), ("disk", feed)])
def test_padding_leaves_loss_and_metrics_those_of_the_real_examples(where: str, fed: Any) -> None:
    columns = next(iter(prepared(in_memory(), FEATURES, ("weight",)).in_order(SIZE)))
    x, y, weight = fed(columns)
    expected = network().evaluate(x, y, SIZE, sample_weight=weight, verbose=0, return_dict=True)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = network()
    for batch_size in (10, 64):  # several batches, and one
        padded = evaluation_batches(
            SPLITS[where](), FEATURES, fed, batch_size=batch_size, replicas=2, extra=("weight",)
        )
        found = model.evaluate(padded, verbose=0, return_dict=True)
        assert found == pytest.approx(expected, rel=1e-4), batch_size


def test_a_model_without_targets_gets_weights_too() -> None:
    def alone(columns: Any) -> Any:
        return columns["image"], None, None

    parts = list(evaluation_batches(on_disk(), FEATURES, alone, batch_size=10, replicas=2))
    assert all(len(part) == 3 for part in parts)
    assert sum(float(np.sum(weight)) for _, _, weight in parts) == pytest.approx(24.0)
