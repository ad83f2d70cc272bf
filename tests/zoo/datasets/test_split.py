"""Splits: raw columns in order, in memory and on disk alike."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.datasets.feeding import NUMBERS, SIZE, SPLITS, WEIGHTS, in_memory, on_disk
from zoo.datasets.split import CHUNK, Split

WHERE = pytest.mark.parametrize("where", SPLITS)


@WHERE
def test_a_split_is_as_long_as_its_parts_and_keeps_raw_types(where: str) -> None:
    split = SPLITS[where]()
    assert len(split) == SIZE
    chunk = next(iter(split.chunks(8)))
    assert {name: values.dtype for name, values in chunk.items()} == {
        "image": np.uint8,
        "label": np.int32,
        "weight": np.float32,
    }


def test_chunks_are_in_order_the_rest_at_last() -> None:
    chunks = list(in_memory().chunks(8))
    assert [len(chunk["label"]) for chunk in chunks] == [8, 8, 7]
    np.testing.assert_array_equal(np.concatenate([one["label"] for one in chunks]), NUMBERS)


def test_images_of_several_sizes_come_one_at_a_time() -> None:
    chunks = list(on_disk().chunks(8))
    assert [len(chunk["label"]) for chunk in chunks] == [1] * SIZE
    assert len({chunk["image"].shape for chunk in chunks}) > 4
    assert [int(chunk["image"][0, 0, 0, 0]) for chunk in chunks] == (10 * NUMBERS).tolist()


@WHERE
def test_a_column_can_be_iterated_over_again(where: str) -> None:
    column = SPLITS[where]().column("weight", 10)
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate(list(column)), WEIGHTS)


def test_a_column_of_large_examples_is_read_in_small_parts() -> None:
    image = np.zeros((400, 300, 3), np.uint8)
    split = Split.by_place(50, lambda place: {"image": tf.constant(image), "label": place})
    chunks = list(split.column("image"))
    assert max(chunk.nbytes for chunk in chunks) <= CHUNK
    assert sum(len(chunk) for chunk in chunks) == 50
    numbers = Split.by_place(50, lambda place: {"label": place}).column("label")
    assert [len(chunk) for chunk in numbers] == [50]


@WHERE
def test_columns_are_changed_all_at_once_or_one_by_one(where: str) -> None:
    changed = SPLITS[where]().mapped(lambda columns: {"twice": 2 * columns["label"]})
    assert len(changed) == SIZE
    twice = np.concatenate([np.asarray(batch["twice"]) for batch in changed.in_order(10)])
    np.testing.assert_array_equal(twice, 2 * NUMBERS)


def test_only_memory_has_random_access() -> None:
    take = in_memory().take
    assert take is not None
    np.testing.assert_array_equal(take([7, 0, 7])["label"], [7, 0, 7])
    assert on_disk().take is None


def test_texts_are_kept_as_they_are() -> None:
    split = Split.in_memory({"text": np.array(["Ça va", "日本"])})
    (chunk,) = split.chunks(5)
    assert [text.decode() for text in chunk["text"]] == ["Ça va", "日本"]
