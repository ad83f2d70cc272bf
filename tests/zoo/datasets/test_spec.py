"""The spec travels with runs and exports as JSON and comes back the same."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from zoo.datasets.loading import load
from zoo.datasets.spec import Dataset, DatasetSpec, Examples
from zoo.errors import UsageError

IMAGES = DatasetSpec(
    name="tiny",
    kind="image",
    target="class",
    raw_shape=(8, 8, 1),
    input_shape=(32, 32, 3),
    class_names=("α", "日本", 'quoted "c"'),
    value_range=(0.0, 1.0),
    sizes={"train": 3, "test": 1},
)


@pytest.mark.parametrize(
    "spec",
    [
        IMAGES,
        *(load(name).spec for name in ("and", "iris", "diabetes")),
        load("languages", sequence_length=20, vocabulary_size=50, lowercase=True).spec,
    ],
    ids=lambda spec: spec.name,
)
def test_a_spec_comes_back_from_json_as_it_was(spec: DatasetSpec) -> None:
    again = DatasetSpec.from_json(spec.to_json())
    assert again == spec
    for field in dataclasses.fields(spec):
        assert type(getattr(again, field.name)) is type(getattr(spec, field.name)), field.name


def test_names_stay_readable_in_the_file() -> None:
    assert "日本" in IMAGES.to_json()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "{}", '{"name": "tiny"}'],
)
def test_what_is_not_a_spec_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        DatasetSpec.from_json(text)


def test_a_spec_with_a_field_that_nobody_knows_is_refused() -> None:
    values = {**json.loads(IMAGES.to_json()), "colour": "red"}
    with pytest.raises(ValueError, match="colour"):
        DatasetSpec.from_json(json.dumps(values))


def test_what_an_example_is_called_depends_on_its_kind() -> None:
    names = [load(name).spec.input_name for name in ("digits", "iris", "languages")]
    assert names == ["image", "features", "text"]


def test_the_vocabulary_is_counted_with_padding_and_the_unknown() -> None:
    assert dataclasses.replace(IMAGES, vocabulary=("a", "b")).tokens == 4


def test_an_unknown_split_is_answered_with_those_that_exist() -> None:
    examples = Examples(np.zeros((3, 8, 8, 1)), np.zeros(3))
    dataset = Dataset(IMAGES, {"train": examples, "test": examples})
    assert dataset.split("test") is examples
    with pytest.raises(UsageError, match=r"unknown split 'tests'\. Did you mean 'test'\?"):
        dataset.split("tests")
