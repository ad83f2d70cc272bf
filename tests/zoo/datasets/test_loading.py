"""Loading: in the form that a recipe asks for, fitted on the training split and on nothing else."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from zoo.base.errors import UsageError
from zoo.datasets import sources
from zoo.datasets.features.base import Feature
from zoo.datasets.features.image import Image
from zoo.datasets.features.label import Label
from zoo.datasets.features.number import Number
from zoo.datasets.features.table import Table
from zoo.datasets.features.text import Text
from zoo.datasets.loading import in_form, load
from zoo.datasets.sources import open_source
from zoo.datasets.sources.base import Description, Loaded, Source
from zoo.datasets.spec import SPLITS
from zoo.datasets.split import Split

BUNDLED = [n for n in sources.list_sources() if open_source(n).describe().origin == "bundled"]


class Made(Source):
    """A source of columns by split."""

    def __init__(self, features: dict[str, Feature], splits: dict[str, dict[str, Any]]) -> None:
        self.features = features
        self.splits = splits

    def describe(self) -> Description:
        inputs = tuple(name for name in self.features if name != "label")
        return Description(
            name="made",
            title="",
            question="",
            features=self.features,
            inputs=inputs,
            targets=("label",) if "label" in self.features else (),
        )

    def load(self) -> Loaded:
        named = {name: feature.with_names(["no", "yes"]) for name, feature in self.features.items()}
        splits = {name: Split.in_memory(columns) for name, columns in self.splits.items()}
        return Loaded(splits, named)

    def fingerprint(self) -> str:
        return "1"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes a source called "made"."""
    monkeypatch.setattr(sources, "_registered", {})

    def put(features: dict[str, Feature], **splits: dict[str, Any]) -> None:
        sources._registered["made"] = lambda: Made(features, splits)

    return put


def image(name: str, **form: Any) -> Image:
    """The fitted image of a data set in a form."""
    found = load(name, {"image": form}).spec.features["image"]
    assert isinstance(found, Image)
    return found


@pytest.mark.parametrize("name", BUNDLED)
def test_a_spec_says_what_the_source_does(name: str) -> None:
    told, dataset = open_source(name).describe(), load(name)
    spec = dataset.spec
    assert (spec.name, spec.inputs, spec.targets) == (name, told.inputs, told.targets)
    assert spec.sizes == told.sizes == {split: len(dataset.split(split)) for split in SPLITS}
    assert spec.fingerprint == open_source(name).fingerprint()
    for column, feature in spec.features.items():
        (chunk, *_) = dataset.split("test").chunks(5)
        assert feature.encode(chunk[column]).shape[1:] == feature.shape


def test_an_unknown_split_is_answered_with_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"unknown split 'tests'\. Did you mean 'test'\?"):
        load("and").split("tests")


# Fitting.


def test_a_table_is_fitted_on_the_training_split_alone(made: Any) -> None:
    features: dict[str, Feature] = {"features": Table(names=("a", "b"))}
    train = {"features": np.array([[1.0, 5.0], [3.0, 5.0]], "float32")}
    found = []
    for unseen in (2.0, 1e6):
        made(features, train=train, test={"features": np.full((4, 2), unseen, "float32")})
        found.append(load("made").spec.features["features"])
    assert found[0] == found[1]
    assert found[0] == Table(
        names=("a", "b"),
        mean=(2.0, 5.0),
        standard_deviation=(1.0, 1.0),
        lowest=(1.0, 5.0),
        highest=(3.0, 5.0),
    )


def test_a_vocabulary_is_of_the_training_split_alone(made: Any) -> None:
    texts = {"train": ["bcb", "acba"], "test": ["zzzzzz"], "validation": ["yyyyyy"]}
    made({"text": Text()}, **{name: {"text": np.array(some)} for name, some in texts.items()})
    text = load("made").spec.features["text"]
    assert isinstance(text, Text)
    assert text.vocabulary == ("b", "a", "c")
    assert text.length == 4
    shorter = load("made", {"text": {"vocabulary_size": 4, "length": 3}}).spec.features["text"]
    assert shorter == Text(vocabulary=("b", "a"), counts=(3, 2), vocabulary_size=4, length=3)


def test_images_are_centred_by_their_training_split() -> None:
    dataset = load("digits", {"image": {"scaling": "centred"}})
    (train,) = dataset.split("train").chunks(2000)
    feature = dataset.spec.features["image"]
    assert isinstance(feature, Image)
    assert feature.mean == pytest.approx([train["image"].mean(dtype=np.float64)], rel=1e-6)
    assert np.asarray(feature.encode(train["image"])).mean() == pytest.approx(0.0, abs=1e-6)


def test_the_brightness_of_the_digits_is_kept_and_inverted_ones_are_noticed() -> None:
    dataset = load("digits", {"image": {"size": [32, 32]}})
    feature = dataset.spec.features["image"]
    (test,) = dataset.split("test").chunks(360)
    told = [feature.unusual(one[None]) for one in test["image"]]
    assert told == [None] * 360
    swapped = [feature.unusual(feature.inverted(one[None])) for one in test["image"]]
    noticed = [one for one in swapped if one and "--invert" in one]
    assert len(noticed) > 0.95 * 360


def test_what_an_earlier_load_has_fitted_is_not_fitted_again() -> None:
    form = {"image": {"scaling": "centred"}}
    first = load("digits", form).spec
    other = {**first.features, "image": dataclasses.replace(image("digits"), mean=(0.25,))}
    spec = dataclasses.replace(first, features=other)
    assert load("digits", form, fitted=spec).spec is spec


def test_what_only_the_examples_tell_is_kept_beside_the_form(made: Any) -> None:
    features: dict[str, Feature] = {"number": Number(), "label": Label(count=2)}
    columns = {"number": np.ones(3, "float32"), "label": np.array([0, 1, 1], "int32")}
    made(features, train=columns)
    assert load("made").spec.features["label"] == Label(names=("no", "yes"), count=2)
    assert load("made").spec.features["number"] == Number()


def test_a_task_may_change_columns_before_they_are_fitted(made: Any) -> None:
    made({"text": Text()}, train={"text": np.array(["ab"])})

    def marked(described: Description) -> Description:
        text = dataclasses.replace(described.features["text"], marked=True)  # type: ignore[call-arg]
        return dataclasses.replace(described, features={"text": text})

    spec = load("made", adapt=marked).spec
    assert spec.features["text"] == Text(
        marked=True, vocabulary=("a", "b"), counts=(1, 1), length=4
    )


# Forms.


def test_a_form_is_the_models_input() -> None:
    feature = image("digits", size=[32, 24], channels=3, crop=[28, 20])
    assert feature.shape == (28, 20, 3)
    assert feature.whole_shape == (32, 24, 3)
    assert image("digits").whole_shape == (8, 8, 1)


@pytest.mark.parametrize(
    ("name", "forms", "message"),
    [
        ("digits", {"image": {"sizee": 3}}, "data.image.sizee: unknown key. Did you mean 'size'?"),
        ("digits", {"image": {"unit": "word"}}, "data.image.unit: unknown key. It takes: size, "),
        ("digits", {"label": {"size": 3}}, "data.label.size: unknown key. A label takes none."),
        ("digits", {"text": {"unit": "word"}}, "unknown column of digits 'text'. There are: image"),
        ("languages", {"image": {}}, "unknown column of languages 'image'. There are: text, label"),
        ("languages", {"text": {"unit": "w"}}, "data.text.unit: must be one of 'character', 'wor"),
        ("languages", {"texts": {}}, "unknown column of languages 'texts'. Did you mean 'text'?"),
        ("iris", {"table": {}}, "unknown column of iris 'table'."),
        ("diabetes", {"target": {"unit": "mm"}}, "data.target.unit: unknown key."),
        ("digits", {"image": {"crop": [9, 4]}}, "a crop of 9×4 does not fit into images of 8×8"),
        ("imagenet", {}, "images are of any size; choose one: --set 'data.image.size=[224,224]'"),
    ],
)
def test_a_form_that_does_not_fit_is_refused_before_anything_is_loaded(
    name: str, forms: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = open_source(name)
    monkeypatch.setattr(type(source), "load", lambda self: pytest.fail("loaded"))
    with pytest.raises(UsageError) as caught:
        load(name, forms)
    assert str(caught.value).startswith(message)


def test_a_description_may_be_brought_into_form_before_its_size_is_known() -> None:
    told = open_source("imagenet").describe()
    found = in_form(told, {"image": {"crop": 64}}, complete=False)
    assert found.features["image"].form_values()["crop"] == (64, 64)
    assert found.features["label"] == told.features["label"]


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'iris'\?"):
        load("irises")
