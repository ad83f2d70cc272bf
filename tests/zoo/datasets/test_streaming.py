"""Streams: what is promised of batches in memory holds of those from disk too."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.datasets import streaming
from zoo.datasets.augmentation import Augmenter
from zoo.datasets.encoding import Encoder
from zoo.datasets.spec import DatasetSpec
from zoo.datasets.streaming import Stream, StreamingBatches, streamed_evaluation_batches

SIZES = (9, 6, 8)  # of the parts
SIZE = sum(SIZES)


def picture(number: int) -> np.ndarray:
    """An image of a size of its own, of one colour: its number."""
    return np.full((4 + number % 3, 5 + number % 4, 3), 10 * number, np.uint8)


def stream() -> Stream:
    """The 23 images in three parts, stored as PNG; each one's class is its number."""
    numbers = iter(range(SIZE))
    parts = []
    for size in SIZES:
        mine = [next(numbers) for _ in range(size)]
        stored = [tf.io.encode_png(picture(number)) for number in mine]
        parts.append(tf.data.Dataset.from_tensor_slices((stored, np.array(mine, np.int32))))
    return Stream(parts, lambda stored: tf.io.decode_png(stored, channels=3)).then(
        ENCODER.bring_to_size
    )


def spec(**facts: Any) -> DatasetSpec:
    """Of images of 4×4."""
    shapes: dict[str, Any] = {"raw_shape": (None, None, 3), "input_shape": (4, 4, 3)}
    return DatasetSpec(name="tiny", kind="image", target="class", **{**shapes, **facts})


ENCODER = Encoder(spec())


def batches(batch_size: int = 5, seed: int = 0, **arguments: Any) -> StreamingBatches:
    """Batches of the 23 images; targets are ten times their classes."""
    arguments = {"encoder": ENCODER, "targets": lambda classes: classes * 10, **arguments}
    return StreamingBatches(stream(), batch_size=batch_size, seed=seed, **arguments)


def order(made: StreamingBatches, epoch: int) -> list[int]:
    """The numbers of the images in the order in which an epoch gives them."""
    return [int(target) // 10 for _, y in made.epoch(epoch) for target in y]


@pytest.fixture(params=[4, 1024], ids=["several windows", "one window"], autouse=True)
def _window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "WINDOW", request.param)


def test_a_stream_is_as_long_as_its_parts() -> None:
    assert len(stream()) == SIZE


@pytest.mark.parametrize("batch_size", [1, 5, 22, 23])
def test_every_batch_is_full_and_every_example_is_in_every_epoch(batch_size: int) -> None:
    made = batches(batch_size)
    steps = -(-SIZE // batch_size)
    for epoch in range(2):
        parts = list(made.epoch(epoch))
        assert len(parts) == made.steps == steps == int(made.epoch(epoch).cardinality())
        assert all(x.shape == (batch_size, 4, 4, 3) and y.shape == (batch_size,) for x, y in parts)
        numbers = order(made, epoch)
        assert sorted(numbers[:SIZE]) == list(range(SIZE))
        # The last batch is filled up from the epoch's beginning.
        assert numbers[SIZE:] == numbers[: steps * batch_size - SIZE]


def test_shapes_are_known_before_anything_is_read() -> None:
    images, targets = batches().epoch().element_spec
    assert (images.shape, images.dtype) == ((5, 4, 4, 3), tf.float32)
    assert targets.shape == (5,)


def test_targets_stay_with_their_images() -> None:
    for x, y in batches().epoch():
        np.testing.assert_allclose(np.asarray(x)[:, 0, 0, 0] * 255.0, y, atol=1e-3)


def test_without_targets_a_batch_is_images_alone() -> None:
    parts = list(batches(targets=None).epoch())
    assert all(part.shape == (5, 4, 4, 3) for part in parts)


def test_the_order_differs_by_epoch_and_by_seed_and_mixes_the_parts() -> None:
    orders = [order(batches(seed=seed), epoch) for seed in (0, 1) for epoch in (0, 1, 2)]
    assert len({tuple(numbers) for numbers in orders}) == 6
    for numbers in orders:
        assert len({0 if number < 9 else 1 if number < 15 else 2 for number in numbers[:12]}) > 1
    # Nor are a part's examples in the order of the disk.
    first = [[number for number in numbers[:SIZE] if number < 9] for numbers in orders]
    assert [sorted(numbers) for numbers in first] != first


def test_the_order_depends_on_nothing_else() -> None:
    keras.utils.set_random_seed(1)
    expected = order(batches(seed=7), 3)
    keras.utils.set_random_seed(2)
    other = batches(seed=7)
    for earlier in (0, 2, 5):  # whatever came before
        order(other, earlier)
    assert order(other, 3) == expected
    assert order(batches(batch_size=9, seed=7), 3)[:SIZE] == expected[:SIZE]


def test_each_example_is_changed_by_seeds_of_its_own_whatever_its_batch() -> None:
    def drawn(seed: int, epoch: int, batch_size: int) -> dict[int, tuple[int, int]]:
        made = batches(batch_size, seed, augment=lambda images, seeds: seeds)
        return {
            int(y) // 10: (int(pair[0]), int(pair[1]))
            for pairs, targets in made.epoch(epoch)
            for y, pair in zip(targets, np.asarray(pairs), strict=True)
        }

    found = drawn(seed=3, epoch=2, batch_size=5)
    # As `TrainingBatches` has them: (seed, epoch) in one number, and the place in the split.
    assert found == {number: (3 * 2**20 + 2, number) for number in range(SIZE)}
    assert found == drawn(seed=3, epoch=2, batch_size=8)


def test_windows_are_drawn_for_each_example_and_epoch() -> None:
    encoder = Encoder(spec(image_size=(4, 4), input_shape=(2, 2, 3)))
    rows = np.arange(16.0, dtype="float32").reshape(4, 4, 1).repeat(3, axis=2) / 16.0

    def corners(epoch: int) -> dict[int, float]:
        made = StreamingBatches(
            stream().then(lambda images: images * 0.0 + rows),
            encoder,
            lambda classes: classes,
            batch_size=5,
            seed=0,
        )
        return {
            int(number): float(image[0, 0, 0])
            for x, y in made.epoch(epoch)
            for number, image in zip(y, np.asarray(x), strict=True)
        }

    assert corners(1) == corners(1)
    assert corners(1) != corners(2)
    assert len(set(corners(1).values())) > 3


def test_images_and_targets_are_mixed_alike() -> None:
    def half(images: Any, others: Any, seeds: Any) -> Any:
        return (images + others) / 2.0, tf.fill((len(seeds),), 0.5)

    made = batches(augment=Augmenter(mixers=(half,)))
    assert made.mixes
    unmixed = order(batches(), 0)
    for x, y in made.epoch():
        np.testing.assert_allclose(np.asarray(x)[:, 0, 0, 0] * 255.0, y, atol=1e-3)
    first = next(iter(made.epoch()))[1]
    assert first[0] == 5.0 * (unmixed[0] + unmixed[4])  # the one before the first is the last
    assert first[1] == 5.0 * (unmixed[1] + unmixed[0])


@pytest.mark.parametrize(("replicas", "sizes"), [(1, [10, 10, 3]), (3, [9, 9, 5])])
def test_evaluation_sees_each_example_once_in_its_own_order(
    replicas: int, sizes: list[int]
) -> None:
    def numbers(classes: Any) -> Any:
        return classes

    parts = list(
        streamed_evaluation_batches(stream(), ENCODER, numbers, batch_size=10, replicas=replicas)
    )
    assert [len(x) for x, _ in parts] == sizes
    np.testing.assert_array_equal(np.concatenate([y for _, y in parts]), range(SIZE))
    alone = list(streamed_evaluation_batches(stream(), ENCODER, None, batch_size=10))
    np.testing.assert_array_equal(np.concatenate(alone), np.concatenate([x for x, _ in parts]))


def test_chunks_hold_the_images_in_their_order_brought_to_one_size() -> None:
    chunks = list(stream().chunks(8))
    assert [len(chunk) for chunk in chunks] == [8, 8, 7]
    assert all(chunk.inputs.shape[1:] == (4, 4, 3) for chunk in chunks)
    np.testing.assert_array_equal(np.concatenate([chunk.targets for chunk in chunks]), range(SIZE))
    np.testing.assert_allclose(chunks[1].inputs[2, 0, 0], 100.0 / 255.0, rtol=1e-6)
