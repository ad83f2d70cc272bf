"""What holds of every feature: it travels as JSON, fits its signature, and refuses other keys."""

from __future__ import annotations

import dataclasses
import json
from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from zoo.base.errors import UsageError
from zoo.datasets.features import TYPES, from_dict, register
from zoo.datasets.features.base import Feature
from zoo.datasets.features.cells import YMD
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.record import Record
from zoo.datasets.features.series import Series
from zoo.datasets.features.table import Table
from zoo.datasets.features.tags import Tags
from zoo.datasets.features.text import Text

IMAGES = np.random.default_rng(0).random((9, 6, 5, 3)).astype("float32")
FEATURES: dict[str, Feature] = {
    "image": Image(raw_shape=(6, 5, 3), size=(4, 4), crop=(2, 3), scaling="centred").fit([IMAGES]),
    "image of any size": Image(raw_shape=(0, 0, 3), size=(4, 4), resize="pad"),
    "table": Table(names=("a", "日本")).fit([np.array([[1.0, 2.0], [3.0, 2.0]], "float32")]),
    "record": Record(
        names=("a", "b", "c"), kinds=("number", "category", "date"), orders=("", "", YMD)
    ).fit([np.array([["1", "x", "2024-01-02"], ["", "日本", "2024-05-06 07:08"]] * 2)]),
    "text": Text(lowercase=True, length=7).fit([np.array(["Ça va", "a\u00a0b"])]),
    "marked text": Text(unit="word", marked=True).fit([np.array(["Ça va", 'a "b'])]),
    "label": Label(names=("α", "日本", 'quoted "c"')),
    "label without names": Label(count=1000),
    "number": Number(unit="mm"),
    "series": Series(channels=("a", "b")).fit([np.arange(24.0).reshape(2, 6, 2).astype("float32")]),
    "tags": Tags(letters="xy", names=("first", "second"), length=7),
}


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_a_feature_comes_back_from_json_as_it_was(feature: Feature) -> None:
    again = from_dict(json.loads(json.dumps(feature.as_dict())))
    assert again == feature
    for field in dataclasses.fields(feature):
        assert type(getattr(again, field.name)) is type(getattr(feature, field.name)), field.name


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_a_sample_fits_the_signature_and_is_encoded_in_a_graph_as_outside(feature: Feature) -> None:
    raw = feature.sample(3)
    signature = feature.signature("x")
    assert signature.shape.is_compatible_with(raw.shape)
    assert signature.name == "x"
    encoded = feature.encode(raw)
    assert tuple(encoded.shape) == (3, *feature.shape)
    served = tf.function(feature.encode, input_signature=[signature])
    np.testing.assert_allclose(served(tf.constant(raw)), encoded, atol=1e-5)
    np.testing.assert_array_equal(feature.sample(3), raw)
    if raw.dtype.kind != "U":
        assert signature.dtype == raw.dtype


def test_every_type_is_tried_here() -> None:
    # Byte pairs have a test of their own: they are not in the graph.
    assert {feature.type for feature in FEATURES.values()} == set(TYPES) - {"byte-pair-text"}


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_a_key_that_a_feature_does_not_have_is_refused_by_name(feature: Feature) -> None:
    with pytest.raises(UsageError, match=r"^data\.column\.qqq: unknown key"):
        feature.with_form("column", {"qqq": 3})
    assert feature.with_form("column", {}) is feature
    assert set(feature.form_values()) == set(feature.form)


def test_plain_values_that_are_no_feature_are_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown feature 'imgae'\. Did you mean 'image'"):
        from_dict({"type": "imgae"})
    with pytest.raises(ValueError, match="colour"):
        from_dict({"type": "label", "colour": "red"})


def test_a_feature_of_another_distribution_is_found_by_its_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoo.datasets.features.TYPES", dict(TYPES))
    register(Tide)
    register(Tide)  # once more is nothing new
    assert from_dict({"type": "tide", "unit": "m"}) == Tide(unit="m")

    class Label(Number):
        type: ClassVar[str] = "label"

    with pytest.raises(ValueError, match="two features are called 'label'"):
        register(Label)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tide(Number):
    """A feature of another distribution."""

    type: ClassVar[str] = "tide"


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("image", "pixels"),
        ("table", "numbers"),
        ("text", "tokens"),
        ("label", "class"),
        ("number", "value"),
    ],
)
def test_what_a_feature_can_be_used_for(name: str, needs: str) -> None:
    every = {"pixels", "numbers", "tokens", "class", "value"}
    assert FEATURES[name].serves(needs)
    assert not FEATURES[name].serves(*(every - {needs}))


@pytest.mark.parametrize("name", ["table", "text", "label", "number"])
def test_only_images_are_inverted_and_previewed(name: str) -> None:
    feature = FEATURES[name]
    with pytest.raises(UsageError, match=f"--invert swaps light and dark in images.*a {name}"):
        feature.inverted(feature.sample(1))
