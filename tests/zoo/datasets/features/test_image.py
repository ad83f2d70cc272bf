"""Images: what a model gets of a raw one, the same for every source of examples."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.base.errors import UsageError
from zoo.datasets.features.image import Image


def images(size: tuple[int, int], channels: int = 1, **form: Any) -> Image:
    """A feature that brings images to this size and these channels."""
    return Image(raw_shape=(8, 8, 1), size=size, channels=channels, **form)


def encode(feature: Image, raw: np.ndarray) -> np.ndarray:
    return np.asarray(feature.encode(raw))


def pictures(*shape: int) -> np.ndarray:
    """Images in [0, 1]."""
    return np.random.default_rng(0).uniform(size=shape).astype("float32")


def test_images_of_the_right_form_are_left_as_they_are() -> None:
    raw = pictures(3, 8, 8, 1)
    np.testing.assert_array_equal(encode(Image(raw_shape=(8, 8, 1)), raw), raw)


@pytest.mark.parametrize("size", [(32, 32), (5, 7), (1, 1)])
def test_images_are_resized_and_stay_within_their_range(size: tuple[int, int]) -> None:
    encoded = encode(images(size), pictures(3, 8, 8, 1))
    assert encoded.shape == (3, *size, 1)
    assert encoded.dtype == np.float32
    assert 0.0 <= encoded.min() <= encoded.max() <= 1.0 + 1e-6


def test_resizing_keeps_a_picture_where_it_is_and_as_bright_as_it_is() -> None:
    raw = np.zeros((1, 8, 8, 1), "float32")
    raw[0, 1, 5] = 1.0
    encoded = encode(images((32, 32)), raw)[0, ..., 0]
    rows, columns = np.mgrid[:32, :32] + 0.5
    ink = encoded.sum()
    assert float((encoded * rows).sum() / ink) == pytest.approx(4 * 1.5)
    assert float((encoded * columns).sum() / ink) == pytest.approx(4 * 5.5)
    assert float(ink) == pytest.approx(16.0)


def test_shrinking_averages_instead_of_leaving_pixels_out() -> None:
    chequered = np.indices((16, 16)).sum(axis=0)[None, ..., None] % 2
    encoded = encode(images((4, 4)), chequered.astype("float32"))
    np.testing.assert_allclose(encoded, 0.5, atol=0.05)


def test_grey_becomes_colour_by_repeating_and_colour_becomes_grey_by_brightness() -> None:
    grey = pictures(2, 8, 8, 1)
    coloured = encode(images((8, 8), 3), grey)
    np.testing.assert_array_equal(coloured, np.repeat(grey, 3, axis=-1))
    np.testing.assert_allclose(encode(images((8, 8)), coloured), grey, atol=1e-3)
    primaries = np.eye(3, dtype="float32")[None, None]
    red, green, blue = encode(images((1, 3)), primaries)[0, 0, :, 0].tolist()
    assert blue < red < green


def test_bytes_are_the_same_images_as_numbers_in_0_to_1() -> None:
    raw = np.array([[[[0], [51]], [[204], [255]]]], np.uint8)
    np.testing.assert_allclose(encode(images((2, 2)), raw)[0, ..., 0], [[0.0, 0.2], [0.8, 1.0]])


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
    encoded = encode(images((4, 4), resize="shorter-side"), raw)
    np.testing.assert_allclose(encoded, raw[:, rows, columns], atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 12), (12, 8), (30, 13), (3, 2)])
def test_both_sides_are_scaled_alike(shape: tuple[int, int]) -> None:
    # In images that rise by 1 a row and by 100 a column, the slopes are the scales.
    ramp = np.add.outer(np.arange(shape[0]), 100.0 * np.arange(shape[1])).astype("float32")
    encoded = encode(images((6, 6), resize="shorter-side"), ramp[None, ..., None])[0, ..., 0]
    middle = encoded[2:4, 2:4]
    scale = min(shape) / 6
    assert middle[1, 0] - middle[0, 0] == pytest.approx(scale, rel=0.1)
    assert middle[0, 1] - middle[0, 0] == pytest.approx(100.0 * scale, rel=0.1)


def test_a_size_that_is_unknown_in_the_graph_makes_no_difference() -> None:
    feature = images((6, 6), resize="shorter-side")
    raw = pictures(2, 9, 13, 1)
    unknown = tf.function(feature.encode, input_signature=[tf.TensorSpec((None, None, None, 1))])
    np.testing.assert_allclose(unknown(raw), encode(feature, raw), atol=1e-6)


def test_a_smaller_image_is_laid_on_the_middle_of_a_field_of_zeros() -> None:
    raw = pictures(2, 4, 3, 1)
    encoded = encode(images((6, 7), resize="pad"), raw)
    np.testing.assert_allclose(encoded[:, 1:5, 2:5], raw, atol=1e-6)
    assert encoded.sum() == pytest.approx(raw.sum(), rel=1e-5)


def test_a_larger_image_is_scaled_down_into_the_field_whole() -> None:
    raw = np.ones((1, 8, 16, 1), "float32")
    encoded = encode(images((6, 6), resize="pad"), raw)[0, ..., 0]
    np.testing.assert_allclose(encoded[1:4] if encoded[1].any() else encoded[2:5], 1.0, atol=1e-6)
    assert encoded.sum() == pytest.approx(3 * 6, rel=1e-5)


def test_a_window_is_the_middle_unless_seeds_say_otherwise() -> None:
    feature = images((5, 8), crop=(2, 4))
    raw = pictures(3, 5, 8, 1)
    assert feature.shape == (2, 4, 1)
    assert feature.whole_shape == (5, 8, 1)
    np.testing.assert_array_equal(encode(feature, raw), raw[:, 1:3, 2:6])
    # An image of another size is brought to the whole's before it is cut.
    large = raw.repeat(2, axis=1).repeat(2, axis=2)
    whole = encode(images((5, 8)), large)
    np.testing.assert_allclose(encode(feature, large), whole[:, 1:3, 2:6])


def test_windows_lie_anywhere_and_are_whole_and_drawn_by_their_own_seeds() -> None:
    feature = images((4, 4), crop=(2, 3))
    raw = np.tile(np.arange(16.0, dtype="float32").reshape(1, 4, 4, 1), (200, 1, 1, 1))
    seeds = np.stack([np.full(200, 7), np.arange(200)], axis=1)
    windows = feature.finish(tf.constant(raw), tf.constant(seeds, tf.int64)).numpy()
    tops = windows[:, 0, 0, 0]
    assert set(tops) == {0.0, 1.0, 4.0, 5.0, 8.0, 9.0}  # three rows and two columns to begin at
    assert np.unique(tops, return_counts=True)[1].min() > 15
    offsets = windows - tops[:, None, None, None]
    np.testing.assert_array_equal(offsets[:, :, :, 0], np.tile([[0, 1, 2], [4, 5, 6]], (200, 1, 1)))
    backwards = feature.finish(tf.constant(raw), tf.constant(seeds[::-1].copy(), tf.int64)).numpy()
    np.testing.assert_array_equal(backwards[::-1], windows)


def test_centred_images_have_lost_each_channels_mean() -> None:
    feature = images((1, 2), 3, scaling="centred", mean=(0.5, 0.25, 0.0))
    raw = np.array([[[[1.0, 0.5, 0.25], [0.0, 0.25, 1.0]]]], np.float32)
    np.testing.assert_array_equal(encode(feature, raw), [[[[0.5, 0.25, 0.25], [-0.5, 0.0, 1.0]]]])


def test_the_mean_is_fitted_on_images_as_the_model_gets_them() -> None:
    chunks = [pictures(5, 9, 6, 3), pictures(2, 9, 6, 3)]
    fitted = images((4, 4), 3, scaling="centred").fit(chunks)
    encoded = np.concatenate([encode(fitted, chunk) for chunk in chunks])
    np.testing.assert_allclose(encoded.mean(axis=(0, 1, 2)), 0.0, atol=1e-6)
    assert images((4, 4)).fit(chunks).mean == ()


def test_caffe_wants_bytes_the_other_way_round_less_imagenets_means() -> None:
    raw = np.array([[[[1.0, 0.0, 0.2]]]], np.float32)  # red, green, blue
    encoded = encode(images((1, 1), 3, scaling="caffe"), raw)[0, 0, 0]
    np.testing.assert_allclose(encoded, [51.0 - 103.939, 0.0 - 116.779, 255.0 - 123.68], rtol=1e-6)
    theirs = keras.applications.vgg16.preprocess_input(255.0 * raw)
    np.testing.assert_allclose(encoded, theirs[0, 0, 0], rtol=1e-6)


@pytest.mark.parametrize("scaling", ["unit", "centred", "caffe"])
def test_what_is_encoded_is_decoded_to_the_image(scaling: str) -> None:
    feature = Image(raw_shape=(4, 5, 3), scaling=scaling, mean=(0.2, 0.3, 0.4))
    raw = pictures(3, 4, 5, 3)
    np.testing.assert_allclose(feature.decode(feature.encode(raw)), raw, atol=1e-5)


def test_a_served_image_has_the_size_that_the_window_is_cut_out_of() -> None:
    feature = images((5, 8), 3, crop=(2, 4), scaling="caffe")
    assert feature.signature("image").shape.as_list() == [None, 5, 8, 3]
    assert feature.sample(2).shape == (2, 5, 8, 3)


# The form that a recipe asks for.


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"sizee": [4, 4]}, "data.image.sizee: unknown key. Did you mean 'size'?"),
        ({"unit": "word"}, "data.image.unit: unknown key. It takes: size, channels, resize, "),
        ({"mean": [0.1]}, "data.image.mean: unknown key."),  # fitted, never set
        ({"size": [4]}, "data.image.size: must be two positive numbers, height and width, got"),
        ({"size": [0, 4]}, "data.image.size: must be two positive numbers"),
        ({"size": [4.0, 4]}, "data.image.size: must be two positive numbers"),
        ({"crop": "4x4"}, "data.image.crop: must be two positive numbers"),
        ({"channels": 2}, "data.image.channels: must be 1 or 3, got 2"),
        ({"channels": True}, "data.image.channels: must be 1 or 3, got True"),
        ({"resize": "fit"}, "data.image.resize: must be one of 'stretch', 'shorter-side', 'pad'"),
        ({"scaling": ["unit"]}, "data.image.scaling: must be one of 'unit', 'centred', 'caffe'"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_by_its_key(form: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Image(raw_shape=(8, 8, 1)).with_form("image", form)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"crop": (9, 4)}, "a crop of 9×4 does not fit into images of 8×8"),
        ({"size": (32, 16), "crop": 24}, "a crop of 24×24 does not fit into images of 32×16"),
        ({"scaling": "caffe"}, "3 channels, got 1; try --set data.image.channels=3"),
    ],
)
def test_a_form_that_images_cannot_have_is_refused(form: dict[str, Any], message: str) -> None:
    feature = Image(raw_shape=(8, 8, 1)).with_form("image", form)
    with pytest.raises(UsageError, match=message):
        feature.check("image")


def test_images_of_any_size_need_one() -> None:
    with pytest.raises(UsageError, match=r"any size.*--set 'data\.photo\.size=\[224,224\]'"):
        Image(raw_shape=(0, 0, 3)).check("photo")
    Image(raw_shape=(0, 0, 3), size=(8, 8)).check("photo")


def test_one_number_is_a_square() -> None:
    assert Image(raw_shape=(8, 8, 1)).with_form("image", {"size": 5}).shape == (5, 5, 1)


# What is far from the training images.

INK = np.zeros((50, 8, 8, 1), "float32")
INK[:, 2:6, 3:5] = np.linspace(0.6, 1.0, 50, dtype="float32")[:, None, None, None]
FITTED = Image(raw_shape=(8, 8, 1)).fit([INK[:20], INK[20:]])


def test_an_ordinary_image_is_not_unusual() -> None:
    assert all(FITTED.unusual(image[None]) is None for image in INK)
    noisy = np.clip(INK + np.random.default_rng(0).normal(0, 0.1, INK.shape), 0, 1)
    assert all(FITTED.unusual(image[None]) is None for image in noisy)
    assert FITTED.unusual((255 * INK[:1]).astype("uint8")) is None
    assert Image(raw_shape=(8, 8, 1)).unusual(1 - INK[:1]) is None  # nothing to compare with


def test_dark_ink_on_white_is_unusual_and_invert_is_the_hint() -> None:
    told = FITTED.unusual(1 - INK[:1])
    assert told is not None
    assert told.startswith("its edge is lighter (1.00 of 1) than any training image's (0.00 to 0.0")
    assert told.endswith("light and dark may be swapped, try --invert")
    assert FITTED.unusual(FITTED.inverted(1 - INK[:1])) is None
    assert FITTED.unusual(FITTED.inverted((255 - 255 * INK[:1]).astype("uint8"))) is None


def test_invert_is_no_hint_where_it_does_not_help() -> None:
    grey = FITTED.unusual(np.full((1, 8, 8, 1), 0.5, "float32"))
    assert grey is not None
    assert "--invert" not in grey
    light = Image(raw_shape=(8, 8, 1)).fit([np.full((3, 8, 8, 1), 0.9, "float32")])
    dark = light.unusual(np.full((1, 8, 8, 1), 0.5, "float32"))
    assert dark is not None
    assert dark.startswith("its edge is darker (0.50 of 1)")


# Arrays, as `run.predict` takes them.


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((8, 8), (1, 8, 8, 1)),
        ((8, 8, 1), (1, 8, 8, 1)),
        ((8, 8, 3), (1, 8, 8, 3)),
        ((5, 8, 8), (5, 8, 8, 1)),
        ((5, 9, 7, 3), (5, 9, 7, 3)),
        ((1, 8, 8, 1), (1, 8, 8, 1)),
    ],
)
def test_an_image_or_several_in_grey_or_colour(shape: Any, expected: Any) -> None:
    raw = FITTED.as_raw(np.full(shape, 0.5))
    assert raw.shape == expected
    assert raw.dtype == np.float32
    assert np.all(raw == 0.5)


def test_bytes_are_scaled_and_other_numbers_must_be_within_0_and_1() -> None:
    np.testing.assert_allclose(FITTED.as_raw(np.full((8, 8), 51, "uint8")), 0.2)
    assert FITTED.as_raw(np.eye(8, dtype=bool)).max() == 1.0
    for wrong in (255.0, -0.1, np.nan, np.inf):
        with pytest.raises(UsageError, match=r"must lie in \[0, 1\].*uint8"):
            FITTED.as_raw(np.full((8, 8), wrong))


@pytest.mark.parametrize("shape", [(8,), (2, 8, 8, 2), (1, 2, 8, 8, 1)])
def test_what_has_no_shape_of_images_is_refused_with_its_shape(shape: Any) -> None:
    with pytest.raises(UsageError) as caught:
        FITTED.as_raw(np.zeros(shape))
    assert str(shape) in str(caught.value)


def test_images_that_are_not_numbers_are_refused() -> None:
    with pytest.raises(UsageError, match="expected numbers, got an array of <U"):
        FITTED.as_raw(["digit.png"])


def test_a_paper_network_is_fed_with_noise_of_its_shape() -> None:
    assert dataclasses.replace(FITTED).like((4, 6, 3), {}).sample(2).shape == (2, 4, 6, 3)
