"""Loading: checked, split, and fitted on the training split and on nothing else."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zoo.datasets import catalog, loading
from zoo.datasets.loading import load, tokenise
from zoo.datasets.spec import SPLITS, DatasetEntry, Examples
from zoo.errors import DlzooError, UsageError

Shelve = Callable[[DatasetEntry], None]
BUNDLED = [name for name in catalog.list_datasets() if catalog.entry(name).tfds is None]


@pytest.fixture
def shelve(monkeypatch: pytest.MonkeyPatch) -> Shelve:
    """A function that puts another entry in the place of what the loader looks up."""

    def put(entry: DatasetEntry) -> None:
        monkeypatch.setattr(loading, "entry", lambda name: entry)

    return put


def made(like: str, folder: Path, rows: Sequence[Sequence[Any]]) -> DatasetEntry:
    """An entry like a bundled one, with other rows; the first is the header."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path = folder / "made.csv"
    path.write_text(text.getvalue(), encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(catalog.entry(like), path=path, sha256=digest, rows=len(rows) - 1)


@pytest.mark.parametrize("name", BUNDLED)
def test_every_data_set_loads_as_the_catalogue_says(name: str) -> None:
    entry, dataset = catalog.entry(name), load(name)
    spec = dataset.spec
    assert (spec.name, spec.kind, spec.target) == (name, entry.kind, entry.target)
    assert spec.class_names == entry.classes
    for split in ("train", "validation", "test"):
        examples = dataset.split(split)
        assert len(examples) == entry.splits.get(split, entry.rows) == spec.sizes[split]
        assert examples.inputs.shape[1:] == spec.raw_shape
        assert examples.targets.shape == (len(examples),)
        if spec.target == "class":
            assert set(examples.targets) == set(range(len(spec.class_names)))
        if spec.kind != "text":
            assert examples.inputs.dtype == np.float32
            assert np.isfinite(examples.inputs).all()


def test_truth_tables_are_whole_in_every_split() -> None:
    for name, outputs in (("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1]), ("xor", [0, 1, 1, 0])):
        for examples in map(load(name).split, SPLITS):
            np.testing.assert_array_equal(examples.inputs, [[0, 0], [0, 1], [1, 0], [1, 1]])
            np.testing.assert_array_equal(examples.targets, outputs)


def test_images_are_ink_from_0_to_1_the_right_way_up() -> None:
    train = load("digits").split("train")
    assert (train.inputs.min(), train.inputs.max()) == (0.0, 1.0)
    means = [train.inputs[train.targets == digit].mean(axis=0)[..., 0] for digit in range(10)]
    # A zero is empty in the middle, a one full; a seven is heavier above than below.
    assert means[0][3:5, 3:5].mean() < 0.3
    assert means[1][3:5, 3:5].mean() > 0.6
    assert means[7][:4].sum() > means[7][4:].sum()


def test_no_image_is_in_two_splits() -> None:
    dataset = load("digits")
    seen = {split: {image.tobytes() for image in dataset.split(split).inputs} for split in SPLITS}
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]


@pytest.mark.parametrize("name", ["digits", "iris"])
def test_a_damaged_file_is_said_to_be_with_what_to_do(
    name: str, tmp_path: Path, shelve: Shelve
) -> None:
    good = catalog.entry(name)
    assert good.path is not None
    content = bytearray(good.path.read_bytes())
    content[len(content) // 2] ^= 1
    copy = tmp_path / good.path.name
    copy.write_bytes(content)
    shelve(dataclasses.replace(good, path=copy))
    with pytest.raises(DlzooError) as caught:
        load(name)
    assert not isinstance(caught.value, UsageError)  # nothing that the user typed is wrong
    message = str(caught.value)
    assert message.startswith(f"data set {name} is damaged: {copy} ")
    assert str(good.sha256) in message
    assert message.endswith("Install dlzoo again.")
    assert "\n" not in message


def test_a_file_that_is_gone_is_said_to_be_with_what_to_do(tmp_path: Path, shelve: Shelve) -> None:
    shelve(dataclasses.replace(catalog.entry("iris"), path=tmp_path / "iris.csv"))
    with pytest.raises(DlzooError, match=r"iris.*Install dlzoo again\."):
        load("iris")


@pytest.mark.parametrize("name", ["iris", "wine", "breast-cancer", "diabetes"])
def test_a_table_is_standardised_by_its_training_split(name: str) -> None:
    dataset = load(name)
    train = dataset.split("train").inputs.astype(np.float64)
    whole = np.concatenate([dataset.split(split).inputs for split in SPLITS])
    np.testing.assert_allclose(dataset.spec.mean, train.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(dataset.spec.standard_deviation, train.std(axis=0), rtol=1e-6)
    assert not np.allclose(dataset.spec.mean, whole.mean(axis=0), rtol=1e-4)
    assert len(dataset.spec.feature_names) == len(dataset.spec.mean) == train.shape[1]


def test_what_is_not_in_the_training_split_leaves_no_trace(tmp_path: Path, shelve: Shelve) -> None:
    header = ["split", "x1", "x2", "label"]
    seen = [["train", 1, 5, "0"], ["train", 3, 5, "1"]]
    specs = []
    for unseen in (2, 1_000_000):
        shelve(made("and", tmp_path, [header, *seen, ["test", unseen, unseen, "1"]]))
        specs.append(load("and").spec)
    assert specs[0].mean == specs[1].mean == (2.0, 5.0)
    # The second column is constant: it is divided by 1, not by 0.
    assert specs[0].standard_deviation == specs[1].standard_deviation == (1.0, 1.0)


def texts(folder: Path, rows: Sequence[tuple[str, str]]) -> DatasetEntry:
    """An entry of (split, text) rows, all in one class."""
    header = ("split", "text", "label")
    return made("languages", folder, [header, *((*row, "Danish") for row in rows)])


def test_the_vocabulary_is_of_the_training_split_the_most_frequent_first(
    tmp_path: Path, shelve: Shelve
) -> None:
    rows = [("train", "bcb"), ("train", "acba"), ("test", "zzzzzz"), ("validation", "yyyyyy")]
    shelve(texts(tmp_path, rows))
    spec = load("languages").spec
    assert spec.vocabulary == ("b", "a", "c")  # three, then two each in the order of the alphabet
    assert spec.tokens == 5
    assert spec.input_shape == (4,)  # the longest training text's
    assert spec.raw_shape == ()


def test_vocabulary_and_length_are_cut_as_asked_for(tmp_path: Path, shelve: Shelve) -> None:
    shelve(texts(tmp_path, [("train", "aaabbc"), ("test", "a"), ("validation", "a")]))
    spec = load("languages", vocabulary_size=4, sequence_length=3).spec
    assert spec.vocabulary == ("a", "b")
    assert spec.tokens == 4
    assert spec.input_shape == (3,)


@pytest.mark.parametrize(
    ("form", "vocabulary"),
    [
        ({}, (" ", "A", "a", "b")),
        ({"lowercase": True}, ("a", " ", "b")),
        ({"split_text": "whitespace"}, ("A", "Ab", "a")),
        ({"split_text": "whitespace", "lowercase": True}, ("a", "ab")),
    ],
)
def test_a_token_is_what_the_recipe_says_it_is(
    form: dict[str, Any], vocabulary: tuple[str, ...], tmp_path: Path, shelve: Shelve
) -> None:
    shelve(texts(tmp_path, [("train", "A Ab a"), ("test", "a"), ("validation", "a")]))
    assert load("languages", **form).spec.vocabulary == vocabulary


def test_tokens_are_characters_or_words() -> None:
    assert tokenise("Ça va", "character", False) == ["Ç", "a", " ", "v", "a"]
    assert tokenise("Ça  va\n", "whitespace", True) == ["ça", "va"]


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("iris", {"image_size": (32, 32)}, "table data set: image_size, channels, crop, resize"),
        ("iris", {"scaling": "caffe"}, "resize and scaling are for images"),
        ("languages", {"channels": 3}, "text data set: image_size, channels, crop, resize and"),
        ("languages", {"crop": (2, 2)}, "resize and scaling are for images"),
        ("digits", {"sequence_length": 8}, "image data set: sequence_length and vocabulary_size"),
        ("iris", {"vocabulary_size": 8}, "table data set: sequence_length and vocabulary_size"),
    ],
)
def test_a_form_that_does_not_fit_the_kind_is_refused(
    name: str, form: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(name, **form)
    assert str(caught.value).startswith(f"{name} is a")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "form", "message"),
    [
        ("digits", {"crop": (9, 4)}, r"a crop of 9×4 does not fit into images of 8×8"),
        ("digits", {"image_size": (32, 16), "crop": (24, 24)}, r"24×24 does not .* of 32×16"),
        ("digits", {"scaling": "caffe"}, r"3 channels, got 1; try --set data.channels=3"),
        ("imagenet", {}, r"imagenet has images of any size; say .*data.image_size=\[224,224\]"),
        ("imagenet", {"image_size": (8, 8), "channels": 1, "scaling": "caffe"}, "got 1"),
    ],
)
def test_a_form_that_images_cannot_have_is_refused(
    name: str, form: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load(name, **form)


def test_a_window_of_the_image_is_what_the_model_gets() -> None:
    spec = load("digits", image_size=(32, 24), channels=3, crop=(28, 20)).spec
    assert spec.input_shape == (28, 20, 3)
    assert spec.whole_shape == (32, 24, 3)
    assert load("digits").spec.whole_shape == (8, 8, 1)


def test_images_are_centred_by_their_training_split() -> None:
    dataset = load("digits", scaling="centred")
    train = dataset.split("train").inputs
    assert dataset.spec.mean == pytest.approx([train.mean(dtype=np.float64)], rel=1e-6)
    whole = np.concatenate([dataset.split(split).inputs for split in SPLITS])
    assert dataset.spec.mean != pytest.approx([whole.mean(dtype=np.float64)], rel=1e-5)


def test_what_an_earlier_load_has_fitted_is_not_fitted_again() -> None:
    spec = dataclasses.replace(load("digits", scaling="centred").spec, mean=(0.25,))
    assert load("digits", scaling="centred", fitted=spec).spec is spec


def test_examples_come_in_chunks_the_rest_at_last() -> None:
    examples = Examples(np.arange(7), np.arange(7) * 10)
    chunks = list(examples.chunks(3))
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    np.testing.assert_array_equal(np.concatenate([chunk.inputs for chunk in chunks]), range(7))
    np.testing.assert_array_equal(chunks[2].targets, [60])


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'iris'\?"):
        load("irises")
