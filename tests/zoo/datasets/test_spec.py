"""The spec travels with runs and exports as JSON and comes back the same."""

from __future__ import annotations

import dataclasses
import json

import pytest

from zoo.base.errors import UsageError
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.text import Text
from zoo.datasets.loading import load
from zoo.datasets.spec import DatasetSpec

CAPTIONS = DatasetSpec(
    name="tiny",
    features={
        "image": Image(raw_shape=(None, None, 3), size=(8, 8), crop=(4, 4), border=(0.0, 0.5)),
        "text": Text(unit="word", marked=True, vocabulary=("α", "日本", 'quoted "c"'), length=9),
        "label": Label(names=("a", "b")),
        "weight": Number(),
    },
    inputs=("image", "text"),
    targets=("text",),
    weights="weight",
    sizes={"train": 3, "test": 1},
    fingerprint="abc",
)


@pytest.mark.parametrize(
    "spec",
    [CAPTIONS, *(load(name).spec for name in ("digits", "and", "diabetes", "languages"))],
    ids=lambda spec: spec.name,
)
def test_a_spec_comes_back_from_json_as_it_was(spec: DatasetSpec) -> None:
    again = DatasetSpec.from_json(spec.to_json())
    assert again == spec
    for field in dataclasses.fields(spec):
        assert type(getattr(again, field.name)) is type(getattr(spec, field.name)), field.name


def test_names_stay_readable_in_the_file() -> None:
    assert "日本" in CAPTIONS.to_json()


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"name": "tiny"}', '{"features": 3}'])
def test_what_is_not_a_spec_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        DatasetSpec.from_json(text)


def test_a_spec_with_a_field_that_nobody_knows_is_refused() -> None:
    values = {**json.loads(CAPTIONS.to_json()), "colour": "red"}
    with pytest.raises(ValueError, match="colour"):
        DatasetSpec.from_json(json.dumps(values))


def test_a_spec_with_a_feature_that_nobody_knows_is_refused() -> None:
    values = json.loads(CAPTIONS.to_json())
    values["features"]["image"]["type"] = "sound"
    with pytest.raises(UsageError, match="unknown feature 'sound'"):
        DatasetSpec.from_json(json.dumps(values))
