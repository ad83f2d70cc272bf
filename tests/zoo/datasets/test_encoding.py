"""Encoding: what a model gets of a raw example, the same for every source of examples."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.datasets.encoding import Encoder
from zoo.datasets.loading import load, tokenise
from zoo.datasets.spec import DatasetSpec


def images(input_shape: tuple[int, int, int], **facts: Any) -> Encoder:
    """An encoder to images of this shape."""
    spec = DatasetSpec(
        name="tiny",
        kind="image",
        target="class",
        raw_shape=(8, 8, 1),
        input_shape=input_shape,
        value_range=(0.0, 1.0),
        **facts,
    )
    return Encoder(spec)


def pictures(*shape: int) -> np.ndarray:
    """Images in [0, 1]."""
    return np.random.default_rng(0).uniform(size=shape).astype("float32")


def test_images_of_the_right_form_are_left_as_they_are() -> None:
    raw = pictures(3, 8, 8, 1)
    np.testing.assert_array_equal(images((8, 8, 1)).encode(raw), raw)


@pytest.mark.parametrize("size", [(32, 32), (5, 7), (1, 1)])
def test_images_are_resized_and_stay_within_their_range(size: tuple[int, int]) -> None:
    encoded = images((*size, 1)).encode(pictures(3, 8, 8, 1))
    assert encoded.shape == (3, *size, 1)
    assert encoded.dtype == np.float32
    assert 0.0 <= encoded.min() <= encoded.max() <= 1.0 + 1e-6


def test_resizing_keeps_a_picture_where_it_is_and_as_bright_as_it_is() -> None:
    raw = np.zeros((1, 8, 8, 1), "float32")
    raw[0, 1, 5] = 1.0
    encoded = images((32, 32, 1)).encode(raw)[0, ..., 0]
    rows, columns = np.mgrid[:32, :32] + 0.5
    ink = encoded.sum()
    assert float((encoded * rows).sum() / ink) == pytest.approx(4 * 1.5)
    assert float((encoded * columns).sum() / ink) == pytest.approx(4 * 5.5)
    assert float(ink) == pytest.approx(16.0)


def test_shrinking_averages_instead_of_leaving_pixels_out() -> None:
    chequered = np.indices((16, 16)).sum(axis=0)[None, ..., None] % 2
    encoded = images((4, 4, 1)).encode(chequered.astype("float32"))
    np.testing.assert_allclose(encoded, 0.5, atol=0.05)


def test_grey_becomes_colour_by_repeating_and_colour_becomes_grey_by_brightness() -> None:
    grey = pictures(2, 8, 8, 1)
    coloured = images((8, 8, 3)).encode(grey)
    np.testing.assert_array_equal(coloured, np.repeat(grey, 3, axis=-1))
    back = images((8, 8, 1))
    np.testing.assert_allclose(back.encode(coloured), grey, atol=1e-3)
    primaries = np.eye(3, dtype="float32")[None, None]
    red, green, blue = images((1, 3, 1)).encode(primaries)[0, 0, :, 0].tolist()
    assert blue < red < green


def test_bytes_are_the_same_images_as_numbers_in_0_to_1() -> None:
    raw = np.array([[[[0], [51]], [[204], [255]]]], np.uint8)
    np.testing.assert_allclose(images((2, 2, 1)).encode(raw)[0, ..., 0], [[0.0, 0.2], [0.8, 1.0]])


@pytest.mark.parametrize(
    ("shape", "rows", "columns"),
    [
        ((4, 8), slice(0, 4), slice(2, 6)),  # two columns off each side
        ((9, 4), slice(2, 6), slice(0, 4)),  # of an odd rest, the larger half below
        ((4, 4), slice(0, 4), slice(0, 4)),
    ],
)
def test_the_shorter_side_fits_and_the_middle_of_the_longer_is_kept(
    shape: tuple[int, int], rows: slice, columns: slice
) -> None:
    raw = pictures(2, *shape, 1)
    encoded = images((4, 4, 1), resize="shorter-side").encode(raw)
    np.testing.assert_allclose(encoded, raw[:, rows, columns], atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 12), (12, 8), (30, 13), (3, 2)])
def test_both_sides_are_scaled_alike(shape: tuple[int, int]) -> None:
    # Of images that rise by 1 a row and by 100 a column, the slopes say by how much.
    ramp = np.add.outer(np.arange(shape[0]), 100.0 * np.arange(shape[1])).astype("float32")
    encoded = images((6, 6, 1), resize="shorter-side").encode(ramp[None, ..., None])[0, ..., 0]
    middle = encoded[2:4, 2:4]
    scale = min(shape) / 6
    assert middle[1, 0] - middle[0, 0] == pytest.approx(scale, rel=0.1)
    assert middle[0, 1] - middle[0, 0] == pytest.approx(100.0 * scale, rel=0.1)


def test_a_size_that_is_known_only_when_it_is_there_makes_no_difference() -> None:
    encoder = images((6, 6, 1), resize="shorter-side")
    raw = pictures(2, 9, 13, 1)
    unknown = tf.function(encoder, input_signature=[tf.TensorSpec((None, None, None, 1))])
    np.testing.assert_allclose(unknown(raw), encoder.encode(raw), atol=1e-6)


def test_a_smaller_image_is_laid_on_the_middle_of_a_field_of_zeros() -> None:
    raw = pictures(2, 4, 3, 1)
    encoded = images((6, 7, 1), resize="pad").encode(raw)
    np.testing.assert_allclose(encoded[:, 1:5, 2:5], raw, atol=1e-6)
    assert encoded.sum() == pytest.approx(raw.sum(), rel=1e-5)


def test_a_larger_image_is_scaled_down_into_the_field_whole() -> None:
    raw = np.ones((1, 8, 16, 1), "float32")
    encoded = images((6, 6, 1), resize="pad").encode(raw)[0, ..., 0]
    np.testing.assert_allclose(encoded[1:4] if encoded[1].any() else encoded[2:5], 1.0, atol=1e-6)
    assert encoded.sum() == pytest.approx(3 * 6, rel=1e-5)


def test_a_window_is_the_middle_unless_seeds_say_otherwise() -> None:
    encoder = images((2, 4, 1), image_size=(5, 8))
    raw = pictures(3, 5, 8, 1)
    np.testing.assert_array_equal(encoder.encode(raw), raw[:, 1:3, 2:6])
    # An image of another size is brought to the whole's before it is cut.
    large = raw.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(encoder.encode(large), images((5, 8, 1)).encode(large)[:, 1:3, 2:6])


def test_windows_lie_anywhere_and_are_whole_and_drawn_by_their_own_seeds() -> None:
    encoder = images((2, 3, 1), image_size=(4, 4))
    raw = np.tile(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1), (200, 1, 1, 1))
    seeds = np.stack([np.full(200, 7), np.arange(200)], axis=1)
    windows = encoder.crop(raw, tf.constant(seeds, tf.int64)).numpy()
    tops = windows[:, 0, 0, 0]
    assert set(tops) == {0.0, 1.0, 4.0, 5.0, 8.0, 9.0}  # three rows and two columns to begin at
    counts = np.unique(tops, return_counts=True)[1]
    assert counts.min() > 15
    offsets = windows - tops[:, None, None, None]
    np.testing.assert_array_equal(offsets[:, :, :, 0], np.tile([[0, 1, 2], [4, 5, 6]], (200, 1, 1)))
    backwards = encoder.crop(raw, tf.constant(seeds[::-1].copy(), tf.int64)).numpy()
    np.testing.assert_array_equal(backwards[::-1], windows)


def test_centred_images_have_lost_each_channels_mean() -> None:
    encoder = images((1, 2, 3), scaling="centred", mean=(0.5, 0.25, 0.0))
    raw = np.array([[[[1.0, 0.5, 0.25], [0.0, 0.25, 1.0]]]], np.float32)
    expected = [[[[0.5, 0.25, 0.25], [-0.5, 0.0, 1.0]]]]
    np.testing.assert_array_equal(encoder.encode(raw), expected)


def test_caffe_wants_bytes_the_other_way_round_less_imagenets_means() -> None:
    raw = np.array([[[[1.0, 0.0, 0.2]]]], np.float32)  # red, green, blue
    encoded = images((1, 1, 3), scaling="caffe").encode(raw)[0, 0, 0]
    expected = [51.0 - 103.939, 0.0 - 116.779, 255.0 - 123.68]
    np.testing.assert_allclose(encoded, expected, rtol=1e-6)
    theirs = keras.applications.vgg16.preprocess_input(255.0 * raw)
    np.testing.assert_allclose(encoded, theirs[0, 0, 0], rtol=1e-6)


def test_a_served_image_comes_in_the_size_that_the_window_is_cut_out_of() -> None:
    encoder = images((2, 4, 3), image_size=(5, 8), scaling="caffe")
    assert encoder.signature().shape.as_list() == [None, 5, 8, 3]


def test_a_table_is_standardised_in_every_split_by_the_same_figures() -> None:
    dataset = load("wine")
    encoder = Encoder(dataset.spec)
    train = encoder.encode(dataset.split("train").inputs)
    np.testing.assert_allclose(train.mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(train.std(axis=0), 1.0, atol=1e-4)
    test = dataset.split("test").inputs
    expected = (test - np.array(dataset.spec.mean)) / np.array(dataset.spec.standard_deviation)
    np.testing.assert_allclose(encoder.encode(test), expected, atol=1e-4)


def text_encoder(**facts: Any) -> Encoder:
    """An encoder of texts of up to five tokens, of which it knows a, b and ä."""
    spec = DatasetSpec(
        name="tiny",
        kind="text",
        target="class",
        raw_shape=(),
        input_shape=(5,),
        **{"vocabulary": ("a", "b", "ä"), **facts},
    )
    return Encoder(spec)


def test_a_text_is_cut_padded_and_looked_up() -> None:
    encoded = text_encoder().encode(np.array(["ab", "aäbab ab", "", "xa A"]))
    assert encoded.dtype == np.int32
    np.testing.assert_array_equal(
        encoded,
        [[2, 3, 0, 0, 0], [2, 4, 3, 2, 3], [0, 0, 0, 0, 0], [1, 2, 1, 1, 0]],
    )


def test_a_text_is_put_in_lower_case_where_the_spec_says_so_accents_included() -> None:
    encoded = text_encoder(lowercase=True).encode(np.array(["AbÄ", "Äa"]))
    np.testing.assert_array_equal(encoded, [[2, 3, 4, 0, 0], [4, 2, 0, 0, 0]])


def test_words_are_what_white_space_separates() -> None:
    words = text_encoder(vocabulary=("ab", "b"), split_text="whitespace")
    encoded = words.encode(np.array(["ab  b\tab", " x b ", ""]))
    np.testing.assert_array_equal(encoded, [[2, 3, 2, 0, 0], [1, 3, 0, 0, 0], [0, 0, 0, 0, 0]])


@pytest.mark.parametrize("split_text", ["character", "whitespace"])
@pytest.mark.parametrize("lowercase", [False, True])
def test_training_texts_are_encoded_as_they_were_counted(split_text: str, lowercase: bool) -> None:
    # Every token of the training split is in its own vocabulary: none of them may be unknown.
    dataset = load("languages", split_text=split_text, lowercase=lowercase)
    train = dataset.split("train").inputs
    encoded = Encoder(dataset.spec).encode(train)
    wrong = train[(encoded == 1).any(axis=1)]
    assert wrong.tolist() == []
    index = {token: at for at, token in enumerate(dataset.spec.vocabulary, start=2)}
    for text, row in zip(train[:100].tolist(), encoded, strict=False):
        tokens = [index[token] for token in tokenise(text, split_text, lowercase)]
        assert row[: len(tokens)].tolist() == tokens
        assert not row[len(tokens) :].any()


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_a_long_array_is_encoded_in_parts_as_it_would_be_in_one(chunk: int) -> None:
    raw = pictures(7, 8, 8, 1)
    encoder = images((12, 12, 3))
    np.testing.assert_allclose(encoder.encode(raw, chunk=chunk), encoder(raw), atol=1e-6)


def test_no_examples_are_encoded_as_none() -> None:
    assert images((12, 12, 3)).encode(pictures(0, 8, 8, 1)).shape == (0, 12, 12, 3)


@pytest.mark.parametrize(
    ("name", "form", "shape", "dtype"),
    [
        ("digits", {"image_size": (16, 12), "channels": 3}, (None, 16, 12, 3), tf.float32),
        ("wine", {}, (None, 13), tf.float32),
        ("languages", {"sequence_length": 9}, (None,), tf.string),
    ],
)
def test_serving_takes_what_the_encoder_takes_by_a_name_that_says_what_it_is(
    name: str, form: dict[str, Any], shape: tuple[Any, ...], dtype: Any
) -> None:
    encoder = Encoder(load(name, **form).spec)
    signature = encoder.signature()
    assert signature.name == encoder.spec.input_name
    assert tuple(signature.shape) == shape
    assert signature.dtype == dtype


@pytest.mark.parametrize("name", ["digits", "wine", "languages"])
def test_within_a_graph_encoding_is_what_it_is_outside(name: str) -> None:
    dataset = load(name)
    encoder = Encoder(dataset.spec)
    raw = dataset.split("test").inputs[:5]
    served = tf.function(encoder.__call__, input_signature=[encoder.signature()])
    np.testing.assert_allclose(served(tf.constant(raw)), encoder.encode(raw), atol=1e-6)
